import { BridgeError } from '../../core/errors.ts';
import type { InboundEvent, InboundMessage } from '../../core/message.ts';
import { parseCommand } from '../commands/parse.ts';
import { allWords } from '../commands/table.ts';
import { admissionOf } from './admission.ts';
import type { ChatEvent, Intake } from '../ports/intake.ts';
import type { Journal } from '../ports/journal.ts';
import type { Languages } from '../texts/languages.ts';
import type { Clock } from '../../time/clock.ts';

interface HeldMessagesParts {
  readonly journal: Journal;
  readonly languages: Languages;
  readonly clock: Clock;
  /** When the bridge was restored from a backup, if it ever was. */
  readonly restoredAtMs: number | undefined;
  /** Stands before each command. */
  readonly prefix: string;
}

/** Stores messages while no bridge runs. The next bridge handles them. */
export class HeldMessages implements Intake {
  readonly #parts: HeldMessagesParts;

  constructor(parts: HeldMessagesParts) {
    this.#parts = parts;
  }

  /**
   * Takes only messages. Who may talk is judged before they start. Other events need a running bridge: they are not
   * acked, so Lark delivers them again.
   */
  async admit(event: InboundEvent | ChatEvent): Promise<void> {
    // Whoever opens the chat for the check needs no welcome.
    if (event.kind === 'chat_entered') return;
    if (event.kind !== 'message') throw new BridgeError('failed', 'no bridge runs to act on it');
    const { journal, languages, clock, prefix, restoredAtMs } = this.#parts;
    const { message } = event;
    const lang = languages.of(message.senderOpenId);
    // The next bridge knows which of them it can carry out.
    const typed = parseCommand(message, allWords(prefix));
    const nowMs = clock.nowMs();
    const context = { journal, typed, nowMs, lang, isRecalled: false, restoredAtMs };
    await journal.admit(await admissionOf(message, context));
  }

  /** Stores a message as answered, so that it is known and does not become a turn. */
  async settle(message: InboundMessage): Promise<void> {
    const { journal, clock } = this.#parts;
    const receivedAtMs = clock.nowMs();
    await journal.admit({ message, receivedAtMs, state: { phase: 'answered' }, out: [] });
  }
}

import type { MessageId, TurnId } from '../../core/ids.ts';
import type { Part } from '../../core/message.ts';
import type { Turn } from '../../core/turn.ts';
import type { Clock } from '../../time/clock.ts';
import type { ForwardedResult, LarkGateway } from '../ports/lark.ts';
import type { Journal } from '../ports/journal.ts';
import { readForAWhile } from './reading.ts';
import type { TurnChanges } from './turn-changes.ts';

interface ForwardsParts {
  readonly journal: Pick<Journal, 'turn'>;
  readonly lark: Pick<LarkGateway, 'forwarded'>;
  readonly changes: TurnChanges;
  readonly clock: Clock;
}

/**
 * Puts the text of a forwarded bundle into its message, before the turn is sent. There is no time for it before the
 * ack. The text is stored, so every try of the turn says the same.
 */
export class Forwards {
  readonly #parts: ForwardsParts;

  constructor(parts: ForwardsParts) {
    this.#parts = parts;
  }

  /** Resolves when the message says what it can say, or when `stop` aborts. */
  async read(id: TurnId, stop: AbortSignal): Promise<void> {
    const turn = await this.#parts.journal.turn(id);
    if (turn === undefined || !turn.message.parts.some((part) => isUnread(part, turn))) return;
    const result = await this.#result(turn.message.messageId, stop);
    // After a stop the next process reads it.
    if (result === undefined) return;
    const read: Part = result.ok
      ? { kind: 'forwarded', text: result.text }
      : {
          kind: 'forwarded',
          text: `[forwarded messages could not be read: ${result.reason}]`,
          failedInRun: turn.run,
        };
    const parts = turn.message.parts.map((part) => (isUnread(part, turn) ? read : part));
    await this.#parts.changes.complete(id, { parts });
  }

  /** Tries again for a while if that may help. Undefined if `stop` aborts. */
  async #result(bundle: MessageId, stop: AbortSignal): Promise<ForwardedResult | undefined> {
    const { clock, lark } = this.#parts;
    if (lark.forwarded === undefined) return { ok: false, reason: 'not here', isPassing: false };
    const forwarded = lark.forwarded.bind(lark);
    const result = await readForAWhile(() => forwarded(bundle), { clock, stop });
    return stop.aborted ? undefined : result;
  }
}

/** A failure is not kept for the next run: a person may have asked for it because of the failure. */
function isUnread(part: Part, { run }: Turn): boolean {
  if (part.kind !== 'forwarded') return false;
  return part.text === undefined || (part.failedInRun ?? run) < run;
}

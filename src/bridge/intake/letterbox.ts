import { BridgeError } from '../../core/errors.ts';
import type { InboundEvent, InboundMessage } from '../../core/message.ts';
import { judgeAdmission } from './admission.ts';
import type { Intake, Journal } from '../ports.ts';
import type { Clock } from '../../time/clock.ts';

export interface LetterboxParts {
  readonly journal: Journal;
  readonly clock: Clock;
}

/** The door of a bridge that does not run: messages are stored for the one that runs next. */
export class Letterbox implements Intake {
  readonly #parts: LetterboxParts;

  constructor(parts: LetterboxParts) {
    this.#parts = parts;
  }

  /** Takes messages only. Anything else asks for somebody who acts on it: not acked, it comes again. */
  async admit(event: InboundEvent): Promise<void> {
    if (event.kind !== 'message') throw new BridgeError('failed', 'no bridge runs to act on it');
    const { journal, clock } = this.#parts;
    const { message } = event;
    const context = { journal, nowMs: clock.nowMs(), isRecalled: false };
    await journal.admit(await judgeAdmission(message, context));
  }

  /** The message is answered already: it is known from now on, and nobody's turn. */
  async settle(message: InboundMessage): Promise<void> {
    const { journal, clock } = this.#parts;
    const receivedAtMs = clock.nowMs();
    await journal.admit({ message, receivedAtMs, state: { phase: 'answered' }, out: [] });
  }
}

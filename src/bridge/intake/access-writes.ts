/** Stores what is decided about who may talk, and lets the messages go on that were kept. */
import type { AppId, ChatId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { OutboxDraft, Show } from '../../core/turn.ts';
import type { Clock } from '../../time/clock.ts';
import type { Delivery } from '../outbox/delivery.ts';
import { outKey } from '../outbox/keys.ts';
import type { AccessBook, AccessWork } from '../ports.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Engine } from '../turns/engine.ts';
import type { Gate } from './access.ts';

interface AccessWritesParts {
  readonly appId: AppId;
  readonly gate: Gate;
  readonly book: AccessBook;
  readonly engine: Engine;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly clock: Clock;
  readonly log: Log;
  /** Something is known now that was not known before. */
  readonly onChange: () => void;
}

export class AccessWrites {
  readonly #parts: AccessWritesParts;

  constructor(parts: AccessWritesParts) {
    this.#parts = parts;
  }

  /** Kept messages that the change concerns are judged again, in the same write. */
  async settle(work: Omit<AccessWork, 'move'>) {
    const { gate, book, storeRetry, delivery, engine, clock, log, onChange } = this.#parts;
    const nowMs = clock.nowMs();
    const move: AccessWork['move'] = (turn, known) => gate.atDecision(turn, known, nowMs);
    const isAboutSomebody = work.subject.openId !== undefined || work.subject.chatId !== undefined;
    const done = await storeRetry.untilStored(() =>
      book.settle({ ...work, ...(isAboutSomebody && { move }) }),
    );
    delivery.offer(done.out);
    for (const turn of done.turns) {
      log.info('kept_message_moved', { turn: turn.id, phase: turn.state.phase });
      engine.offer(turn);
    }
    if (done.changed) onChange();
    return done;
  }

  /** A message to a chat that answers nothing. The same `about` makes the same message. */
  draftTo(
    chat: ChatId,
    show: Extract<Show, { what: 'notice' | 'choice' }>,
    about: readonly (string | number)[],
  ): OutboxDraft {
    const { appId, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const { text } = show;
    const content =
      show.what === 'choice'
        ? ({ kind: 'choice', text, buttons: show.buttons } as const)
        : ({ kind: 'notice', text } as const);
    return {
      key: outKey(appId, 'access', show.name, ...about),
      lane: chat,
      turn: undefined,
      chatId: chat,
      replyTo: undefined,
      placement: 'chat',
      priority: 'notice',
      body: { kind: 'message', content },
      createdAtMs: nowMs,
      dueAtMs: nowMs,
    };
  }
}

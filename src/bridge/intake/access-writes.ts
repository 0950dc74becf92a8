/** Stores what is decided about who may talk, and lets the messages go on that were kept. */
import type { AppId, ChatId, OpenId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { OutboxDraft } from '../ports/outbox.ts';
import type { Clock } from '../../time/clock.ts';
import type { Delivery } from '../outbox/delivery.ts';
import { turnlessDraft, type OwnShow } from '../outbox/drafts.ts';
import { outKey } from '../outbox/keys.ts';
import type { AccessBook, AccessWork } from '../ports/access-book.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import type { Engine } from '../turns/engine.ts';
import type { Gate } from './access.ts';

export interface AccessWritesParts {
  readonly appId: AppId;
  readonly gate: Gate;
  readonly book: AccessBook;
  readonly engine: Engine;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
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

  /** A message to a chat that answers nothing. `to`: who reads it. The same `about` makes the same message. */
  draftTo(
    { chat, to }: { readonly chat: ChatId; readonly to: OpenId | undefined },
    show: Extract<OwnShow, { what: 'notice' | 'choice' }>,
    about: readonly (string | number)[],
  ): OutboxDraft {
    const { appId, clock, languages } = this.#parts;
    const lang = to === undefined ? languages.standard : languages.of(to);
    const key = outKey(appId, 'access', show.name, ...about);
    const place = { key, chatId: chat, under: undefined };
    return turnlessDraft(show, place, { nowMs: clock.nowMs(), lang });
  }
}

/** Tells the owner about agents, in their direct chat, each thing once. */
import { type AppId, directChatOf, type OpenId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';
import type { Delivery } from './outbox/delivery.ts';
import { type OwnShow, turnlessDraft } from './outbox/drafts.ts';
import { outKey } from './outbox/keys.ts';
import type { Journal } from './ports/journal.ts';
import type { OwnerNoticeStore, ToldOwner } from './ports/owner-notices.ts';
import type { StoreRetry } from './store-retry.ts';
import type { Languages } from './texts/languages.ts';

interface OwnerNoticesParts {
  readonly appId: AppId;
  readonly told: OwnerNoticeStore;
  readonly journal: Pick<Journal, 'enqueueIf'>;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
  readonly owner: () => OpenId | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export class OwnerNotices {
  readonly #parts: OwnerNoticesParts;

  constructor(parts: OwnerNoticesParts) {
    this.#parts = parts;
  }

  /** Resolves when it is stored. Of what was told already nothing is shown. */
  async tell(about: ToldOwner, show: OwnShow): Promise<void> {
    const { appId, told, journal, delivery, storeRetry, languages, clock, log } = this.#parts;
    const owner = this.#parts.owner();
    if (owner === undefined) {
      log.warn('owner_not_told', { ...about, next: 'Run: lark-bridge connect' });
      return;
    }
    const nowMs = clock.nowMs();
    const key = outKey(appId, 'owner_notice', about.agent, about.kind, nowMs);
    const place = { key, chatId: directChatOf(owner), under: undefined };
    const draft = turnlessDraft(show, place, { nowMs, lang: languages.of(owner) });
    const may = () => told.note(about, nowMs);
    delivery.offer(await storeRetry.untilStored(() => journal.enqueueIf([draft], may)));
  }

  /** What was told is over. If it comes back it is told again. */
  async over(about: ToldOwner): Promise<void> {
    const { told, storeRetry } = this.#parts;
    if (told.isNoted(about)) await storeRetry.untilStored(() => told.forget(about));
  }
}

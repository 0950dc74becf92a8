/** Tells chats what happens elsewhere: one card for each thing, or one for several that come close together. */
import type { NewsContent } from '../../core/content.ts';
import { type ChatId, directChatOf, type OpenId } from '../../core/ids.ts';
import type { Language } from '../../core/language.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';
import { type RepeatedWork, repeating } from '../../time/repeat.ts';
import type { Service } from '../../time/service.ts';
import type { Delivery } from '../outbox/delivery.ts';
import { turnlessDraft } from '../outbox/drafts.ts';
import { outKey } from '../outbox/keys.ts';
import type { Journal } from '../ports/journal.ts';
import {
  FOLLOW_KINDS,
  type FollowKind,
  type FollowOrders,
  type NewsStore,
  type WaitingNews,
} from '../ports/news.ts';
import type { OutboxRow } from '../ports/outbox.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import { followNotices, newsOf, summaryOf } from '../texts/news.ts';
import { chatDraft } from '../outbox/drafts.ts';
import { inWords, type WordsParts } from './news-words.ts';

/** CG-OUT-06: so long after a card the next one of the same kind may come. What happens meanwhile is in that one. */
const PAUSE_MS: Readonly<Record<FollowKind, number>> = {
  turns: 5_000,
  errors: 0,
  questions: 0,
  tools: 5_000,
};
/** How often it is looked whether Lark has taken a card, before the next one of the same kind is made. */
const LOOK_AGAIN_MS = 5_000;
/** Only news make work, and they hurry it. */
const IDLE_MS = 24 * 60 * 60 * 1000;

interface FollowsParts extends WordsParts {
  readonly store: NewsStore | undefined;
  readonly journal: Journal;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
  readonly clock: Clock;
  readonly log: Log;
}

export class Follows implements Service, FollowOrders {
  readonly name = 'follows';
  readonly #parts: FollowsParts;
  readonly #work: RepeatedWork;
  #nextMs = IDLE_MS;

  constructor(parts: FollowsParts) {
    this.#parts = parts;
    const { clock, log } = parts;
    const work = () => this.#tell();
    const everyMs = () => this.#nextMs;
    this.#work = repeating({ name: this.name, firstMs: 0, everyMs, work, clock, log });
  }

  start(): Promise<void> {
    return this.#parts.store === undefined ? Promise.resolve() : this.#work.start();
  }

  stop(): Promise<void> {
    return this.#work.stop();
  }

  /** Something waits to be told. */
  hurry(): void {
    this.#work.hurry();
  }

  followedBy(chat: ChatId): FollowKind[] {
    const follows = this.#parts.store?.follows() ?? [];
    return FOLLOW_KINDS.filter((kind) =>
      follows.some((one) => one.chatId === chat && one.kind === kind),
    );
  }

  async begin(chat: ChatId, kinds: readonly FollowKind[], by: OpenId): Promise<void> {
    const { store, storeRetry, clock } = this.#parts;
    const follows = kinds.map((kind) => ({ chatId: chat, kind, by }));
    await storeRetry.untilStored(async () => store?.follow(follows, clock.nowMs()));
  }

  async end(chat: ChatId, kinds: readonly FollowKind[]): Promise<void> {
    const { store, storeRetry } = this.#parts;
    await storeRetry.untilStored(async () => store?.unfollow(chat, kinds));
  }

  /** A card could not be shown. Whoever is not in the chat any more tells it nothing. */
  async notShown({ lane }: Pick<OutboxRow, 'lane'>): Promise<void> {
    const { store, journal, storeRetry, delivery, languages, clock, log } = this.#parts;
    const follow = store?.follows().find(({ chatId }) => laneOf(chatId) === lane);
    if (store === undefined || follow === undefined) return;
    const { chatId: chat, by } = follow;
    const nowMs = clock.nowMs();
    const place = { chatId: directChatOf(by), under: undefined };
    const key = outKey('follow_ended', chat, nowMs);
    const at = { nowMs, lang: languages.of(by) };
    const told = turnlessDraft(followNotices.ended(chat), { key, ...place }, at);
    const out = await storeRetry.untilStored(() =>
      journal.enqueueIf([told], () => store.end(chat).length > 0),
    );
    log.warn('follow_ended', { chat });
    delivery.offer(out);
  }

  async #tell(): Promise<void> {
    const { store, clock } = this.#parts;
    this.#nextMs = IDLE_MS;
    for (const news of store?.waiting() ?? []) {
      const pauseMs = await this.#pauseBefore(news, clock.nowMs());
      if (pauseMs > 0) this.#nextMs = Math.min(this.#nextMs, pauseMs);
      else await this.#tellOne(news);
    }
  }

  /** How long the next card has to wait. */
  async #pauseBefore({ kind, toldAtMs, toldIn }: WaitingNews, nowMs: number): Promise<number> {
    if (toldAtMs === undefined || toldIn === undefined) return 0;
    const last = await this.#parts.journal.out(toldIn);
    // Lark takes nothing now: a card for each thing would be a flood when it does again.
    if (last?.state.phase === 'pending') return LOOK_AGAIN_MS;
    // The clock may have been set back.
    return Math.min(PAUSE_MS[kind], toldAtMs + PAUSE_MS[kind] - nowMs);
  }

  async #tellOne(news: WaitingNews): Promise<void> {
    const { store, journal, storeRetry, delivery, languages, clock } = this.#parts;
    const { chatId, kind, by, items } = news;
    const nowMs = clock.nowMs();
    const key = outKey('follow', chatId, kind, ...items.map(({ seq }) => seq), nowMs);
    const content = await this.#contentOf(news, languages.of(by));
    const draft = chatDraft(content, { key, lane: laneOf(chatId), chatId, nowMs });
    const out = await storeRetry.untilStored(() =>
      journal.enqueueIf([draft], () => store?.take(news, { key, atMs: nowMs }) === true),
    );
    delivery.offer(out);
  }

  async #contentOf({ kind, items, leftOut }: WaitingNews, lang: Language): Promise<NewsContent> {
    const news = await Promise.all(items.map(({ item }) => inWords(item, this.#parts)));
    const [only, ...others] = news;
    return only !== undefined && others.length === 0 && leftOut === 0
      ? newsOf(only, lang)
      : summaryOf(kind, { news, leftOut }, lang);
  }
}

/** A lane of its own, so that no answer in the chat waits for it. */
const LANE = 'follow:';

function laneOf(chat: ChatId): string {
  return `${LANE}${chat}`;
}

export function isOfFollow({ lane }: Pick<OutboxRow, 'lane'>): boolean {
  return lane.startsWith(LANE);
}

import { BridgeError, errorText, PASSING_ERRORS } from '../core/errors.ts';
import type { ChatId } from '../core/ids.ts';
import type { Service } from '../time/service.ts';
import { repeating, type RepeatedWork } from '../time/repeat.ts';
import type { GapJournal } from './ports/gaps.ts';
import type { HistoryMessage, LarkGateway } from './ports/lark.ts';
import type { Intake, LongConnection } from './ports/intake.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

/** After an outage of this length Lark redelivers only hours later, so the bridge reads all chats back. */
const GAP_READ_AFTER_MS = 10 * 60_000;
/** Chats without messages for longer are not read back: each chat costs a call of the monthly quota. */
const GAP_CHATS_ACTIVE_MS = 7 * 24 * 60 * 60 * 1000;
const GAP_CHATS_MAX = 100;
/** Threads that are read back. Each costs a call too, because a chat's history does not show what is said in threads. */
export const GAP_THREADS_MAX = 50;
/**
 * After a shorter outage Lark redelivers after 15 s and 5 min, which is too late for people who wait. So chats and
 * threads that were active within this time are read back at once, the latest first.
 */
const RECENT_MS = 60 * 60_000;
/** Each costs one call, and one more when a process reads a chat for the first time. */
const RECENT_PLACES_MAX = 5;
/** A page holds 50 messages. With fewer than this there is no other page. */
const WHOLE_MESSAGES_MAX = 25;
/** Some networks cut the connection every minute; Lark's monthly quota is for answers. */
const RECENT_READS_PER_HOUR_MAX = 30;
/** A process does not know what earlier processes read. So after a start, a chat that was read within this is left out. */
const RECENT_RESTART_MS = 2 * 60_000;
/** A broken link is noticed within this time: the interval of pings and the wait for a pong. */
const DEAD_LINK_MS = 60_000;
/** How often the bridge checks for a gap and for a quiet connection. */
const CHECK_EVERY_MS = 15_000;
/** After this long without events the connection is checked, then after twice as long, and so on. */
const QUIET_CHECK_MS = 10 * 60_000;
const QUIET_CHECK_MAX_MS = 6 * 60 * 60 * 1000;
/** A message counts as missed only after its event had this long to come. */
const EVENT_GRACE_MS = 30_000;

interface CatchUpParts {
  readonly journal: GapJournal;
  readonly lark: Pick<LarkGateway, 'history'>;
  readonly intake: Intake;
  readonly connection: LongConnection;
  /** When the process before this one gave its last sign of life. */
  readonly lastAliveMs: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** A chat, or one of its threads. */
interface Place {
  readonly chatId: ChatId;
  readonly threadId: string | undefined;
}

/** What to read of a chat: everything since then, and these threads. */
interface Reading {
  readonly chatId: ChatId;
  readonly sinceMs: number;
  readonly threadIds: readonly string[];
}

/**
 * Reads from the histories of the chats what was said while the bridge had no connection. Lark redelivers that
 * too, but late. The same read checks a connection without events: if the history has a message that no event
 * brought, the connection gets no events and is made again.
 */
export class CatchUp implements Service {
  readonly name = 'catch_up';
  readonly #parts: CatchUpParts;
  readonly #rounds: RepeatedWork;
  #linkSeenAtMs: number;
  /** Since when the link is up, as seen in the latest round. */
  #linkSinceMs: number | undefined;
  /** When the link was lost. Undefined again when the messages since then have been read. */
  #lostSinceMs: number | undefined;
  #isFirstLink = true;
  /** The times in the last hour at which a chat was read because of a short outage. */
  #recentReadsAtMs: number[] = [];
  #quietCheckAfterMs = QUIET_CHECK_MS;
  #quietCheckAtMs: number;
  /** Chats whose history Lark does not show. They are tried again after the next start. */
  readonly #denied = new Set<ChatId>();
  /** Threads that Lark does not show although it shows their chats. */
  readonly #deniedThreads = new Set<string>();

  constructor(parts: CatchUpParts) {
    this.#parts = parts;
    this.#linkSeenAtMs = parts.lastAliveMs ?? parts.clock.nowMs();
    this.#quietCheckAtMs = parts.clock.nowMs() + QUIET_CHECK_MS;
    const { clock, log } = parts;
    this.#rounds = repeating({
      name: this.name,
      firstMs: 0,
      everyMs: CHECK_EVERY_MS,
      work: () => this.#check(),
      clock,
      log,
    });
  }

  start(): Promise<void> {
    this.#parts.connection.onUp(() => this.#rounds.hurry());
    return this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  async #check(): Promise<void> {
    await this.#checkGap();
    await this.#checkQuiet();
  }

  async #checkGap(): Promise<void> {
    const { journal, connection, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const linkSinceMs = connection.connectedSinceMs();
    // While the link is down the gap grows. It is read when the link is up again.
    if (linkSinceMs === undefined) return;
    if (linkSinceMs !== this.#linkSinceMs) this.#noteLink(linkSinceMs);
    if (nowMs - this.#linkSeenAtMs > GAP_READ_AFTER_MS) await journal.openGap(this.#linkSeenAtMs);
    this.#linkSeenAtMs = nowMs;
    const fromMs = await journal.gap();
    if (fromMs !== undefined) await this.#readGap(fromMs, nowMs);
    else if (this.#lostSinceMs !== undefined) await this.#readRecent(this.#lostSinceMs, nowMs);
    this.#lostSinceMs = undefined;
    this.#isFirstLink = false;
  }

  #noteLink(sinceMs: number): void {
    // Before the very first link there were no messages to miss.
    const isVeryFirst = this.#isFirstLink && this.#parts.lastAliveMs === undefined;
    if (!isVeryFirst) this.#lostSinceMs ??= this.#linkSeenAtMs;
    this.#linkSinceMs = sinceMs;
  }

  /** After a short outage: reads the chats and threads in which people may wait. */
  async #readRecent(lostSinceMs: number, nowMs: number): Promise<void> {
    const { journal, log } = this.#parts;
    this.#recentReadsAtMs = this.#recentReadsAtMs.filter((atMs) => nowMs - atMs < 60 * 60_000);
    const left = Math.min(
      RECENT_PLACES_MAX,
      RECENT_READS_PER_HOUR_MAX - this.#recentReadsAtMs.length,
    );
    const places = (await this.#recentPlaces(nowMs)).slice(0, left);
    const sinceMs = lostSinceMs - DEAD_LINK_MS;
    const read: HistoryMessage[] = [];
    const whole: ChatId[] = [];
    for (const place of places) {
      if (this.#rounds.stopSignal.aborted) return;
      this.#recentReadsAtMs.push(nowMs);
      const messages = (await this.#read(place, sinceMs, 1)) ?? [];
      read.push(...messages);
      if (place.threadId === undefined && messages.length < WHOLE_MESSAGES_MAX) {
        whole.push(place.chatId);
      }
    }
    const found = await this.#admit(read.toSorted((a, b) => a.sentAtMs - b.sentAtMs));
    if (found === undefined) return;
    if (this.#isFirstLink) for (const chatId of whole) await journal.noteRead(chatId, nowMs);
    const from = new Date(sinceMs).toISOString();
    log.info('lately_read', { from, places: places.length, found });
  }

  async #recentPlaces(nowMs: number): Promise<Place[]> {
    const { journal } = this.#parts;
    const chats = await journal.chats(nowMs - RECENT_MS, RECENT_PLACES_MAX);
    const threads = await journal.threads(nowMs - RECENT_MS, RECENT_PLACES_MAX);
    const readByEarlierStart = new Set(
      chats
        .filter(({ readUntilMs }) => this.#isFirstLink && nowMs - readUntilMs < RECENT_RESTART_MS)
        .map(({ chatId }) => chatId),
    );
    return [...chats.map((chat) => ({ ...chat, threadId: undefined })), ...threads]
      .filter(({ chatId }) => !this.#denied.has(chatId) && !readByEarlierStart.has(chatId))
      .filter(({ threadId }) => threadId === undefined || !this.#deniedThreads.has(threadId))
      .toSorted((a, b) => b.lastMessageAtMs - a.lastMessageAtMs);
  }

  async #readGap(fromMs: number, nowMs: number): Promise<void> {
    const { journal, log } = this.#parts;
    const activeSinceMs = fromMs - GAP_CHATS_ACTIVE_MS;
    const chats = await journal.chats(activeSinceMs, GAP_CHATS_MAX);
    const threads = await journal.threads(activeSinceMs, GAP_THREADS_MAX);
    const budget = { threads: GAP_THREADS_MAX - threads.length };
    let found = 0;
    for (const { chatId, readUntilMs } of chats) {
      if (this.#rounds.stopSignal.aborted) return;
      if (this.#denied.has(chatId) || readUntilMs >= nowMs) continue;
      const messages = await this.#messagesIn(
        {
          chatId,
          sinceMs: Math.max(fromMs, readUntilMs) - EVENT_GRACE_MS,
          threadIds: threads.flatMap((one) => (one.chatId === chatId ? [one.threadId] : [])),
        },
        budget,
      );
      if (messages === undefined) continue;
      const missed = await this.#admit(messages);
      if (missed === undefined) return;
      found += missed;
      await journal.noteRead(chatId, nowMs);
    }
    if (this.#rounds.stopSignal.aborted) return;
    await journal.closeGap();
    const from = new Date(fromMs).toISOString();
    log.info('gap_read', { from, chats: chats.length, threads: threads.length, found });
  }

  /**
   * What was said in a chat and in its threads, in order. Threads that began during the gap are read too, up to
   * the limit in `budget`.
   */
  async #messagesIn(
    { chatId, sinceMs, threadIds }: Reading,
    budget: { threads: number },
  ): Promise<HistoryMessage[] | undefined> {
    const inChat = await this.#read({ chatId, threadId: undefined }, sinceMs);
    if (inChat === undefined) return undefined;
    const begun = new Set(inChat.flatMap(({ threadId }) => threadId ?? []));
    const fresh = [...begun].filter((id) => !threadIds.includes(id)).toReversed();
    const read = [...threadIds, ...fresh.slice(0, budget.threads)];
    budget.threads -= read.length - threadIds.length;
    const messages = new Map(inChat.map((message) => [message.messageId, message]));
    for (const threadId of read) {
      if (this.#rounds.stopSignal.aborted) return undefined;
      if (this.#deniedThreads.has(threadId)) continue;
      const inThread = (await this.#read({ chatId, threadId }, sinceMs)) ?? [];
      for (const message of inThread) messages.set(message.messageId, message);
    }
    return [...messages.values()].toSorted((a, b) => a.sentAtMs - b.sentAtMs);
  }

  /**
   * Admits what no event brought, and edits, of which nobody knows whether an event came. Returns how many were
   * missed, or undefined after a stop.
   */
  async #admit(messages: readonly HistoryMessage[]): Promise<number | undefined> {
    const { intake } = this.#parts;
    const missed = new Set(await this.#unknown(messages));
    for (const one of messages) {
      if (this.#rounds.stopSignal.aborted) return undefined;
      const { inbound } = one;
      if (inbound === undefined) continue;
      const editedAtMs = inbound.edited?.atMs;
      if (editedAtMs !== undefined)
        await intake.admit({ kind: 'edited', message: inbound, editedAtMs });
      else if (missed.has(one)) await intake.admit({ kind: 'message', message: inbound });
    }
    return missed.size;
  }

  async #checkQuiet(): Promise<void> {
    const { journal, connection, clock, log } = this.#parts;
    const nowMs = clock.nowMs();
    const quietSinceMs = this.#noteQuiet(nowMs);
    if (quietSinceMs === undefined || nowMs < this.#quietCheckAtMs) return;
    const place = await this.#latestPlace(nowMs);
    this.#quietCheckAfterMs = Math.min(this.#quietCheckAfterMs * 2, QUIET_CHECK_MAX_MS);
    this.#quietCheckAtMs = nowMs + this.#quietCheckAfterMs;
    if (place === undefined) return;
    const messages = await this.#read(place, quietSinceMs - EVENT_GRACE_MS);
    const missed = await this.#unknown(messages ?? []);
    const late = missed.filter(({ sentAtMs }) => nowMs - sentAtMs > EVENT_GRACE_MS);
    if (late.length === 0) return;
    log.error('connection_deaf', { chat: place.chatId, missed: late.length });
    await journal.openGap(quietSinceMs);
    connection.restart();
  }

  /** Since when the connection is up and brings no events. Undefined: not for long. Then checks are soon again. */
  #noteQuiet(nowMs: number): number | undefined {
    const { connection } = this.#parts;
    const sinceMs = connection.connectedSinceMs();
    if (sinceMs === undefined) return undefined;
    const quietSinceMs = Math.max(sinceMs, connection.lastEventAtMs() ?? 0);
    if (nowMs - quietSinceMs >= QUIET_CHECK_MS) return quietSinceMs;
    this.#quietCheckAfterMs = QUIET_CHECK_MS;
    this.#quietCheckAtMs = quietSinceMs + QUIET_CHECK_MS;
    return undefined;
  }

  /** Where the latest message is. A chat's history does not show what is said in threads. */
  async #latestPlace(nowMs: number): Promise<Place | undefined> {
    const { journal } = this.#parts;
    const [chat] = await journal.chats(nowMs - GAP_CHATS_ACTIVE_MS, 1);
    const [thread] = await journal.threads(nowMs - GAP_CHATS_ACTIVE_MS, 1);
    if (chat === undefined || this.#denied.has(chat.chatId)) return undefined;
    const isInThread =
      thread?.lastMessageAtMs === chat.lastMessageAtMs && !this.#deniedThreads.has(thread.threadId);
    return isInThread ? thread : { chatId: chat.chatId, threadId: undefined };
  }

  /** Undefined if Lark does not show it. */
  async #read(
    { chatId, threadId }: Place,
    sinceMs: number,
    pagesMax?: number,
  ): Promise<readonly HistoryMessage[] | undefined> {
    const { lark, log } = this.#parts;
    try {
      return await lark.history(chatId, sinceMs, threadId, pagesMax);
    } catch (error) {
      if (!(error instanceof BridgeError) || PASSING_ERRORS.has(error.code)) throw error;
      const refused = { chat: chatId, error: errorText(error) };
      if (threadId !== undefined) {
        // The chat could be read, so only this thread is refused. It may be gone.
        this.#deniedThreads.add(threadId);
        log.debug('thread_history_denied', { ...refused, thread: threadId });
        return undefined;
      }
      // One warning is enough: a missing permission is missing in every chat.
      const level = this.#denied.size === 0 ? 'warn' : 'debug';
      this.#denied.add(chatId);
      log[level]('history_denied', {
        ...refused,
        effect: 'what is said there while the bridge is away is not read back',
        next: error.next,
      });
      return undefined;
    }
  }

  /** Messages for the bot that no event brought. */
  async #unknown(messages: readonly HistoryMessage[]): Promise<HistoryMessage[]> {
    const missed: HistoryMessage[] = [];
    for (const message of messages) {
      if (this.#rounds.stopSignal.aborted) return [];
      if (message.inbound === undefined || message.deleted) continue;
      if (!(await this.#parts.journal.isKnown(message.messageId))) missed.push(message);
    }
    return missed;
  }
}

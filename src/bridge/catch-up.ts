import { BridgeError, errorText, PASSING_ERRORS } from '../core/errors.ts';
import type { ChatId } from '../core/ids.ts';
import type { Service } from '../core/service.ts';
import { repeating, type RepeatedWork } from '../time/repeat.ts';
import type { GapJournal, HistoryMessage, Intake, LarkGateway, Line } from './ports.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

/** After an outage as long as this Lark redelivers only hours later, so that all chats are read back. */
const GAP_READ_AFTER_MS = 10 * 60_000;
/** Chats that were quiet for longer are not read back: each one costs a call of the monthly quota. */
const GAP_CHATS_ACTIVE_MS = 7 * 24 * 60 * 60 * 1000;
const GAP_CHATS_MAX = 100;
/** Threads read back, for the same reason: a chat's history does not show what is said inside of them. */
export const GAP_THREADS_MAX = 50;
/**
 * After a shorter one Lark redelivers, but only after 15 s and 5 min: too late for whoever waits. Chats and
 * threads that were active so lately are read back at once, the latest ones first.
 */
const LATELY_MS = 60 * 60_000;
/** Each is one call (and one more when a process reads a chat for the first time). */
const LATELY_PLACES_MAX = 5;
/** A page holds 50; with fewer than this nothing can be on another one. */
const WHOLE_MESSAGES_MAX = 25;
/** Some networks cut the connection every minute; Lark's monthly quota is for answers. */
const LATELY_READS_AN_HOUR_MAX = 30;
/** A process that starts again and again has forgotten how much it read; a chat is read this often by starts. */
const LATELY_RESTART_MS = 2 * 60_000;
/** A link can be dead for this long before it is noticed: the interval of pings and the wait for a pong. */
const DEAD_LINK_MS = 60_000;
/** How often an open gap or a quiet connection is looked at. */
const GAP_LOOK_MS = 15_000;
/** A connection without events for so long is put to the proof, then after twice as long, and so on. */
const QUIET_PROOF_MS = 10 * 60_000;
const QUIET_PROOF_MAX_MS = 6 * 60 * 60 * 1000;
/** A message is missed only if its event had this long to come. */
const EVENT_GRACE_MS = 30_000;

export interface CatchUpParts {
  readonly journal: GapJournal;
  readonly lark: Pick<LarkGateway, 'history'>;
  readonly intake: Intake;
  readonly line: Line;
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

/** What of a chat is to be read: what happened since then, and these of its threads. */
interface Reading {
  readonly chatId: ChatId;
  readonly sinceMs: number;
  readonly threadIds: readonly string[];
}

/**
 * Reads from the chats' histories what was said while nobody listened, after an outage that Lark's own
 * redelivery leaves open for hours. The same read proves that a connection without events is only quiet:
 * if the history has what no event brought, the connection is deaf and is made anew.
 */
export class CatchUp implements Service {
  readonly name = 'catch_up';
  readonly #parts: CatchUpParts;
  readonly #rounds: RepeatedWork;
  #heardAtMs: number;
  /** Since when the link is up that was seen last. */
  #linkSinceMs: number | undefined;
  /** Since when there was no link, until what was said meanwhile has been read. */
  #lostSinceMs: number | undefined;
  #isFirstLink = true;
  /** When a chat was read because of a short outage, in the last hour. */
  #latelyAtMs: number[] = [];
  #proofAfterMs = QUIET_PROOF_MS;
  #proofAtMs: number;
  /** Chats whose history Lark does not show; asked again after the next start. */
  readonly #denied = new Set<ChatId>();
  /** Threads that it does not show although it shows their chats. */
  readonly #deniedThreads = new Set<string>();

  constructor(parts: CatchUpParts) {
    this.#parts = parts;
    this.#heardAtMs = parts.lastAliveMs ?? parts.clock.nowMs();
    this.#proofAtMs = parts.clock.nowMs() + QUIET_PROOF_MS;
    const { clock, log } = parts;
    this.#rounds = repeating({
      name: this.name,
      firstMs: 0,
      everyMs: GAP_LOOK_MS,
      work: () => this.#look(),
      clock,
      log,
    });
  }

  start(): Promise<void> {
    this.#parts.line.onUp(() => this.#rounds.hurry());
    return this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  async #look(): Promise<void> {
    await this.#lookAtGap();
    await this.#lookAtQuiet();
  }

  async #lookAtGap(): Promise<void> {
    const { journal, line, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const linkSinceMs = line.connectedSinceMs();
    // While it is down the gap grows; it is read when somebody listens again.
    if (linkSinceMs === undefined) return;
    if (linkSinceMs !== this.#linkSinceMs) this.#noteLink(linkSinceMs);
    if (nowMs - this.#heardAtMs > GAP_READ_AFTER_MS) await journal.openGap(this.#heardAtMs);
    this.#heardAtMs = nowMs;
    const fromMs = await journal.gap();
    if (fromMs !== undefined) await this.#readGap(fromMs, nowMs);
    else if (this.#lostSinceMs !== undefined) await this.#readLately(this.#lostSinceMs, nowMs);
    this.#lostSinceMs = undefined;
    this.#isFirstLink = false;
  }

  #noteLink(sinceMs: number): void {
    // Nobody has listened before the very first link, so nothing was missed.
    const isVeryFirst = this.#isFirstLink && this.#parts.lastAliveMs === undefined;
    if (!isVeryFirst) this.#lostSinceMs ??= this.#heardAtMs;
    this.#linkSinceMs = sinceMs;
  }

  /** After a short outage: the chats and threads where somebody may wait, within a bound. */
  async #readLately(lostSinceMs: number, nowMs: number): Promise<void> {
    const { journal, intake, log } = this.#parts;
    this.#latelyAtMs = this.#latelyAtMs.filter((atMs) => nowMs - atMs < 60 * 60_000);
    const left = Math.min(LATELY_PLACES_MAX, LATELY_READS_AN_HOUR_MAX - this.#latelyAtMs.length);
    const places = (await this.#placesLately(nowMs)).slice(0, left);
    const sinceMs = lostSinceMs - DEAD_LINK_MS;
    const read: HistoryMessage[] = [];
    const whole: ChatId[] = [];
    for (const place of places) {
      if (this.#rounds.stopSignal.aborted) return;
      this.#latelyAtMs.push(nowMs);
      const messages = (await this.#read(place, sinceMs, 1)) ?? [];
      read.push(...messages);
      if (place.threadId === undefined && messages.length < WHOLE_MESSAGES_MAX) {
        whole.push(place.chatId);
      }
    }
    const missed = await this.#unknown(read.toSorted((a, b) => a.sentAtMs - b.sentAtMs));
    for (const { inbound } of missed) {
      if (inbound !== undefined) await intake.admit({ kind: 'message', message: inbound });
    }
    if (this.#isFirstLink) for (const chatId of whole) await journal.noteRead(chatId, nowMs);
    const from = new Date(sinceMs).toISOString();
    log.info('lately_read', { from, places: places.length, found: missed.length });
  }

  async #placesLately(nowMs: number): Promise<Place[]> {
    const { journal } = this.#parts;
    const chats = await journal.chats(nowMs - LATELY_MS, LATELY_PLACES_MAX);
    const threads = await journal.threads(nowMs - LATELY_MS, LATELY_PLACES_MAX);
    const resting = new Set(
      chats
        .filter(({ readUntilMs }) => this.#isFirstLink && nowMs - readUntilMs < LATELY_RESTART_MS)
        .map(({ chatId }) => chatId),
    );
    return [...chats.map((chat) => ({ ...chat, threadId: undefined })), ...threads]
      .filter(({ chatId }) => !this.#denied.has(chatId) && !resting.has(chatId))
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
      const missed = await this.#missedIn(
        {
          chatId,
          sinceMs: Math.max(fromMs, readUntilMs) - EVENT_GRACE_MS,
          threadIds: threads.flatMap((one) => (one.chatId === chatId ? [one.threadId] : [])),
        },
        budget,
      );
      if (missed === undefined) continue;
      for (const { inbound } of missed) {
        if (inbound !== undefined)
          await this.#parts.intake.admit({ kind: 'message', message: inbound });
      }
      found += missed.length;
      await journal.noteRead(chatId, nowMs);
    }
    if (this.#rounds.stopSignal.aborted) return;
    await journal.closeGap();
    const from = new Date(fromMs).toISOString();
    log.info('gap_read', { from, chats: chats.length, threads: threads.length, found });
  }

  /**
   * What was missed in a chat and in its threads, in the order in which it was said. Besides the known
   * threads those are read that the chat shows to have been begun meanwhile, as far as the budget goes.
   */
  async #missedIn(
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
    const all = [...messages.values()].toSorted((a, b) => a.sentAtMs - b.sentAtMs);
    return this.#unknown(all);
  }

  async #lookAtQuiet(): Promise<void> {
    const { journal, line, clock, log } = this.#parts;
    const nowMs = clock.nowMs();
    const sinceMs = line.connectedSinceMs();
    const eventAtMs = line.lastEventAtMs();
    if (sinceMs === undefined) return;
    const quietSinceMs = Math.max(sinceMs, eventAtMs ?? 0);
    if (nowMs - quietSinceMs < QUIET_PROOF_MS) {
      this.#proofAfterMs = QUIET_PROOF_MS;
      this.#proofAtMs = quietSinceMs + QUIET_PROOF_MS;
      return;
    }
    if (nowMs < this.#proofAtMs) return;
    const [chat] = await journal.chats(nowMs - GAP_CHATS_ACTIVE_MS, 1);
    const [thread] = await journal.threads(nowMs - GAP_CHATS_ACTIVE_MS, 1);
    this.#proofAfterMs = Math.min(this.#proofAfterMs * 2, QUIET_PROOF_MAX_MS);
    this.#proofAtMs = nowMs + this.#proofAfterMs;
    if (chat === undefined || this.#denied.has(chat.chatId)) return;
    // Where it was spoken to last; what is said in a thread its chat does not show.
    const inThread =
      thread?.lastMessageAtMs === chat.lastMessageAtMs && !this.#deniedThreads.has(thread.threadId);
    const place = inThread ? thread : { chatId: chat.chatId, threadId: undefined };
    const messages = await this.#read(place, quietSinceMs - EVENT_GRACE_MS);
    const missed = await this.#unknown(messages ?? []);
    const late = missed.filter(({ sentAtMs }) => nowMs - sentAtMs > EVENT_GRACE_MS);
    if (late.length === 0) return;
    log.error('connection_deaf', { chat: chat.chatId, missed: late.length });
    await journal.openGap(quietSinceMs);
    line.restart();
  }

  /** `undefined` if it may not be read. */
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
        // The chat itself could be read: it is about this thread alone, which may be gone.
        this.#deniedThreads.add(threadId);
        log.debug('thread_history_denied', { ...refused, thread: threadId });
        return undefined;
      }
      // One warning says it; a permission that is missing is missing in every chat.
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
      if (message.inbound === undefined || message.deleted) continue;
      if (!(await this.#parts.journal.isKnown(message.messageId))) missed.push(message);
    }
    return missed;
  }
}

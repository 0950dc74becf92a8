import { BridgeError, errorText, PASSING_ERRORS } from '../core/errors.ts';
import type { ChatId } from '../core/ids.ts';
import type { Service } from '../core/service.ts';
import { Rounds } from '../time/repeat.ts';
import type { GapJournal, HistoryMessage, Intake, LarkGateway, Line } from './ports.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

/** Lark redelivers soon after short outages by itself; after longer ones only hours later. */
const GAP_READ_AFTER_MS = 10 * 60_000;
/** Chats that were quiet for longer are not read back: each one costs a call of the monthly quota. */
const GAP_CHATS_ACTIVE_MS = 7 * 24 * 60 * 60 * 1000;
const GAP_CHATS_MAX = 100;
/** Threads read back, for the same reason: a chat's history does not show what is said inside of them. */
export const GAP_THREADS_MAX = 50;
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
  readonly #rounds: Rounds;
  #heardAtMs: number;
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
    this.#rounds = new Rounds(parts.clock, async () => {
      await this.#look();
      return GAP_LOOK_MS;
    });
  }

  start(): Promise<void> {
    this.#rounds.start(0);
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  async #look(): Promise<void> {
    try {
      await this.#lookAtGap();
      await this.#lookAtQuiet();
    } catch (error) {
      if (!(error instanceof BridgeError)) {
        this.#parts.log.error('catch_up_bug', { error: String((error as Error).stack) });
      } else this.#parts.log.warn('catch_up_failed', { error: errorText(error) });
    }
  }

  async #lookAtGap(): Promise<void> {
    const { journal, line, clock } = this.#parts;
    const nowMs = clock.nowMs();
    // While it is down the gap grows; it is read when somebody listens again.
    if (line.connectedSinceMs() === undefined) return;
    if (nowMs - this.#heardAtMs > GAP_READ_AFTER_MS) await journal.openGap(this.#heardAtMs);
    this.#heardAtMs = nowMs;
    const fromMs = await journal.gap();
    if (fromMs !== undefined) await this.#readGap(fromMs, nowMs);
  }

  async #readGap(fromMs: number, nowMs: number): Promise<void> {
    const { journal, log } = this.#parts;
    const activeSinceMs = fromMs - GAP_CHATS_ACTIVE_MS;
    const chats = await journal.chats(activeSinceMs, GAP_CHATS_MAX);
    const threads = await journal.threads(activeSinceMs, GAP_THREADS_MAX);
    const budget = { threads: GAP_THREADS_MAX - threads.length };
    let found = 0;
    for (const { chatId, readUntilMs } of chats) {
      if (this.#rounds.stopped) return;
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
    if (this.#rounds.stopped) return;
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
      if (this.#rounds.stopped) return undefined;
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
  ): Promise<readonly HistoryMessage[] | undefined> {
    const { lark, log } = this.#parts;
    try {
      return await lark.history(chatId, sinceMs, threadId);
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
        effect: 'what is said there while the bridge is away for long is not read back',
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

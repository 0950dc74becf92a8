import { BridgeError, errorText, PASSING_ERRORS } from '../core/errors.ts';
import type { ChatId } from '../core/ids.ts';
import type { GapJournal, ChatRecord } from '../core/journal.ts';
import type { Service } from '../core/lifecycle.ts';
import {
  EVENT_GRACE_MS,
  GAP_CHATS_ACTIVE_MS,
  GAP_CHATS_MAX,
  GAP_LOOK_MS,
  GAP_READ_AFTER_MS,
  QUIET_PROOF_MAX_MS,
  QUIET_PROOF_MS,
} from '../core/limits.ts';
import type { Clock, HistoryMessage, Intake, LarkGateway, Line, Log } from '../core/ports.ts';
import { Rounds } from '../core/rounds.ts';

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
    const chats = await journal.chats(fromMs - GAP_CHATS_ACTIVE_MS, GAP_CHATS_MAX);
    let found = 0;
    for (const chat of chats) {
      if (this.#rounds.stopped) return;
      if (this.#denied.has(chat.chatId) || chat.readUntilMs >= nowMs) continue;
      const sinceMs = Math.max(fromMs, chat.readUntilMs) - EVENT_GRACE_MS;
      const missed = await this.#missed(chat, sinceMs);
      if (missed === undefined) continue;
      for (const { inbound } of missed) {
        if (inbound !== undefined)
          await this.#parts.intake.admit({ kind: 'message', message: inbound });
      }
      found += missed.length;
      await journal.noteRead(chat.chatId, nowMs);
    }
    await journal.closeGap();
    log.info('gap_read', { from: new Date(fromMs).toISOString(), chats: chats.length, found });
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
    this.#proofAfterMs = Math.min(this.#proofAfterMs * 2, QUIET_PROOF_MAX_MS);
    this.#proofAtMs = nowMs + this.#proofAfterMs;
    if (chat === undefined || this.#denied.has(chat.chatId)) return;
    const missed = await this.#missed(chat, quietSinceMs - EVENT_GRACE_MS);
    const late = missed?.filter(({ sentAtMs }) => nowMs - sentAtMs > EVENT_GRACE_MS) ?? [];
    if (late.length === 0) return;
    log.error('connection_deaf', { chat: chat.chatId, missed: late.length });
    await journal.openGap(quietSinceMs);
    line.restart();
  }

  /** Messages for the bot that no event brought; `undefined` if the history may not be read. */
  async #missed(chat: ChatRecord, sinceMs: number): Promise<HistoryMessage[] | undefined> {
    const { journal, lark, log } = this.#parts;
    let messages: readonly HistoryMessage[];
    try {
      messages = await lark.history(chat.chatId, sinceMs);
    } catch (error) {
      if (!(error instanceof BridgeError) || PASSING_ERRORS.has(error.code)) throw error;
      // One warning says it; a permission that is missing is missing in every chat.
      const level = this.#denied.size === 0 ? 'warn' : 'debug';
      this.#denied.add(chat.chatId);
      log[level]('history_denied', {
        chat: chat.chatId,
        error: errorText(error),
        effect: 'what is said there while the bridge is away for long is not read back',
        next: 'Grant im:message.group_msg (groups) and im:message.p2p_msg:readonly (direct chats).',
      });
      return undefined;
    }
    const missed: HistoryMessage[] = [];
    for (const message of messages) {
      if (message.inbound === undefined || message.deleted) continue;
      if (!(await journal.isKnown(message.messageId))) missed.push(message);
    }
    return missed;
  }
}

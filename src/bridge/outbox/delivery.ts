import type { Service } from '../../time/service.ts';
import { BridgeError, errorText, PASSING_ERRORS } from '../../core/errors.ts';
import { isPerson, type TurnId, turnId } from '../../core/ids.ts';
import type { Turn } from '../../core/turn.ts';
import type { OutboxRow } from '../ports/outbox.ts';
import { waitAtMost } from '../../time/wait.ts';
import { LaneRunner } from '../../time/lane-runner.ts';
import type { LaneItem } from '../../time/lanes.ts';
import type { ButtonValue, ChoiceValues } from '../../wire/choice-value.ts';
import { CardDelivery } from '../live/card-delivery.ts';
import { anchorFor } from './anchors.ts';
import { afterTry, isPointless, OUT_BACKOFF_MAX_MS } from './after-send.ts';
import { toOutgoing } from './drafts.ts';
import { Preparation } from './preparation.ts';
import { withPrefix } from '../commands/with-prefix.ts';
import { updateOf } from './updates.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import { type Content, hasButtons, isMarkdown } from '../../core/content.ts';
import type { AnswerFileStore } from '../ports/answer-files.ts';
import type { DeliveryResult } from '../ports/delivery.ts';
import type { HistoryMessage, LarkGateway } from '../ports/lark.ts';
import type { Journal } from '../ports/journal.ts';
import type { LiveJournal } from '../ports/live.ts';
import type { Observer } from '../ports/observer.ts';
import type { OutboxChange } from '../ports/changes.ts';
import type { QuestionStore } from '../ports/questions.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';
import { isCardEnd, endOfCard, oldestOf, dueBy } from './rows.ts';

/** Lark honours an idempotency key for an hour. Five minutes less, because the clocks may differ. */
const LARK_UUID_HONOURED_MS = 55 * 60 * 1000;

/** Messages that are sent to Lark at once. Lark's rate limits are usually lower. This bounds sockets and memory. */
const OUT_CONCURRENT_MAX = 32;

/** Signs of receipt that are sent at once. At usual latencies this is enough for Lark's 50 a second. */
const OUT_SIGNS_CONCURRENT_MAX = 8;

/** This many tries, with the waits between them, take longer than ten minutes. */
const OUT_RECENT_ATTEMPTS_MAX = 20;

/** How long a stop waits for running calls. The whole stop has to fit into the 10 s that supervisors give. */
const OUT_STOP_MS_MAX = 3_000;

/** The clocks of the two sides may differ, and a send begins before Lark stamps it. */
const HISTORY_MARGIN_MS = 5 * 60_000;

interface DeliveryParts {
  readonly journal: Journal;
  readonly lark: LarkGateway;
  readonly choices: ChoiceValues;
  readonly questions: QuestionStore;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly observer: Observer;
  readonly answerFiles?: AnswerFileStore | undefined;
  /** Stands before the words that people type. Not given: a slash. */
  readonly prefix?: string | undefined;
  /** Only rows of this lane are sent. The others wait for the next process. */
  readonly onlyLane?: string;
  /** Lark says that the message of this turn was recalled. */
  readonly onWithdrawn: (turn: TurnId) => Promise<void>;
  readonly liveJournal?: LiveJournal | undefined;
  /** Resolves when no update of a live card is under way. False after this time. */
  readonly cardSettled?: (card: string, waitMsMax: number) => Promise<boolean>;
  /** The row of a question has ended, and nothing was shown. */
  readonly onQuestionNotShown: (key: string) => void;
}

/** How the history shows what it does not give back. */
const FORM_OF = { file: 'file', question: 'card' } as const;

interface Attempt {
  readonly row: OutboxRow;
  /** It was tried before, and may have arrived. */
  readonly again: boolean;
}

/**
 * Sends the rows of the outbox: each lane in order, several lanes at once. The process may die at any point:
 * a row that is not marked as sent is sent again under the same key.
 */
export class Delivery implements Service {
  readonly name = 'delivery';
  readonly #parts: DeliveryParts;
  readonly #messages: LaneRunner;
  readonly #cards: CardDelivery;
  /** A runner of their own, so that no answer waits for slow signs. */
  readonly #signs: LaneRunner;
  readonly #preparation: Preparation;
  #started = false;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    const { clock, log, cardSettled: settled = () => Promise.resolve(true) } = parts;
    this.#preparation = new Preparation(parts);
    this.#cards = new CardDelivery({ ...parts, settled });
    const work = ({ id }: LaneItem) => this.#work(id);
    const shared = { name: this.name, clock, log, work };
    this.#messages = new LaneRunner({ ...shared, slots: () => OUT_CONCURRENT_MAX });
    this.#signs = new LaneRunner({ ...shared, slots: () => OUT_SIGNS_CONCURRENT_MAX });
  }

  async start(): Promise<void> {
    const { journal, clock } = this.#parts;
    this.#started = true;
    // The clock of the last process may have been ahead, or the operator may have removed the cause by now.
    const dueMaxMs = clock.nowMs() + OUT_BACKOFF_MAX_MS;
    this.offer((await journal.pendingOut()).map((row) => dueBy(row, dueMaxMs)));
  }

  /** Waits a little for running calls. The next start sends the rest. */
  async stop(): Promise<void> {
    const stopped = Promise.all([this.#messages.stop(), this.#signs.stop()]);
    await waitAtMost(this.#parts.clock, stopped, OUT_STOP_MS_MAX);
  }

  /** Rows that are in the journal now and are to be sent. Before the start the journal keeps them. */
  offer(rows: readonly OutboxRow[]): void {
    if (!this.#started) return;
    for (const row of rows) {
      if (row.state.phase !== 'pending') continue;
      if ((this.#parts.onlyLane ?? row.lane) !== row.lane) continue;
      const runner = row.priority === 'reaction' ? this.#signs : this.#messages;
      runner.add({
        id: row.key,
        lane: row.lane,
        order: row.seq,
        notBeforeMs: row.state.dueAtMs,
        sinceMs: row.createdAtMs,
      });
    }
    this.#messages.pump();
    this.#signs.pump();
  }

  get length(): number {
    return this.#messages.size + this.#signs.size;
  }

  /** When the row was created that has waited longest. */
  oldestMs(): number | undefined {
    return oldestOf(this.#messages.oldestMs(), this.#signs.oldestMs());
  }

  async #work(key: string): Promise<void> {
    const attempt = await this.#begin(key);
    if (attempt === undefined) return;
    const { row } = attempt;
    const turn = row.turn && (await this.#parts.journal.turn(row.turn));
    const lang = this.#parts.languages.ofTurn(turn);
    if (attempt.again && isUnwanted(row, turn)) {
      const at = { nowMs: this.#parts.clock.nowMs(), lang };
      const { out } = await this.#change(key, () => ({
        state: { phase: 'dropped' },
        out: endOfCard(row, at),
      }));
      this.offer(out);
      return;
    }
    const prepared = await this.#preparation.prepare(row, turn?.message);
    this.offer(prepared.out);
    const result = prepared.ok
      ? await this.#send({ ...attempt, row: prepared.row }, turn)
      : prepared.refusal;
    const isGone = !result.ok && result.action === 'message_gone' && row.liveCard === undefined;
    const anchor = isGone ? await anchorFor(row, this.#parts) : undefined;
    // Before the row ends. If the process dies in between, the row is tried again, and Lark says it again.
    if (isGone) await this.#noteWithdrawn(row);
    const { clock, random, lark } = this.#parts;
    const nowMs = clock.nowMs();
    const about = { asked: turn?.message, lang, anchor };
    const next = await this.#change(key, (fresh) =>
      fresh.state.phase === 'pending'
        ? afterTry(fresh, result, { nowMs, random: random(), form: lark.form, ...about })
        : undefined,
    );
    this.#report(row, result);
    if (next.row.state.phase === 'sent') this.#removeFiles(next.row);
    const isOver = next.row.state.phase !== 'pending' && row.priority !== 'reaction';
    if (isOver && row.turn !== undefined) this.#parts.observer.shown(row.turn);
    this.#noteQuestion(next);
    this.offer([next.row, ...next.out]);
  }

  /** Lark has them. A dead letter keeps its files, because it may be sent again. */
  #removeFiles({ body }: OutboxRow): void {
    const { answerFiles } = this.#parts;
    if (body.kind !== 'message') return;
    const { content } = body;
    if (content.kind === 'file' && content.path !== undefined) answerFiles?.remove(content.path);
    if (content.kind !== 'answer') return;
    for (const { file, key } of content.images ?? []) if (key) answerFiles?.remove(file.path);
  }

  #noteQuestion({ row, out }: { readonly row: OutboxRow; readonly out: readonly OutboxRow[] }) {
    const { body, state } = row;
    const isNotShown = state.phase === 'dead' || (state.phase === 'dropped' && out.length === 0);
    if (body.kind !== 'message' || body.question === undefined || !isNotShown) return;
    this.#parts.onQuestionNotShown(body.question.key);
  }

  /** Lark's answer shows that a message was recalled, although no event has come yet. */
  async #noteWithdrawn({ replyTo }: OutboxRow): Promise<void> {
    const { journal, onWithdrawn } = this.#parts;
    const id = replyTo && turnId(replyTo);
    if (id !== undefined && (await journal.turn(id)) !== undefined) await onWithdrawn(id);
  }

  /** Stores that the row may reach Lark from now on. Undefined if the row is not wanted any more. */
  async #begin(key: string): Promise<Attempt | undefined> {
    const nowMs = this.#parts.clock.nowMs();
    let again = false;
    const { row } = await this.#change(key, (fresh): OutboxChange | undefined => {
      again = fresh.triedAtMs !== undefined;
      if (fresh.state.phase !== 'pending') return undefined;
      if (isPointless(fresh, nowMs)) return { state: { phase: 'dropped' } };
      return again ? undefined : { state: fresh.state, triedAtMs: nowMs };
    });
    return row.state.phase === 'pending' ? { row, again } : undefined;
  }

  async #send({ row, again }: Attempt, turn: Turn | undefined): Promise<DeliveryResult> {
    const { lark } = this.#parts;
    const { body } = row;
    if (body.kind === 'unreact') {
      const react = await this.#parts.journal.out(body.reactKey);
      if (react?.state.phase !== 'sent') return { ok: true, id: '' };
      const out = toOutgoing(row, { again, reactionId: react.state.larkId });
      return out === undefined ? { ok: true, id: '' } : lark.deliver(out, row.key, row.priority);
    }
    if (row.liveCard !== undefined) {
      const lang = this.#parts.languages.ofTurn(turn);
      return this.#cards.deliver(row, { buttonValues: this.#buttonValues(row, turn), lang });
    }
    if (body.kind === 'update') {
      const update = updateOf(row, body, this.#parts.questions);
      return update === undefined
        ? { ok: true, id: '' }
        : lark.deliver(update, row.key, row.priority);
    }
    const arrived = await this.#alreadyShown(row, turn);
    if (arrived !== undefined) return arrived;
    const buttonValues = this.#buttonValues(row, turn);
    const out = toOutgoing(this.#inOwnWords(row), { again, buttonValues });
    return out === undefined ? { ok: true, id: '' } : lark.deliver(out, row.key, row.priority);
  }

  /** A question about one turn is for the author of its message. */
  #buttonValues(row: OutboxRow, asked: Turn | undefined): readonly ButtonValue[] | undefined {
    const { body, key, chatId: chat, replyTo, placement, turn } = row;
    if (body.kind !== 'message') return undefined;
    const under = placement === 'chat' ? undefined : replyTo;
    if (body.content.kind === 'question' && body.question !== undefined) {
      const { key: question, expiresAtMs: untilMs } = body.question;
      const made = { chat, sinceMs: row.createdAtMs, untilMs };
      // The question of an agent is for everybody who may answer it.
      const choice = { action: 'answer', row: key, under, turn, question } as const;
      return body.content.options.map((_option, at) =>
        this.#parts.choices.valueOf({ ...choice, option: String(at) }, made),
      );
    }
    const sinceMs = row.replayedAtMs ?? row.createdAtMs;
    if (body.content.kind === 'menu') {
      return body.content.buttons.map(({ action }) =>
        this.#parts.choices.valueOf({ action, row: key, under }, { chat, sinceMs }),
      );
    }
    if (body.content.kind !== 'choice') return undefined;
    const person = asked?.message.senderOpenId;
    return body.content.buttons.map(({ action, about }) =>
      this.#parts.choices.valueOf(
        { action, row: key, under, turn, person, about },
        { chat, sinceMs },
      ),
    );
  }

  /**
   * Lark honours a key for an hour. After that, a send that may have arrived is first looked for in the chat.
   * If the chat can't be read, it is sent again, because showing an answer twice is better than not at all.
   */
  async #alreadyShown(row: OutboxRow, turn: Turn | undefined): Promise<DeliveryResult | undefined> {
    const { clock, lark, log } = this.#parts;
    const { body, triedAtMs } = row;
    // The history of a direct chat can't be read by the person's id.
    if (isPerson(row.chatId)) return undefined;
    // A question that is shown twice does no harm.
    if (body.kind !== 'message' || hasButtons(body.content)) return undefined;
    if (triedAtMs === undefined) return undefined;
    const agoMs = clock.nowMs() - triedAtMs;
    const isRecent = agoMs >= 0 && agoMs < LARK_UUID_HONOURED_MS;
    // If the clock was set back, an old try looks recent. But this many tries can't be recent.
    if (isRecent && row.attempts < OUT_RECENT_ATTEMPTS_MAX) return undefined;
    const asked = turn?.message;
    const threadId = row.placement === 'thread' ? asked?.threadId : undefined;
    try {
      // By Lark's clock an answer is never older than its question. Our clock may have been wrong.
      const sinceMs = Math.min(triedAtMs - HISTORY_MARGIN_MS, asked?.sentAtMs ?? Infinity);
      const messages = await lark.history(row.chatId, sinceMs, threadId);
      // In a thread Lark gives all messages the thread's first message as parent.
      const parent = row.placement === 'chat' ? undefined : row.replyTo;
      const here = messages.filter(
        (message) => message.own && (threadId !== undefined || message.parentId === parent),
      );
      const found = await this.#sameAs(body.content, here);
      return found && { ok: true, id: found.messageId };
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      const detail = errorText(error);
      log.warn('doubtful_send_not_checked', { key: row.key, error: detail });
      // After an error that passes it is looked for again. It is repeated unseen only if the chat can't be read.
      return PASSING_ERRORS.has(error.code)
        ? { ok: false, action: 'retry', code: undefined, detail }
        : undefined;
    }
  }

  /**
   * Lark does not give back what a card or a post says. But the rows of a chat are sent one after another, so one
   * that no other row has made is of this row.
   */
  async #sameAs(
    content: Content,
    messages: readonly HistoryMessage[],
  ): Promise<HistoryMessage | undefined> {
    const { journal, lark } = this.#parts;
    if (isMarkdown(content) || content.kind === 'file' || content.kind === 'question') {
      const wanted = content.kind === 'answer' ? content.form : FORM_OF[content.kind];
      const alike = messages.filter(({ form }) => form === wanted);
      const known = await journal.sentAmong(alike.map(({ messageId }) => messageId));
      return alike.find(({ messageId }) => !known.has(messageId));
    }
    const { prefix = '/' } = this.#parts;
    const shown = lark.form.shownText(withPrefix(content, prefix));
    return messages.find(({ text }) => text === shown);
  }

  #inOwnWords(row: OutboxRow): OutboxRow {
    const { body } = row;
    const { prefix = '/' } = this.#parts;
    if (body.kind !== 'message') return row;
    return { ...row, body: { ...body, content: withPrefix(body.content, prefix) } };
  }

  #change(key: string, decide: (row: OutboxRow) => OutboxChange | undefined) {
    return this.#parts.storeRetry.untilStored(() => this.#parts.journal.changeOut(key, decide));
  }

  #report(row: OutboxRow, result: DeliveryResult): void {
    const { log } = this.#parts;
    const { key, turn, chatId: chat, body } = row;
    const kind = body.kind === 'message' ? body.content.kind : body.kind;
    const fields = { key, turn, chat, kind };
    if (result.ok) {
      // The second of the two lines that each message leaves: the first one names its chat, and trace the rest.
      if (row.priority === 'reaction') log.debug('sent', { ...fields, lark_id: result.id });
      else
        log.info('sent', { ...(turn === undefined ? fields : { turn, kind }), lark_id: result.id });
      return;
    }
    const failure = { ...fields, action: result.action, code: result.code, detail: result.detail };
    if (result.action === 'tell_operator' || result.action === 'give_up') {
      // Only a warning for a sign: the answer comes all the same.
      log[row.priority === 'reaction' ? 'warn' : 'error']('send_refused', failure);
    } else log.warn('send_failed', failure);
  }
}

/** True if the message that the row answers was recalled while the row waited for another try. */
function isUnwanted(row: OutboxRow, turn: Turn | undefined): boolean {
  const { kind } = row.body;
  if (turn === undefined || kind === 'unreact' || kind === 'update' || isCardEnd(row)) return false;
  // It may be shown already. Under the same key Lark names it, and then its card can say that it is over.
  if (row.body.kind === 'message' && row.body.question !== undefined) return false;
  if (turn.state.phase === 'dropped' && turn.state.why === 'recalled') return true;
  // Lark refuses a reply to what is gone, but changes a card that stands. In a thread the others still see answers.
  const { parts, threadId } = turn.message;
  return row.liveCard !== undefined && parts.length === 0 && threadId === undefined;
}

import type { Service } from '../../time/service.ts';
import { type TurnId, turnId } from '../../core/ids.ts';
import type { Turn } from '../../core/turn.ts';
import type { OutboxRow } from '../ports/outbox.ts';
import { waitAtMost } from '../../time/wait.ts';
import { LaneRunner } from '../../time/lane-runner.ts';
import type { LaneItem } from '../../time/lanes.ts';
import type { ChoiceValues } from '../../wire/choice-value.ts';
import { CardDelivery } from '../live/card-delivery.ts';
import { alreadyShown } from './already-shown.ts';
import { anchorFor } from './anchors.ts';
import { afterTry, isPointless, OUT_BACKOFF_MAX_MS } from './after-send.ts';
import { buttonValuesOf } from './button-values.ts';
import { toOutgoing } from './drafts.ts';
import { Preparation } from './preparation.ts';
import { withPrefix } from '../commands/with-prefix.ts';
import { showsWithdrawn, updateOf } from './updates.ts';
import { withdrawnContent } from '../questions/question-content.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import type { AnswerFileStore } from '../ports/answer-files.ts';
import type { DeliveryResult, Outgoing } from '../ports/delivery.ts';
import type { LarkGateway } from '../ports/lark.ts';
import type { Journal } from '../ports/journal.ts';
import type { LiveJournal } from '../ports/live.ts';
import type { Observer } from '../ports/observer.ts';
import type { OutboxChange } from '../ports/changes.ts';
import type { QuestionStore } from '../ports/questions.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';
import { isCardEnd, endOfCard, oldestOf, dueBy } from './rows.ts';

/** Messages that are sent to Lark at once. Lark's rate limits are usually lower. This bounds sockets and memory. */
const OUT_CONCURRENT_MAX = 32;

/** Signs of receipt that are sent at once. At usual latencies this is enough for Lark's 50 a second. */
const OUT_SIGNS_CONCURRENT_MAX = 8;

/** How long a stop waits for running calls. The whole stop has to fit into the 10 s that supervisors give. */
const OUT_STOP_MS_MAX = 3_000;

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
  /** The row could not be delivered. */
  readonly onDead?: (row: OutboxRow) => Promise<void>;
}

/** The row is done with. There is no message of it in Lark. */
const NOTHING_TO_SEND = { ok: true, id: '' } as const;

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
    if (attempt.again ? isUnwanted(row, turn) : showsWithdrawn(row, this.#parts.questions)) {
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
    if (next.row.state.phase === 'dead') await this.#parts.onDead?.(next.row);
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
    const { body } = row;
    if (body.kind === 'unreact') {
      const react = await this.#parts.journal.out(body.reactKey);
      if (react?.state.phase !== 'sent') return NOTHING_TO_SEND;
      return this.#call(row, toOutgoing(row, { again, reactionId: react.state.larkId }));
    }
    const lang = this.#parts.languages.ofTurn(turn);
    const buttonValues = buttonValuesOf(row, turn, this.#parts.choices);
    if (row.liveCard !== undefined) {
      return this.#cards.deliver(this.#inOwnWords(row), { buttonValues, lang });
    }
    if (body.kind === 'update') {
      return this.#call(row, updateOf(row, body, { questions: this.#parts.questions, lang }));
    }
    if (showsWithdrawn(row, this.#parts.questions)) {
      const instead = { ...row, body: { ...body, content: withdrawnContent(lang) } };
      return this.#call(row, toOutgoing(instead, { again }));
    }
    const arrived = await alreadyShown(row, turn, this.#parts);
    if (arrived !== undefined) return arrived;
    return this.#call(row, toOutgoing(this.#inOwnWords(row), { again, buttonValues }));
  }

  async #call({ key, priority }: OutboxRow, out: Outgoing | undefined): Promise<DeliveryResult> {
    return out === undefined ? NOTHING_TO_SEND : this.#parts.lark.deliver(out, key, priority);
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
      // The line of a turn comes when it is answered.
      const isOwn = turn === undefined && row.priority !== 'reaction';
      log[isOwn ? 'info' : 'debug']('sent', { ...fields, lark_id: result.id });
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
  // It may be shown already. Under the same key Lark names it, and then its card can say that it is over. If Lark does
  // not have it, what it gets now says no more than that.
  if (row.body.kind === 'message' && row.body.question !== undefined) return false;
  if (turn.state.phase === 'dropped' && turn.state.why === 'recalled') return true;
  // Lark refuses a reply to what is gone, but changes a card that stands. In a thread the others still see answers.
  const { parts, threadId } = turn.message;
  return row.liveCard !== undefined && parts.length === 0 && threadId === undefined;
}

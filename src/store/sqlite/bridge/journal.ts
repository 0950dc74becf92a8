import {
  messageId,
  turnId,
  type AppId,
  type ChatId,
  type MessageId,
  type OpenId,
  type TurnId,
} from '../../../core/ids.ts';
import type { TurnDetails } from '../../../core/turn-details.ts';
import type { Turn, TurnState } from '../../../core/turn.ts';
import type { OutboxDraft, OutboxRow } from '../../../bridge/ports/outbox.ts';
import type { Db } from '../db.ts';
import { AccessTables, subjectOf } from './access.ts';
import { EventsTable } from './events.ts';
import { JoinedTurns } from './joined-turns.ts';
import { SqliteLiveCards } from './live-cards.ts';
import { SqliteOrders } from './orders.ts';
import { OutboxTable } from './outbox.ts';
import { SqliteQuestions } from './questions.ts';
import { QuarantineTable } from './quarantine.ts';
import { RunsTable } from './runs.ts';
import { SessionsTable } from './sessions.ts';
import { TurnsTable } from './turns.ts';
import { SqliteUsage } from './usage.ts';
import type { AccessRecords } from '../../../bridge/ports/access.ts';
import type { Admission, OutboxChange, TurnChange } from '../../../bridge/ports/changes.ts';
import type { Journal, PruneRules, QuarantinedAnswer } from '../../../bridge/ports/journal.ts';
import type {
  JournalCounts,
  JournalReader,
  TurnLife,
  TurnQuery,
} from '../../../bridge/ports/journal-reader.ts';
import type { Clock } from '../../../time/clock.ts';

/** The journal of one app in one SQLite file. */
export class SqliteJournal implements Journal, JournalReader {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #events: EventsTable;
  readonly #turns: TurnsTable;
  readonly #joined: JoinedTurns;
  readonly #runs: RunsTable;
  readonly #sessions: SessionsTable;
  readonly #outbox: OutboxTable;
  readonly #quarantine: QuarantineTable;
  readonly #orders: SqliteOrders;
  readonly #liveCards: SqliteLiveCards;
  readonly #access: AccessTables;
  readonly #questions: SqliteQuestions;
  readonly #usage: SqliteUsage;

  constructor({ db, app, clock }: { db: Db; app: AppId; clock: Clock }) {
    this.#db = db;
    this.#events = new EventsTable(db, app, clock);
    this.#clock = clock;
    this.#turns = new TurnsTable(db, app);
    this.#joined = new JoinedTurns({ db, app, turns: this.#turns });
    this.#runs = new RunsTable(db, app);
    this.#sessions = new SessionsTable(db, app);
    this.#outbox = new OutboxTable(db, app);
    this.#quarantine = new QuarantineTable(db, app);
    this.#orders = new SqliteOrders({ db, app, clock });
    this.#liveCards = new SqliteLiveCards({ db, app });
    this.#access = new AccessTables(db, app);
    this.#questions = new SqliteQuestions({ db, app });
    this.#usage = new SqliteUsage({ db, app });
  }

  admit(admission: Admission) {
    return this.#db.write(() => {
      const { message, judge } = admission;
      if (this.#turns.reads.get(turnId(message.messageId)) !== undefined) return undefined;
      const nowMs = this.#clock.nowMs();
      const judged = judge?.(this.#access.known(subjectOf({ message })));
      const given =
        judged?.closed === undefined ? admission : closedAs(admission, judged.closed.state);
      const details = this.#detailsOf(given, nowMs);
      const turn = this.#turns.insert(given, { nowMs, details });
      if (turn === undefined) return undefined;
      if (judged?.access !== undefined) this.#access.change(subjectOf(turn), judged.access);
      if (judged?.closed !== undefined) {
        return { turn, out: this.#outbox.insert(judged.closed.out) };
      }
      const joined = admission.takesIn === true ? this.#joined.takeIn(turn, nowMs) : undefined;
      const { out, question = [], burst } = admission;
      const asks = question.length > 0 && !this.#turns.reads.hasOtherHeld(turn);
      const tells =
        burst !== undefined && !this.#turns.reads.hasOtherUnreadable(turn, burst.withinMs);
      const drafts = [...out, ...(asks ? question : []), ...(tells ? burst.out : [])];
      return { turn, ...joined, out: this.#outbox.insert(drafts) };
    });
  }

  /** What every turn has from the beginning. */
  #detailsOf({ message, state, renewsSession }: Admission, nowMs: number): TurnDetails | undefined {
    if (renewsSession === true) this.#sessions.renew(message, message.senderOpenId, nowMs);
    // What is kept may never run. If it does, it gets its session then.
    const mayRun = state.phase === 'waiting' || state.phase === 'held';
    return mayRun ? { session: this.#sessions.use(message, nowMs) } : undefined;
  }

  turn(id: TurnId): Promise<Turn | undefined> {
    return Promise.resolve(this.#turns.reads.get(id));
  }

  turnOfToken(replyToken: string): Promise<Turn | undefined> {
    return Promise.resolve(this.#turns.reads.ofToken(replyToken));
  }

  changeTurn(
    id: TurnId,
    decide: (turn: Turn, known: () => AccessRecords) => TurnChange | undefined,
    { once, join }: NonNullable<Parameters<Journal['changeTurn']>[2]> = {},
  ) {
    return this.#db.write(() => {
      const turn = this.#turns.reads.get(id);
      if (turn === undefined) throw new Error(`no turn ${id}`);
      const subject = subjectOf(turn);
      const change = decide(turn, () => this.#access.known(subject));
      if (change === undefined || (once !== undefined && !this.#events.insert(once, id))) {
        join?.(turn, false);
        return { turn, changed: false, out: [] };
      }
      const atMs = change.atMs ?? this.#clock.nowMs();
      if (change.withdrawn?.dropsOut === true) this.#outbox.dropUntried(id);
      const { frees } = change.withdrawn ?? {};
      const freed = frees && this.#joined.free(turn, frees, atMs);
      if (change.withdrawn !== undefined) {
        this.#joined.takeOut(turn);
        this.#sessions.forget(turn.message.messageId);
        this.#liveCards.forgetDone(id);
        this.#runs.forgetWords(id);
      }
      const next = this.#turns.update(turn, this.#sessions.inSession(turn, change, atMs), atMs);
      this.#runs.note(next, turn.state.phase, { nowMs: atMs, lastWords: change.lastWords });
      if (change.access !== undefined) this.#access.change(subject, change.access);
      const out = this.#outbox.insert(change.out);
      join?.(next, true);
      return { turn: next, changed: true, out, ...(freed && { freed }) };
    });
  }

  askable(chat: ChatId, limit: number, author?: OpenId) {
    return Promise.resolve(this.#turns.reads.askable(chat, limit, author));
  }

  openIn(chat: ChatId, limit: number) {
    return Promise.resolve(this.#turns.reads.openIn(chat, limit));
  }

  directChat(person: OpenId) {
    return Promise.resolve(this.#turns.reads.directChat(person));
  }

  openTurns() {
    return Promise.resolve(this.#turns.reads.open());
  }

  openMessages(): Promise<ReadonlySet<string>> {
    return Promise.resolve(this.#turns.reads.openMessages());
  }

  pendingOut() {
    return Promise.resolve(this.#outbox.pending());
  }

  async quarantine(answer: QuarantinedAnswer): Promise<void> {
    await this.#db.write(() => this.#quarantine.insert(answer));
  }

  isHandled(answerId: string) {
    return Promise.resolve(this.#events.has(answerId) || this.#quarantine.has(answerId));
  }

  quarantined(limit: number) {
    return Promise.resolve(this.#quarantine.list(limit));
  }

  out(key: string) {
    return Promise.resolve(this.#outbox.get(key));
  }

  enqueue(drafts: readonly OutboxDraft[], once?: string) {
    return this.#db.write(() =>
      once === undefined || this.#events.insert(once, 'outbox') ? this.#outbox.insert(drafts) : [],
    );
  }

  enqueueIf(drafts: readonly OutboxDraft[], may: () => boolean) {
    return this.#db.write(() => (may() ? this.#outbox.insert(drafts) : []));
  }

  unanswered(sinceMs: number) {
    return Promise.resolve(this.#runs.unanswered(sinceMs));
  }

  droppedRuns(sinceMs: number) {
    return Promise.resolve(this.#runs.dropped(sinceMs));
  }

  sentAmong(messages: readonly MessageId[]) {
    return Promise.resolve(this.#outbox.sentAmong(messages));
  }

  threadMessages(chat: ChatId, threadId: string) {
    return Promise.resolve([
      ...this.#outbox.sentInThread(chat, threadId),
      ...this.#turns.reads.inThread(chat, threadId),
    ]);
  }

  latestChat() {
    return Promise.resolve(this.#turns.reads.latestChat());
  }

  changeOut(key: string, decide: (row: OutboxRow) => OutboxChange | undefined, once?: string) {
    return this.#db.write(() => {
      const row = this.#outbox.get(key);
      if (row === undefined) throw new Error(`no outbox row ${key}`);
      const change = decide(row);
      if (change === undefined || (once !== undefined && !this.#events.insert(once, key))) {
        return { row, changed: false, out: [] };
      }
      const changed = this.#outbox.update(row, change);
      if (change.endsRest === true) this.#outbox.endRest(row, change);
      return { row: changed, changed: true, out: this.#outbox.insert(change.out ?? [], row.seq) };
    });
  }

  prune(rules: PruneRules): Promise<number> {
    return this.#db.write(
      () =>
        this.#turns.prune(rules) +
        this.#turns.strip(rules) +
        this.#turns.endKept(rules, this.#clock.nowMs()) +
        this.#outbox.prune(rules) +
        this.#events.prune(rules) +
        this.#runs.prune(rules) +
        this.#orders.prune(rules) +
        this.#liveCards.prune(rules) +
        this.#questions.prune(rules) +
        this.#sessions.prune(rules, this.#clock.nowMs()) +
        this.#usage.prune(rules) +
        this.#quarantine.prune(rules),
    );
  }

  turns(query: TurnQuery) {
    return Promise.resolve(this.#turns.reads.list(query));
  }

  currentRuns(turns: readonly Turn[]) {
    return Promise.resolve(this.#runs.current(turns));
  }

  idsLike(beginning: string, of: 'turn' | 'row') {
    const from = of === 'turn' ? this.#turns.reads : this.#outbox;
    return Promise.resolve(from.idsLike(beginning));
  }

  outOf(turn: TurnId) {
    return Promise.resolve(this.#outbox.ofTurn(turn));
  }

  answersAmong(messages: readonly MessageId[]) {
    return Promise.resolve(this.#outbox.answersAmong(messages));
  }

  turnsBefore(turn: Turn, limit: number) {
    const before = this.#turns.reads.before(turn, limit).map(({ id, message }) => ({
      message,
      answers: this.#outbox.ofTurn(id).flatMap(({ state, body }) => {
        const isShown = state.phase === 'sent' && body.kind === 'message';
        return isShown && body.content.kind === 'answer'
          ? { messageId: messageId(state.larkId), text: body.content.text }
          : [];
      }),
    }));
    return Promise.resolve(before);
  }

  forgetSaid(message: MessageId, chat: ChatId): Promise<void> {
    return this.#db.write(() => this.#turns.forgetSaid(message, chat));
  }

  ofLane(lane: string) {
    return Promise.resolve(this.#outbox.ofLane(lane));
  }

  isDone(once: string) {
    return Promise.resolve(this.#events.has(once));
  }

  life(id: TurnId): Promise<TurnLife | undefined> {
    const times = this.#turns.reads.times(id);
    const turn = this.#turns.reads.get(id);
    if (turn === undefined || times === undefined) return Promise.resolve(undefined);
    return Promise.resolve({
      ...times,
      turn,
      runs: this.#runs.ofTurn(id),
      out: this.#outbox.ofTurn(id),
      ahead: this.#turns.reads.ahead(turn),
    });
  }

  turnOfReply(message: MessageId) {
    return Promise.resolve(this.#outbox.turnOf(message));
  }

  deadLetters(query: { chatId?: ChatId; limit: number }) {
    return Promise.resolve(this.#outbox.dead(query));
  }

  counts(failedSinceMs: number): Promise<JournalCounts> {
    return Promise.resolve({
      ...this.#turns.reads.counts(failedSinceMs),
      deadLetters: this.#outbox.countDead(),
    });
  }
}

/** What is not kept is stored without its text. */
function closedAs(admission: Admission, state: TurnState): Admission {
  const { message } = admission;
  const { renewsSession: _, ...rest } = admission;
  const isKept = state.phase === 'kept';
  return { ...rest, state, message: isKept ? message : { ...message, parts: [] } };
}

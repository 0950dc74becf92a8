import type { AppId, ChatId, MessageId, OpenId, TurnId } from '../../../core/ids.ts';
import type { OutboxDraft, OutboxRow, Turn } from '../../../core/turn.ts';
import type { Db } from '../db.ts';
import { EventsTable } from './events.ts';
import { SqliteOrders } from './orders.ts';
import { OutboxTable } from './outbox.ts';
import { SqliteQuestions } from './questions.ts';
import { QuarantineTable } from './quarantine.ts';
import { RunsTable } from './runs.ts';
import { TurnsTable } from './turns.ts';
import type {
  Admission,
  Journal,
  JournalCounts,
  JournalReader,
  OutboxChange,
  PruneRules,
  QuarantinedAnswer,
  TurnChange,
  TurnLife,
  TurnQuery,
} from '../../../bridge/ports.ts';
import type { Clock } from '../../../time/clock.ts';

/** The journal of one app in one SQLite file. */
export class SqliteJournal implements Journal, JournalReader {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #events: EventsTable;
  readonly #turns: TurnsTable;
  readonly #runs: RunsTable;
  readonly #outbox: OutboxTable;
  readonly #quarantine: QuarantineTable;
  readonly #orders: SqliteOrders;
  readonly #questions: SqliteQuestions;

  constructor({ db, app, clock }: { db: Db; app: AppId; clock: Clock }) {
    this.#db = db;
    this.#events = new EventsTable(db, app, clock);
    this.#clock = clock;
    this.#turns = new TurnsTable(db, app);
    this.#runs = new RunsTable(db, app);
    this.#outbox = new OutboxTable(db, app);
    this.#quarantine = new QuarantineTable(db, app);
    this.#orders = new SqliteOrders({ db, app, clock });
    this.#questions = new SqliteQuestions({ db, app });
  }

  admit(admission: Admission) {
    return this.#db.write(() => {
      const turn = this.#turns.insert(admission, this.#clock.nowMs());
      if (turn === undefined) return undefined;
      const { out, question = [], burst } = admission;
      const asks = question.length > 0 && !this.#turns.hasOtherStale(turn);
      const tells = burst !== undefined && !this.#turns.hasOtherUnreadable(turn, burst.withinMs);
      const drafts = [...out, ...(asks ? question : []), ...(tells ? burst.out : [])];
      return { turn, out: this.#outbox.insert(drafts) };
    });
  }

  turn(id: TurnId): Promise<Turn | undefined> {
    return Promise.resolve(this.#turns.get(id));
  }

  turnOfToken(replyToken: string): Promise<Turn | undefined> {
    return Promise.resolve(this.#turns.ofToken(replyToken));
  }

  changeTurn(
    id: TurnId,
    decide: (turn: Turn) => TurnChange | undefined,
    { once, join }: NonNullable<Parameters<Journal['changeTurn']>[2]> = {},
  ) {
    return this.#db.write(() => {
      const turn = this.#turns.get(id);
      if (turn === undefined) throw new Error(`no turn ${id}`);
      const change = decide(turn);
      if (change === undefined || (once !== undefined && !this.#events.insert(once, id))) {
        join?.(turn, false);
        return { turn, changed: false, out: [] };
      }
      const atMs = change.atMs ?? this.#clock.nowMs();
      if (change.withdrawn?.dropsOut === true) this.#outbox.dropUntried(id);
      const next = this.#turns.update(turn, change, atMs);
      this.#runs.note(next, turn.state.phase, atMs);
      const out = this.#outbox.insert(change.out);
      join?.(next, true);
      return { turn: next, changed: true, out };
    });
  }

  askable(chat: ChatId, limit: number, author?: OpenId) {
    return Promise.resolve(this.#turns.askable(chat, limit, author));
  }

  openTurns() {
    return Promise.resolve(this.#turns.open());
  }

  openMessages(): Promise<ReadonlySet<string>> {
    return Promise.resolve(this.#turns.openMessages());
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
      ...this.#turns.inThread(chat, threadId),
    ]);
  }

  latestChat() {
    return Promise.resolve(this.#turns.latestChat());
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
        this.#outbox.prune(rules) +
        this.#events.prune(rules) +
        this.#runs.prune(rules) +
        this.#orders.prune(rules) +
        this.#questions.prune(rules) +
        this.#quarantine.prune(rules),
    );
  }

  turns(query: TurnQuery) {
    return Promise.resolve(this.#turns.list(query));
  }

  outOf(turn: TurnId) {
    return Promise.resolve(this.#outbox.ofTurn(turn));
  }

  isDone(once: string) {
    return Promise.resolve(this.#events.has(once));
  }

  life(id: TurnId): Promise<TurnLife | undefined> {
    const times = this.#turns.times(id);
    const turn = this.#turns.get(id);
    if (turn === undefined || times === undefined) return Promise.resolve(undefined);
    return Promise.resolve({
      ...times,
      turn,
      runs: this.#runs.ofTurn(id),
      out: this.#outbox.ofTurn(id),
      ahead: this.#turns.ahead(turn),
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
      ...this.#turns.counts(failedSinceMs),
      deadLetters: this.#outbox.countDead(),
    });
  }
}

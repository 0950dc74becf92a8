import type { AppId, ChatId, TurnId } from '../../core/ids.ts';
import type {
  Admission,
  Journal,
  JournalReader,
  OutboxChange,
  PruneRules,
  TurnChange,
  TurnQuery,
} from '../../core/journal.ts';
import type { Clock } from '../../core/ports.ts';
import type { OutboxDraft, OutboxRow, Turn } from '../../core/turn.ts';
import type { Db } from '../db.ts';
import { EventsTable } from './events.ts';
import { OutboxTable } from './outbox.ts';
import { TurnsTable } from './turns.ts';

/** The journal of one app in one SQLite file. */
export class SqliteJournal implements Journal, JournalReader {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #events: EventsTable;
  readonly #turns: TurnsTable;
  readonly #outbox: OutboxTable;

  constructor({ db, app, clock }: { db: Db; app: AppId; clock: Clock }) {
    this.#db = db;
    this.#events = new EventsTable(db, app, clock);
    this.#clock = clock;
    this.#turns = new TurnsTable(db, app);
    this.#outbox = new OutboxTable(db, app);
  }

  admit(admission: Admission) {
    return this.#db.write(() => {
      const turn = this.#turns.insert(admission);
      if (turn === undefined) return undefined;
      return { turn, out: this.#outbox.insert(admission.out) };
    });
  }

  turn(id: TurnId): Promise<Turn | undefined> {
    return Promise.resolve(this.#turns.get(id));
  }

  changeTurn(id: TurnId, decide: (turn: Turn) => TurnChange | undefined, once?: string) {
    return this.#db.write(() => {
      const turn = this.#turns.get(id);
      if (turn === undefined) throw new Error(`no turn ${id}`);
      const change = decide(turn);
      if (change === undefined || (once !== undefined && !this.#events.insert(once, id))) {
        return { turn, changed: false, out: [] };
      }
      return {
        turn: this.#turns.update(turn, change, this.#clock.nowMs()),
        changed: true,
        out: this.#outbox.insert(change.out),
      };
    });
  }

  askable(chat: ChatId, limit: number) {
    return Promise.resolve(this.#turns.askable(chat, limit));
  }

  openTurns() {
    return Promise.resolve(this.#turns.open());
  }

  pendingOut() {
    return Promise.resolve(this.#outbox.pending());
  }

  out(key: string) {
    return Promise.resolve(this.#outbox.get(key));
  }

  enqueue(drafts: readonly OutboxDraft[]) {
    return this.#db.write(() => this.#outbox.insert(drafts));
  }

  changeOut(key: string, decide: (row: OutboxRow) => OutboxChange | undefined) {
    return this.#db.write(() => {
      const row = this.#outbox.get(key);
      if (row === undefined) throw new Error(`no outbox row ${key}`);
      const change = decide(row);
      if (change === undefined) return { row, out: [] };
      return {
        row: this.#outbox.update(row, change),
        out: this.#outbox.insert(change.out ?? [], row.seq),
      };
    });
  }

  prune(rules: PruneRules): Promise<number> {
    return this.#db.write(
      () =>
        this.#turns.prune(rules) +
        this.#turns.strip(rules) +
        this.#outbox.prune(rules) +
        this.#events.prune(rules),
    );
  }

  turns(query: TurnQuery) {
    return Promise.resolve(this.#turns.list(query));
  }

  outOf(turn: TurnId) {
    return Promise.resolve(this.#outbox.ofTurn(turn));
  }
}

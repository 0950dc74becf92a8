import { chatId, openId, type AppId, type ChatId, type OpenId } from '../../../core/ids.ts';
import type { Turn } from '../../../core/turn.ts';
import type { Clock } from '../../../time/clock.ts';
import type { Db } from '../db.ts';
import type { AccessBook, AccessWork } from '../../../bridge/ports/access-book.ts';
import type {
  AccessChange,
  AccessRecords,
  AccessSubject,
  AppAccess,
  GroupAccess,
  PersonAccess,
} from '../../../bridge/ports/access.ts';
import { EventsTable } from './events.ts';
import { OutboxTable } from './outbox.ts';
import { RunsTable } from './runs.ts';
import { SessionsTable } from './sessions.ts';
import { TurnsTable } from './turns.ts';

/** Whom a turn is about: who asked for it, and where. */
export function subjectOf({ message, askedBy }: Pick<Turn, 'message' | 'askedBy'>): AccessSubject {
  const { senderOpenId, sender, chatId: chat, chatType } = message;
  return {
    openId: askedBy ?? senderOpenId,
    unionId: askedBy === undefined ? sender?.unionId : undefined,
    ...(chatType === 'group' && { chatId: chat }),
  };
}

/** All SQL of the tables `access_app`, `access_people` and `access_groups`. Call the writers inside `db.write`. */
export class AccessTables {
  readonly #db: Db;
  readonly #app: AppId;
  readonly #turns: TurnsTable;

  constructor(db: Db, app: AppId) {
    this.#db = db;
    this.#app = app;
    this.#turns = new TurnsTable(db, app);
  }

  known({ openId: person, unionId, chatId: chat }: AccessSubject): AccessRecords {
    const kept = person === undefined ? 0 : this.#turns.reads.kept({ openId: person }).length;
    return {
      app: this.#appRecord(),
      person: person && this.#effective(person, unionId),
      group: chat && this.#group(chat),
      kept,
    };
  }

  change({ openId: person, unionId, chatId: chat }: AccessSubject, change: AccessChange): void {
    if (change.app !== undefined) {
      const next = JSON.stringify({ ...this.#appRecord(), ...change.app });
      this.#db.run(
        'INSERT INTO access_app VALUES (?, ?) ON CONFLICT DO UPDATE SET record = excluded.record',
        this.#app,
        next,
      );
    }
    if (change.person !== undefined && person !== undefined) {
      const before = this.#person(person);
      const known = { unionId: unionId ?? before?.unionId };
      this.#putPerson({ ...before, openId: person, ...known, ...change.person });
    }
    if (change.group !== undefined && chat !== undefined) {
      const next = { ...this.#group(chat), chatId: chat, ...change.group };
      this.#db.run(
        'INSERT INTO access_groups VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET record = excluded.record',
        this.#app,
        chat,
        JSON.stringify(next),
      );
    }
  }

  /** The same person may be known to another app of this database. A permission that is taken back, is so there too. */
  forgetElsewhere(person: OpenId): void {
    const unionId = this.#person(person)?.unionId;
    if (unionId === undefined) return;
    this.#db.run(
      `UPDATE access_people SET state = NULL, record = json_remove(record, '$.state')
       WHERE union_id = ? AND NOT (app_id = ? AND open_id = ?)`,
      unionId,
      this.#app,
      person,
    );
  }

  personOf(code: string): PersonAccess | undefined {
    const row = this.#db.get(
      "SELECT record FROM access_people WHERE app_id = ? AND state = 'waiting' AND code = ?",
      this.#app,
      code,
    );
    return row && toPerson(row['record']);
  }

  /** With a state, the latest first. */
  people(): PersonAccess[] {
    return this.#db
      .all(
        `SELECT record FROM access_people WHERE app_id = ? AND state IS NOT NULL
         ORDER BY max(coalesce(record ->> '$.decidedAtMs', 0), coalesce(record ->> '$.askedAtMs', 0)) DESC, open_id`,
        this.#app,
      )
      .map((row) => toPerson(row['record']));
  }

  groups(): GroupAccess[] {
    return this.#db
      .all('SELECT record FROM access_groups WHERE app_id = ? ORDER BY chat_id', this.#app)
      .map((row) => toGroup(row['record']));
  }

  takeImported(): number {
    return this.#db.run(
      `UPDATE access_people SET record = json_set(record, '$.decidedBy', 'version_before')
       WHERE app_id = ? AND state = 'allowed' AND record ->> '$.decidedBy' = 'earlier_version'`,
      this.#app,
    );
  }

  #appRecord(): AppAccess {
    const row = this.#db.get('SELECT record FROM access_app WHERE app_id = ?', this.#app);
    return row === undefined ? {} : (JSON.parse(String(row['record'])) as AppAccess);
  }

  #person(person: OpenId): PersonAccess | undefined {
    const row = this.#db.get(
      'SELECT record FROM access_people WHERE app_id = ? AND open_id = ?',
      this.#app,
      person,
    );
    return row && toPerson(row['record']);
  }

  /** As this app knows the person. What was decided for the same person in another app counts until it is decided here. */
  #effective(person: OpenId, unionId: string | undefined): PersonAccess | undefined {
    const own = this.#person(person);
    const union = unionId ?? own?.unionId;
    if (union === undefined || own?.state === 'allowed' || own?.state === 'blocked') return own;
    const row = this.#db.get(
      `SELECT record FROM access_people WHERE union_id = ? AND state IN ('allowed', 'blocked')
       ORDER BY record ->> '$.decidedAtMs' DESC LIMIT 1`,
      union,
    );
    if (row === undefined) return own;
    const { state, decidedBy, decidedAtMs } = toPerson(row['record']);
    const there = { state, decidedBy, decidedAtMs, isElsewhere: true };
    return { ...own, openId: person, unionId: union, ...there };
  }

  #putPerson(person: PersonAccess): void {
    this.#db.run(
      `INSERT INTO access_people VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
         union_id = excluded.union_id, state = excluded.state, code = excluded.code, record = excluded.record`,
      this.#app,
      person.openId,
      person.unionId ?? null,
      person.state ?? null,
      person.code ?? null,
      JSON.stringify(person),
    );
  }

  #group(chat: ChatId): GroupAccess | undefined {
    const row = this.#db.get(
      'SELECT record FROM access_groups WHERE app_id = ? AND chat_id = ?',
      this.#app,
      chat,
    );
    return row && toGroup(row['record']);
  }
}

function toPerson(record: unknown): PersonAccess {
  const person = JSON.parse(String(record)) as PersonAccess;
  return { ...person, openId: openId(person.openId) };
}

function toGroup(record: unknown): GroupAccess {
  const group = JSON.parse(String(record)) as GroupAccess;
  return { ...group, chatId: chatId(group.chatId) };
}

/** Who may talk to the bot of one app. */
export class SqliteAccess implements AccessBook {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #tables: AccessTables;
  readonly #turns: TurnsTable;
  readonly #runs: RunsTable;
  readonly #sessions: SessionsTable;
  readonly #outbox: OutboxTable;
  readonly #events: EventsTable;

  constructor({ db, app, clock }: { db: Db; app: AppId; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
    this.#tables = new AccessTables(db, app);
    this.#turns = new TurnsTable(db, app);
    this.#runs = new RunsTable(db, app);
    this.#sessions = new SessionsTable(db, app);
    this.#outbox = new OutboxTable(db, app);
    this.#events = new EventsTable(db, app, clock);
  }

  known(subject: AccessSubject) {
    return Promise.resolve(this.#tables.known(subject));
  }

  settle({ subject, once, decide, move }: AccessWork) {
    return this.#db.write(() => {
      const decided = decide(this.#tables.known(subject));
      const isRepeat = () => once !== undefined && !this.#events.insert(once, 'access');
      if (decided === undefined || isRepeat()) return { changed: false, turns: [], out: [] };
      const { change } = decided;
      this.#tables.change(subject, change);
      const { openId: person } = subject;
      const isDecided = change.person !== undefined && 'state' in change.person;
      if (person !== undefined && isDecided && change.person.state !== 'allowed') {
        this.#tables.forgetElsewhere(person);
      }
      const out = this.#outbox.insert(decided.out ?? []);
      const moved = move === undefined ? [] : this.#moveKept(subject, move);
      return {
        changed: true,
        turns: moved.map(({ turn }) => turn),
        out: [...out, ...moved.flatMap((one) => one.out)],
      };
    });
  }

  /** One after another, as each may change what is known about the next. */
  #moveKept(subject: AccessSubject, move: NonNullable<AccessWork['move']>) {
    const nowMs = this.#clock.nowMs();
    return this.#turns.reads.kept(subject).flatMap((id) => {
      const turn = this.#turns.reads.get(id);
      if (turn === undefined) return [];
      const about = subjectOf(turn);
      const change = move(turn, this.#tables.known(about));
      if (change === undefined) return [];
      const next = this.#turns.update(turn, this.#sessions.inSession(turn, change, nowMs), nowMs);
      this.#runs.note(next, turn.state.phase, { nowMs });
      if (change.access !== undefined) this.#tables.change(about, change.access);
      return [{ turn: next, out: this.#outbox.insert(change.out) }];
    });
  }

  personOf(code: string) {
    return Promise.resolve(this.#tables.personOf(code));
  }

  people() {
    return Promise.resolve(this.#tables.people());
  }

  groups() {
    return Promise.resolve(this.#tables.groups());
  }

  unknownGroups() {
    return Promise.resolve(this.#turns.reads.unknownGroups());
  }

  async takeImported(): Promise<number> {
    return this.#db.write(() => this.#tables.takeImported());
  }
}

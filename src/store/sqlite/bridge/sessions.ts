import { randomUUID } from 'node:crypto';
import type { AppId } from '../../../core/ids.ts';
import type { TurnDetails } from '../../../core/turn-details.ts';
import type { Place } from '../../../bridge/ports/journal.ts';
import type { Db } from '../db.ts';

type Session = NonNullable<TurnDetails['session']>;

/** All SQL of the table `sessions`: which memory the agent has in a chat or thread. Call the writers inside `db.write`. */
export class SessionsTable {
  readonly #db: Db;
  readonly #app: AppId;

  constructor(db: Db, app: AppId) {
    this.#db = db;
    this.#app = app;
  }

  of({ chatId, threadId }: Place): Session | undefined {
    const row = this.#db.get(
      'SELECT id, is_used FROM sessions WHERE app_id = ? AND chat_id = ? AND thread_id = ?',
      this.#app,
      chatId,
      threadId ?? '',
    );
    return row && { id: String(row['id']), isNew: row['is_used'] === 0 };
  }

  /** The session of a turn in this place. */
  use(place: Place, nowMs: number): Session {
    const known = this.of(place);
    if (known !== undefined && !known.isNew) return known;
    const id = known?.id ?? randomUUID();
    this.#put(place, { id, nowMs, isUsed: 1 });
    return { id, isNew: true };
  }

  /** Turns from now on have another session. Those that wait already keep theirs. */
  renew(place: Place, nowMs: number): void {
    this.#put(place, { id: randomUUID(), nowMs, isUsed: 0 });
  }

  #put(
    { chatId, threadId }: Place,
    { id, nowMs, isUsed }: { readonly id: string; readonly nowMs: number; readonly isUsed: 0 | 1 },
  ): void {
    this.#db.run(
      `INSERT INTO sessions (app_id, chat_id, thread_id, id, since_ms, is_used) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET id = excluded.id, since_ms = excluded.since_ms, is_used = excluded.is_used`,
      this.#app,
      chatId,
      threadId ?? '',
      id,
      nowMs,
      isUsed,
    );
  }
}

import type { AppId, TurnId } from '../../core/ids.ts';
import type { PruneRules } from '../../core/journal.ts';
import type { Clock } from '../../core/ports.ts';
import type { Db } from '../db.ts';

/** All SQL of the table `events`. Writers are to be called inside `db.write`. */
export class EventsTable {
  readonly #db: Db;
  readonly #app: AppId;
  readonly #clock: Clock;

  constructor(db: Db, app: AppId, clock: Clock) {
    this.#db = db;
    this.#app = app;
    this.#clock = clock;
  }

  /** Remembers what an event did to a turn; false if it did so before. */
  insert(eventId: string, turn: TurnId): boolean {
    return (
      this.#db.run(
        'INSERT INTO events (app_id, event_id, turn, at_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
        this.#app,
        eventId,
        turn,
        this.#clock.nowMs(),
      ) > 0
    );
  }

  prune({ endedBeforeMs, limit }: PruneRules): number {
    return this.#db.run(
      `DELETE FROM events WHERE (app_id, event_id, turn) IN (
         SELECT app_id, event_id, turn FROM events WHERE at_ms < ? LIMIT ?)`,
      endedBeforeMs,
      limit,
    );
  }
}

import type { AppId, TurnId } from '../../../core/ids.ts';
import type { Db } from '../db.ts';
import type { PruneRules } from '../../../bridge/ports/journal.ts';
import type { Clock } from '../../../time/clock.ts';

/** All SQL of the table `events`. Call the writers inside `db.write`. */
export class EventsTable {
  readonly #db: Db;
  readonly #app: AppId;
  readonly #clock: Clock;

  constructor(db: Db, app: AppId, clock: Clock) {
    this.#db = db;
    this.#app = app;
    this.#clock = clock;
  }

  /** Stores what an event did to a turn or a row of the outbox. False if that is stored already. */
  insert(eventId: string, subject: TurnId | string): boolean {
    return (
      this.#db.run(
        'INSERT INTO events (app_id, event_id, subject, at_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
        this.#app,
        eventId,
        subject,
        this.#clock.nowMs(),
      ) > 0
    );
  }

  has(eventId: string): boolean {
    const row = this.#db.get(
      'SELECT 1 AS here FROM events WHERE app_id = ? AND event_id = ? LIMIT 1',
      this.#app,
      eventId,
    );
    return row !== undefined;
  }

  /** A button is valid for a week, so it is known for longer that it was used. */
  prune({ endedBeforeMs, deadBeforeMs, limit }: PruneRules): number {
    return this.#db.run(
      `DELETE FROM events WHERE (app_id, event_id, subject) IN (
         SELECT app_id, event_id, subject FROM events WHERE at_ms < ?
           AND (at_ms < ? OR event_id NOT LIKE 'press:%') LIMIT ?)`,
      endedBeforeMs,
      deadBeforeMs,
      limit,
    );
  }
}

import { turnId, type AppId } from '../../../core/ids.ts';
import type { Db } from '../db.ts';
import type { PruneRules, QuarantinedAnswer } from '../../../bridge/ports/journal.ts';

/** All SQL of the table `quarantine`. Call the writers inside `db.write`. */
export class QuarantineTable {
  readonly #db: Db;
  readonly #app: AppId;

  constructor(db: Db, app: AppId) {
    this.#db = db;
    this.#app = app;
  }

  insert({ id, text, atMs, turn }: QuarantinedAnswer): void {
    this.#db.run(
      `INSERT INTO quarantine (app_id, id, text, at_ms, turn) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
      this.#app,
      id,
      // The database cuts texts at U+0000.
      text.replaceAll('\0', '\uFFFD'),
      atMs,
      turn ?? null,
    );
  }

  has(id: string): boolean {
    const row = this.#db.get(
      'SELECT 1 AS here FROM quarantine WHERE app_id = ? AND id = ?',
      this.#app,
      id,
    );
    return row !== undefined;
  }

  /** Newest first. */
  list(limit: number): QuarantinedAnswer[] {
    return this.#db
      .all(
        'SELECT id, text, at_ms, turn FROM quarantine WHERE app_id = ? ORDER BY at_ms DESC LIMIT ?',
        this.#app,
        limit,
      )
      .map((row) => ({
        id: String(row['id']),
        text: String(row['text']),
        atMs: Number(row['at_ms']),
        turn: row['turn'] === null ? undefined : turnId(String(row['turn'])),
      }));
  }

  prune({ deadBeforeMs }: PruneRules): number {
    return this.#db.run(
      'DELETE FROM quarantine WHERE app_id = ? AND at_ms < ?',
      this.#app,
      deadBeforeMs,
    );
  }
}

import type { Db } from '../db.ts';

interface DaemonRow {
  readonly pid: number;
  readonly atMs: number;
  /** The status of the process, as JSON. */
  readonly status: string;
}

/** All SQL of the table `daemon`. */
export class DaemonTable {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Resolves when durable. */
  write({ pid, atMs, status }: DaemonRow): Promise<void> {
    return this.#db.write(() => {
      this.#db.run(
        `INSERT INTO daemon (id, pid, alive_at_ms, status) VALUES (1, ?, ?, ?)
         ON CONFLICT DO UPDATE SET pid = excluded.pid, alive_at_ms = excluded.alive_at_ms,
           status = excluded.status`,
        pid,
        atMs,
        status,
      );
    });
  }

  read(): DaemonRow | undefined {
    const row = this.#db.get('SELECT pid, alive_at_ms, status FROM daemon WHERE id = 1');
    return (
      row && {
        pid: Number(row['pid']),
        atMs: Number(row['alive_at_ms']),
        status: String(row['status']),
      }
    );
  }
}

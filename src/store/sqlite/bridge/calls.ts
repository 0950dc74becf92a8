import type { AppId } from '../../../core/ids.ts';
import type { Db } from '../db.ts';
import type { Clock } from '../../../time/clock.ts';

/** The table `calls`: requests to Lark by month and class. Lark's free tenants have 10,000 a month. */
export class CallCounts {
  readonly #db: Db;
  readonly #app: AppId;
  readonly #clock: Clock;
  /** Requests that were counted since the last write. */
  #fresh = new Map<string, number>();

  constructor({ db, app, clock }: { db: Db; app: AppId; clock: Clock }) {
    this.#db = db;
    this.#app = app;
    this.#clock = clock;
  }

  /** Writes nothing. `flush` stores the counts. */
  count(callClass: string): void {
    this.#fresh.set(callClass, (this.#fresh.get(callClass) ?? 0) + 1);
  }

  /** Resolves when the counts are durable. A process that is killed loses the counts since the last call. */
  async flush(): Promise<void> {
    const fresh = this.#fresh;
    if (fresh.size === 0) return;
    this.#fresh = new Map();
    const month = this.#month();
    try {
      await this.#db.write(() => {
        for (const [callClass, count] of fresh) this.#add(month, callClass, count);
      });
    } catch (error) {
      for (const [callClass, count] of fresh) {
        this.#fresh.set(callClass, (this.#fresh.get(callClass) ?? 0) + count);
      }
      throw error;
    }
  }

  /** This month's calls by class, with those that are not written yet. */
  thisMonth(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = Object.fromEntries(this.#fresh);
    const rows = this.#db.all(
      'SELECT class, count FROM calls WHERE app_id = ? AND month = ?',
      this.#app,
      this.#month(),
    );
    for (const row of rows) {
      const callClass = String(row['class']);
      counts[callClass] = (counts[callClass] ?? 0) + Number(row['count']);
    }
    return counts;
  }

  #add(month: string, callClass: string, count: number): void {
    this.#db.run(
      `INSERT INTO calls (app_id, month, class, count) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET count = count + excluded.count`,
      this.#app,
      month,
      callClass,
      count,
    );
  }

  /** In UTC. Lark does not document when exactly its month begins. */
  #month(): string {
    return new Date(this.#clock.nowMs()).toISOString().slice(0, 7);
  }
}

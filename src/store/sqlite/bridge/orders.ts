import type { AppId } from '../../../core/ids.ts';
import type { Db } from '../db.ts';
import type { SqlRow } from '../driver.ts';
import type {
  Order,
  OrderBook,
  OrderKind,
  OrderQueue,
  OrderResult,
} from '../../../bridge/ports/orders.ts';
import type { PruneRules } from '../../../bridge/ports/journal.ts';
import type { Clock } from '../../../time/clock.ts';

/** The orders of one app, and all SQL of the table `orders`. */
export class SqliteOrders implements OrderBook, OrderQueue {
  readonly #db: Db;
  readonly #app: AppId;
  readonly #clock: Clock;
  #seen: number | undefined;

  constructor({ db, app, clock }: { db: Db; app: AppId; clock: Clock }) {
    this.#db = db;
    this.#app = app;
    this.#clock = clock;
  }

  place(kind: OrderKind, subject: string): Promise<number> {
    return this.#db.write(() => {
      const row = this.#db.get(
        'INSERT INTO orders (app_id, kind, subject, placed_at_ms) VALUES (?, ?, ?, ?) RETURNING id',
        this.#app,
        kind,
        subject,
        this.#clock.nowMs(),
      );
      return Number(row?.['id']);
    });
  }

  order(id: number): Promise<Order | undefined> {
    const row = this.#db.get('SELECT * FROM orders WHERE app_id = ? AND id = ?', this.#app, id);
    return Promise.resolve(row && toOrder(row));
  }

  writtenOutside(): Promise<boolean> {
    const version = this.#db.outsideVersion();
    const written = version !== this.#seen;
    this.#seen = version;
    return Promise.resolve(written);
  }

  open(): Promise<readonly Order[]> {
    const rows = this.#db.all(
      'SELECT * FROM orders WHERE app_id = ? AND outcome IS NULL ORDER BY id',
      this.#app,
    );
    return Promise.resolve(rows.map(toOrder));
  }

  end(id: number, { outcome, phase }: OrderResult): Promise<void> {
    return this.#db.write(() => {
      this.#db.run(
        'UPDATE orders SET outcome = ?, phase = ? WHERE app_id = ? AND id = ?',
        outcome,
        phase ?? null,
        this.#app,
        id,
      );
    });
  }

  /** Deletes old orders that were carried out. Call it inside `db.write`. */
  prune({ endedBeforeMs, limit }: PruneRules): number {
    return this.#db.run(
      `DELETE FROM orders WHERE id IN (
         SELECT id FROM orders WHERE app_id = ? AND outcome IS NOT NULL AND placed_at_ms < ?
         ORDER BY id LIMIT ?)`,
      this.#app,
      endedBeforeMs,
      limit,
    );
  }
}

function toOrder(row: SqlRow): Order {
  const outcome = row['outcome'] as OrderResult['outcome'] | null;
  const phase = row['phase'] as OrderResult['phase'] | null;
  return {
    id: Number(row['id']),
    kind: String(row['kind']) as OrderKind,
    subject: String(row['subject']),
    placedAtMs: Number(row['placed_at_ms']),
    result: outcome === null ? undefined : { outcome, phase: phase ?? undefined },
  };
}

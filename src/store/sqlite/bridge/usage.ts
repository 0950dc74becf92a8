import type { AppId } from '../../../core/ids.ts';
import type { TurnUsage } from '../../../core/turn-update.ts';
import type { PruneRules } from '../../../bridge/ports/journal.ts';
import type { UsageStore } from '../../../bridge/ports/usage.ts';
import type { Db } from '../db.ts';

/** All SQL of the table `usage`. Call the writers inside `db.write`. */
export class SqliteUsage implements UsageStore {
  readonly #db: Db;
  readonly #app: AppId;

  constructor({ db, app }: { readonly db: Db; readonly app: AppId }) {
    this.#db = db;
    this.#app = app;
  }

  note({ turn, run, session, atMs, usage }: Parameters<UsageStore['note']>[0]): void {
    const { inputTokens = null, outputTokens = null, cost } = usage;
    this.#db.run(
      `INSERT INTO usage (app_id, turn, run, session, at_ms, input_tokens, output_tokens, cost, session_cost, currency)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      this.#app,
      turn,
      run,
      session,
      atMs,
      inputTokens,
      outputTokens,
      cost === undefined ? null : this.#added(session, cost),
      cost?.amount ?? null,
      cost?.currency ?? null,
    );
  }

  /** What a turn has added to the cost of its session. An agent that forgot what it had cost begins anew. */
  #added(session: string, { amount, currency }: NonNullable<TurnUsage['cost']>): number {
    const row = this.#db.get(
      `SELECT session_cost FROM usage WHERE app_id = ? AND session = ? AND currency = ?
         ORDER BY seq DESC LIMIT 1`,
      this.#app,
      session,
      currency,
    );
    const before = Number(row?.['session_cost'] ?? 0);
    return amount >= before ? amount - before : amount;
  }

  prune({ endedBeforeMs, limit }: PruneRules): number {
    return this.#db.run(
      'DELETE FROM usage WHERE seq IN (SELECT seq FROM usage WHERE app_id = ? AND at_ms < ? ORDER BY at_ms LIMIT ?)',
      this.#app,
      endedBeforeMs,
      limit,
    );
  }
}

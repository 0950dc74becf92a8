import type { WorkspaceId } from '../../../core/ids.ts';
import { QUOTA, type Quota, type QuotaUse } from '../../../hub/ports/quota.ts';
import type { Db } from '../db.ts';

/** All SQL of `hub_usage`. Triggers write it (`usage-schema.ts`). */
export class UsageTable {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** What this workspace has too much of, with what it wants to store now. */
  excess(workspace: WorkspaceId, now: Readonly<Partial<Record<Quota, number>>>): Quota | undefined {
    const used = this.#db.get(
      `SELECT stored_rows AS rows, stored_bytes AS bytes, waiting FROM hub_usage
        WHERE workspace_id = ?`,
      workspace,
    );
    const names = Object.keys(QUOTA) as Quota[];
    const over = names.find((name) => {
      const wanted = now[name] ?? 0;
      return wanted > 0 && Number(used?.[name] ?? 0) + wanted > QUOTA[name];
    });
    return over === undefined || this.isOwn(workspace) ? undefined : over;
  }

  /** Workspaces that have this share of a quota, or more, the fullest first. The program itself has no quota. */
  near(share: number): QuotaUse[] {
    const columns = { bytes: 'stored_bytes', rows: 'stored_rows', waiting: 'waiting' };
    return (Object.keys(QUOTA) as Quota[])
      .flatMap((quota) =>
        this.#db
          .all(
            `SELECT name, u.${columns[quota]} AS used
               FROM hub_usage u JOIN hub_workspaces w ON w.id = u.workspace_id
              WHERE w.origin <> 'provisioned' AND u.${columns[quota]} >= ?`,
            QUOTA[quota] * share,
          )
          .map(({ name, used }) => ({ workspace: String(name), quota, used: Number(used) })),
      )
      .toSorted((one, other) => other.used / QUOTA[other.quota] - one.used / QUOTA[one.quota]);
  }

  /** How many turns that this workspace was sent are not settled. */
  asked(workspace: WorkspaceId): number {
    const row = this.#db.get('SELECT asked FROM hub_usage WHERE workspace_id = ?', workspace);
    return Number(row?.['asked'] ?? 0);
  }

  /** The program itself has bounds of its own. */
  isOwn(workspace: WorkspaceId): boolean {
    const sql = `SELECT 1 FROM hub_workspaces WHERE id = ? AND origin = 'provisioned'`;
    return this.#db.get(sql, workspace) !== undefined;
  }
}

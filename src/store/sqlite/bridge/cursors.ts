import type { WorkspaceId } from '../../../core/ids.ts';
import type { Db } from '../db.ts';

/** The table `cursors`: how far a workspace's inbox was read. */
export class SqliteCursor {
  readonly #db: Db;
  readonly #workspace: WorkspaceId;

  constructor(db: Db, workspace: WorkspaceId) {
    this.#db = db;
    this.#workspace = workspace;
  }

  load(): Promise<string | undefined> {
    const sql = 'SELECT row_id FROM cursors WHERE workspace = ?';
    const row = this.#db.get(sql, this.#workspace);
    return Promise.resolve(row && String(row['row_id']));
  }

  /** Resolves when durable. */
  save(cursor: string | undefined): Promise<void> {
    return this.#db.write(() => {
      if (cursor === undefined) {
        this.#db.run('DELETE FROM cursors WHERE workspace = ?', this.#workspace);
      } else {
        this.#db.run(
          `INSERT INTO cursors (workspace, row_id) VALUES (?, ?)
             ON CONFLICT DO UPDATE SET row_id = excluded.row_id`,
          this.#workspace,
          cursor,
        );
      }
    });
  }
}

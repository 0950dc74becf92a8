import type { AppId } from '../../../core/ids.ts';
import type { OwnerNoticeStore, ToldOwner } from '../../../bridge/ports/owner-notices.ts';
import type { Db } from '../db.ts';

/** All SQL of the table `owner_notices`. */
export class SqliteOwnerNotices implements OwnerNoticeStore {
  readonly #db: Db;
  readonly #app: AppId;

  constructor({ db, app }: { readonly db: Db; readonly app: AppId }) {
    this.#db = db;
    this.#app = app;
  }

  isNoted({ agent, kind }: ToldOwner): boolean {
    const sql = 'SELECT 1 FROM owner_notices WHERE app_id = ? AND agent = ? AND kind = ?';
    return this.#db.get(sql, this.#app, agent, kind) !== undefined;
  }

  note({ agent, kind }: ToldOwner, atMs: number): boolean {
    const sql = `INSERT INTO owner_notices (app_id, agent, kind, at_ms) VALUES (?, ?, ?, ?)
      ON CONFLICT DO NOTHING`;
    return this.#db.run(sql, this.#app, agent, kind, atMs) > 0;
  }

  forget({ agent, kind }: ToldOwner): Promise<void> {
    return this.#db.write(() => {
      const sql = 'DELETE FROM owner_notices WHERE app_id = ? AND agent = ? AND kind = ?';
      this.#db.run(sql, this.#app, agent, kind);
    });
  }
}

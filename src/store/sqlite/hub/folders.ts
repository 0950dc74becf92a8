import type { FolderStore } from '../../../hub/ports/folders.ts';
import type { Db } from '../db.ts';

/** The table `folders`. Another process may change it at any time. */
export class SqliteFolders implements FolderStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  async folders(): Promise<readonly string[]> {
    const rows = this.#db.all('SELECT path FROM folders ORDER BY added_at_ms, rowid');
    return rows.map((row) => String(row['path']));
  }

  async addFolder(path: string, atMs: number): Promise<boolean> {
    const changes = await this.#db.write(() =>
      this.#db.run(
        'INSERT INTO folders (path, added_at_ms) VALUES (?, ?) ON CONFLICT DO NOTHING',
        path,
        atMs,
      ),
    );
    return changes > 0;
  }

  async removeFolder(path: string): Promise<boolean> {
    const changes = await this.#db.write(() =>
      this.#db.run('DELETE FROM folders WHERE path = ?', path),
    );
    return changes > 0;
  }
}

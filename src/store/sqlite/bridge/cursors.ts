import type { WorkspaceId } from '../../../core/ids.ts';
import type { Db } from '../db.ts';

/** The table `cursors`: how far a workspace's inbox was read. Writes resolve when durable. */
export function cursorStore(db: Db, workspace: WorkspaceId) {
  return {
    load: () => {
      const row = db.get('SELECT row_id FROM cursors WHERE workspace = ?', workspace);
      return Promise.resolve(row && String(row['row_id']));
    },
    save: (cursor: string | undefined) =>
      db.write(() => {
        if (cursor === undefined) db.run('DELETE FROM cursors WHERE workspace = ?', workspace);
        else {
          db.run(
            `INSERT INTO cursors (workspace, row_id) VALUES (?, ?)
             ON CONFLICT DO UPDATE SET row_id = excluded.row_id`,
            workspace,
            cursor,
          );
        }
      }),
  };
}

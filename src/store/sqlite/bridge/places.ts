import type { AppId } from '../../../core/ids.ts';
import type { Place } from '../../../bridge/ports/journal.ts';
import type { Chosen } from '../../../bridge/ports/sessions.ts';
import type { Db } from '../db.ts';

/** All SQL of the table `places`: which agent and folder were chosen where. Call the writers inside `db.write`. */
export class PlacesTable {
  readonly #db: Db;
  readonly #app: AppId;

  constructor(db: Db, app: AppId) {
    this.#db = db;
    this.#app = app;
  }

  /** What was chosen in a thread, else what was chosen in its chat. */
  of({ chatId, threadId }: Place): Chosen {
    const row = this.#db.get(
      `SELECT agent, folder FROM places WHERE app_id = ? AND chat_id = ? AND thread_id IN (?, '')
         ORDER BY thread_id DESC LIMIT 1`,
      this.#app,
      chatId,
      threadId ?? '',
    );
    return chosenIn(row?.['agent'], row?.['folder']);
  }

  put({ chatId, threadId }: Place, { agent, folder }: Chosen): void {
    this.#db.run(
      `INSERT INTO places (app_id, chat_id, thread_id, agent, folder) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET agent = excluded.agent, folder = excluded.folder`,
      this.#app,
      chatId,
      threadId ?? '',
      agent ?? '',
      folder ?? '',
    );
  }

  drop({ chatId, threadId }: Place, { agent, folder }: Chosen): void {
    for (const [column, gone] of [['agent', agent] as const, ['folder', folder] as const]) {
      if (gone === undefined) continue;
      this.#db.run(
        `UPDATE places SET ${column} = '' WHERE app_id = ? AND chat_id = ? AND thread_id IN (?, '')
           AND ${column} = ?`,
        this.#app,
        chatId,
        threadId ?? '',
        gone,
      );
    }
  }
}

/** The columns `agent` and `folder` of a row, if there is one. */
export function chosenIn(agent: unknown, folder: unknown): Chosen {
  return {
    ...(typeof agent === 'string' && agent !== '' && { agent }),
    ...(typeof folder === 'string' && folder !== '' && { folder }),
  };
}

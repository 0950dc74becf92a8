import type { SessionKey, StoredSession } from '../../../hub/ports/sessions.ts';
import type { WorkspaceId } from '../../../core/ids.ts';
import type { Db } from '../db.ts';

/** All SQL of `hub_sessions`. Call the writers inside a commit. */
export class AgentSessionsTable {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  of({ agent, session }: SessionKey): StoredSession | undefined {
    const row = this.#db.get(
      'SELECT native_id, choices FROM hub_sessions WHERE workspace_id = ? AND session = ?',
      agent,
      session,
    );
    if (row === undefined) return undefined;
    const nativeId = row['native_id'];
    return {
      nativeId: nativeId === null ? undefined : String(nativeId),
      choices: JSON.parse(String(row['choices'])) as StoredSession['choices'],
    };
  }

  keepNativeId({ agent, session }: SessionKey, nativeId: string | undefined): void {
    this.#db.run(
      `INSERT INTO hub_sessions (workspace_id, session, native_id) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET native_id = excluded.native_id`,
      agent,
      session,
      nativeId ?? null,
    );
  }

  keepChoice(key: SessionKey, option: string, value: string): void {
    const choices = JSON.stringify({ ...this.of(key)?.choices, [option]: value });
    this.#db.run(
      `INSERT INTO hub_sessions (workspace_id, session, choices) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET choices = excluded.choices`,
      key.agent,
      key.session,
      choices,
    );
  }

  /** The agent is gone, and its memories with it. */
  removeOf(agent: WorkspaceId): void {
    this.#db.run('DELETE FROM hub_sessions WHERE workspace_id = ?', agent);
  }
}

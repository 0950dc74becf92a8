import type { AgentRecord, AgentSpec } from '../../../hub/ports.ts';
import { workspaceId, type WorkspaceId } from '../../../core/ids.ts';
import type { Db } from '../db.ts';
import type { SqlRow } from '../driver.ts';

const COLUMNS = 'name, workspace_id, kind, config, created_at_ms, built_in';

/** All SQL of `hub_agents`. Call the writers inside a commit. */
export class AgentsTable {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  all(): AgentRecord[] {
    const sql = `SELECT ${COLUMNS} FROM hub_agents
      ORDER BY built_in DESC, created_at_ms, rowid`;
    return this.#db.all(sql).map(agentOf);
  }

  byName(name: string): AgentRecord | undefined {
    const row = this.#db.get(`SELECT ${COLUMNS} FROM hub_agents WHERE name = ?`, name);
    return row === undefined ? undefined : agentOf(row);
  }

  byWorkspace(workspace: WorkspaceId): AgentRecord | undefined {
    const row = this.#db.get(`SELECT ${COLUMNS} FROM hub_agents WHERE workspace_id = ?`, workspace);
    return row === undefined ? undefined : agentOf(row);
  }

  add(agent: Omit<AgentRecord, 'builtIn'>): void {
    const { kind, ...config } = agent.spec;
    this.#db.run(
      `INSERT INTO hub_agents (name, workspace_id, kind, config, created_at_ms)
        VALUES (?, ?, ?, ?, ?)`,
      agent.name,
      agent.workspaceId,
      kind,
      JSON.stringify(config),
      agent.createdAtMs,
    );
  }

  remove(name: string): void {
    this.#db.run('DELETE FROM hub_agents WHERE name = ?', name);
  }
}

function agentOf(row: SqlRow): AgentRecord {
  const config = JSON.parse(String(row['config'])) as object;
  return {
    name: String(row['name']),
    workspaceId: workspaceId(String(row['workspace_id'])),
    spec: { kind: row['kind'], ...config } as AgentSpec,
    createdAtMs: Number(row['created_at_ms']),
    builtIn: row['built_in'] === 1,
  };
}

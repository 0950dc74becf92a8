import type { AgentRecord, AgentSpec } from '../../../hub/ports/agents.ts';
import { workspaceId, type WorkspaceId } from '../../../core/ids.ts';
import type { Db } from '../db.ts';
import type { SqlRow } from '../driver.ts';

const COLUMNS = 'name, workspace_id, kind, config, created_at_ms, chosen_at_ms, built_in';

/** All SQL of `hub_agents`. Call the writers inside a commit. */
export class AgentsTable {
  readonly #db: Db;
  /** Every turn asks for the agents, and they seldom change. */
  #known: { readonly agents: readonly AgentRecord[]; readonly version: number } | undefined;

  constructor(db: Db) {
    this.#db = db;
  }

  all(): readonly AgentRecord[] {
    const version = this.#db.outsideVersion();
    if (this.#known?.version !== version) {
      const sql = `SELECT ${COLUMNS} FROM hub_agents
        ORDER BY built_in DESC, created_at_ms, rowid`;
      this.#known = { agents: this.#db.all(sql).map(agentOf), version };
    }
    return this.#known.agents;
  }

  byName(name: string): AgentRecord | undefined {
    const row = this.#db.get(`SELECT ${COLUMNS} FROM hub_agents WHERE name = ?`, name);
    return row === undefined ? undefined : agentOf(row);
  }

  byWorkspace(workspace: WorkspaceId): AgentRecord | undefined {
    return this.all().find((agent) => agent.workspaceId === workspace);
  }

  add(agent: Omit<AgentRecord, 'builtIn' | 'chosenAtMs'>): void {
    const { kind, ...config } = agent.spec;
    this.#known = undefined;
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

  /** Its moment is later than that of every other agent, whatever the clock says. */
  choose(name: string, atMs: number): boolean {
    this.#known = undefined;
    const changes = this.#db.run(
      `UPDATE hub_agents SET chosen_at_ms = (
         SELECT max(?, 1 + max(max(created_at_ms, coalesce(chosen_at_ms, 0)))) FROM hub_agents)
       WHERE name = ?`,
      atMs,
      name,
    );
    return changes > 0;
  }

  remove(name: string): void {
    this.#known = undefined;
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
    ...(row['chosen_at_ms'] !== null && { chosenAtMs: Number(row['chosen_at_ms']) }),
    builtIn: row['built_in'] === 1,
  };
}

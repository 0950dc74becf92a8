import {
  DESCRIPTION_BYTES_MAX,
  type AgentCard,
  type ListedWorkspace,
  type Workspace,
  type WorkspaceOrigin,
} from '../../../hub/ports/workspaces.ts';
import { workspaceId, type WorkspaceId } from '../../../core/ids.ts';
import type { Db } from '../db.ts';
import type { SqlRow } from '../driver.ts';

const COLUMNS = 'id, name, origin, run_by_hub, heartbeat_at_ms, removed_at_ms, token_hash';
/** Earlier versions stored cards of any size, and so deep that they can't be written out again. */
const IS_SMALL = `octet_length(agent_card) <= ${DESCRIPTION_BYTES_MAX}`;
/** A list of workspaces has the cards of the oldest ones up to this size: 256 of the largest. `discover` has each one. */
const LISTED_CARDS_BYTES_MAX = 4 * 1024 * 1024;
const LIVE_BY_AGE = 'WHERE removed_at_ms IS NULL ORDER BY created_at_ms, rowid';

interface WorkspaceRow {
  readonly id: WorkspaceId;
  readonly name: string;
  readonly origin: WorkspaceOrigin;
  readonly hubRun: boolean;
  readonly agentCard: AgentCard | undefined;
  readonly tokenHash: string | undefined;
  readonly atMs: number;
}

/** All SQL of `hub_workspaces`. Call the writers inside a commit. */
export class WorkspacesTable {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  byId(id: WorkspaceId): Workspace | undefined {
    return this.#find('id', id);
  }

  byToken(tokenHash: string): Workspace | undefined {
    return this.#find('token_hash', tokenHash);
  }

  all(): Workspace[] {
    return this.#db.all(`SELECT ${COLUMNS} FROM hub_workspaces ${LIVE_BY_AGE}`).map(workspaceOf);
  }

  listing(): ListedWorkspace[] {
    const sql = `SELECT ${COLUMNS}, card_name,
        CASE WHEN ${IS_SMALL} AND SUM(octet_length(agent_card)) FILTER (WHERE ${IS_SMALL})
            OVER (ORDER BY created_at_ms, rowid) <= ${LISTED_CARDS_BYTES_MAX}
          THEN agent_card END AS small_card
      FROM hub_workspaces ${LIVE_BY_AGE}`;
    return this.#db.all(sql).map(listedOf);
  }

  listed(id: WorkspaceId): ListedWorkspace | undefined {
    const card = `CASE WHEN ${IS_SMALL} THEN agent_card END AS small_card`;
    const sql = `SELECT ${COLUMNS}, card_name, ${card} FROM hub_workspaces WHERE id = ?`;
    const row = this.#db.get(sql, id);
    return row === undefined ? undefined : listedOf(row);
  }

  add(row: WorkspaceRow): boolean {
    const sql = `INSERT INTO hub_workspaces
      (id, name, origin, run_by_hub, agent_card, card_name, token_hash, created_at_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`;
    const { json = null, name = null } = row.agentCard ?? {};
    const added = this.#db.run(
      sql,
      row.id,
      row.name,
      row.origin,
      row.hubRun ? 1 : 0,
      json,
      name,
      row.tokenHash ?? null,
      row.atMs,
    );
    return added === 1;
  }

  /** How many have registered by themselves. */
  registered(): number {
    const sql = `SELECT COUNT(*) AS count FROM hub_workspaces WHERE origin = 'registered'`;
    return Number(this.#db.get(sql)?.['count']);
  }

  /** The provisioned workspace of this name. A token that an older version gave it ends here. */
  provisioned(name: string): WorkspaceId | undefined {
    const sql = `UPDATE hub_workspaces SET token_hash = NULL
      WHERE origin = 'provisioned' AND name = ? RETURNING id`;
    const row = this.#db.get(sql, name);
    return row === undefined ? undefined : workspaceId(String(row['id']));
  }

  seen(id: WorkspaceId, atMs: number, agentCard: AgentCard | undefined): void {
    this.#db.run('UPDATE hub_workspaces SET heartbeat_at_ms = ? WHERE id = ?', atMs, id);
    if (agentCard === undefined) return;
    const sql = 'UPDATE hub_workspaces SET agent_card = ?, card_name = ? WHERE id = ?';
    this.#db.run(sql, agentCard.json, agentCard.name ?? null, id);
  }

  remove(id: WorkspaceId, atMs: number): void {
    this.#db.run('UPDATE hub_workspaces SET removed_at_ms = ? WHERE id = ?', atMs, id);
  }

  acknowledge(id: WorkspaceId, seq: number): number {
    const sql = `UPDATE hub_workspaces SET acked_seq = MAX(acked_seq, ?)
      WHERE id = ? RETURNING acked_seq`;
    return Number(this.#db.get(sql, seq, id)?.['acked_seq'] ?? 0);
  }

  #find(where: string, value: string): Workspace | undefined {
    const row = this.#db.get(`SELECT ${COLUMNS} FROM hub_workspaces WHERE ${where} = ?`, value);
    return row === undefined ? undefined : workspaceOf(row);
  }
}

function listedOf(row: SqlRow): ListedWorkspace {
  const { small_card: json, card_name: name } = row;
  const cardName = typeof name === 'string' ? name : undefined;
  const agentCard = typeof json === 'string' ? { json, name: cardName } : undefined;
  return { ...workspaceOf(row), cardName, agentCard };
}

function workspaceOf(row: SqlRow): Workspace {
  return {
    id: workspaceId(String(row['id'])),
    name: String(row['name']),
    origin: row['origin'] as WorkspaceOrigin,
    hubRun: row['run_by_hub'] === 1,
    heartbeatAtMs: row['heartbeat_at_ms'] === null ? undefined : Number(row['heartbeat_at_ms']),
    removed: row['removed_at_ms'] !== null,
    tokenHash: row['token_hash'] === null ? undefined : String(row['token_hash']),
  };
}

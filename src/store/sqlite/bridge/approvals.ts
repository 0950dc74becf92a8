import { chatId, openId, workspaceId, type AppId, type ChatId } from '../../../core/ids.ts';
import type { ToolKind } from '../../../core/turn-update.ts';
import type { Approval, ApprovalScope, ApprovalStore } from '../../../bridge/ports/approvals.ts';
import type { Db } from '../db.ts';
import type { SqlRow } from '../driver.ts';

/** All SQL of the table `approvals`. */
export class SqliteApprovals implements ApprovalStore {
  readonly #db: Db;
  readonly #app: AppId;

  constructor({ db, app }: { readonly db: Db; readonly app: AppId }) {
    this.#db = db;
    this.#app = app;
  }

  all(): Approval[] {
    const sql = 'SELECT * FROM approvals WHERE app_id = ? ORDER BY number';
    return this.#db.all(sql, this.#app).map(toApproval);
  }

  inForce({ agent, folder = '', tool }: ApprovalScope, chat: ChatId): Approval | undefined {
    const row = this.#db.get(
      `SELECT * FROM approvals WHERE app_id = ? AND agent = ? AND folder = ? AND tool = ?
         AND chat_id IN ('', ?) ORDER BY number LIMIT 1`,
      this.#app,
      agent,
      folder,
      tool,
      chat,
    );
    return row && toApproval(row);
  }

  insert(approval: Omit<Approval, 'number'>): void {
    const { agent, agentName = null, folder = '', tool, chat = '', by, atMs } = approval;
    this.#db.run(
      `INSERT INTO approvals (app_id, agent, agent_name, folder, tool, chat_id, given_by, at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      this.#app,
      agent,
      agentName,
      folder,
      tool,
      chat,
      by,
      atMs,
    );
  }

  remove(number: number): Promise<boolean> {
    const sql = 'DELETE FROM approvals WHERE app_id = ? AND number = ?';
    return this.#db.write(() => this.#db.run(sql, this.#app, number) > 0);
  }
}

function toApproval(row: SqlRow): Approval {
  const text = (column: string) => String(row[column]);
  return {
    number: Number(row['number']),
    agent: workspaceId(text('agent')),
    ...(row['agent_name'] !== null && { agentName: text('agent_name') }),
    ...(row['folder'] !== '' && { folder: text('folder') }),
    tool: text('tool') as ToolKind,
    ...(row['chat_id'] !== '' && { chat: chatId(text('chat_id')) }),
    by: openId(text('given_by')),
    atMs: Number(row['at_ms']),
  };
}

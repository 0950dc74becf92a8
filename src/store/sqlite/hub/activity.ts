import type { Activity, ActivityQuery, NewActivity } from '../../../hub/ports/activity.ts';
import { LARK_SEND } from '../../../hub/ports/lark-sends.ts';
import { workspaceId, type WorkspaceId } from '../../../core/ids.ts';
import type { Db } from '../db.ts';
import type { SqlRow, SqlValue } from '../driver.ts';

/** An inbox answer ends early at this size. To write out more would hold up everybody else for more than 50 ms. */
const HUB_ACTIVITY_BYTES_MAX = 1024 * 1024;

const COLUMNS = `seq, id, workspace_id, activity_type, source_id, target_id, method, summary, status,
  error_detail, duration_ms, created_at_ms, request_id, attachments, request_body, response_body,
  tool_trace`;
const BYTES = `COALESCE(octet_length(request_body), 0) + COALESCE(octet_length(response_body), 0)
  + COALESCE(octet_length(tool_trace), 0) + COALESCE(octet_length(summary), 0)`;

/** The sender and the id of a message. A repeat has the same. */
interface Origin {
  readonly sender: WorkspaceId;
  readonly messageId: string;
}

/** All SQL of `hub_activity`. Call the writers inside a commit. */
export class ActivityTable {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  add(row: NewActivity, origin?: Origin): void {
    this.#db.run(
      `INSERT INTO hub_activity (id, workspace_id, activity_type, source_id, target_id, method,
        summary, sender_id, message_id, status, error_detail, duration_ms, created_at_ms,
        request_id, request_body, response_body, tool_trace, attachments)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (workspace_id, sender_id, message_id) WHERE message_id IS NOT NULL DO NOTHING`,
      row.id,
      row.workspace,
      row.activityType,
      row.source ?? null,
      row.target ?? null,
      row.method ?? null,
      row.summary ?? null,
      origin?.sender ?? null,
      origin?.messageId ?? null,
      row.status,
      row.errorDetail ?? null,
      row.durationMs ?? null,
      row.createdAtMs,
      row.received?.requestId ?? null,
      row.received?.content ?? row.requestBody ?? null,
      row.responseBody ?? null,
      row.toolTrace ?? null,
      row.attachments ?? null,
    );
  }

  /**
   * In the order of `seq`, which is given by the commit. With `created_at` a clock that was set back would
   * put new rows before the reader's cursor. Ends early at HUB_ACTIVITY_BYTES_MAX.
   */
  list(workspace: WorkspaceId, query: ActivityQuery): Activity[] | undefined {
    const { where, values } = conditionsOf(workspace, query);
    let order = 'DESC';
    if (query.sinceId !== undefined) {
      const cursor = this.#db.get(
        'SELECT seq FROM hub_activity WHERE id = ? AND workspace_id = ?',
        query.sinceId,
        workspace,
      );
      if (cursor === undefined) return undefined;
      where.push('seq > ?');
      values.push(cursor['seq'] ?? 0);
      order = 'ASC';
    }
    const sql = `SELECT seq, ${BYTES} AS bytes FROM hub_activity
      WHERE ${where.join(' AND ')} ORDER BY seq ${order} LIMIT ?`;
    return rowsThatFit(this.#db.all(sql, ...values, query.limit)).flatMap((seq) => {
      const row = this.#db.get(`SELECT ${COLUMNS} FROM hub_activity WHERE seq = ?`, seq);
      return row === undefined ? [] : activityOf(row);
    });
  }

  withId(id: string): Activity | undefined {
    const row = this.#db.get(`SELECT ${COLUMNS} FROM hub_activity WHERE id = ?`, id);
    return row && activityOf(row);
  }

  /** What a workspace sent to people of Lark since then. */
  larkSends(workspace: WorkspaceId, sinceMs: number): { messages: number; oldestMs?: number } {
    const row = this.#db.get(
      `SELECT TOTAL(json_extract(response_body, '$.messages')) AS messages,
          MIN(created_at_ms) AS oldest FROM hub_activity
        WHERE activity_type = '${LARK_SEND}' AND workspace_id = ? AND created_at_ms > ?`,
      workspace,
      sinceMs,
    );
    const oldest = row?.['oldest'] ?? undefined;
    return {
      messages: Number(row?.['messages'] ?? 0),
      ...(oldest !== undefined && { oldestMs: Number(oldest) }),
    };
  }

  prune(beforeMs: number, limit: number): number {
    const sql = `DELETE FROM hub_activity WHERE seq IN
      (SELECT seq FROM hub_activity WHERE created_at_ms < ? LIMIT ?)`;
    return this.#db.run(sql, beforeMs, limit);
  }
}

function conditionsOf(workspace: WorkspaceId, query: ActivityQuery) {
  const where = ['workspace_id = ?'];
  const values: SqlValue[] = [workspace];
  const add = (condition: string, ...more: SqlValue[]) => {
    where.push(condition);
    values.push(...more);
  };
  if (query.type !== undefined) add('activity_type = ?', query.type);
  if (query.source === 'canvas') add('source_id IS NULL');
  if (query.source === 'agent') add('source_id IS NOT NULL');
  if (query.peer !== undefined) add('(source_id = ? OR target_id = ?)', query.peer, query.peer);
  if (query.sinceMs !== undefined) add('created_at_ms >= ?', query.sinceMs);
  if (query.beforeMs !== undefined) add('created_at_ms < ?', query.beforeMs);
  return { where, values };
}

/** Always includes the first row, even a very large one, so that a reader can continue after it. */
function rowsThatFit(heads: readonly SqlRow[]): number[] {
  let bytes = 0;
  const fitting = heads.findIndex((head, index) => {
    bytes += Number(head['bytes']);
    return index > 0 && bytes > HUB_ACTIVITY_BYTES_MAX;
  });
  return heads.slice(0, fitting < 0 ? heads.length : fitting).map((head) => Number(head['seq']));
}

function activityOf(row: SqlRow): Activity {
  const text = (column: string) => {
    const value = row[column];
    return typeof value === 'string' ? value : undefined;
  };
  const source = text('source_id');
  const requestId = text('request_id');
  const body = text('request_body');
  return {
    seq: Number(row['seq']),
    id: String(row['id']),
    workspace: workspaceId(String(row['workspace_id'])),
    activityType: String(row['activity_type']),
    source: source === undefined ? undefined : workspaceId(source),
    target: text('target_id'),
    method: text('method'),
    summary: text('summary'),
    status: String(row['status']),
    errorDetail: text('error_detail'),
    durationMs: row['duration_ms'] === null ? undefined : Number(row['duration_ms']),
    createdAtMs: Number(row['created_at_ms']),
    ...(requestId === undefined
      ? { requestBody: body }
      : { requestBody: undefined, received: { requestId, content: String(body) } }),
    responseBody: text('response_body'),
    toolTrace: text('tool_trace'),
    attachments: text('attachments'),
  };
}

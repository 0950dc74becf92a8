import type {
  Choice,
  Claimed,
  MessageKey,
  OpenTurns,
  Seat,
  Sending,
  Settlement,
} from '../../../hub/ports/queue.ts';
import {
  queueId,
  type ItemToRun,
  type QueueId,
  type QueueItem,
  type QueueStatus,
  type RequestId,
  type TurnContent,
  type TurnOutcome,
} from '../../../hub/ports/turns.ts';
import { workspaceId, type WorkspaceId } from '../../../core/ids.ts';
import type { ProgramOutput } from '../../../core/program-output.ts';
import type { Db } from '../db.ts';
import type { SqlRow } from '../driver.ts';

const COLUMNS = `queue_id, target_id, source_id, status, attempts, last_error, enqueued_at_ms,
  dispatched_at_ms, completed_at_ms, expires_at_ms, request_id, outcome`;

/** Overdue items that are read at once. The others are read at the next check. */
const OVERDUE_ROWS_MAX = 100;

/** Senders with items that may run now. Each step finds the next one, however many items a sender has. */
const SOURCES = `WITH RECURSIVE sources (id) AS (
    SELECT MIN(source_id) FROM hub_ready
    UNION ALL
    SELECT (SELECT MIN(source_id) FROM hub_ready WHERE source_id > sources.id)
    FROM sources WHERE id IS NOT NULL)`;
const READY_SOURCES = `${SOURCES} SELECT id FROM sources WHERE id IS NOT NULL`;

const IS_IN_TIME = '(expires_at_ms IS NULL OR expires_at_ms > ?)';
/** The oldest items of one sender that may run now. */
const READY_OF = `SELECT queue_id, source_id, seq FROM hub_ready
  WHERE source_id = ? AND ${IS_IN_TIME} ORDER BY seq LIMIT ?`;
/** The oldest one of each sender. */
const READY_OF_EACH = `${SOURCES} SELECT queue_id, source_id, seq FROM sources
  JOIN hub_ready ON source_id = id AND seq = (
    SELECT MIN(seq) FROM hub_ready WHERE source_id = id AND ${IS_IN_TIME})`;

const DISPATCHED = `SELECT queue_id, source_id FROM hub_items
  WHERE status = 'dispatched' AND run_by_hub = 1`;

/** Any item that waits until the hub runs it. */
const QUEUED = `SELECT 1 FROM hub_items
  WHERE status = 'queued' AND run_by_hub = 1 LIMIT 1`;

/** All SQL of `hub_items`. Call the writers inside a commit. */
export class ItemsTable {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  one(id: QueueId): QueueItem | undefined {
    const row = this.#db.get(`SELECT ${COLUMNS} FROM hub_items WHERE queue_id = ?`, id);
    return row === undefined ? undefined : itemOf(row);
  }

  /** Who sent an item, and to whom. */
  partiesOf(id: QueueId): Pick<QueueItem, 'queueId' | 'source' | 'target'> | undefined {
    const sql = 'SELECT source_id, target_id FROM hub_items WHERE queue_id = ?';
    const row = this.#db.get(sql, id);
    if (row === undefined) return undefined;
    const source = workspaceId(String(row['source_id']));
    return { queueId: id, source, target: workspaceId(String(row['target_id'])) };
  }

  ofMessage({ source, target, messageId }: MessageKey): QueueItem | undefined {
    const sql = `SELECT ${COLUMNS} FROM hub_items
      WHERE source_id = ? AND target_id = ? AND message_id = ?`;
    const row = this.#db.get(sql, source, target, messageId);
    return row === undefined ? undefined : itemOf(row);
  }

  /** True if an item of this lane is not settled. */
  isBusy({ target, source, lane }: Pick<Sending, 'target' | 'source' | 'lane'>): boolean {
    const sql = `SELECT 1 FROM hub_items WHERE target_id = ? AND source_id = ? AND lane = ?
      AND status IN ('queued', 'dispatched') LIMIT 1`;
    return this.#db.get(sql, target, source, lane) !== undefined;
  }

  dispatched(): QueueItem[] {
    const sql = `SELECT ${COLUMNS} FROM hub_items
      WHERE status = 'dispatched' AND run_by_hub = 1 ORDER BY seq`;
    return this.#db.all(sql).map(itemOf);
  }

  overdue(nowMs: number, unansweredBeforeMs: number): QueueItem[] {
    const sql = `SELECT ${COLUMNS} FROM hub_items WHERE seq IN (
        SELECT seq FROM hub_items
        WHERE status = 'queued' AND expires_at_ms IS NOT NULL AND expires_at_ms <= ?
        UNION ALL
        SELECT seq FROM hub_items
        WHERE status = 'queued' AND run_by_hub = 0 AND enqueued_at_ms < ?
        LIMIT ${OVERDUE_ROWS_MAX})`;
    return this.#db.all(sql, nowMs, unansweredBeforeMs).map(itemOf);
  }

  openOf(source: WorkspaceId): OpenTurns[] {
    const sql = `SELECT target_id, MIN(enqueued_at_ms) AS since_ms FROM hub_items
      WHERE status = 'queued' AND run_by_hub = 0 AND source_id = ? GROUP BY target_id`;
    return this.#db.all(sql, source).map((row) => ({
      target: workspaceId(String(row['target_id'])),
      sinceMs: Number(row['since_ms']),
    }));
  }

  waitingFor(target: WorkspaceId): QueueItem[] {
    const sql = `SELECT ${COLUMNS} FROM hub_items WHERE target_id = ? AND status = 'queued'`;
    return this.#db.all(sql, target).map(itemOf);
  }

  /** Adds an item, with its content as JSON. With `start` it is dispatched already. Its message must not have an item. */
  add(sending: Sending, content: string, { start }: { readonly start: boolean }): QueueItem {
    this.#db.run(
      `INSERT INTO hub_items (queue_id, target_id, source_id, message_id, lane, run_by_hub, status,
        attempts, enqueued_at_ms, dispatched_at_ms, expires_at_ms, request_id, content)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      sending.queueId,
      sending.target,
      sending.source,
      sending.content.message.messageId,
      sending.lane,
      sending.hubRun ? 1 : 0,
      start ? 'dispatched' : 'queued',
      start ? 1 : 0,
      sending.atMs,
      start ? sending.atMs : null,
      sending.expiresAtMs ?? null,
      JSON.stringify(sending.requestId),
      content,
    );
    const item = freshItem(sending);
    return start ? dispatched(item, sending.atMs) : item;
  }

  claim({ slots, choose }: Choice, atMs: number): Claimed {
    const items: ItemToRun[] = [];
    const sources = this.#db.all(READY_SOURCES).map((row) => String(row['id']));
    // With many senders there is seldom more than one turn for each, so one of each is looked at at a time.
    const isMany = sources.length > slots;
    for (;;) {
      const rows = isMany
        ? this.#db.all(READY_OF_EACH, atMs)
        : sources.flatMap((source) => this.#db.all(READY_OF, source, atMs, slots));
      const waiting = rows.toSorted((one, other) => Number(one['seq']) - Number(other['seq']));
      const chosen = rows.length === 0 ? [] : choose(waiting.map(seatOf), this.seats());
      for (const id of chosen) items.push(this.#dispatch(id, atMs));
      if (chosen.length === 0 || !isMany) break;
    }
    return { items, more: this.#db.get(QUEUED) !== undefined };
  }

  /** The turns that hold a slot. */
  seats(): Seat[] {
    return this.#db.all(DISPATCHED).map(seatOf);
  }

  settle(id: QueueId, { status, outcome, lastError, output, atMs }: Settlement): boolean {
    const said = output === undefined ? null : JSON.stringify(output);
    const sql = `UPDATE hub_items
      SET status = ?, outcome = ?, last_error = ?, program_output = ?, completed_at_ms = ?
      WHERE queue_id = ? AND status IN ('queued', 'dispatched')`;
    const kept = JSON.stringify(outcome);
    return this.#db.run(sql, status, kept, lastError ?? null, said, atMs, id) === 1;
  }

  /** `attempts`: how much this attempt counts, 0 or 1. */
  requeue(id: QueueId, attempts: 0 | 1): void {
    const sql = `UPDATE hub_items
      SET status = 'queued', attempts = attempts - 1 + ?, dispatched_at_ms = NULL
      WHERE queue_id = ? AND status = 'dispatched'`;
    this.#db.run(sql, attempts, id);
  }

  prune(beforeMs: number, limit: number): number {
    const sql = `DELETE FROM hub_items WHERE seq IN
      (SELECT seq FROM hub_items WHERE completed_at_ms < ? LIMIT ?)`;
    return this.#db.run(sql, beforeMs, limit);
  }

  #dispatch(id: QueueId, atMs: number): ItemToRun {
    const sql = `UPDATE hub_items SET status = 'dispatched', attempts = attempts + 1,
      dispatched_at_ms = ? WHERE queue_id = ? RETURNING ${COLUMNS}, content`;
    const row = this.#db.get(sql, atMs, id);
    if (row === undefined) throw new Error(`there is no item ${id}`);
    return { ...itemOf(row), content: JSON.parse(String(row['content'])) as TurnContent };
  }
}

function dispatched(item: QueueItem, atMs: number): QueueItem {
  return { ...item, status: 'dispatched', attempts: item.attempts + 1, dispatchedAtMs: atMs };
}

/** The end of the output of the agent's program, for a message that it gave no answer to. */
export function programOutputOf(db: Db, messageId: string): ProgramOutput | undefined {
  const row = db.get(
    'SELECT program_output FROM hub_items WHERE message_id = ? AND program_output IS NOT NULL LIMIT 1',
    messageId,
  );
  return row && (JSON.parse(String(row['program_output'])) as ProgramOutput);
}

/** The names of the agents that these messages of the bridge were given to, by message. Only of agents that still exist. */
export function agentsOfMessages(db: Db, messageIds: readonly string[]): Map<string, string> {
  const rows = db.all(
    `SELECT message_id, hub_agents.name FROM json_each(?) AS wanted
     JOIN hub_workspaces AS own ON own.origin = 'provisioned' AND own.name = 'lark-bridge'
     CROSS JOIN hub_agents
     JOIN hub_items ON source_id = own.id AND target_id = hub_agents.workspace_id
       AND message_id = wanted.value`,
    JSON.stringify(messageIds),
  );
  return new Map(rows.map((row) => [String(row['message_id']), String(row['name'])]));
}

function seatOf(row: SqlRow): Seat {
  return {
    queueId: queueId(String(row['queue_id'])),
    source: workspaceId(String(row['source_id'])),
  };
}

function freshItem(sending: Sending): QueueItem {
  return {
    queueId: sending.queueId,
    target: sending.target,
    source: sending.source,
    status: 'queued',
    attempts: 0,
    lastError: undefined,
    enqueuedAtMs: sending.atMs,
    dispatchedAtMs: undefined,
    completedAtMs: undefined,
    expiresAtMs: sending.expiresAtMs,
    requestId: sending.requestId,
    outcome: undefined,
  };
}

function itemOf(row: SqlRow): QueueItem {
  const outcome = textOf(row, 'outcome');
  return {
    queueId: queueId(String(row['queue_id'])),
    target: workspaceId(String(row['target_id'])),
    source: workspaceId(String(row['source_id'])),
    status: row['status'] as QueueStatus,
    attempts: Number(row['attempts']),
    lastError: textOf(row, 'last_error'),
    enqueuedAtMs: Number(row['enqueued_at_ms']),
    dispatchedAtMs: numberOf(row, 'dispatched_at_ms'),
    completedAtMs: numberOf(row, 'completed_at_ms'),
    expiresAtMs: numberOf(row, 'expires_at_ms'),
    requestId: JSON.parse(String(row['request_id'])) as RequestId,
    outcome: outcome === undefined ? undefined : (JSON.parse(outcome) as TurnOutcome),
  };
}

function textOf(row: SqlRow, column: string): string | undefined {
  const value = row[column];
  return typeof value === 'string' ? value : undefined;
}

function numberOf(row: SqlRow, column: string): number | undefined {
  const value = row[column];
  return typeof value === 'number' ? value : undefined;
}

import {
  queueId,
  type Choice,
  type Claimed,
  type MessageKey,
  type QueueId,
  type QueueItem,
  type QueueStatus,
  type RequestId,
  type Seat,
  type Sending,
  type Settlement,
  type TurnContent,
  type TurnOutcome,
} from '../../../hub/ports.ts';
import { workspaceId, type WorkspaceId } from '../../../core/ids.ts';
import type { ProgramOutput } from '../../../core/program-output.ts';
import type { Db } from '../db.ts';
import type { SqlRow } from '../driver.ts';

const COLUMNS = `queue_id, target_id, source_id, status, attempts, last_error, enqueued_at_ms,
  dispatched_at_ms, completed_at_ms, expires_at_ms, request_id, content, outcome`;

/** Overdue items that are read at once. The others are read at the next check. */
const OVERDUE_ROWS_MAX = 100;

/**
 * Items that may run now: the first unsettled one of each lane, if nobody works on it. Of each sender the oldest few,
 * so that what is read does not grow with what one sender has in the queue.
 */
const RUNNABLE = `SELECT queue_id, source_id FROM (
    SELECT queue_id, source_id, seq, ROW_NUMBER() OVER (PARTITION BY source_id ORDER BY seq) AS place
    FROM hub_items
    WHERE seq IN (
        SELECT MIN(seq) FROM hub_items WHERE status IN ('queued', 'dispatched') AND run_by_hub = 1
        GROUP BY source_id, target_id, lane)
      AND status = 'queued' AND run_by_hub = 1 AND (expires_at_ms IS NULL OR expires_at_ms > ?))
  WHERE place <= ? ORDER BY seq`;

const DISPATCHED = `SELECT queue_id, source_id FROM hub_items
  WHERE status = 'dispatched' AND run_by_hub = 1`;

/** Any item that waits until the hub runs it. */
const QUEUED = `SELECT 1 FROM hub_items
  WHERE status IN ('queued', 'dispatched') AND status = 'queued' AND run_by_hub = 1 LIMIT 1`;

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

  ofMessage({ source, target, messageId }: MessageKey): QueueItem | undefined {
    const sql = `SELECT ${COLUMNS} FROM hub_items
      WHERE source_id = ? AND target_id = ? AND message_id = ?`;
    const row = this.#db.get(sql, source, target, messageId);
    return row === undefined ? undefined : itemOf(row);
  }

  /** How many items of a workspace are not settled (`depth`), and how many of these are in one lane (`ahead`). */
  depth({ target, source, lane }: Pick<Sending, 'target' | 'source' | 'lane'>) {
    const sql = `SELECT COUNT(*) AS depth, COUNT(*) FILTER (WHERE source_id = ? AND lane = ?) AS ahead
      FROM hub_items WHERE target_id = ? AND status IN ('queued', 'dispatched')`;
    const row = this.#db.get(sql, source, lane, target);
    return { depth: Number(row?.['depth']), ahead: Number(row?.['ahead']) };
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

  waitingFor(target: WorkspaceId): QueueItem[] {
    const sql = `SELECT ${COLUMNS} FROM hub_items WHERE target_id = ? AND status = 'queued'`;
    return this.#db.all(sql, target).map(itemOf);
  }

  /** Adds an item. With `start` it is dispatched already. `undefined` if its message has an item. */
  add(sending: Sending, { start }: { readonly start: boolean }): QueueItem | undefined {
    const added = this.#db.run(
      `INSERT INTO hub_items (queue_id, target_id, source_id, message_id, lane, run_by_hub, status,
        attempts, enqueued_at_ms, dispatched_at_ms, expires_at_ms, request_id, content)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (source_id, target_id, message_id) DO NOTHING`,
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
      JSON.stringify(sending.content),
    );
    if (added === 0) return undefined;
    const item = freshItem(sending);
    return start ? dispatched(item, sending.atMs) : item;
  }

  claim({ perSource, choose }: Choice, atMs: number): Claimed {
    const waiting = this.#db.all(RUNNABLE, atMs, perSource).map(seatOf);
    const chosen = waiting.length === 0 ? [] : choose(waiting, this.seats());
    const items = chosen.flatMap((id) => {
      const item = this.one(id);
      return item === undefined ? [] : this.#dispatch(item, atMs);
    });
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

  #dispatch(item: QueueItem, atMs: number): QueueItem {
    const next = dispatched(item, atMs);
    const sql = `UPDATE hub_items
      SET status = 'dispatched', attempts = ?, dispatched_at_ms = ? WHERE queue_id = ?`;
    this.#db.run(sql, next.attempts, atMs, item.queueId);
    return next;
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
    content: sending.content,
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
    content: JSON.parse(String(row['content'])) as TurnContent,
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

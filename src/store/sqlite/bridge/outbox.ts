import {
  chatId,
  messageId,
  turnId,
  type AppId,
  type ChatId,
  type MessageId,
  type TurnId,
} from '../../../core/ids.ts';
import type {
  OutboxBody,
  OutboxDraft,
  OutboxRow,
  OutboxState,
} from '../../../bridge/ports/outbox.ts';
import { THREAD_ROWS_MAX } from './turn-reads.ts';
import type { Db } from '../db.ts';
import type { SqlRow } from '../driver.ts';
import type { OutboxChange } from '../../../bridge/ports/changes.ts';
import type { PruneRules } from '../../../bridge/ports/journal.ts';

/** This many of the newest messages of a thread are read to find one that still exists. */
const THREAD_MESSAGES_MAX = 10;

/** All SQL of the table `outbox`. Call the writers inside `db.write`. */
export class OutboxTable {
  readonly #db: Db;
  readonly #app: AppId;

  constructor(db: Db, app: AppId) {
    this.#db = db;
    this.#app = app;
  }

  /**
   * Adds rows. A row whose key exists stays as it is. A row that removes a reaction is added only if the
   * reaction was shown or may have been shown. Otherwise the reaction is cancelled.
   * `inPlaceOf`: the order of the row that the new rows replace.
   */
  insert(drafts: readonly OutboxDraft[], inPlaceOf?: number): OutboxRow[] {
    const rows: OutboxRow[] = [];
    for (const [part, draft] of drafts.entries()) {
      if (draft.body.kind === 'unreact' && !this.#mayShow(draft.body.reactKey)) continue;
      const ord = inPlaceOf === undefined ? undefined : placeWithin(inPlaceOf, part);
      const seq = this.#insertOne(draft, ord);
      if (seq !== undefined) rows.push(fresh(draft, ord ?? seq));
    }
    return rows;
  }

  get(key: string): OutboxRow | undefined {
    const row = this.#db.get('SELECT * FROM outbox WHERE key = ?', key);
    return row && toRow(row);
  }

  idsLike(beginning: string): string[] {
    const rows = this.#db.all(
      'SELECT key FROM outbox WHERE app_id = ? AND key >= ? AND key < ? ORDER BY key LIMIT 2',
      this.#app,
      beginning,
      `${beginning}~`,
    );
    return rows.map((row) => String(row['key']));
  }

  update(row: OutboxRow, change: OutboxChange): OutboxRow {
    const { state } = change;
    const next: OutboxRow = {
      ...row,
      state,
      body: change.body ?? row.body,
      triedAtMs: 'triedAtMs' in change ? change.triedAtMs : row.triedAtMs,
      attempts: change.attempts ?? row.attempts,
      lastError: change.lastError ?? row.lastError,
      replayedAtMs: change.replayedAtMs ?? row.replayedAtMs,
    };
    this.#db.run(
      `UPDATE outbox SET phase = ?, due_at_ms = ?, tried_at_ms = ?, replayed_at_ms = ?, attempts = ?,
         ended_at_ms = ?, lark_id = ?, last_error = ?, body = ? WHERE key = ?`,
      state.phase,
      state.phase === 'pending' ? state.dueAtMs : 0,
      next.triedAtMs ?? null,
      next.replayedAtMs ?? null,
      next.attempts,
      'atMs' in state ? state.atMs : null,
      state.phase === 'sent' ? state.larkId : null,
      next.lastError ?? null,
      JSON.stringify(next.body),
      row.key,
    );
    return next;
  }

  /** Drops the rows of a turn that were not tried yet. */
  dropUntried(turn: TurnId): void {
    this.#db.run(
      `UPDATE outbox SET phase = 'dropped' WHERE app_id = ? AND turn = ? AND phase = 'pending'
         AND tried_at_ms IS NULL AND priority <> 'reaction' AND json_extract(body, '$.kind') <> 'update'`,
      this.#app,
      turn,
    );
  }

  /** Messages of the bot in a thread, newest first. */
  sentInThread(chat: ChatId, threadId: string): MessageId[] {
    return this.#db
      .all(
        `SELECT outbox.lark_id FROM turns JOIN outbox
             ON outbox.app_id = turns.app_id AND outbox.turn = turns.message_id
           WHERE +turns.app_id = ? AND turns.chat_id = ?
             AND turns.seq > (SELECT max(seq) FROM turns) - ${THREAD_ROWS_MAX}
             AND json_extract(turns.message, '$.threadId') = ?
             AND outbox.phase = 'sent' AND outbox.priority <> 'reaction' AND outbox.lark_id <> ''
           ORDER BY outbox.seq DESC LIMIT ${THREAD_MESSAGES_MAX}`,
        this.#app,
        chat,
        threadId,
      )
      .map((row) => messageId(String(row['lark_id'])));
  }

  /** Ends the waiting pieces of the same answer. They were made at the same time for the same turn. */
  endRest(
    { lane, turn, createdAtMs, replayedAtMs }: OutboxRow,
    { state, lastError }: OutboxChange,
  ): void {
    this.#db.run(
      `UPDATE outbox SET phase = ?, ended_at_ms = ?, last_error = ? WHERE app_id = ? AND phase = 'pending'
         AND priority = 'answer' AND lane = ? AND turn IS ? AND created_at_ms = ?`,
      state.phase,
      'atMs' in state ? state.atMs : null,
      lastError ?? null,
      this.#app,
      lane,
      turn ?? null,
      replayedAtMs ?? createdAtMs,
    );
  }

  pending(): OutboxRow[] {
    return this.#db
      .all(
        `SELECT * FROM outbox WHERE app_id = ? AND phase = 'pending' ORDER BY coalesce(ord, seq)`,
        this.#app,
      )
      .map(toRow);
  }

  ofTurn(turn: TurnId): OutboxRow[] {
    return this.#db
      .all(
        'SELECT * FROM outbox WHERE app_id = ? AND turn = ? ORDER BY coalesce(ord, seq)',
        this.#app,
        turn,
      )
      .map(toRow);
  }

  /** Rows of a lane that belong to no turn. */
  ofLane(lane: string): OutboxRow[] {
    return this.#db
      .all(
        `SELECT * FROM outbox WHERE app_id = ? AND lane = ? AND turn IS NULL
         ORDER BY coalesce(ord, seq)`,
        this.#app,
        lane,
      )
      .map(toRow);
  }

  /** Newest first. */
  dead({ chatId: chat, limit }: { chatId?: ChatId; limit: number }): OutboxRow[] {
    return this.#db
      .all(
        `SELECT * FROM outbox WHERE app_id = ? AND phase = 'dead' AND (? IS NULL OR chat_id = ?)
         ORDER BY seq DESC LIMIT ?`,
        this.#app,
        chat ?? null,
        chat ?? null,
        limit,
      )
      .map(toRow);
  }

  countDead(): number {
    const row = this.#db.get(
      `SELECT count(*) AS count FROM outbox WHERE app_id = ? AND phase = 'dead'`,
      this.#app,
    );
    return Number(row?.['count']);
  }

  /** The turn for which a message was sent. */
  turnOf(message: MessageId): TurnId | undefined {
    const row = this.#db.get(
      `SELECT turn FROM outbox WHERE app_id = ? AND lark_id = ? AND turn IS NOT NULL LIMIT 1`,
      this.#app,
      message,
    );
    return row && turnId(String(row['turn']));
  }

  sentAmong(messages: readonly MessageId[]): ReadonlySet<MessageId> {
    const rows = this.#db.all(
      `SELECT lark_id FROM outbox WHERE app_id = ?1 AND lark_id IN (SELECT value FROM json_each(?2))
       UNION SELECT message_id FROM live_cards
         WHERE app_id = ?1 AND message_id IN (SELECT value FROM json_each(?2))`,
      this.#app,
      JSON.stringify(messages),
    );
    return new Set(rows.map((row) => messageId(String(row['lark_id']))));
  }

  /** By message: what the agent wrote in it. */
  answersAmong(messages: readonly MessageId[]): ReadonlyMap<MessageId, string> {
    const rows = this.#db.all(
      `SELECT lark_id, body ->> '$.content.text' AS text FROM outbox
       WHERE app_id = ? AND lark_id IN (SELECT value FROM json_each(?))
         AND body ->> '$.content.kind' = 'answer'`,
      this.#app,
      JSON.stringify(messages),
    );
    return new Map(rows.map((row) => [messageId(String(row['lark_id'])), String(row['text'])]));
  }

  /** Deletes old rows that have ended. Reads only the oldest rows, because rows are ordered by age. */
  prune({ endedBeforeMs, deadBeforeMs, limit }: PruneRules): number {
    return (
      this.#db.run(deleteOldest(`('sent', 'dropped')`), this.#app, limit, endedBeforeMs) +
      this.#db.run(deleteOldest(`('dead')`), this.#app, limit, deadBeforeMs)
    );
  }

  #mayShow(reactKey: string): boolean {
    const react = this.get(reactKey);
    if (react === undefined) return false;
    if (react.state.phase === 'sent') return true;
    if (react.state.phase !== 'pending') return false;
    if (react.triedAtMs !== undefined) return true;
    this.update(react, { state: { phase: 'dropped' } });
    return false;
  }

  /** The row's number. `undefined` if its key exists already. */
  #insertOne(draft: OutboxDraft, ord: number | undefined): number | undefined {
    return this.#db.insert(
      `INSERT INTO outbox (key, app_id, ord, lane, turn, chat_id, reply_to, placement, priority, body,
         live_card, phase, due_at_ms, created_at_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?) ON CONFLICT DO NOTHING`,
      draft.key,
      this.#app,
      ord ?? null,
      draft.lane,
      draft.turn ?? null,
      draft.chatId,
      draft.replyTo ?? null,
      draft.placement,
      draft.priority,
      JSON.stringify(draft.body),
      draft.liveCard ?? null,
      draft.dueAtMs,
      draft.createdAtMs,
    );
  }
}

/** How many rows can replace one row. */
const PLACES = 16;

/**
 * A number between the order of the row to replace and the next one, even if that row replaced another one.
 */
function placeWithin(ord: number, part: number): number {
  let step = 1;
  while ((ord / step) % 1 !== 0) step /= PLACES;
  return ord + ((part + 1) * step) / PLACES;
}

const deleteOldest = (phases: string) => `
  DELETE FROM outbox WHERE seq IN (SELECT seq FROM (
    SELECT seq, created_at_ms FROM outbox WHERE app_id = ? AND phase IN ${phases}
    ORDER BY seq LIMIT ?) WHERE created_at_ms < ?)`;

function fresh({ dueAtMs, ...draft }: OutboxDraft, ord: number): OutboxRow {
  return {
    ...draft,
    seq: ord,
    triedAtMs: undefined,
    replayedAtMs: undefined,
    attempts: 0,
    lastError: undefined,
    state: { phase: 'pending', dueAtMs },
  };
}

function toRow(row: SqlRow): OutboxRow {
  return {
    key: String(row['key']),
    seq: Number(row['ord'] ?? row['seq']),
    lane: String(row['lane']),
    turn: row['turn'] === null ? undefined : turnId(String(row['turn'])),
    chatId: chatId(String(row['chat_id'])),
    replyTo: row['reply_to'] === null ? undefined : messageId(String(row['reply_to'])),
    placement: String(row['placement']) as OutboxRow['placement'],
    priority: String(row['priority']) as OutboxRow['priority'],
    body: JSON.parse(String(row['body'])) as OutboxBody,
    ...(row['live_card'] !== null && { liveCard: String(row['live_card']) }),
    createdAtMs: Number(row['created_at_ms']),
    triedAtMs: row['tried_at_ms'] === null ? undefined : Number(row['tried_at_ms']),
    replayedAtMs: row['replayed_at_ms'] === null ? undefined : Number(row['replayed_at_ms']),
    attempts: Number(row['attempts']),
    lastError: row['last_error'] === null ? undefined : String(row['last_error']),
    state: toState(row),
  };
}

function toState(row: SqlRow): OutboxState {
  const atMs = Number(row['ended_at_ms'] ?? 0);
  switch (String(row['phase'])) {
    case 'pending':
      return { phase: 'pending', dueAtMs: Number(row['due_at_ms']) };
    case 'sent':
      return { phase: 'sent', larkId: String(row['lark_id']), atMs };
    case 'dead':
      return { phase: 'dead', atMs };
    default:
      return { phase: 'dropped' };
  }
}

import {
  chatId,
  messageId,
  openId,
  turnId,
  type AppId,
  type ChatId,
  type MessageId,
  type OpenId,
  type TurnId,
} from '../../../core/ids.ts';
import type { InboundMessage } from '../../../core/message.ts';
import type { TurnDetails } from '../../../core/turn-details.ts';
import type { Turn, TurnPhase, TurnState } from '../../../core/turn.ts';
import type { Db } from '../db.ts';
import type { SqlRow } from '../driver.ts';
import type { AccessSubject } from '../../../bridge/ports/access.ts';
import type { JournalCounts, TurnQuery } from '../../../bridge/ports/journal-reader.ts';
import type { TurnHead } from '../../../bridge/ports/journal.ts';

/*
 * `+app_id`: a database is of one app or of few, so what begins with the app narrows nothing. But without the plus SQLite
 * takes the index of the ids before those that do narrow, and reads the whole table for each message.
 */
const COLUMNS =
  'seq, message_id, run, asked_by, reply_token, state, message, details, received_at_ms';
export const FINAL = `('answered', 'failed', 'dropped')`;

/** This many of the newest messages of a thread are read to find one that still exists. */
const THREAD_MESSAGES_MAX = 10;
/** How far back the messages of a burst are searched for. Other chats go on meanwhile. */
const BURST_ROWS_MAX = 1_000;
/** The same for a thread: older turns of it are left out. */
export const THREAD_ROWS_MAX = 5_000;
/** How far back a person's direct chat is searched for. It takes some milliseconds. */
const DIRECT_CHAT_ROWS_MAX = 10_000;

/** What is read from the table `turns`. */
export class TurnReads {
  readonly #db: Db;
  readonly #app: AppId;

  constructor(db: Db, app: AppId) {
    this.#db = db;
    this.#app = app;
  }

  get(id: TurnId): Turn | undefined {
    const row = this.#db.get(
      `SELECT ${COLUMNS} FROM turns WHERE app_id = ? AND message_id = ?`,
      this.#app,
      id,
    );
    return row && toTurn(row);
  }

  ofToken(replyToken: string): Turn | undefined {
    const row = this.#db.get(
      `SELECT ${COLUMNS} FROM turns WHERE app_id = ? AND reply_token = ? ORDER BY seq DESC LIMIT 1`,
      this.#app,
      replyToken,
    );
    return row && toTurn(row);
  }

  /** Messages of people in a thread, newest first, without those that were recalled. */
  inThread(chat: ChatId, threadId: string): MessageId[] {
    return this.#db
      .all(
        `SELECT message_id FROM turns WHERE +app_id = ? AND chat_id = ?
           AND seq > (SELECT max(seq) FROM turns) - ${THREAD_ROWS_MAX}
           AND json_extract(message, '$.threadId') = ? AND json_array_length(message, '$.parts') > 0
         ORDER BY seq DESC LIMIT ${THREAD_MESSAGES_MAX}`,
        this.#app,
        chat,
        threadId,
      )
      .map((row) => messageId(String(row['message_id'])));
  }

  /** The last turns of the same thread, or of the chat outside of threads, before this one, oldest first. Not those that were recalled. */
  before({ seq, message }: Turn, limit: number): Turn[] {
    return this.#db
      .all(
        `SELECT ${COLUMNS} FROM turns WHERE +app_id = ?1 AND chat_id = ?2 AND seq < ?3 AND seq > ?3 - ${THREAD_ROWS_MAX}
           AND json_extract(message, '$.threadId') IS ?4 AND json_array_length(message, '$.parts') > 0
         ORDER BY seq DESC LIMIT ?5`,
        this.#app,
        message.chatId,
        seq,
        message.threadId ?? null,
        limit,
      )
      .map(toTurn)
      .toReversed();
  }

  /** True if another turn of the chat is held for the same reason: its question stands there already. */
  hasOtherHeld({ seq, message, state }: Turn): boolean {
    const row = this.#db.get(
      `SELECT 1 AS other FROM turns WHERE +app_id = ? AND chat_id = ? AND seq <> ?
         AND phase IN ('held', 'failed', 'overdue') AND phase = 'held'
         AND json_extract(state, '$.why') = ? LIMIT 1`,
      this.#app,
      message.chatId,
      seq,
      state.phase === 'held' ? state.why : null,
    );
    return row !== undefined;
  }

  /**
   * True if the same person sent another message of this kind to the same place within this time before or
   * after it.
   */
  hasOtherUnreadable({ seq, message }: Turn, withinMs: number): boolean {
    const row = this.#db.get(
      `SELECT 1 AS other FROM turns WHERE +app_id = ?1 AND chat_id = ?2 AND seq <> ?3 AND seq > ?3 - ?4
         AND json_extract(message, '$.parts') = json_extract(?5, '$.parts')
         AND json_extract(message, '$.senderOpenId') = json_extract(?5, '$.senderOpenId')
         AND json_extract(message, '$.threadId') IS json_extract(?5, '$.threadId')
         AND abs(json_extract(message, '$.sentAtMs') - json_extract(?5, '$.sentAtMs')) <= ?6 LIMIT 1`,
      this.#app,
      message.chatId,
      seq,
      BURST_ROWS_MAX,
      JSON.stringify(message),
      withinMs,
    );
    return row !== undefined;
  }

  /** Of one author, or of all. The author of a message stays known when its text is gone. */
  askable(chat: ChatId, limit: number, author?: OpenId): Turn[] {
    return this.#db
      .all(
        `SELECT ${COLUMNS} FROM turns WHERE +app_id = ?1 AND chat_id = ?2 AND phase IN ('held', 'failed', 'overdue')
           AND (?3 IS NULL OR json_extract(message, '$.senderOpenId') = ?3)
         ORDER BY seq DESC LIMIT ?4`,
        this.#app,
        chat,
        author ?? null,
        limit,
      )
      .map(toTurn);
  }

  /** Turns of a chat that are not over, in order of arrival, without commands. */
  openIn(chat: ChatId, limit: number): Turn[] {
    return this.#db
      .all(
        `SELECT ${COLUMNS} FROM turns WHERE +app_id = ? AND chat_id = ? AND phase NOT IN ${FINAL}
           AND phase <> 'command' ORDER BY seq LIMIT ?`,
        this.#app,
        chat,
        limit,
      )
      .map(toTurn);
  }

  /** The direct chat in which a person wrote last, if that was among the newest messages. */
  directChat(person: OpenId): ChatId | undefined {
    const row = this.#db.get(
      `SELECT chat_id FROM turns WHERE +app_id = ?1
         AND seq > (SELECT coalesce(max(seq), 0) FROM turns) - ${DIRECT_CHAT_ROWS_MAX}
         AND message ->> '$.senderOpenId' = ?2 AND message ->> '$.chatType' = 'p2p'
       ORDER BY seq DESC LIMIT 1`,
      this.#app,
      person,
    );
    return row && chatId(String(row['chat_id']));
  }

  open(): TurnHead[] {
    return this.#db
      .all(
        `SELECT seq, message_id, chat_id, phase, received_at_ms,
           iif(json_extract(state, '$.gathers'), json_extract(state, '$.notBeforeMs'), NULL) AS gathers_until_ms,
           coalesce(asked_by, message ->> '$.senderOpenId') AS person FROM turns
         WHERE +app_id = ? AND phase NOT IN ${FINAL} ORDER BY seq`,
        this.#app,
      )
      .map((row) => ({
        id: turnId(String(row['message_id'])),
        seq: Number(row['seq']),
        chatId: chatId(String(row['chat_id'])),
        person: openId(String(row['person'])),
        phase: String(row['phase']) as TurnPhase,
        receivedAtMs: Number(row['received_at_ms']),
        ...(row['gathers_until_ms'] !== null && {
          gathersUntilMs: Number(row['gathers_until_ms']),
        }),
      }));
  }

  /** The messages of open turns of all apps, with those that they took in. */
  openMessages(): Set<string> {
    const rows = this.#db.all(
      `SELECT message_id AS id FROM turns WHERE phase NOT IN ${FINAL}
       UNION SELECT part.value ->> '$.from.messageId' AS id
         FROM turns, json_each(turns.message, '$.parts') AS part
         WHERE phase NOT IN ${FINAL} AND part.value ->> '$.from.messageId' IS NOT NULL`,
    );
    return new Set(rows.map((row) => String(row['id'])));
  }

  /** The chat of the newest turn of somebody who may talk to the bot. */
  latestChat(): ChatId | undefined {
    const row = this.#db.get(
      `SELECT chat_id FROM turns WHERE +app_id = ? AND phase <> 'kept'
         AND NOT (phase = 'dropped' AND json_extract(state, '$.why') = 'not_allowed')
       ORDER BY seq DESC LIMIT 1`,
      this.#app,
    );
    return row && chatId(String(row['chat_id']));
  }

  /** Kept messages, oldest first: of one person, in one chat, or both. */
  kept({ openId: person, chatId: chat }: AccessSubject): TurnId[] {
    return this.#db
      .all(
        `SELECT message_id FROM turns WHERE +app_id = ?1 AND phase = 'kept'
           AND (?2 IS NULL OR json_extract(message, '$.senderOpenId') = ?2) AND (?3 IS NULL OR chat_id = ?3)
         ORDER BY seq`,
        this.#app,
        person ?? null,
        chat ?? null,
      )
      .map((row) => turnId(String(row['message_id'])));
  }

  /** Chats of kept messages that wait for what Lark says about their group. */
  unknownGroups(): ChatId[] {
    return this.#db
      .all(
        `SELECT DISTINCT chat_id FROM turns WHERE +app_id = ? AND phase = 'kept'
           AND json_extract(state, '$.why') = 'group_unknown'`,
        this.#app,
      )
      .map((row) => chatId(String(row['chat_id'])));
  }

  /** When it was admitted, and when it ended. */
  times(id: TurnId): { admittedAtMs: number; endedAtMs: number | undefined } | undefined {
    const row = this.#db.get(
      'SELECT admitted_at_ms, ended_at_ms FROM turns WHERE app_id = ? AND message_id = ?',
      this.#app,
      id,
    );
    return (
      row && {
        admittedAtMs: Number(row['admitted_at_ms']),
        endedAtMs: row['ended_at_ms'] === null ? undefined : Number(row['ended_at_ms']),
      }
    );
  }

  /** How many open turns of its chat came before a turn. */
  ahead({ seq, message }: Turn): number {
    const row = this.#db.get(
      `SELECT count(*) AS count FROM turns WHERE +app_id = ? AND chat_id = ? AND seq < ?
         AND phase NOT IN ${FINAL} AND phase IN ('waiting', 'sending', 'accepted')`,
      this.#app,
      message.chatId,
      seq,
    );
    return Number(row?.['count']);
  }

  counts(failedSinceMs: number): Omit<JournalCounts, 'deadLetters'> {
    const row = this.#db.get(
      `SELECT
         count(*) FILTER (WHERE phase = 'waiting') AS waiting,
         count(*) FILTER (WHERE phase IN ('sending', 'accepted', 'overdue')) AS running,
         count(*) FILTER (WHERE phase = 'held') AS held
       FROM turns WHERE +app_id = ? AND phase NOT IN ${FINAL}`,
      this.#app,
    );
    const failed = this.#db.get(
      `SELECT count(*) AS failed FROM turns
       WHERE +app_id = ? AND phase IN ('held', 'failed', 'overdue') AND phase = 'failed' AND ended_at_ms >= ?`,
      this.#app,
      failedSinceMs,
    );
    return {
      waiting: Number(row?.['waiting']),
      running: Number(row?.['running']),
      held: Number(row?.['held']),
      failed: Number(failed?.['failed']),
    };
  }

  /** Newest first. */
  list({ phases, chatId: chat, sinceMs, limit }: TurnQuery): Turn[] {
    return this.#db
      .all(
        `SELECT ${COLUMNS} FROM turns WHERE +app_id = ?
           AND (? IS NULL OR phase IN (SELECT value FROM json_each(?))) AND (? IS NULL OR chat_id = ?)
           AND received_at_ms >= ?
         ORDER BY seq DESC LIMIT ?`,
        this.#app,
        phases === undefined ? null : 1,
        JSON.stringify(phases ?? []),
        chat ?? null,
        chat ?? null,
        sinceMs ?? 0,
        limit,
      )
      .map(toTurn);
  }

  idsLike(beginning: string): string[] {
    return this.#db
      .all(
        `SELECT message_id FROM turns WHERE app_id = ? AND message_id >= ? AND message_id < ?
         ORDER BY message_id LIMIT 2`,
        this.#app,
        beginning,
        `${beginning}~`,
      )
      .map((row) => String(row['message_id']));
  }
}

function toTurn(row: SqlRow): Turn {
  return {
    id: turnId(String(row['message_id'])),
    seq: Number(row['seq']),
    message: JSON.parse(String(row['message'])) as InboundMessage,
    receivedAtMs: Number(row['received_at_ms']),
    run: Number(row['run']),
    ...(row['asked_by'] !== null && { askedBy: openId(String(row['asked_by'])) }),
    ...(row['reply_token'] !== null && { replyToken: String(row['reply_token']) }),
    ...(row['details'] !== null && {
      details: JSON.parse(String(row['details'])) as TurnDetails,
    }),
    state: JSON.parse(String(row['state'])) as TurnState,
  };
}

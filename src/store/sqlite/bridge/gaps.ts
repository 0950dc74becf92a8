import { chatId, type AppId, type ChatId, type MessageId } from '../../../core/ids.ts';
import type { Db } from '../db.ts';
import type { ChatRecord, GapJournal, ThreadRecord } from '../../../bridge/ports/gaps.ts';

/** The tables `chats` and `gaps`: which parts of the chats' histories have been read. */
export class SqliteGaps implements GapJournal {
  readonly #db: Db;
  readonly #app: AppId;

  constructor(db: Db, app: AppId) {
    this.#db = db;
    this.#app = app;
  }

  gap() {
    const row = this.#db.get('SELECT from_ms FROM gaps WHERE app_id = ?', this.#app);
    return Promise.resolve(row && Number(row['from_ms']));
  }

  openGap(fromMs: number) {
    return this.#write(
      'INSERT INTO gaps (app_id, from_ms) VALUES (?, ?) ON CONFLICT DO NOTHING',
      fromMs,
    );
  }

  closeGap() {
    return this.#write('DELETE FROM gaps WHERE app_id = ?');
  }

  chats(activeSinceMs: number, limit: number): Promise<readonly ChatRecord[]> {
    const rows = this.#db.all(
      `SELECT active.chat_id, active.last_ms, read_until_ms FROM (
         SELECT chat_id, max(received_at_ms) AS last_ms FROM turns WHERE +app_id = ?1 GROUP BY chat_id
       ) active LEFT JOIN chats ON chats.app_id = ?1 AND chats.chat_id = active.chat_id
       WHERE active.last_ms >= ?2 ORDER BY active.last_ms DESC LIMIT ?3`,
      this.#app,
      activeSinceMs,
      limit,
    );
    return Promise.resolve(
      rows.map((row) => ({
        chatId: chatId(String(row['chat_id'])),
        lastMessageAtMs: Number(row['last_ms']),
        readUntilMs: Number(row['read_until_ms'] ?? 0),
      })),
    );
  }

  threads(activeSinceMs: number, limit: number): Promise<readonly ThreadRecord[]> {
    const rows = this.#db.all(
      `SELECT chat_id, json_extract(message, '$.threadId') AS thread, max(received_at_ms) AS last_ms
       FROM turns WHERE +app_id = ? AND received_at_ms >= ? AND thread IS NOT NULL
       GROUP BY chat_id, thread ORDER BY last_ms DESC LIMIT ?`,
      this.#app,
      activeSinceMs,
      limit,
    );
    return Promise.resolve(
      rows.map((row) => ({
        chatId: chatId(String(row['chat_id'])),
        threadId: String(row['thread']),
        lastMessageAtMs: Number(row['last_ms']),
      })),
    );
  }

  noteRead(chat: ChatId, untilMs: number) {
    return this.#write(
      `INSERT INTO chats (app_id, chat_id, read_until_ms) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET read_until_ms = excluded.read_until_ms`,
      chat,
      untilMs,
    );
  }

  isKnown(message: MessageId) {
    const row = this.#db.get(
      'SELECT 1 AS known FROM turns WHERE app_id = ? AND message_id = ?',
      this.#app,
      message,
    );
    return Promise.resolve(row !== undefined);
  }

  /** Runs one statement with this app's id. */
  #write(sql: string, ...values: (string | number)[]): Promise<void> {
    return this.#db.write(() => {
      this.#db.run(sql, this.#app, ...values);
    });
  }
}

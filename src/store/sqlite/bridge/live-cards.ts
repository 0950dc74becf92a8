import { chatId, messageId, turnId, type AppId, type TurnId } from '../../../core/ids.ts';
import type { DoneSoFar, LiveCardRecord, LiveJournal } from '../../../bridge/ports/live.ts';
import type { PruneRules } from '../../../bridge/ports/journal.ts';
import type { Db } from '../db.ts';
import type { SqlRow } from '../driver.ts';

/** The live cards of one app, and all SQL of the table `live_cards`. */
export class SqliteLiveCards implements LiveJournal {
  readonly #db: Db;
  readonly #app: AppId;

  constructor({ db, app }: { db: Db; app: AppId }) {
    this.#db = db;
    this.#app = app;
  }

  open(card: LiveCardRecord): Promise<void> {
    const { key, turn, run, place, cardId = null, openedAtMs } = card;
    return this.#db.write(() => {
      this.#db.run(
        `INSERT INTO live_cards (key, app_id, turn, run, chat_id, reply_to, in_thread, card_id, opened_at_ms)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        key,
        this.#app,
        turn,
        run,
        place.chatId,
        place.replyTo,
        place.inThread ? 1 : 0,
        cardId,
        openedAtMs,
      );
    });
  }

  change(
    key: string,
    change: Partial<Pick<LiveCardRecord, 'cardId' | 'messageId'>>,
  ): Promise<void> {
    return this.#db.write(() => {
      if ('cardId' in change) {
        const sql = 'UPDATE live_cards SET card_id = ? WHERE key = ?';
        this.#db.run(sql, change.cardId ?? null, key);
      }
      if ('messageId' in change) {
        const sql = 'UPDATE live_cards SET message_id = ? WHERE key = ?';
        this.#db.run(sql, change.messageId ?? null, key);
      }
    });
  }

  noteDone(key: string, done: DoneSoFar): Promise<void> {
    return this.#db.write(() => {
      const sql = 'UPDATE live_cards SET done = ? WHERE key = ?';
      this.#db.run(sql, JSON.stringify(done), key);
    });
  }

  /** The message was recalled, so nothing of its turn is told again. Call it inside `db.write`. */
  forgetDone(turn: TurnId): void {
    this.#db.run('UPDATE live_cards SET done = NULL WHERE turn = ? AND done IS NOT NULL', turn);
  }

  remove(key: string): Promise<void> {
    return this.#db.write(() => {
      this.#db.run('DELETE FROM live_cards WHERE key = ?', key);
    });
  }

  card(key: string): Promise<LiveCardRecord | undefined> {
    const row = this.#db.get('SELECT * FROM live_cards WHERE key = ?', key);
    return Promise.resolve(row && toRecord(row));
  }

  reserve(key: string, count: number): Promise<number> {
    return this.#db.write(() => {
      const sql = 'UPDATE live_cards SET sequence = sequence + ? WHERE key = ? RETURNING sequence';
      const row = this.#db.get(sql, count, key);
      return Number(row?.['sequence'] ?? count) - count + 1;
    });
  }

  unended(openedSinceMs: number): Promise<readonly LiveCardRecord[]> {
    const rows = this.#db.all(
      `SELECT * FROM live_cards WHERE app_id = ? AND opened_at_ms >= ? AND NOT EXISTS (
         SELECT 1 FROM outbox WHERE outbox.live_card = live_cards.key AND phase IN ('pending', 'sent'))
       ORDER BY opened_at_ms, key`,
      this.#app,
      openedSinceMs,
    );
    return Promise.resolve(rows.map(toRecord));
  }

  /** Call it inside `db.write`. */
  prune({ endedBeforeMs, limit }: PruneRules): number {
    return this.#db.run(
      `DELETE FROM live_cards WHERE key IN (SELECT key FROM live_cards
         WHERE app_id = ? AND opened_at_ms < ? ORDER BY opened_at_ms LIMIT ?)`,
      this.#app,
      endedBeforeMs,
      limit,
    );
  }
}

function toRecord(row: SqlRow): LiveCardRecord {
  const place = {
    chatId: chatId(String(row['chat_id'])),
    replyTo: messageId(String(row['reply_to'])),
    inThread: row['in_thread'] === 1,
  };
  return {
    key: String(row['key']),
    turn: turnId(String(row['turn'])),
    run: Number(row['run']),
    place,
    cardId: row['card_id'] === null ? undefined : String(row['card_id']),
    messageId: row['message_id'] === null ? undefined : messageId(String(row['message_id'])),
    openedAtMs: Number(row['opened_at_ms']),
    ...(row['done'] !== null && { done: JSON.parse(String(row['done'])) as DoneSoFar }),
  };
}

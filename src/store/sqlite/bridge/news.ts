import { chatId, openId, type AppId, type ChatId } from '../../../core/ids.ts';
import {
  type Follow,
  FOLLOW_KIND_OF,
  type FollowKind,
  type NewsEvent,
  type NewsItem,
  type NewsStore,
  type WaitingNews,
} from '../../../bridge/ports/news.ts';
import type { Db } from '../db.ts';
import { SqliteWebhookQueue } from './webhooks.ts';
import type { SqlRow } from '../driver.ts';

/** While Lark takes nothing, news pile up. A summary of more than this helps nobody. */
const WAITING_MAX = 500;

/** All SQL of the tables `follows` and `follow_news`. */
export class SqliteNews implements NewsStore {
  readonly #db: Db;
  readonly #app: AppId;
  readonly #webhooks: SqliteWebhookQueue;

  constructor({ db, app }: { readonly db: Db; readonly app: AppId }) {
    this.#db = db;
    this.#app = app;
    this.#webhooks = new SqliteWebhookQueue(db);
  }

  follows(): Follow[] {
    const sql = 'SELECT * FROM follows WHERE app_id = ? ORDER BY chat_id, since_ms';
    return this.#db.all(sql, this.#app).map(toFollow);
  }

  async follow(follows: readonly Follow[], atMs: number): Promise<void> {
    await this.#db.write(() => {
      for (const { chatId: chat, kind, by } of follows) {
        this.#db.run(
          `INSERT INTO follows (app_id, chat_id, kind, open_id, since_ms) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET open_id = excluded.open_id`,
          this.#app,
          chat,
          kind,
          by,
          atMs,
        );
      }
    });
  }

  async unfollow(chat: ChatId, kinds: readonly FollowKind[]): Promise<void> {
    await this.#db.write(() => {
      for (const kind of kinds) this.#remove(chat, kind);
    });
  }

  isWanted(event: NewsEvent, chat: ChatId): boolean {
    return this.#followers(event, chat).length > 0 || this.#webhooks.wanting({ event }).length > 0;
  }

  note(item: NewsItem): boolean {
    const followers = this.#followers(item.event, item.chatId);
    for (const follower of followers) this.#add(follower, item);
    return this.#webhooks.note(item) || followers.length > 0;
  }

  waiting(): WaitingNews[] {
    const sql = `SELECT * FROM follows AS f WHERE app_id = ? AND (left_out > 0 OR EXISTS (
      SELECT 1 FROM follow_news AS n WHERE n.app_id = f.app_id AND n.chat_id = f.chat_id AND n.kind = f.kind))`;
    return this.#db.all(sql, this.#app).map((row) => {
      const follow = toFollow(row);
      return {
        ...follow,
        toldAtMs: row['told_at_ms'] === null ? undefined : Number(row['told_at_ms']),
        toldIn: row['told_in'] === null ? undefined : String(row['told_in']),
        items: this.#itemsFor(follow),
        leftOut: Number(row['left_out']),
      };
    });
  }

  take({ chatId: chat, kind, items, leftOut }: WaitingNews, told: { key: string; atMs: number }) {
    const removed = items.reduce(
      (sum, { seq }) => sum + this.#db.run('DELETE FROM follow_news WHERE seq = ?', seq),
      0,
    );
    // Whoever does not follow any more has nothing left.
    if (removed < items.length) return false;
    this.#db.run(
      `UPDATE follows SET told_at_ms = ?, told_in = ?, left_out = max(0, left_out - ?)
         WHERE app_id = ? AND chat_id = ? AND kind = ?`,
      told.atMs,
      told.key,
      leftOut,
      this.#app,
      chat,
      kind,
    );
    return true;
  }

  end(chat: ChatId): Follow[] {
    const ended = this.follows().filter(({ chatId: one }) => one === chat);
    for (const { kind } of ended) this.#remove(chat, kind);
    return ended;
  }

  /** Nothing is told to a chat about itself. */
  #followers(event: NewsEvent, chat: ChatId): Follow[] {
    const sql = 'SELECT * FROM follows WHERE app_id = ? AND kind = ? AND chat_id <> ?';
    return this.#db.all(sql, this.#app, FOLLOW_KIND_OF[event], chat).map(toFollow);
  }

  #add({ chatId: chat, kind }: Follow, item: NewsItem): void {
    const isKept = this.#db.run(
      `INSERT INTO follow_news (app_id, chat_id, kind, item) SELECT ?1, ?2, ?3, ?4
         WHERE (SELECT count(*) FROM follow_news WHERE app_id = ?1 AND chat_id = ?2 AND kind = ?3) < ?5`,
      this.#app,
      chat,
      kind,
      JSON.stringify(item),
      WAITING_MAX,
    );
    if (isKept > 0) return;
    const sql =
      'UPDATE follows SET left_out = left_out + 1 WHERE app_id = ? AND chat_id = ? AND kind = ?';
    this.#db.run(sql, this.#app, chat, kind);
  }

  #itemsFor({ chatId: chat, kind }: Follow) {
    const sql =
      'SELECT seq, item FROM follow_news WHERE app_id = ? AND chat_id = ? AND kind = ? ORDER BY seq';
    return this.#db.all(sql, this.#app, chat, kind).map((row) => ({
      seq: Number(row['seq']),
      item: JSON.parse(String(row['item'])) as NewsItem,
    }));
  }

  #remove(chat: ChatId, kind: FollowKind): void {
    for (const table of ['follows', 'follow_news'] as const) {
      const sql = `DELETE FROM ${table} WHERE app_id = ? AND chat_id = ? AND kind = ?`;
      this.#db.run(sql, this.#app, chat, kind);
    }
  }
}

function toFollow(row: SqlRow): Follow {
  return {
    chatId: chatId(String(row['chat_id'])),
    kind: String(row['kind']) as FollowKind,
    by: openId(String(row['open_id'])),
  };
}

import { FOLLOW_KIND_OF, FOLLOW_KINDS, type NewsItem } from '../../../bridge/ports/news.ts';
import type {
  Webhook,
  WebhookBook,
  WebhookDelivery,
  WebhookQueue,
} from '../../../bridge/ports/webhooks.ts';
import type { Db } from '../db.ts';
import type { SqlRow } from '../driver.ts';

/** A receiver that is away for a day misses no more than this: it is told how many were left out in the log. */
const WAITING_MAX = 1_000;

/** All SQL of the table `webhooks`. */
export class SqliteWebhooks implements WebhookBook {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  webhooks(): Webhook[] {
    return this.#db.all('SELECT * FROM webhooks ORDER BY added_at_ms, id').map(toWebhook);
  }

  async add({ id, url, kinds, isPrivate, withText, addedAtMs }: Webhook): Promise<void> {
    await this.#db.write(() =>
      this.#db.run(
        `INSERT INTO webhooks (id, url, kinds, is_private, with_text, added_at_ms) VALUES (?, ?, ?, ?, ?, ?)`,
        id,
        url,
        kinds.join(','),
        Number(isPrivate),
        Number(withText),
        addedAtMs,
      ),
    );
  }

  remove(id: string): Promise<boolean> {
    return this.#db.write(() => {
      this.#db.run('DELETE FROM webhook_deliveries WHERE webhook = ?', id);
      return this.#db.run('DELETE FROM webhooks WHERE id = ?', id) > 0;
    });
  }
}

/** All SQL of the table `webhook_deliveries`. */
export class SqliteWebhookQueue implements WebhookQueue {
  readonly #db: Db;
  readonly #book: SqliteWebhooks;

  constructor(db: Db) {
    this.#db = db;
    this.#book = new SqliteWebhooks(db);
  }

  webhooks(): Webhook[] {
    return this.#book.webhooks();
  }

  /** To be called inside `db.write`. True if any webhook is told. */
  note(item: NewsItem): boolean {
    const told = this.wanting(item);
    for (const { id } of told) this.#add(id, item);
    return told.length > 0;
  }

  /** Those that want to hear of such a thing. */
  wanting({ event }: Pick<NewsItem, 'event'>): Webhook[] {
    return this.#book.webhooks().filter(({ kinds }) => kinds.includes(FOLLOW_KIND_OF[event]));
  }

  first(webhook: string): WebhookDelivery | undefined {
    const sql = 'SELECT * FROM webhook_deliveries WHERE webhook = ? ORDER BY seq LIMIT 1';
    const row = this.#db.get(sql, webhook);
    return row && toDelivery(row);
  }

  takeLeftOut(webhook: string): Promise<number> {
    const count = () => {
      const row = this.#db.get('SELECT left_out FROM webhooks WHERE id = ?', webhook);
      return Number(row?.['left_out'] ?? 0);
    };
    if (count() === 0) return Promise.resolve(0);
    return this.#db.write(() => {
      const leftOut = count();
      this.#db.run('UPDATE webhooks SET left_out = 0 WHERE id = ?', webhook);
      return leftOut;
    });
  }

  async postpone(seq: number, dueAtMs: number): Promise<void> {
    const sql =
      'UPDATE webhook_deliveries SET due_at_ms = ?, attempts = attempts + 1 WHERE seq = ?';
    await this.#db.write(() => this.#db.run(sql, dueAtMs, seq));
  }

  async remove(seq: number): Promise<void> {
    await this.#db.write(() => this.#db.run('DELETE FROM webhook_deliveries WHERE seq = ?', seq));
  }

  #add(webhook: string, item: NewsItem): void {
    const isKept = this.#db.run(
      `INSERT INTO webhook_deliveries (webhook, item, created_at_ms, due_at_ms) SELECT ?1, ?2, ?3, ?3
         WHERE (SELECT count(*) FROM webhook_deliveries WHERE webhook = ?1) < ?4`,
      webhook,
      JSON.stringify(item),
      item.atMs,
      WAITING_MAX,
    );
    if (isKept > 0) return;
    this.#db.run('UPDATE webhooks SET left_out = left_out + 1 WHERE id = ?', webhook);
  }
}

/** A word that is no kind counts for nothing, so what can't be read tells nothing. */
function toWebhook(row: SqlRow): Webhook {
  const words = String(row['kinds']).split(',');
  return {
    id: String(row['id']),
    url: String(row['url']),
    kinds: FOLLOW_KINDS.filter((kind) => words.includes(kind)),
    isPrivate: row['is_private'] === 1,
    withText: row['with_text'] === 1,
    addedAtMs: Number(row['added_at_ms']),
  };
}

function toDelivery(row: SqlRow): WebhookDelivery {
  return {
    seq: Number(row['seq']),
    item: JSON.parse(String(row['item'])) as NewsItem,
    createdAtMs: Number(row['created_at_ms']),
    dueAtMs: Number(row['due_at_ms']),
    attempts: Number(row['attempts']),
  };
}

import { chatId, openId, type AppId, type ChatId } from '../../../core/ids.ts';
import type { TurnPhase } from '../../../core/turn.ts';
import type { LocalDay } from '../../../time/local-day.ts';
import type {
  ReportedTurn,
  ReportOrder,
  ReportStore,
  Spent,
} from '../../../bridge/ports/reports.ts';
import type { Db } from '../db.ts';
import type { SqlRow, SqlValue } from '../driver.ts';

/** All SQL of the table `reports`, and what reports read of `turns`. */
export class SqliteReports implements ReportStore {
  readonly #db: Db;
  readonly #app: AppId;

  constructor({ db, app }: { readonly db: Db; readonly app: AppId }) {
    this.#db = db;
    this.#app = app;
  }

  orders(): ReportOrder[] {
    return this.#db.all('SELECT * FROM reports WHERE app_id = ?', this.#app).map(toOrder);
  }

  async order({ chatId: chat, by, minuteOfDay, isSetting, lastDay }: ReportOrder): Promise<void> {
    await this.#db.write(() =>
      this.#db.run(
        `INSERT INTO reports (app_id, chat_id, open_id, minute_of_day, is_setting, last_day)
           VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET open_id = excluded.open_id, minute_of_day = excluded.minute_of_day,
             is_setting = excluded.is_setting, last_day = excluded.last_day`,
        this.#app,
        chat,
        by,
        minuteOfDay ?? null,
        Number(isSetting),
        lastDay,
      ),
    );
  }

  async remove(chat: ChatId): Promise<void> {
    const sql = 'DELETE FROM reports WHERE app_id = ? AND chat_id = ?';
    await this.#db.write(() => this.#db.run(sql, this.#app, chat));
  }

  noteSent({ chatId: chat, lastDay }: ReportOrder, day: LocalDay): boolean {
    const sql =
      'UPDATE reports SET last_day = ? WHERE app_id = ? AND chat_id = ? AND last_day = ? AND minute_of_day IS NOT NULL';
    return this.#db.run(sql, day, this.#app, chat, lastDay) > 0;
  }

  spent(sinceMs: number, untilMs: number): Spent[] {
    return this.#db
      .all(
        `SELECT currency, sum(cost) AS amount FROM usage
           WHERE app_id = ? AND at_ms >= ? AND at_ms < ? AND currency IS NOT NULL GROUP BY currency`,
        this.#app,
        sinceMs,
        untilMs,
      )
      .map((row) => ({ amount: Number(row['amount']), currency: String(row['currency']) }));
  }

  turnsBefore(seq: number, limit: number): ReportedTurn[] {
    return this.#db
      .all(
        `SELECT seq, received_at_ms, phase, json_extract(details, '$.session.id') AS session,
           coalesce(json_extract(state, '$.cause.agent'), json_extract(details, '$.session.agent')) AS agent,
           json_extract(details, '$.session.folder') AS folder
         FROM turns WHERE +app_id = ? AND seq < ? AND json_extract(state, '$.joined') IS NULL ORDER BY seq DESC LIMIT ?`,
        this.#app,
        seq,
        limit,
      )
      .map((row) => ({
        seq: Number(row['seq']),
        receivedAtMs: Number(row['received_at_ms']),
        phase: String(row['phase']) as TurnPhase,
        session: textOf(row['session']),
        agent: textOf(row['agent']),
        folder: textOf(row['folder']),
      }));
  }
}

function toOrder(row: SqlRow): ReportOrder {
  const minute = row['minute_of_day'];
  return {
    chatId: chatId(String(row['chat_id'])),
    by: openId(String(row['open_id'])),
    minuteOfDay: minute === null ? undefined : Number(minute),
    isSetting: row['is_setting'] === 1,
    lastDay: String(row['last_day']) as LocalDay,
  };
}

function textOf(value: SqlValue | undefined): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}

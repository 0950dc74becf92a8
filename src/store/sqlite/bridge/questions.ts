import { messageId, type AppId, type ChatId, type TurnId } from '../../../core/ids.ts';
import type { PruneRules } from '../../../bridge/ports/journal.ts';
import type { Question, QuestionState, QuestionStore } from '../../../bridge/ports/questions.ts';
import type { Db } from '../db.ts';
import type { SqlRow } from '../driver.ts';

/** All SQL of the table `questions`. Call the writers inside `db.write`. */
export class SqliteQuestions implements QuestionStore {
  readonly #db: Db;
  readonly #app: AppId;

  constructor({ db, app }: { readonly db: Db; readonly app: AppId }) {
    this.#db = db;
    this.#app = app;
  }

  question(key: string): Question | undefined {
    const sql = 'SELECT question, state FROM questions WHERE app_id = ? AND key = ?';
    const row = this.#db.get(sql, this.#app, key);
    return row && toQuestion(row);
  }

  ofTurn(turn: TurnId): Question[] {
    const sql = 'SELECT question, state FROM questions WHERE app_id = ? AND turn = ? ORDER BY seq';
    return this.#db.all(sql, this.#app, turn).map(toQuestion);
  }

  openIn(chat: ChatId): Question[] {
    return this.#db
      .all(
        `SELECT question, state FROM questions WHERE app_id = ? AND chat_id = ? AND is_settled = 0
           AND phase = 'open' ORDER BY seq DESC`,
        this.#app,
        chat,
      )
      .map(toQuestion);
  }

  unsettled(): Question[] {
    const sql = `SELECT question, state FROM questions WHERE app_id = ? AND is_settled = 0 ORDER BY seq`;
    return this.#db.all(sql, this.#app).map(toQuestion);
  }

  insert({ state, ...question }: Question): void {
    this.#db.run(
      `INSERT INTO questions (key, app_id, turn, chat_id, question, phase, state, asked_at_ms, is_settled)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      question.key,
      this.#app,
      question.turn,
      question.chatId,
      JSON.stringify(question),
      state.phase,
      JSON.stringify(state),
      question.askedAtMs,
      isSettled(state),
    );
  }

  update({ state, ...question }: Question): void {
    this.#db.run(
      'UPDATE questions SET question = ?, phase = ?, state = ?, is_settled = ? WHERE app_id = ? AND key = ?',
      JSON.stringify(question),
      state.phase,
      JSON.stringify(state),
      isSettled(state),
      this.#app,
      question.key,
    );
  }

  shown({ key, turn }: Pick<Question, 'key' | 'turn'>) {
    const row = this.#db.get(
      `SELECT lark_id, json_extract(body, '$.content.kind') AS kind FROM outbox
       WHERE app_id = ? AND turn = ? AND phase = 'sent' AND json_extract(body, '$.question.key') = ?
       ORDER BY seq DESC LIMIT 1`,
      this.#app,
      turn,
      key,
    );
    return (
      row && {
        messageId: messageId(String(row['lark_id'])),
        isCard: row['kind'] === 'question',
      }
    );
  }

  /** Deletes old questions. None of an open turn is so old. */
  prune({ endedBeforeMs, limit }: PruneRules): number {
    return this.#db.run(
      `DELETE FROM questions WHERE seq IN (SELECT seq FROM (
         SELECT seq, asked_at_ms, is_settled FROM questions WHERE app_id = ? ORDER BY seq LIMIT ?)
         WHERE asked_at_ms < ? AND is_settled = 1)`,
      this.#app,
      limit,
      endedBeforeMs,
    );
  }
}

function isSettled(state: QuestionState): 0 | 1 {
  return state.phase === 'open' || (state.phase === 'answered' && state.isHeard !== true) ? 0 : 1;
}

function toQuestion(row: SqlRow): Question {
  return {
    // Questions of earlier versions have none.
    number: 1,
    ...(JSON.parse(String(row['question'])) as Omit<Question, 'state' | 'number'>),
    state: JSON.parse(String(row['state'])) as QuestionState,
  };
}

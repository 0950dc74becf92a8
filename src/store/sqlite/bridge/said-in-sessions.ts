import { messageId, turnId, type AppId } from '../../../core/ids.ts';
import type { Turn } from '../../../core/turn.ts';
import type { SaidInSessions, TurnThen, Viewer } from '../../../bridge/ports/sessions.ts';
import type { Db } from '../db.ts';
import { OutboxTable } from './outbox.ts';
import { FINAL, TurnReads } from './turn-reads.ts';

/** This many of the newest turns are looked at. It takes some tens of milliseconds, and texts are kept for a day only. */
const ROWS_MAX = 5_000;
/** More turns of one day are counted for nobody. */
const SINCE_MAX = 1_000;

/** A turn with a session, not recalled, among the newest. */
const REMEMBERED = `+app_id = ?1 AND seq > (SELECT max(seq) FROM turns) - ${ROWS_MAX}
  AND details ->> '$.session.id' IS NOT NULL AND json_array_length(message, '$.parts') > 0`;
/** Of the chat ?2, or what the person ?3 said elsewhere: they may have left a group, and what others say there goes on. */
const VISIBLE = `(chat_id = ?2 OR message ->> '$.senderOpenId' = ?3)`;

/** What was said in the sessions of one app. */
export class SqliteSaidInSessions implements SaidInSessions {
  readonly #db: Db;
  readonly #app: AppId;
  readonly #turns: TurnReads;
  readonly #outbox: OutboxTable;

  constructor({ db, app }: { db: Db; app: AppId }) {
    this.#db = db;
    this.#app = app;
    this.#turns = new TurnReads(db, app);
    this.#outbox = new OutboxTable(db, app);
  }

  async saidIn(session: string, limit: number): Promise<readonly TurnThen[]> {
    const rows = this.#db.all(
      `SELECT message_id FROM turns WHERE ${REMEMBERED} AND details ->> '$.session.id' = ?2
         AND phase IN ${FINAL} ORDER BY seq DESC LIMIT ?3`,
      this.#app,
      session,
      limit,
    );
    return this.#thenOf(rows.map(idOf).toReversed());
  }

  async search(words: string, { chatId: chat, by }: Viewer, limit: number) {
    const rows = this.#db.all(
      `SELECT message_id FROM turns WHERE ${REMEMBERED} AND ${VISIBLE} AND (
           EXISTS (SELECT 1 FROM json_each(message, '$.parts') AS part
             WHERE instr(lower(part.value ->> '$.text'), lower(?4)) > 0)
           OR EXISTS (SELECT 1 FROM outbox WHERE turn = message_id AND phase = 'sent'
             AND body ->> '$.content.kind' = 'answer'
             AND instr(lower(body ->> '$.content.text'), lower(?4)) > 0))
         ORDER BY seq DESC LIMIT ?5`,
      this.#app,
      chat,
      by ?? null,
      words,
      limit,
    );
    return this.#thenOf(rows.map(idOf));
  }

  async since(sinceMs: number, { chatId: chat, by }: Viewer) {
    const rows = this.#db.all(
      `SELECT message_id FROM turns WHERE ${REMEMBERED} AND ${VISIBLE} AND received_at_ms >= ?4
         ORDER BY seq DESC LIMIT ${SINCE_MAX}`,
      this.#app,
      chat,
      by ?? null,
      sinceMs,
    );
    return rows.flatMap((row) => thenOf(this.#turns.get(idOf(row)), []));
  }

  #thenOf(ids: readonly Turn['id'][]): readonly TurnThen[] {
    return ids.flatMap((id) => thenOf(this.#turns.get(id), this.#answersTo(id)));
  }

  #answersTo(id: Turn['id']): TurnThen['answers'] {
    return this.#outbox.ofTurn(id).flatMap(({ state, body }) => {
      const isShown = state.phase === 'sent' && body.kind === 'message';
      return isShown && body.content.kind === 'answer'
        ? { messageId: messageId(state.larkId), text: body.content.text }
        : [];
    });
  }
}

function idOf(row: Readonly<Record<string, unknown>>): Turn['id'] {
  return turnId(String(row['message_id']));
}

function thenOf(turn: Turn | undefined, answers: TurnThen['answers']): readonly TurnThen[] {
  const session = turn?.details?.session;
  if (turn === undefined || session === undefined) return [];
  return [{ message: turn.message, answers, session, receivedAtMs: turn.receivedAtMs }];
}

import { turnId, type AppId, type ChatId, type MessageId } from '../../../core/ids.ts';
import type { TurnDetails } from '../../../core/turn-details.ts';
import type { Turn, TurnState } from '../../../core/turn.ts';
import { FINAL, TurnReads } from './turn-reads.ts';
import type { Db } from '../db.ts';
import type { Admission, TurnChange } from '../../../bridge/ports/changes.ts';
import type { PruneRules } from '../../../bridge/ports/journal.ts';

/** What is written to the table `turns`. Call it inside `db.write`. */
export class TurnsTable {
  readonly reads: TurnReads;
  readonly #db: Db;
  readonly #app: AppId;

  constructor(db: Db, app: AppId) {
    this.#db = db;
    this.#app = app;
    this.reads = new TurnReads(db, app);
  }

  insert(
    { message, state, receivedAtMs }: Admission,
    { nowMs, details }: { readonly nowMs: number; readonly details: TurnDetails | undefined },
  ): Turn | undefined {
    const seq = this.#db.insert(
      `INSERT INTO turns (app_id, message_id, chat_id, phase, state, message, received_at_ms,
         admitted_at_ms, ended_at_ms, details)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      this.#app,
      message.messageId,
      message.chatId,
      state.phase,
      JSON.stringify(state),
      JSON.stringify(message),
      receivedAtMs,
      nowMs,
      isOver(state) ? nowMs : null,
      details === undefined ? null : JSON.stringify(details),
    );
    if (seq === undefined) return undefined;
    return {
      id: turnId(message.messageId),
      seq,
      message,
      receivedAtMs,
      run: 1,
      ...(details !== undefined && { details }),
      state,
    };
  }

  update(turn: Turn, change: TurnChange, nowMs: number): Turn {
    const { state, run, withdrawn } = change;
    const replyToken = turn.replyToken ?? change.replyToken;
    const { askedBy: before, ...rest } = turn;
    const askedBy = 'askedBy' in change ? change.askedBy : before;
    this.#db.run(
      'UPDATE turns SET phase = ?, state = ?, run = ?, asked_by = ?, reply_token = ?, ended_at_ms = ? WHERE seq = ?',
      state.phase,
      JSON.stringify(state),
      run ?? turn.run,
      askedBy ?? null,
      replyToken ?? null,
      isOver(state) ? nowMs : null,
      turn.seq,
    );
    const next = {
      ...rest,
      state,
      run: run ?? turn.run,
      ...(askedBy !== undefined && { askedBy }),
      ...(replyToken !== undefined && { replyToken }),
    };
    return this.setContent(next, withdrawn === undefined ? change : { parts: [], details: {} });
  }

  setContent(
    turn: Turn,
    { parts, details, edited }: Pick<TurnChange, 'parts' | 'details' | 'edited'>,
  ): Turn {
    if (parts === undefined && details === undefined && edited === undefined) return turn;
    const { edited: before, ...given } = turn.message;
    // Without parts nothing is left of the message, so nothing of what came with it stays.
    const isGone = parts?.length === 0 || given.parts.length === 0;
    const latest = isGone ? undefined : (edited ?? before);
    const message = {
      ...given,
      parts: parts ?? given.parts,
      ...(latest !== undefined && { edited: latest }),
    };
    const known = isGone ? {} : { ...turn.details, ...details };
    this.#db.run(
      'UPDATE turns SET message = ?, details = ? WHERE seq = ?',
      JSON.stringify(message),
      Object.keys(known).length === 0 ? null : JSON.stringify(known),
      turn.seq,
    );
    return { ...turn, message, details: known };
  }

  setState({ seq }: Turn, state: TurnState, nowMs: number): void {
    this.#db.run(
      'UPDATE turns SET phase = ?, state = ?, ended_at_ms = ? WHERE seq = ?',
      state.phase,
      JSON.stringify(state),
      isOver(state) ? nowMs : null,
      seq,
    );
  }

  /** Takes a message out of the details of those turns of a chat that may still run. */
  forgetSaid(message: MessageId, chat: ChatId): void {
    const rows = this.#db.all(
      `SELECT seq, details FROM turns WHERE +app_id = ?1 AND chat_id = ?2 AND details IS NOT NULL
         AND phase NOT IN ('answered', 'dropped') AND instr(details, ?3) > 0`,
      this.#app,
      chat,
      message,
    );
    for (const row of rows) {
      const { quoted, thread, ...rest } = JSON.parse(String(row['details'])) as TurnDetails;
      const details: TurnDetails = {
        ...rest,
        ...(quoted?.messageId !== message && { quoted }),
        ...(thread && { thread: thread.filter(({ messageId: id }) => id !== message) }),
      };
      this.#db.run(
        'UPDATE turns SET details = ? WHERE seq = ?',
        JSON.stringify(details),
        Number(row['seq']),
      );
    }
  }

  /** Ends kept messages that nobody let in, without their text. */
  endKept({ keptBeforeMs, limit }: PruneRules, nowMs: number): number {
    return this.#db.run(
      `UPDATE turns SET phase = 'dropped', state = '{"phase":"dropped","why":"not_allowed"}', ended_at_ms = ?,
         message = json_set(message, '$.parts', json('[]')), details = NULL WHERE seq IN (
         SELECT seq FROM turns WHERE +app_id = ? AND phase = 'kept' AND received_at_ms < ?
         ORDER BY seq LIMIT ?)`,
      nowMs,
      this.#app,
      keptBeforeMs ?? 0,
      limit,
    );
  }

  /** Deletes old turns that have ended, except the newest `keepIds`. */
  prune({ endedBeforeMs, keepIds, limit }: PruneRules): number {
    return this.#db.run(
      `DELETE FROM turns WHERE seq IN (
         SELECT seq FROM turns WHERE +app_id = ? AND phase IN ${FINAL} AND received_at_ms < ?
           AND seq <= (SELECT max(seq) FROM turns) - ? ORDER BY seq LIMIT ?)`,
      this.#app,
      endedBeforeMs,
      keepIds,
      limit,
    );
  }

  /** Removes the text of old turns that have ended. */
  strip({ endedBeforeMs, limit }: PruneRules): number {
    return this.#db.run(
      `UPDATE turns SET message = json_remove(json_set(message, '$.parts', json('[]')), '$.edited'),
         details = NULL WHERE seq IN (
         SELECT seq FROM turns WHERE +app_id = ? AND phase IN ${FINAL} AND received_at_ms < ?
           AND json_array_length(message, '$.parts') > 0 ORDER BY seq LIMIT ?)`,
      this.#app,
      endedBeforeMs,
      limit,
    );
  }
}

function isOver({ phase }: TurnState): boolean {
  return phase === 'answered' || phase === 'failed' || phase === 'dropped';
}

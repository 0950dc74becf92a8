import { chatId, turnId, type AppId, type TurnId } from '../../../core/ids.ts';
import type { Turn, TurnPhase, TurnState } from '../../../core/turn.ts';
import type { Db } from '../db.ts';
import type { SqlRow } from '../driver.ts';
import type { DroppedRun, PruneRules, UnansweredRun } from '../../../bridge/ports/journal.ts';
import type { RunCause, TurnRun } from '../../../bridge/ports/journal-reader.ts';

/** The target is asked about each of these after a start. On a normal day there are fewer. */
const DROPPED_ROWS_MAX = 100;

/** For each reason: how the run was left open. A run that began again while it was overdue has none. */
const HOWS: Readonly<Record<string, UnansweredRun['how']>> = {
  unknown: 'in_doubt',
  gave_up_waiting: 'gave_up',
};

/** All SQL of the table `runs`. Call the writers inside `db.write`. */
export class RunsTable {
  readonly #db: Db;
  readonly #app: AppId;

  constructor(db: Db, app: AppId) {
    this.#db = db;
    this.#app = app;
  }

  /** Stores what a turn's step from the phase `from` means for its run. */
  note(
    { id, run, state }: Turn,
    from: TurnPhase,
    { nowMs, lastWords }: { readonly nowMs: number; readonly lastWords?: string | undefined },
  ): void {
    if (state.phase === from) return;
    switch (state.phase) {
      case 'sending':
        this.#db.run(
          `INSERT INTO runs (app_id, turn, run, started_at_ms) VALUES (?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET tries = tries + 1, accepted_at_ms = NULL`,
          this.#app,
          id,
          run,
          nowMs,
        );
        break;
      case 'accepted':
        this.#db.run(
          'UPDATE runs SET accepted_at_ms = ? WHERE app_id = ? AND turn = ? AND run = ?',
          nowMs,
          this.#app,
          id,
          run,
        );
        break;
      case 'held':
      case 'answered':
      case 'failed':
      case 'dropped':
        this.#end(id, run, {
          as: state.phase,
          reason: reasonOf(state),
          cause: causeOf(state, lastWords),
          nowMs,
        });
        break;
      case 'waiting':
        // Began again while its answer was still missing.
        if (from === 'overdue')
          this.#end(id, run - 1, { as: from, reason: null, cause: null, nowMs });
        break;
      case 'overdue':
      case 'kept':
      case 'command':
        break;
    }
  }

  /** The message was recalled. What a program said about it may quote it. */
  forgetWords(turn: TurnId): void {
    this.#db.run(
      `UPDATE runs SET cause = json_remove(cause, '$.lastWords')
       WHERE app_id = ? AND turn = ? AND cause IS NOT NULL`,
      this.#app,
      turn,
    );
  }

  ofTurn(turn: TurnId): TurnRun[] {
    return this.#db
      .all('SELECT * FROM runs WHERE app_id = ? AND turn = ? ORDER BY run', this.#app, turn)
      .map(toRun);
  }

  current(turns: readonly Turn[]): Map<TurnId, TurnRun> {
    const wanted = JSON.stringify(turns.map(({ id, run }) => [id, run]));
    const rows = this.#db.all(
      `SELECT runs.* FROM json_each(?) AS wanted
       JOIN runs ON app_id = ? AND turn = wanted.value ->> 0 AND run = wanted.value ->> 1`,
      wanted,
      this.#app,
    );
    return new Map(rows.map((row) => [turnId(String(row['turn'])), toRun(row)]));
  }

  /**
   * Runs that were left open (in doubt, begun again, given up). A run that was answered later is not one of
   * them, even if its answer was put into quarantine.
   */
  unanswered(sinceMs: number): UnansweredRun[] {
    return this.#db
      .all(
        `SELECT runs.turn, runs.run, runs.ended_at_ms, runs.reason, turns.chat_id,
           json_extract(turns.message, '$.threadId') AS thread_id,
           turns.phase = 'held' AND turns.run = runs.run AS is_held FROM runs
         JOIN turns ON turns.app_id = runs.app_id AND turns.message_id = runs.turn
         WHERE +runs.app_id = ?1 AND runs.ended_at_ms >= ?2
           AND (runs.ended_as = 'overdue' OR runs.reason IN ('unknown', 'gave_up_waiting'))
           AND NOT (turns.run = runs.run AND turns.phase = 'answered')
           AND NOT EXISTS (SELECT 1 FROM quarantine AS kept WHERE kept.app_id = runs.app_id
             AND kept.turn = runs.turn AND kept.at_ms >= runs.ended_at_ms)
         ORDER BY runs.seq`,
        this.#app,
        sinceMs,
      )
      .map((row) => ({
        turn: turnId(String(row['turn'])),
        run: Number(row['run']),
        chatId: chatId(String(row['chat_id'])),
        threadId: row['thread_id'] === null ? undefined : String(row['thread_id']),
        endedAtMs: Number(row['ended_at_ms']),
        how: HOWS[String(row['reason'])] ?? 'overdue',
        isHeld: row['is_held'] === 1,
      }));
  }

  /** Also runs that had ended without an answer before their turns were dropped: an agent may be at work on them. */
  dropped(sinceMs: number): DroppedRun[] {
    return this.#db
      .all(
        `SELECT runs.turn, runs.run FROM runs
         LEFT JOIN turns ON turns.app_id = runs.app_id AND turns.message_id = runs.turn
         WHERE +runs.app_id = ? AND runs.ended_at_ms >= ? AND (runs.ended_as = 'dropped'
           OR (turns.phase = 'dropped' AND runs.ended_as IN ('held', 'overdue')))
         ORDER BY runs.seq DESC LIMIT ${DROPPED_ROWS_MAX}`,
        this.#app,
        sinceMs,
      )
      .map((row) => ({ turn: turnId(String(row['turn'])), run: Number(row['run']) }));
  }

  #end(turn: TurnId, run: number, { as, reason, cause, nowMs }: RunEnd): void {
    this.#db.run(
      `UPDATE runs SET ended_at_ms = ?, ended_as = ?, reason = ?, cause = ?
       WHERE app_id = ? AND turn = ? AND run = ? AND ended_at_ms IS NULL`,
      nowMs,
      as,
      reason,
      cause,
      this.#app,
      turn,
      run,
    );
  }

  /** Deletes old runs that have ended. Reads only the oldest runs, because runs are ordered by age. */
  prune({ endedBeforeMs, limit }: PruneRules): number {
    return this.#db.run(
      `DELETE FROM runs WHERE seq IN (SELECT seq FROM (
         SELECT seq, ended_at_ms FROM runs WHERE +app_id = ? AND ended_at_ms IS NOT NULL
         ORDER BY seq LIMIT ?) WHERE ended_at_ms < ?)`,
      this.#app,
      limit,
      endedBeforeMs,
    );
  }
}

interface RunEnd {
  readonly as: TurnPhase;
  readonly reason: string | null;
  readonly cause: string | null;
  readonly nowMs: number;
}

function reasonOf(state: TurnState): string | null {
  if (state.phase === 'failed') return state.reason;
  return state.phase === 'held' || state.phase === 'dropped' ? state.why : null;
}

function causeOf(state: TurnState, lastWords: string | undefined): string | null {
  if (state.phase !== 'failed' || state.cause === undefined) return null;
  const cause: RunCause = { ...state.cause, ...(lastWords !== undefined && { lastWords }) };
  return JSON.stringify(cause);
}

function toRun(row: SqlRow): TurnRun {
  const timeOf = (name: string) => (row[name] === null ? undefined : Number(row[name]));
  return {
    run: Number(row['run']),
    tries: Number(row['tries']),
    startedAtMs: Number(row['started_at_ms']),
    acceptedAtMs: timeOf('accepted_at_ms'),
    endedAtMs: timeOf('ended_at_ms'),
    endedAs: row['ended_as'] === null ? undefined : (String(row['ended_as']) as TurnPhase),
    reason: row['reason'] === null ? undefined : String(row['reason']),
    cause: row['cause'] === null ? undefined : (JSON.parse(String(row['cause'])) as RunCause),
  };
}

/** What a database from a backup can still be sure of. */
import { failureSentence } from '../../../wire/failure-sentences.ts';
import type { Db } from '../db.ts';

/** When it was put in place from a backup last; never later than now, as the clock may have been wrong. Undefined: never. */
export function restoredAtMs(db: Pick<Db, 'get'>, nowMs: number): number | undefined {
  const at = db.get('SELECT max(at_ms) AS at_ms FROM restores')?.['at_ms'];
  return at === null || at === undefined ? undefined : Math.min(Number(at), nowMs);
}

interface Restore {
  readonly backupAtMs: number;
  readonly nowMs: number;
}

/**
 * Nobody knows what became of the work that was open when the backup was made. Most of it was done since. So nothing
 * of it goes on by itself: turns are held, and the chat is asked; what may have been shown is first looked for in
 * the chat. Signs on messages, orders of the operator and questions of agents end, as they were about that time.
 */
export async function endOpenWork(db: Db, { backupAtMs, nowMs }: Restore): Promise<void> {
  await db.write(() => {
    endTurns(db, nowMs);
    db.run(
      `UPDATE outbox SET phase = 'dropped', ended_at_ms = ?
         WHERE phase = 'pending' AND priority = 'reaction'`,
      nowMs,
    );
    // A live card may show an answer by now, and the numbers of its calls are not known.
    db.run('DELETE FROM live_cards');
    db.run(
      `UPDATE outbox SET tried_at_ms = coalesce(tried_at_ms, ?), live_card = NULL
         WHERE phase = 'pending'`,
      backupAtMs,
    );
    endQuestions(db, nowMs);
    db.run("UPDATE orders SET outcome = 'refused' WHERE outcome IS NULL");
    endHubTurns(db, nowMs);
    // Its answers were shown, and would be taken for those of other turns.
    db.run('DELETE FROM cursors WHERE workspace NOT IN (SELECT id FROM hub_workspaces)');
    db.run(
      `INSERT INTO gaps (app_id, from_ms) SELECT DISTINCT app_id, ? FROM turns WHERE true
         ON CONFLICT DO NOTHING`,
      backupAtMs,
    );
    db.run('INSERT INTO restores (at_ms, backup_at_ms) VALUES (?, ?)', nowMs, backupAtMs);
  });
}

function endTurns(db: Db, nowMs: number): void {
  db.run(
    `UPDATE runs SET ended_at_ms = ?, ended_as = 'held', reason = 'restored'
       WHERE ended_at_ms IS NULL`,
    nowMs,
  );
  // The agent has asked for something. What the person says next is a message of its own.
  db.run(
    `UPDATE turns SET phase = 'answered', state = '{"phase":"answered","isOpen":true}',
       ended_at_ms = ? WHERE phase = 'overdue' AND json_extract(state, '$.asks')`,
    nowMs,
  );
  db.run(
    `UPDATE turns SET phase = 'held', state = '{"phase":"held","why":"restored"}'
       WHERE phase IN ('waiting', 'sending', 'accepted', 'overdue')`,
  );
  db.run(
    `UPDATE turns SET phase = 'answered', state = '{"phase":"answered"}', ended_at_ms = ?
       WHERE phase = 'command'`,
    nowMs,
  );
}

function endQuestions(db: Db, nowMs: number): void {
  db.run(
    `UPDATE questions SET phase = 'over',
       state = json_object('phase', 'over', 'why', 'restarted', 'atMs', ?) WHERE phase = 'open'`,
    nowMs,
  );
  db.run('UPDATE questions SET is_settled = 1 WHERE is_settled = 0');
}

function endHubTurns(db: Db, nowMs: number): void {
  const detail = failureSentence('agent_interrupted');
  db.run(
    `UPDATE hub_items SET status = 'failed', completed_at_ms = ?, last_error = ?, outcome = ?
       WHERE status IN ('queued', 'dispatched')`,
    nowMs,
    detail,
    JSON.stringify({ kind: 'failed', reason: 'interrupted', detail }),
  );
}

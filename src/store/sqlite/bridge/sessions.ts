import { randomUUID } from 'node:crypto';
import { chatId, type AppId, type MessageId, type OpenId } from '../../../core/ids.ts';
import type { InboundMessage } from '../../../core/message.ts';
import type { SessionOfTurn } from '../../../core/turn-details.ts';
import type { Turn } from '../../../core/turn.ts';
import { oneLine } from '../../../text/cut.ts';
import { visibleOf } from '../../../text/visible.ts';
import type { TurnChange } from '../../../bridge/ports/changes.ts';
import type { Place, PruneRules } from '../../../bridge/ports/journal.ts';
import type { Chosen, KnownSession, Viewer } from '../../../bridge/ports/sessions.ts';
import type { Db } from '../db.ts';
import type { SqlRow } from '../driver.ts';
import { chosenIn, PlacesTable } from './places.ts';

/** As much as people need to know a conversation again. */
const TITLE_CHARS_MAX = 60;
/** Nobody goes back to a conversation that was left so long ago. */
const LEFT_KEEP_MS = 90 * 24 * 60 * 60 * 1000;

const COLUMNS = 'id, chat_id, thread_id, agent, folder, title, used_at_ms, turns';

/** All SQL of the table `sessions`: which memory the agent has where. Call the writers inside `db.write`. */
export class SessionsTable {
  readonly places: PlacesTable;
  readonly #db: Db;
  readonly #app: AppId;

  constructor(db: Db, app: AppId) {
    this.#db = db;
    this.#app = app;
    this.places = new PlacesTable(db, app);
  }

  current(place: Place): SessionOfTurn | undefined {
    const chosen = this.places.of(place);
    const row = this.#current(place, chosen);
    return row && { id: String(row['id']), isNew: row['turns'] === 0, ...chosen };
  }

  /** The session of the turn that a message makes. */
  use(message: InboundMessage, nowMs: number): SessionOfTurn {
    const chosen = this.places.of(message);
    const known = this.#current(message, chosen);
    const id = known === undefined ? randomUUID() : String(known['id']);
    if (known === undefined) this.#add(id, message, { chosen, by: message.senderOpenId, nowMs });
    const title = known?.['title'] ? '' : titleOf(message);
    this.#db.run(
      `UPDATE sessions SET turns = turns + 1, used_at_ms = ?2, is_shared = is_shared OR owner <> ?5,
         title = iif(?3 = '', title, ?3), title_of = iif(?3 = '', title_of, ?4) WHERE id = ?1`,
      id,
      nowMs,
      title,
      message.messageId,
      message.senderOpenId,
    );
    return { id, isNew: (known?.['turns'] ?? 0) === 0, ...chosen };
  }

  /**
   * The change of a turn, with the session that it runs in if it waits from now on. What was kept has none before. A turn
   * that runs again keeps its own, unless another chat has that one or the person has chosen anew.
   */
  inSession(turn: Turn, change: TurnChange, nowMs: number): TurnChange {
    const isAgain = change.state.phase === 'waiting' && turn.state.phase !== 'waiting';
    if (!isAgain || turn.state.phase === 'sending') return change;
    const before = turn.details?.session;
    const isHere = before && this.byId(before.id)?.chatId === turn.message.chatId;
    const keeps = isHere === true && change.isChosenAnew !== true;
    const session = keeps ? before : this.use(turn.message, nowMs);
    return { ...change, details: { ...change.details, session } };
  }

  /** Turns from now on have another session. Those that wait already keep theirs. */
  renew(place: Place, by: OpenId, nowMs: number): void {
    const chosen = this.places.of(place);
    this.leave(place, chosen);
    this.#add(randomUUID(), place, { chosen, by, nowMs });
  }

  /** Nothing is current there any more. */
  leave({ chatId: chat, threadId }: Place, { agent, folder }: Chosen): void {
    const where = `chat_id = ? AND thread_id = ? AND agent = ? AND folder = ? AND app_id = ? AND is_current = 1`;
    const values = [chat, threadId ?? '', agent ?? '', folder ?? '', this.#app] as const;
    this.#db.run(`DELETE FROM sessions WHERE ${where} AND turns = 0`, ...values);
    this.#db.run(`UPDATE sessions SET is_current = 0 WHERE ${where}`, ...values);
  }

  moveTo({ chatId: chat, threadId }: Place, id: string): void {
    this.#db.run(
      'UPDATE sessions SET chat_id = ?, thread_id = ?, is_current = 1 WHERE id = ?',
      chat,
      threadId ?? '',
      id,
    );
  }

  byId(id: string): KnownSession | undefined {
    const sql = `SELECT ${COLUMNS} FROM sessions WHERE id = ? AND app_id = ?`;
    const row = this.#db.get(sql, id, this.#app);
    return row && sessionOf(row);
  }

  /**
   * Those that were used, newest first: whose id begins so, and whose title has the words. From elsewhere only those
   * in which nobody else has spoken: their owner may have left that chat since, and the memory is also that of others.
   */
  visible(
    { chatId: chat, by }: Viewer,
    {
      start = '',
      words = '',
      limit,
    }: { readonly start?: string; readonly words?: string; readonly limit: number },
  ): KnownSession[] {
    return this.#db
      .all(
        `SELECT ${COLUMNS} FROM sessions WHERE (chat_id = ?1 OR (owner = ?2 AND is_shared = 0)) AND +app_id = ?3 AND turns > 0
           AND substr(id, 1, length(?4)) = ?4 AND instr(lower(title), lower(?5)) > 0
         ORDER BY used_at_ms DESC, seq DESC LIMIT ?6`,
        chat,
        by ?? null,
        this.#app,
        start,
        words,
        limit,
      )
      .map(sessionOf);
  }

  /** The message was recalled, so its words are no title. */
  forget(message: MessageId): void {
    this.#db.run("UPDATE sessions SET title = '', title_of = NULL WHERE title_of = ?", message);
  }

  /** A title stays as long as somebody may look for it. What was left long ago is deleted. */
  prune({ limit }: PruneRules, nowMs: number): number {
    const beforeMs = nowMs - LEFT_KEEP_MS;
    const titles = this.#db.run(
      `UPDATE sessions SET title = '', title_of = NULL WHERE seq IN (
         SELECT seq FROM sessions WHERE title_of IS NOT NULL AND used_at_ms < ? LIMIT ?)`,
      beforeMs,
      limit,
    );
    const left = this.#db.run(
      `DELETE FROM sessions WHERE seq IN (
         SELECT seq FROM sessions WHERE is_current = 0 AND used_at_ms < ? LIMIT ?)`,
      beforeMs,
      limit,
    );
    return titles + left;
  }

  #current({ chatId: chat, threadId }: Place, { agent, folder }: Chosen): SqlRow | undefined {
    return this.#db.get(
      `SELECT id, turns, title FROM sessions
         WHERE chat_id = ? AND thread_id = ? AND agent = ? AND folder = ? AND app_id = ? AND is_current = 1`,
      chat,
      threadId ?? '',
      agent ?? '',
      folder ?? '',
      this.#app,
    );
  }

  #add(
    id: string,
    { chatId: chat, threadId }: Place,
    { chosen, by, nowMs }: { readonly chosen: Chosen; readonly by: OpenId; readonly nowMs: number },
  ): void {
    this.#db.run(
      `INSERT INTO sessions (id, app_id, chat_id, thread_id, agent, folder, owner, since_ms, used_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)`,
      id,
      this.#app,
      chat,
      threadId ?? '',
      chosen.agent ?? '',
      chosen.folder ?? '',
      by,
      nowMs,
    );
  }
}

/** Only words: a picture says nothing in a list. */
function titleOf({ parts }: InboundMessage): string {
  const words = parts.flatMap((part) => (part.kind === 'text' ? visibleOf(part.text) : []));
  return oneLine(words.join(' '), TITLE_CHARS_MAX);
}

function sessionOf(row: SqlRow): KnownSession {
  const thread = String(row['thread_id']);
  return {
    id: String(row['id']),
    chatId: chatId(String(row['chat_id'])),
    threadId: thread === '' ? undefined : thread,
    ...chosenIn(row['agent'], row['folder']),
    title: String(row['title']),
    usedAtMs: Number(row['used_at_ms']),
    turns: Number(row['turns']),
  };
}

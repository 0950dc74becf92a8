import type { WorkspaceId } from '../core/ids.ts';
import { repeating, type RepeatedWork } from '../time/repeat.ts';
import { describe } from './answers.ts';
import type { HubCalls } from './hub-calls.ts';
import {
  cursorProbePath,
  cursorsKnown,
  inboxPath,
  parseInbox,
  type InboxPage,
  type InboxQuery,
} from './inbox.ts';
import type { UnmatchedAnswer } from '../bridge/ports/target.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

/** How often a workspace reads its inbox (MOL-INB-01). */
const INBOX_POLL_MS = 5_000;
/** How far back an inbox is read that was never read (MOL-INB-01). */
const INBOX_BACKLOG_SECS = 600;
/** Without cursors this much is read again every time, because rows can become visible out of order. */
const INBOX_OVERLAP_SECS = 60;
/** How far back it is read when the cursor is lost: less than known answers are remembered for. */
const INBOX_RESET_SECS = 12 * 60 * 60;
/** Rows of one read: enough for five seconds, and all that a hub gives of a backlog (MOL-ACT-04). */
const INBOX_ROWS_NEXT = 100;
const INBOX_ROWS_BACKLOG = 500;

/** Trouble that lasts is said again every so many looks. */
const TROUBLE_REPEAT = 60;

export interface CursorStore {
  load(): Promise<string | undefined>;
  save(cursor: string | undefined): Promise<void>;
}

interface InboxReaderParts {
  readonly calls: HubCalls;
  readonly workspace: WorkspaceId;
  /** How far the inbox was read. Kept across restarts. */
  readonly cursor: CursorStore;
  /** Takes a message that names no turn. Rejects if it could not be stored. */
  readonly receive: (answer: UnmatchedAnswer) => Promise<void>;
  /** The hub gives answers by their turns, so the inbox need not be read for them. */
  readonly correlates: () => boolean;
  /** The inbox is only ours, so rows may be marked as read. */
  readonly isOwn: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** Reads a workspace's inbox again and again, and hands over what is new there. */
export class InboxReader {
  readonly #parts: InboxReaderParts;
  readonly #rounds: RepeatedWork;
  /** The hub has more rows for us, so that it is read again at once. */
  #hasMore = false;
  /** Undefined: not known yet. An old server has no cursors, and gives its newest rows every time. */
  #hasCursors: boolean | undefined;
  #rowsMax = INBOX_ROWS_NEXT;
  #readAtMs: number | undefined;
  #marks = true;
  #marked = -1;
  #troubles = 0;
  #latestTrouble: string | undefined;

  constructor(parts: InboxReaderParts) {
    this.#parts = parts;
    const { clock, log } = parts;
    this.#rounds = repeating({
      name: 'inbox',
      firstMs: INBOX_POLL_MS,
      everyMs: () => (this.#hasMore ? 0 : INBOX_POLL_MS),
      work: () => this.#round(),
      clock,
      log,
    });
  }

  start(): Promise<void> {
    return this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  /** When it fails, the next look hands over the same rows again. */
  async #round(): Promise<void> {
    this.#hasMore = false;
    this.#hasMore = await this.#look();
  }

  /** True if there is more to be had at once. */
  async #look(): Promise<boolean> {
    if (this.#hasCursors === undefined) await this.#findOut();
    if (this.#hasCursors === undefined) return false;
    const cursor = this.#hasCursors ? await this.#parts.cursor.load() : undefined;
    const query = { cursor, sinceSecs: this.#backlogSecs(), limit: this.#limit(cursor) };
    const page = await this.#read(query);
    if (page.kind === 'rows') return this.#take(page, query);
    if (page.kind !== 'cursor_lost') return page.kind === 'too_large' && this.#takeLess(page);
    this.#parts.log.warn('inbox_cursor_lost', { cursor, effect: 'the backlog is read again' });
    // The old cursor is kept until the rows that came since are stored.
    const backlog = { cursor: undefined, sinceSecs: INBOX_RESET_SECS, limit: INBOX_ROWS_BACKLOG };
    const rows = await this.#read(backlog);
    if (rows.kind !== 'rows') return false;
    if (rows.cursor === undefined) await this.#parts.cursor.save(undefined);
    return this.#take(rows, backlog);
  }

  /** MOL-ACT-06: a server with cursors answers "gone" for a cursor that can't exist. */
  async #findOut(): Promise<void> {
    const { calls, workspace } = this.#parts;
    const result = await calls.ask({ method: 'GET', path: cursorProbePath(workspace) });
    const has = cursorsKnown(result);
    if (has === undefined) this.#trouble(describe(result));
    this.#hasCursors = has;
  }

  /** Uses the server's clock, because ours may be wrong. */
  #backlogSecs(): number {
    const { clock } = this.#parts;
    const sinceMs = this.#readAtMs === undefined ? 0 : clock.nowMs() - this.#readAtMs;
    const secs = this.#readAtMs === undefined ? INBOX_BACKLOG_SECS : INBOX_OVERLAP_SECS;
    return Math.min(secs + Math.max(0, Math.ceil(sinceMs / 1000)), INBOX_RESET_SECS);
  }

  #limit(cursor: string | undefined): number {
    const isBacklog = cursor === undefined && this.#rowsMax === INBOX_ROWS_NEXT;
    return isBacklog ? INBOX_ROWS_BACKLOG : this.#rowsMax;
  }

  async #read(query: InboxQuery): Promise<InboxPage> {
    const { calls, workspace, correlates, isOwn } = this.#parts;
    const result = await calls.ask({ method: 'GET', path: inboxPath(workspace, query) });
    const page = parseInbox(result, {
      own: workspace,
      query,
      correlates: correlates(),
      isOwn,
    });
    if (page.kind === 'trouble' || page.kind === 'too_large') this.#trouble(page.detail);
    else this.#noTrouble();
    return page;
  }

  async #take(page: Extract<InboxPage, { kind: 'rows' }>, query: InboxQuery): Promise<boolean> {
    const { clock, cursor, receive, log } = this.#parts;
    const isFull = page.count >= query.limit;
    if (isFull && query.cursor === undefined) {
      log.warn('inbox_backlog_cut', { rows: page.count, effect: 'older rows are not read' });
    }
    for (const answer of page.answers) {
      if (this.#rounds.stopSignal.aborted) return false;
      await receive(answer);
    }
    // Only now: if the process dies before this, the same answers are handed over again, which does no harm.
    if (this.#hasCursors === true && page.cursor !== undefined) await cursor.save(page.cursor);
    this.#readAtMs = clock.nowMs();
    this.#rowsMax = INBOX_ROWS_NEXT;
    await this.#mark(page.seq);
    return isFull && query.cursor !== undefined;
  }

  /** A few huge rows can make a page too large. Then fewer rows are read at once, at last one by one. */
  #takeLess({ detail }: { readonly detail: string }): boolean {
    const { log } = this.#parts;
    if (this.#rowsMax === 1) {
      log.error('inbox_row_not_read', { detail, effect: 'nothing behind it can be read' });
      return false;
    }
    this.#rowsMax = Math.max(1, Math.floor(this.#rowsMax / 10));
    return true;
  }

  /**
   * Tells the hub how far the inbox was read (MOL-ACT-07). An old hub has no route for it, which does no
   * harm.
   */
  async #mark(seq: number | undefined): Promise<void> {
    const { calls, workspace, isOwn } = this.#parts;
    if (!isOwn || !this.#marks || seq === undefined || seq <= this.#marked) return;
    const path = `/workspaces/${workspace}/activity/ack`;
    const result = await calls.call({ method: 'POST', path, body: { acked_seq: seq } });
    if (result.kind !== 'answer') return;
    if (result.status === 200) this.#marked = seq;
    else if (result.status === 404) this.#marks = false;
  }

  #trouble(detail: string): void {
    if (this.#rounds.stopSignal.aborted) return;
    if (detail !== this.#latestTrouble || this.#troubles % TROUBLE_REPEAT === 0) {
      this.#parts.log.warn('inbox_not_read', { detail });
    }
    this.#latestTrouble = detail;
    this.#troubles += 1;
  }

  #noTrouble(): void {
    if (this.#latestTrouble !== undefined) this.#parts.log.info('inbox_read_again', {});
    this.#latestTrouble = undefined;
    this.#troubles = 0;
  }
}

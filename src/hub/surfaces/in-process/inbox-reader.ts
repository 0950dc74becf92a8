import { isSameWorkspace, type WorkspaceId } from '../../../core/ids.ts';
import type { UnmatchedAnswer } from '../../../bridge/ports/target.ts';
import type { Log } from '../../../core/log.ts';
import type { Clock } from '../../../time/clock.ts';
import { logFailure } from '../../../time/repeat.ts';
import { limitAt } from '../../../time/wait.ts';
import { Wake } from '../../../time/wake.ts';
import { saidBy } from '../../../wire/agent-text.ts';
import { fileNamesOf } from '../../../wire/files.ts';
import { withoutMark } from '../../../wire/reply-token.ts';
import { textOf } from '../../domain/messages.ts';
import type { Turns } from '../../domain/turns.ts';
import type { Activity, ActivityStore } from '../../ports/activity.ts';
import type { TurnContent } from '../../ports/turns.ts';

/** When a message that could not be stored is handed over again. */
const RETRY_MS = 5_000;
/** How far back an inbox is read that was never read, or whose cursor was lost. */
const BACKLOG_MS = 12 * 60 * 60 * 1000;
/** How many rows are read at once. */
const ROWS_MAX = 100;

export interface CursorStore {
  load(): Promise<string | undefined>;
  save(cursor: string | undefined): Promise<void>;
}

interface InboxReaderParts {
  readonly turns: Turns;
  readonly store: ActivityStore;
  readonly own: WorkspaceId;
  readonly receive: (answer: UnmatchedAnswer) => Promise<void>;
  readonly cursor: CursorStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** Hands over the messages of agents that answer no turn of the bridge. Each row is handed over at least once. */
export class InboxReader {
  readonly #parts: InboxReaderParts;
  readonly #arrived = new Wake();
  readonly #stop = new AbortController();
  #arrivals = 0;
  #loop: Promise<void> = Promise.resolve();

  constructor(parts: InboxReaderParts) {
    this.#parts = parts;
  }

  start(): void {
    const { turns, own } = this.#parts;
    turns.onArrival(own, () => {
      this.#arrivals += 1;
      this.#arrived.ring();
    });
    this.#loop = this.#readUntilStopped();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  async #readUntilStopped(): Promise<void> {
    const { clock } = this.#parts;
    while (!this.#stop.signal.aborted) {
      const arrivals = this.#arrivals;
      const outcome = await this.#handOverNew();
      if (outcome === 'more') continue;
      const retryAtMs = outcome === 'not_kept' ? clock.nowMs() + RETRY_MS : undefined;
      const limit = limitAt(clock, this.#stop.signal, retryAtMs);
      if (arrivals === this.#arrivals) await this.#arrived.wait(limit.signal);
      limit.cancel();
    }
  }

  async #handOverNew(): Promise<'more' | 'done' | 'not_kept'> {
    const { receive, cursor, log } = this.#parts;
    try {
      const rows = await this.#rows();
      for (const row of rows) {
        if (this.#stop.signal.aborted) return 'done';
        const answer = this.#answerOf(row);
        if (answer !== undefined) await receive(answer);
      }
      const last = rows.at(-1);
      // Only now: if the process dies before this, the same rows are handed over again, which does no harm.
      if (last !== undefined) await cursor.save(last.id);
      // A page may end early, because it is large.
      return last === undefined ? 'done' : 'more';
    } catch (error) {
      if (this.#stop.signal.aborted) return 'done';
      logFailure('inbox', log, error);
      return 'not_kept';
    }
  }

  /** The rows after the cursor, oldest first. */
  async #rows(): Promise<readonly Activity[]> {
    const { store, own, cursor, clock } = this.#parts;
    const sinceId = await cursor.load();
    const type = 'a2a_receive';
    if (sinceId !== undefined) {
      const rows = await store.activity(own, { type, sinceId, limit: ROWS_MAX });
      if (rows !== undefined) return rows;
    }
    const sinceMs = clock.nowMs() - BACKLOG_MS;
    const newest = await store.activity(own, { type, sinceMs, limit: ROWS_MAX });
    return newest?.toReversed() ?? [];
  }

  /** `undefined` for rows that are not for us: our own messages, and answers that name their turn. */
  #answerOf({ id, source, received, summary }: Activity): UnmatchedAnswer | undefined {
    if (source === undefined || isSameWorkspace(source, this.#parts.own)) return undefined;
    const content = received && (JSON.parse(received.content) as TurnContent);
    const message = content?.message;
    if ((message?.referenceTaskIds ?? []).length > 0) return undefined;
    const files = fileNamesOf(message?.parts ?? []);
    const marked = (message && textOf(message)) || (summary ?? '');
    const { token, text: unmarked } = withoutMark(marked);
    const text = marked === '' && files.length === 0 ? '(empty A2A message)' : unmarked;
    const said = saidBy(text);
    return {
      id,
      from: source,
      text,
      ...(token !== undefined && { replyToken: token }),
      ...(files.length > 0 && { files }),
      ...(said.kind === 'failed' && { failure: said.detail }),
    };
  }
}

import type { QueueId } from '../ports.ts';
import type { AgentResult, AgentRun } from '../../agents/runtime.ts';
import type { Log } from '../../core/log.ts';
import type { TurnUpdate } from '../../core/turn-update.ts';
import type { Clock } from '../../time/clock.ts';
import { limitAt, pause } from '../../time/wait.ts';

/** How long cancelled agents may take to end before the hub stops without them. */
const HUB_STOP_CANCEL_MS = 4_000;

export interface AgentWorkParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly turn: QueueId;
  readonly timeoutMs: number;
}

/** One run of an agent, held to its time, whatever the agent does. */
export class AgentWork {
  readonly #parts: AgentWorkParts;
  readonly #cancelled = new AbortController();

  constructor(parts: AgentWorkParts) {
    this.#parts = parts;
  }

  /** Ends the run; its result is then that it was cancelled, unless it ended by itself just before. */
  cancel(): void {
    this.#cancelled.abort();
  }

  /**
   * Never rejects: agents are foreign code, and one that breaks has failed its turn, not the hub. Updates are
   * passed on until the turn is over or cancelled.
   */
  async run(
    begin: (onUpdate: (update: TurnUpdate) => void) => Promise<AgentRun>,
    onUpdate: (update: TurnUpdate) => void,
  ): Promise<AgentResult> {
    const { clock, log, turn, timeoutMs } = this.#parts;
    if (this.#cancelled.signal.aborted) return CANCELLED;
    const over = new AbortController();
    const limit = limitAt(clock, this.#cancelled.signal, clock.nowMs() + timeoutMs);
    try {
      const whileOpen = (update: TurnUpdate) => {
        if (!over.signal.aborted && !limit.signal.aborted) onUpdate(update);
      };
      const result = await Promise.race([
        ended(() => begin(whileOpen), limit.signal),
        this.#abandoned(limit.signal, over.signal),
      ]);
      return limit.isOver() && !result.ok ? timedOut(timeoutMs) : result;
    } catch (error) {
      const stack = error instanceof Error ? error.stack : String(error);
      log.error('hub_agent_broke', { turn, error: stack });
      return { ok: false, reason: 'failed', detail: 'The agent broke while it worked on this.' };
    } finally {
      limit.cancel();
      over.abort();
    }
  }

  /** Settles some time after the run was cancelled, for agents that do not end when they are told to. */
  async #abandoned(cancelled: AbortSignal, over: AbortSignal): Promise<AgentResult> {
    const { clock, log, turn } = this.#parts;
    await new Promise<void>((resolve) => {
      cancelled.addEventListener('abort', () => resolve());
    });
    await pause(clock, over, HUB_STOP_CANCEL_MS);
    if (!over.aborted) log.error('hub_agent_abandoned', { turn });
    return CANCELLED;
  }
}

/** The end of a run, which is cancelled when `signal` aborts. */
async function ended(begin: () => Promise<AgentRun>, signal: AbortSignal): Promise<AgentResult> {
  const run = await begin();
  if (signal.aborted) run.cancel();
  signal.addEventListener('abort', () => run.cancel());
  return run.result;
}

export const CANCELLED: AgentResult = {
  ok: false,
  reason: 'cancelled',
  detail: 'The turn was cancelled.',
};

function timedOut(timeoutMs: number): AgentResult {
  const secs = Math.round(timeoutMs / 1000);
  return {
    ok: false,
    reason: 'timed_out',
    detail: `The agent gave no answer within ${secs} ${secs === 1 ? 'second' : 'seconds'}.`,
  };
}

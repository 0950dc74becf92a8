import type { QueueId } from '../ports.ts';
import type { AgentResult, AgentRun } from '../../agents/runtime.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

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
  #cancelled = false;
  #cancelRun: (() => void) | undefined;

  constructor(parts: AgentWorkParts) {
    this.#parts = parts;
  }

  /** Ends the run; its result is then that it was cancelled, unless it ended by itself just before. */
  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#cancelRun?.();
  }

  /** Never rejects: agents are foreign code, and one that breaks has failed its turn, not the hub. */
  async run(start: () => AgentRun): Promise<AgentResult> {
    const { clock, log, turn, timeoutMs } = this.#parts;
    if (this.#cancelled) return CANCELLED;
    const overtime = new AbortController();
    const cancelTimer = clock.after(timeoutMs, () => {
      overtime.abort();
      this.cancel();
    });
    try {
      const result = await this.#endOf(start());
      return overtime.signal.aborted && !result.ok ? timedOut(timeoutMs) : result;
    } catch (error) {
      const stack = error instanceof Error ? error.stack : String(error);
      log.error('hub_agent_broke', { turn, error: stack });
      return { ok: false, reason: 'failed', detail: 'The agent broke while it worked on this.' };
    } finally {
      cancelTimer();
      this.#cancelRun = undefined;
    }
  }

  /** The run's result, or that of a cancelled run if the agent does not end when it is told to. */
  async #endOf(run: AgentRun): Promise<AgentResult> {
    const { clock, log, turn } = this.#parts;
    const timers: (() => void)[] = [];
    const abandoned = new Promise<AgentResult>((resolve) => {
      this.#cancelRun = () => {
        run.cancel();
        timers.push(
          clock.after(HUB_STOP_CANCEL_MS, () => {
            log.error('hub_agent_abandoned', { turn });
            resolve(CANCELLED);
          }),
        );
      };
    });
    try {
      return await Promise.race([run.result, abandoned]);
    } finally {
      for (const cancelTimer of timers) cancelTimer();
    }
  }
}

const CANCELLED: AgentResult = {
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

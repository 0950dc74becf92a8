import type { QueueId } from '../ports.ts';
import type { AgentResult, AgentRun } from '../../agents/runtime.ts';
import type { Log } from '../../core/log.ts';
import type { TurnUpdate } from '../../core/turn-update.ts';
import type { Clock } from '../../time/clock.ts';
import { pause } from '../../time/wait.ts';

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
    const overtime = new AbortController();
    const cancelTimer = clock.after(timeoutMs, () => {
      overtime.abort();
      this.cancel();
    });
    try {
      const whileOpen = (update: TurnUpdate) => {
        if (!over.signal.aborted && !this.#cancelled.signal.aborted) onUpdate(update);
      };
      const ended = this.#ended(() => begin(whileOpen));
      const result = await Promise.race([ended, this.#abandoned(over.signal)]);
      return overtime.signal.aborted && !result.ok ? timedOut(timeoutMs) : result;
    } catch (error) {
      const stack = error instanceof Error ? error.stack : String(error);
      log.error('hub_agent_broke', { turn, error: stack });
      return { ok: false, reason: 'failed', detail: 'The agent broke while it worked on this.' };
    } finally {
      cancelTimer();
      over.abort();
    }
  }

  async #ended(begin: () => Promise<AgentRun>): Promise<AgentResult> {
    const run = await begin();
    const { signal } = this.#cancelled;
    if (signal.aborted) run.cancel();
    signal.addEventListener('abort', () => run.cancel());
    return run.result;
  }

  /** Settles some time after the run was cancelled, for agents that do not end when they are told to. */
  async #abandoned(over: AbortSignal): Promise<AgentResult> {
    const { clock, log, turn } = this.#parts;
    const { signal } = this.#cancelled;
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve());
    });
    await pause(clock, over, HUB_STOP_CANCEL_MS);
    if (!over.aborted) log.error('hub_agent_abandoned', { turn });
    return CANCELLED;
  }
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

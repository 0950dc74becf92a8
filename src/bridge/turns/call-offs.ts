import { BridgeError } from '../../core/errors.ts';
import type { WorkspaceId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { Turn, TurnState } from '../../core/turn.ts';
import { backoffMs } from '../../time/backoff.ts';
import type { Clock } from '../../time/clock.ts';
import { pause } from '../../time/wait.ts';
import type { LaneRunner } from '../../time/lane-runner.ts';
import { platformMessageId } from '../outbox/keys.ts';
import { INBOX_KEEP_MS } from '../pruning.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { CancelResult, Journal, TurnTarget } from '../ports.ts';

/** A hub that does not answer is asked again, with growing pauses, for about ten minutes. */
const TRIES_MAX = 25;
const BACKOFF_BASE_MS = 500;
const BACKOFF_MAX_MS = 30_000;
/** A request that was cut off may still be on its way into the hub's queue when it is called off. */
const MISSED_MAX = 3;
/** Runs of one turn that are called off with it; people rarely begin one more often. */
const RUNS_MAX = 3;

interface CallOffParts {
  readonly journal: Journal;
  readonly target: TurnTarget;
  readonly storeRetry: StoreRetry;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly runner: Pick<LaneRunner, 'track' | 'stopSignal'>;
}

/** Ends at the hub what nobody wants any more, and tells the hub again until it has heard of it. */
export class CallOffs {
  readonly #parts: CallOffParts;

  constructor(parts: CallOffParts) {
    this.#parts = parts;
  }

  /** Tells the hub about turns that an earlier process dropped without telling it. */
  async resume(): Promise<void> {
    const { journal, target, clock } = this.#parts;
    if (target.cancel === undefined) return;
    const left: Turn[] = [];
    for (const { turn: id, run } of await journal.droppedRuns(clock.nowMs() - INBOX_KEEP_MS)) {
      const turn = await journal.turn(id);
      if (turn === undefined) continue;
      const dropped = { ...turn, run };
      if (!(await journal.isDone(markOf(dropped)))) left.push(dropped);
    }
    for (const turn of left) this.#begin(turn, undefined);
  }

  /** Tells the hub that nobody waits for the answer to a dropped turn any more. */
  begin(turn: Turn, was: TurnState): void {
    const workspace = 'target' in was ? was.target : undefined;
    // Runs before the latest may be left at work there, if their answers did not come.
    const runs = mayBeAtHub(was) ? turn.run : turn.run - 1;
    for (let run = runs; run > Math.max(0, runs - RUNS_MAX); run -= 1) {
      this.#begin({ ...turn, run }, workspace);
    }
  }

  #begin(turn: Turn, workspace: WorkspaceId | undefined): void {
    void this.#parts.runner.track(this.#carryOut(turn, workspace));
  }

  /** `workspace`: who got the turn; if that is not known any more, whoever gets new ones. */
  async #carryOut(turn: Turn, workspace: WorkspaceId | undefined): Promise<void> {
    const { journal, target, storeRetry, clock, random, log, runner } = this.#parts;
    const signal = runner.stopSignal;
    if (target.cancel === undefined) return;
    let missed = 0;
    for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
      const result = await this.#cancel(turn, workspace, signal);
      if (signal.aborted) return;
      if (result === 'not_known') missed += 1;
      if (result === 'over' || missed >= MISSED_MAX) {
        await storeRetry.untilStored(() => journal.enqueue([], markOf(turn)));
        return;
      }
      const options = { baseMs: BACKOFF_BASE_MS, maxMs: BACKOFF_MAX_MS, random: random() };
      await pause(clock, signal, backoffMs(tries, options));
    }
    log.warn('turn_not_called_off', {
      turn: turn.id,
      effect: 'its agent may go on; what it answers is not shown',
    });
  }

  async #cancel(
    turn: Turn,
    workspace: WorkspaceId | undefined,
    signal: AbortSignal,
  ): Promise<CancelResult> {
    const { target } = this.#parts;
    try {
      const to = workspace ?? (await target.currentTarget());
      return (await target.cancel?.(to, platformMessageId(turn), signal)) ?? 'over';
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      return 'not_reached';
    }
  }
}

/** True for a turn that may be at the hub, although nobody says so any more. */
function mayBeAtHub(state: TurnState): boolean {
  switch (state.phase) {
    case 'sending':
    case 'accepted':
    case 'overdue':
      return true;
    case 'waiting':
      return state.attempt > 0;
    case 'held':
      return state.why !== 'stale';
    case 'command':
    case 'answered':
    case 'failed':
    case 'dropped':
      return false;
  }
}

const markOf = (turn: Turn) => `call_off:${platformMessageId(turn)}`;

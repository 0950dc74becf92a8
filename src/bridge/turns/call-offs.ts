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
import type { CancelResult, TurnTarget } from '../ports/target.ts';
import type { Journal } from '../ports/journal.ts';
import { targetOf } from './chosen-target.ts';

/** If the hub does not answer, the call is repeated for about ten minutes, with growing pauses. */
const TRIES_MAX = 25;
const BACKOFF_BASE_MS = 500;
const BACKOFF_MAX_MS = 30_000;
/** The turn's request may reach the hub's queue later than the call-off, so the call-off is repeated. */
const MISSED_MAX = 3;
/** How many runs of a turn are called off. People rarely let a turn run more often. */
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

/** Tells the hub that a turn is not wanted any more, so that it ends the work. Repeats this until the hub answers. */
export class CallOffs {
  readonly #parts: CallOffParts;

  constructor(parts: CallOffParts) {
    this.#parts = parts;
  }

  /** Calls off the turns that an earlier process dropped before it could tell the hub. */
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

  /** Calls off a turn that was dropped. */
  begin(turn: Turn, was: TurnState): void {
    const workspace = 'target' in was ? was.target : undefined;
    // Earlier runs may still be at work there, if their answers did not come.
    const runs = mayBeAtHub(was) ? turn.run : turn.run - 1;
    for (let run = runs; run > Math.max(0, runs - RUNS_MAX); run -= 1) {
      this.#begin({ ...turn, run }, workspace);
    }
  }

  #begin(turn: Turn, workspace: WorkspaceId | undefined): void {
    void this.#parts.runner.track(this.#carryOut(turn, workspace));
  }

  /** `workspace`: the target of the turn. If undefined, the current target is used. */
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
      const to = workspace ?? (await targetOf(turn, target));
      if (to === undefined) return 'over';
      return (await target.cancel?.(to, platformMessageId(turn), signal)) ?? 'over';
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      return 'not_reached';
    }
  }
}

/** True if the hub may have the latest run of the turn. */
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
    case 'kept':
    case 'command':
    case 'answered':
    case 'failed':
    case 'dropped':
      return false;
  }
}

const markOf = (turn: Turn) => `call_off:${platformMessageId(turn)}`;

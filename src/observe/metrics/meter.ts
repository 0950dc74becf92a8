/** Counts what the parts report, from the start and at low cost. The metrics read it. */
import type { TurnId } from '../../core/ids.ts';
import type { TurnPhase } from '../../core/turn.ts';
import type { CallPriority, DeliveryResult, Outgoing } from '../../bridge/ports/delivery.ts';
import type { Observer, QuestionOutcome } from '../../bridge/ports/observer.ts';
import { AgentMeter } from './agent-meter.ts';
import { Distribution, distributionOf } from './distribution.ts';

/** Upper bounds in seconds. Lark waits 3 s for an ack, and our goal is 50 ms. */
const ACK_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3];
const TURN_BOUNDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800];
const CALL_WAIT_BOUNDS = [0.001, 0.01, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60];
/** Lark has hundreds of codes, but a bot sees only a few of them. */
const CODES_MAX = 100;

export class Meter implements Observer {
  readonly agents = new AgentMeter();
  readonly questions: Record<QuestionOutcome, number> = { answered: 0, expired: 0, over: 0 };
  readonly acks = new Distribution(ACK_BOUNDS);
  readonly turns = new Map<TurnPhase, Distribution>();
  readonly callWaits = new Map<CallPriority, Distribution>();
  /** By kind of send and Lark's code. */
  readonly sends = new Map<string, { kind: string; code: string; count: number }>();
  readonly #touched: (turn: TurnId) => void;

  /** `touched` is called for each change of a turn that may have been its last. */
  constructor(touched: (turn: TurnId) => void) {
    this.#touched = touched;
  }

  eventAcked(tookMs: number): void {
    this.acks.add(tookMs / 1000);
  }

  turnEnded(turn: TurnId, phase: TurnPhase, tookMs: number): void {
    distributionOf(this.turns, phase, TURN_BOUNDS).add(tookMs / 1000);
    this.#touched(turn);
  }

  questionEnded(outcome: QuestionOutcome): void {
    this.questions[outcome] += 1;
  }

  callStarted(priority: CallPriority, waitedMs: number): void {
    distributionOf(this.callWaits, priority, CALL_WAIT_BOUNDS).add(waitedMs / 1000);
  }

  sendEnded(kind: Outgoing['kind'], result: DeliveryResult): void {
    const code = codeOf(result);
    const fits = this.sends.size < CODES_MAX || this.sends.has(`${kind} ${code}`);
    const row = { kind, code: fits ? code : 'other', count: 0 };
    const known = this.sends.get(`${kind} ${row.code}`) ?? row;
    known.count += 1;
    this.sends.set(`${kind} ${row.code}`, known);
  }

  shown(turn: TurnId): void {
    this.#touched(turn);
  }
}

/** `0` is Lark's own code for success. If the answer has no code of Lark, a word says what happened. */
function codeOf(result: DeliveryResult): string {
  if (result.ok) return '0';
  return result.code === undefined ? result.action : String(result.code);
}

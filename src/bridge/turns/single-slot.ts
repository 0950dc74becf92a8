import { isSameWorkspace, type TurnId, type WorkspaceId } from '../../core/ids.ts';
import type { Turn, TurnState } from '../../core/turn.ts';
import type { UnansweredRun } from '../ports.ts';

/** After a turn was given up, so long the next thing that its agent says unasked may be its answer after all. */
const GIVEN_UP_DOUBT_MS = 60 * 60_000;

/** After so many turns in a row without an answer the slot rests until none of them is waited for. */
const TIMEOUTS_IN_A_ROW_MAX = 2;

/** Whose an answer is that names no turn. */
export type Owner =
  /** It can only be this one's. */
  | { readonly kind: 'asked'; readonly turn: TurnId }
  /** It may be this one's, which is not waited for any more, or another's: it is nobody else's. */
  | { readonly kind: 'in_doubt'; readonly turn: TurnId | undefined }
  /** No answer is out: it is not an answer. */
  | { readonly kind: 'nobody' };

/**
 * asked: it is waited for, or a person was asked because nobody knows. late: its turn goes on without it, and
 * it may come instead of another's. given_up: it should have come by now; what comes unasked may be it.
 */
type Hope = 'asked' | 'late' | 'given_up';

/** A run of a turn that may have reached its target, and whose answer would name no turn. */
interface Debt {
  readonly turn: TurnId;
  readonly run: number;
  /** Undefined if it is not known any more: then anybody may answer it. */
  readonly target: WorkspaceId | undefined;
  readonly hope: Hope;
  /** When it is forgotten; undefined: its turn says so. */
  readonly untilMs: number | undefined;
}

/**
 * Whose an answer is that names no turn. One turn at a time is with the target; but the answer of one whose
 * time was over, that was begun anew or whose request broke off may still come. As long as it may, no answer
 * is shown as that of another turn.
 */
export class SingleSlot {
  readonly #lateMs: number;
  /** Oldest first. */
  #debts: readonly Debt[] = [];
  /** Turns whose answers name them, by what they were given to. */
  readonly #ticketed = new Map<TurnId, WorkspaceId>();
  /** Turns whose time is over and whose answer is still waited for. */
  readonly #overdue = new Set<TurnId>();
  #timeoutsInARow = 0;

  /** `lateMs`: how long an answer may still come after its turn went on without it. */
  constructor(lateMs: number) {
    this.#lateMs = lateMs;
  }

  /** What an earlier process left behind; open turns come by `note`. */
  restore(runs: readonly UnansweredRun[], nowMs: number): void {
    const left = runs.map(({ turn, run, endedAtMs, gaveUp }): Debt => {
      const hope = gaveUp ? 'given_up' : 'late';
      const keepMs = gaveUp ? GIVEN_UP_DOUBT_MS : this.#lateMs;
      return { turn, run, target: undefined, hope, untilMs: endedAtMs + keepMs };
    });
    this.#debts = left.filter(isAliveAt(nowMs));
  }

  /** To be told of every change of a turn, and of the open ones at the start. */
  note({ id, run, state }: Turn, nowMs: number): void {
    this.#noteRest(id, state);
    this.#ticketed.delete(id);
    const untilMs = nowMs + this.#lateMs;
    switch (state.phase) {
      case 'sending':
      case 'accepted':
      case 'overdue':
        if (state.phase !== 'sending' && state.ticket !== undefined) {
          this.#forget(id, run);
          this.#ticketed.set(id, state.target);
          break;
        }
        this.#debts = this.#debts.filter(isAliveAt(nowMs));
        this.#put({
          turn: id,
          run,
          target: state.target,
          hope: state.phase === 'overdue' ? 'late' : 'asked',
          untilMs: undefined,
        });
        break;
      case 'held':
        if (state.why === 'unknown') this.#change(id, (debt) => ({ ...debt, untilMs }));
        else this.#forget(id, run);
        break;
      case 'waiting':
        // It was not taken; or it is begun anew, and what it got before may still be answered.
        this.#forget(id, run);
        this.#lapse(id, untilMs);
        break;
      case 'answered':
        this.pay(id);
        this.#lapse(id, untilMs);
        break;
      case 'failed':
        if (state.reason === 'gave_up_waiting') this.#giveUp(id, nowMs);
        else this.#forget(id, run);
        break;
      case 'dropped':
        this.#lapse(id, untilMs);
        break;
      case 'command':
        break;
    }
  }

  /** An answer came that was taken for this turn's. */
  pay(turn: TurnId): void {
    const at = this.#debts.findIndex((debt) => debt.turn === turn);
    this.#debts = this.#debts.filter((_, index) => index !== at);
  }

  /** True while an answer of this turn may still come. */
  owes(turn: TurnId): boolean {
    return this.#debts.some((debt) => debt.turn === turn);
  }

  /** False while it rests. */
  get mayStart(): boolean {
    return this.#overdue.size === 0 || this.#timeoutsInARow < TIMEOUTS_IN_A_ROW_MAX;
  }

  owner(from: WorkspaceId, nowMs: number): Owner {
    const debts = this.#debts
      .filter(isAliveAt(nowMs))
      .filter(({ target }) => target === undefined || isSameWorkspace(target, from));
    const due = debts.filter(({ hope }) => hope !== 'given_up');
    const [oldest] = due;
    if (oldest !== undefined) {
      const { turn } = oldest;
      const isOnly = due.every((debt) => debt.turn === turn);
      return isOnly && due.some(({ hope }) => hope === 'asked')
        ? { kind: 'asked', turn }
        : { kind: 'in_doubt', turn };
    }
    const answersByName = [...this.#ticketed.values()];
    if (answersByName.some((target) => isSameWorkspace(target, from))) {
      return { kind: 'in_doubt', turn: undefined };
    }
    const [givenUp] = debts;
    return givenUp === undefined ? { kind: 'nobody' } : { kind: 'in_doubt', turn: givenUp.turn };
  }

  #noteRest(id: TurnId, state: TurnState): void {
    const wasAsked = this.#debts.some(({ turn, hope }) => turn === id && hope === 'asked');
    if (state.phase === 'overdue' && state.ticket === undefined) {
      if (wasAsked) this.#timeoutsInARow += 1;
      this.#overdue.add(id);
    } else this.#overdue.delete(id);
    if (state.phase === 'answered' && wasAsked) this.#timeoutsInARow = 0;
    if (this.#overdue.size === 0 && this.#timeoutsInARow >= TIMEOUTS_IN_A_ROW_MAX) {
      this.#timeoutsInARow = 0;
    }
  }

  #put(debt: Debt): void {
    const isSame = ({ turn, run }: Debt) => turn === debt.turn && run === debt.run;
    this.#debts = this.#debts.some(isSame)
      ? this.#debts.map((known) => (isSame(known) ? debt : known))
      : [...this.#debts, debt];
  }

  #forget(id: TurnId, ofRun: number): void {
    this.#debts = this.#debts.filter(({ turn, run }) => turn !== id || run !== ofRun);
  }

  /** Its turn goes on without the answer. */
  #lapse(id: TurnId, untilMs: number): void {
    this.#change(id, (debt) =>
      debt.hope === 'given_up' ? debt : { ...debt, hope: 'late', untilMs: debt.untilMs ?? untilMs },
    );
  }

  #giveUp(id: TurnId, nowMs: number): void {
    const untilMs = nowMs + GIVEN_UP_DOUBT_MS;
    this.#change(id, (debt) => ({ ...debt, hope: 'given_up', untilMs }));
  }

  #change(id: TurnId, change: (debt: Debt) => Debt): void {
    this.#debts = this.#debts.map((debt) => (debt.turn === id ? change(debt) : debt));
  }
}

function isAliveAt(nowMs: number) {
  return ({ untilMs }: Debt) => untilMs === undefined || untilMs > nowMs;
}

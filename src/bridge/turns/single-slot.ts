import { isSameWorkspace, type ChatId, type TurnId, type WorkspaceId } from '../../core/ids.ts';
import type { Turn, TurnState } from '../../core/turn.ts';
import type { Clock } from '../../time/clock.ts';
import type { UnansweredRun } from '../ports.ts';
import { isBlind } from './turn.ts';

/** After a turn was given up, so long the next thing that its agent says unasked may be its answer after all. */
const GIVEN_UP_DOUBT_MS = 60 * 60_000;

/**
 * So long everybody waits for the answer to a request of which nobody knows whether it arrived. Most answers
 * come within it; if none does, the request most likely never arrived, and others have waited enough.
 */
export const DOUBT_MS = 60_000;

/** After so many turns in a row without an answer the slot rests until none of them is waited for. */
const TIMEOUTS_IN_A_ROW_MAX = 2;

/** Where the question of a turn stands; its id is that of the message. */
export interface Place {
  readonly turn: TurnId;
  readonly chatId: ChatId;
  readonly threadId: string | undefined;
}

/** Whose an answer is that names no turn. */
export type Owner =
  /** It can only be this one's. */
  | { readonly kind: 'asked'; readonly turn: TurnId }
  /** It may be of several, all of one chat, the oldest first. */
  | {
      readonly kind: 'in_chat';
      readonly turn: TurnId | undefined;
      readonly among: readonly Place[];
    }
  /** It may be this one's, which is not waited for any more, or another's: it is nobody else's. */
  | { readonly kind: 'in_doubt'; readonly turn: TurnId | undefined }
  /** No answer is out: it is not an answer. */
  | { readonly kind: 'nobody' };

/**
 * asked: it is waited for, or a person was asked because nobody knows. asking: its agent wants something of
 * the person. late: its turn goes on without it, and it may come instead of another's. given_up: it should
 * have come by now; what comes unasked may be it.
 */
type Hope = 'asked' | 'asking' | 'late' | 'given_up';

/** A run of a turn that may have reached its target, and whose answer would name no turn. */
interface Debt extends Place {
  readonly run: number;
  /** Undefined if it is not known any more: then anybody may answer it. */
  readonly target: WorkspaceId | undefined;
  readonly hope: Hope;
  /** A person was asked, and has not said a word yet. */
  readonly isHeld: boolean;
  /** Its request broke just now. */
  readonly isInDoubt: boolean;
  /** When it is forgotten; undefined: its turn says so. */
  readonly untilMs: number | undefined;
}

export interface SingleSlotParts {
  readonly clock: Clock;
  /** How long an answer may still come after its turn went on without it. */
  readonly lateMs: number;
  /** A doubt is over: a turn may be sent again. */
  readonly onFree: () => void;
}

/**
 * Whose an answer is that names no turn. One turn at a time is with the target; but the answer of one whose
 * time was over, that was begun anew or whose request broke off may still come. As long as it may, no answer
 * is shown as that of another turn.
 */
export class SingleSlot {
  readonly #parts: SingleSlotParts;
  /** Oldest first. */
  #debts: readonly Debt[] = [];
  /** Turns whose answers name them, and what they were given to. */
  readonly #ticketed = new Map<TurnId, Place & { readonly target: WorkspaceId }>();
  /** Turns whose time is over and whose answer is still waited for. */
  readonly #overdue = new Set<TurnId>();
  readonly #doubtTimers = new Set<() => void>();
  #timeoutsInARow = 0;

  constructor(parts: SingleSlotParts) {
    this.#parts = parts;
  }

  stop(): void {
    for (const cancel of this.#doubtTimers) cancel();
    this.#doubtTimers.clear();
  }

  /** What an earlier process left behind; open turns come by `note`. */
  restore(runs: readonly UnansweredRun[], nowMs: number): void {
    this.#debts = runs.map((run) => this.#restored(run, nowMs)).filter(isAliveAt(nowMs));
  }

  /** To be told of every change of a turn, and of the open ones at the start. */
  note(turn: Turn, nowMs: number): void {
    const { id, run, state } = turn;
    this.#noteRest(id, state);
    this.#ticketed.delete(id);
    const untilMs = nowMs + this.#parts.lateMs;
    switch (state.phase) {
      case 'sending':
      case 'accepted':
      case 'overdue':
        this.#noteGiven(turn, state, nowMs);
        break;
      case 'held':
        if (state.why === 'unknown') this.#doubt(id, run, nowMs);
        else this.#forget(id, run);
        break;
      case 'waiting':
        // It was not taken; or it is begun anew, and what it got before may still be answered.
        this.#forget(id, run);
        this.#lapse(id, untilMs);
        break;
      case 'answered':
        if (state.isOpen === true) this.#giveUp(id, nowMs);
        else {
          this.pay(id);
          this.#lapse(id, untilMs);
        }
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

  /** False while it rests, and while a request is in doubt. */
  get mayStart(): boolean {
    const rests = this.#overdue.size > 0 && this.#timeoutsInARow >= TIMEOUTS_IN_A_ROW_MAX;
    return !rests && !this.isInDoubt;
  }

  /** A request broke just now, and neither an answer nor a person's word has come. */
  get isInDoubt(): boolean {
    return this.#debts.some((debt) => debt.isHeld && debt.isInDoubt);
  }

  owner(from: WorkspaceId, nowMs: number): Owner {
    const debts = this.#debts
      .filter(isAliveAt(nowMs))
      .filter(({ target }) => target === undefined || isSameWorkspace(target, from));
    const due = debts.filter(({ hope }) => hope !== 'given_up');
    const [oldest] = due;
    if (oldest !== undefined) {
      const isOnly = due.every(({ turn }) => turn === oldest.turn);
      if (isOnly) return { kind: 'asked', turn: oldest.turn };
      return { kind: isOneChat(due) ? 'in_chat' : 'in_doubt', turn: oldest.turn, among: due };
    }
    const named = [...this.#ticketed.values()].filter((one) => isSameWorkspace(one.target, from));
    if (named.length > 0) {
      return { kind: isOneChat(named) ? 'in_chat' : 'in_doubt', turn: undefined, among: named };
    }
    const [givenUp] = debts;
    if (givenUp === undefined) return { kind: 'nobody' };
    // Nothing else is out, and its chat was told that its answer would be shown.
    const isOnly = debts.every(({ turn }) => turn === givenUp.turn);
    return { kind: isOnly && givenUp.isHeld ? 'asked' : 'in_doubt', turn: givenUp.turn };
  }

  #restored({ how, isHeld, turn, run, chatId, threadId, endedAtMs }: UnansweredRun, nowMs: number) {
    const sinceMs = nowMs - endedAtMs;
    const isInDoubt = how === 'in_doubt' && sinceMs < DOUBT_MS;
    // A clock that was set back must not make anybody wait for it.
    if (isInDoubt) this.#endDoubtAfter(Math.min(DOUBT_MS, DOUBT_MS - sinceMs), turn, run);
    const isLate = isInDoubt || how === 'overdue';
    const keepMs = how === 'overdue' ? this.#parts.lateMs : GIVEN_UP_DOUBT_MS;
    return {
      turn,
      run,
      chatId,
      threadId,
      isHeld,
      isInDoubt,
      target: undefined,
      hope: isLate ? 'late' : 'given_up',
      untilMs: endedAtMs + keepMs,
    } satisfies Debt;
  }

  #noteGiven(
    { id, run, message: { chatId, threadId } }: Turn,
    state: Extract<TurnState, { phase: 'sending' | 'accepted' | 'overdue' }>,
    nowMs: number,
  ): void {
    const { target } = state;
    const place = { turn: id, chatId, threadId };
    if (state.phase !== 'overdue') this.#endQuestions(place, nowMs);
    if (state.phase !== 'sending' && !isBlind(state, state.phase)) {
      this.#forget(id, run);
      this.#ticketed.set(id, { ...place, target });
      return;
    }
    this.#debts = this.#debts.filter(isAliveAt(nowMs));
    const hope = state.phase === 'overdue' ? (state.asks === true ? 'asking' : 'late') : 'asked';
    const rest = { hope, isHeld: false, isInDoubt: false, untilMs: undefined } as const;
    this.#put({ ...place, run, target, ...rest });
  }

  #noteRest(id: TurnId, state: TurnState): void {
    const wasAsked = this.#debts.some(({ turn, hope }) => turn === id && hope === 'asked');
    if (state.phase === 'overdue' && state.asks !== true && isBlind(state, 'overdue')) {
      if (wasAsked) this.#timeoutsInARow += 1;
      this.#overdue.add(id);
    } else this.#overdue.delete(id);
    if (state.phase === 'answered' && wasAsked) this.#timeoutsInARow = 0;
    if (this.#overdue.size === 0 && this.#timeoutsInARow >= TIMEOUTS_IN_A_ROW_MAX) {
      this.#timeoutsInARow = 0;
    }
  }

  /** What is said next in a chat is the reply to what its agent asked: the answer to that is the answer to both. */
  #endQuestions({ turn: reply, chatId }: Place, nowMs: number): void {
    const untilMs = nowMs + GIVEN_UP_DOUBT_MS;
    this.#debts = this.#debts.map((debt) =>
      debt.hope === 'asking' && debt.chatId === chatId && debt.turn !== reply
        ? { ...debt, hope: 'given_up', untilMs }
        : debt,
    );
  }

  #doubt(id: TurnId, run: number, nowMs: number): void {
    const untilMs = nowMs + GIVEN_UP_DOUBT_MS;
    const doubt = { isHeld: true, isInDoubt: true, untilMs };
    this.#debts = this.#debts.map((debt) =>
      debt.turn === id && debt.run === run ? { ...debt, ...doubt } : debt,
    );
    this.#endDoubtAfter(DOUBT_MS, id, run);
  }

  /** By a timer: a clock that somebody sets must not make anybody wait longer. */
  #endDoubtAfter(delayMs: number, id: TurnId, ofRun: number): void {
    const cancel = this.#parts.clock.after(delayMs, () => {
      this.#doubtTimers.delete(cancel);
      this.#debts = this.#debts.map((debt) =>
        debt.turn === id && debt.run === ofRun && debt.isInDoubt
          ? { ...debt, hope: 'given_up', isInDoubt: false }
          : debt,
      );
      this.#parts.onFree();
    });
    this.#doubtTimers.add(cancel);
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
    this.#change(id, (debt) => {
      const hope = debt.hope === 'given_up' ? debt.hope : 'late';
      return { ...debt, hope, isHeld: false, untilMs: debt.untilMs ?? untilMs };
    });
  }

  #giveUp(id: TurnId, nowMs: number): void {
    const untilMs = nowMs + GIVEN_UP_DOUBT_MS;
    this.#change(id, (debt) => ({ ...debt, hope: 'given_up', untilMs }));
  }

  #change(id: TurnId, change: (debt: Debt) => Debt): void {
    this.#debts = this.#debts.map((debt) => (debt.turn === id ? change(debt) : debt));
  }
}

function isOneChat(places: readonly Place[]): boolean {
  return places.every(({ chatId }) => chatId === places[0]?.chatId);
}

function isAliveAt(nowMs: number) {
  return ({ untilMs }: Debt) => untilMs === undefined || untilMs > nowMs;
}

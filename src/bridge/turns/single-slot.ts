import { isSameWorkspace, type ChatId, type TurnId, type WorkspaceId } from '../../core/ids.ts';
import type { Turn, TurnState } from '../../core/turn.ts';
import type { Clock } from '../../time/clock.ts';
import type { UnansweredRun } from '../ports/journal.ts';
import { isBlind } from './turn.ts';

/** For this long after a turn was given up, what its agent says without a turn may still be the answer. */
const GIVEN_UP_DOUBT_MS = 60 * 60_000;

/**
 * If nobody knows whether a request arrived, the other turns wait this long for its answer. Most answers come
 * within this time. If none comes, the request most likely did not arrive.
 */
const DOUBT_MS = 60_000;

/** After this many turns in a row without an answer, nothing is sent until none of them is waited for any more. */
const TIMEOUTS_IN_A_ROW_MAX = 2;

/** Where the question of a turn was asked. The id of the turn is the id of its message. */
interface Place {
  readonly turn: TurnId;
  readonly chatId: ChatId;
  readonly threadId: string | undefined;
}

/** Which turn an answer belongs to that names none. */
export type Owner =
  /** It can only belong to this turn. */
  | { readonly kind: 'asked'; readonly turn: TurnId }
  /** It may belong to several turns of one chat. `among` has them, oldest first. */
  | {
      readonly kind: 'in_chat';
      readonly turn: TurnId | undefined;
      readonly among: readonly Place[];
    }
  /** It may belong to this turn or to another one, and nobody can tell. */
  | { readonly kind: 'in_doubt'; readonly turn: TurnId | undefined }
  /** No answer is expected, so it is not an answer. */
  | { readonly kind: 'nobody' };

/**
 * Whether an answer is still expected.
 * - asked: the turn waits for it, or a person was asked what to do.
 * - asking: the agent wants something from the person.
 * - late: the turn went on without the answer. It may still come, and look like the answer to another turn.
 * - given_up: it should have come by now. What the agent says without a turn may still be it.
 */
type Expectation = 'asked' | 'asking' | 'late' | 'given_up';

/** A run that may have reached its target. Its answer would not name its turn. */
interface OpenAnswer extends Place {
  readonly run: number;
  /** Undefined if it is not known any more. Then an answer may come from any workspace. */
  readonly target: WorkspaceId | undefined;
  readonly expectation: Expectation;
  /** A person was asked, and has not answered yet. */
  readonly isHeld: boolean;
  /** Its request broke off a moment ago. */
  readonly isInDoubt: boolean;
  /** When it is forgotten. Undefined: when its turn ends. */
  readonly untilMs: number | undefined;
}

interface SingleSlotParts {
  readonly clock: Clock;
  /** How long an answer may still come after its turn went on without it. */
  readonly lateMs: number;
  /** The wait for a request in doubt is over, so other turns may be sent. */
  readonly onFree: () => void;
}

/**
 * Finds out which turn an answer belongs to that names none. The target has only one turn at a time. But the
 * answer to an earlier turn may still come: its time was over, it was started again, or its request broke off.
 * While such an answer may come, no answer is shown as the answer to another turn.
 */
export class SingleSlot {
  readonly #parts: SingleSlotParts;
  /** Oldest first. */
  #open: readonly OpenAnswer[] = [];
  /** Turns whose answers name them, with their targets. */
  readonly #ticketed = new Map<TurnId, Place & { readonly target: WorkspaceId }>();
  /** Turns whose time is over. Their answers are still waited for. */
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

  /** The runs of an earlier process. Open turns are given to `note`. */
  restore(runs: readonly UnansweredRun[], nowMs: number): void {
    this.#open = runs.map((run) => this.#restored(run, nowMs)).filter(isAliveAt(nowMs));
  }

  /** Call it at every change of a turn, and for the open turns at the start. */
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
      case 'kept':
      case 'waiting':
        // The target did not take it, or it starts again. An earlier run of it may still be answered.
        this.#forget(id, run);
        this.#expectLate(id, untilMs);
        break;
      case 'answered':
        if (state.isOpen === true) this.#giveUp(id, nowMs);
        else {
          this.close(id);
          this.#expectLate(id, untilMs);
        }
        break;
      case 'failed':
        if (state.reason === 'gave_up_waiting') this.#giveUp(id, nowMs);
        else this.#forget(id, run);
        break;
      case 'dropped':
        this.#expectLate(id, untilMs);
        break;
      case 'command':
        break;
    }
  }

  /** An answer was shown as this turn's, so one answer less is expected. */
  close(turn: TurnId): void {
    const at = this.#open.findIndex((answer) => answer.turn === turn);
    this.#open = this.#open.filter((_, index) => index !== at);
  }

  /** True while an answer of this turn may still come. */
  expects(turn: TurnId): boolean {
    return this.#open.some((answer) => answer.turn === turn);
  }

  /** False after too many turns without an answer, and while a request is in doubt. */
  get mayStart(): boolean {
    const rests = this.#overdue.size > 0 && this.#timeoutsInARow >= TIMEOUTS_IN_A_ROW_MAX;
    return !rests && !this.isInDoubt;
  }

  /** A request broke off, and neither an answer nor a decision of a person has come yet. */
  get isInDoubt(): boolean {
    return this.#open.some((answer) => answer.isHeld && answer.isInDoubt);
  }

  owner(from: WorkspaceId, nowMs: number): Owner {
    const open = this.#open
      .filter(isAliveAt(nowMs))
      .filter(({ target }) => target === undefined || isSameWorkspace(target, from));
    const due = open.filter(({ expectation }) => expectation !== 'given_up');
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
    const [givenUp] = open;
    if (givenUp === undefined) return { kind: 'nobody' };
    // No other answer is expected, and the chat was told that this answer would be shown.
    const isOnly = open.every(({ turn }) => turn === givenUp.turn);
    return { kind: isOnly && givenUp.isHeld ? 'asked' : 'in_doubt', turn: givenUp.turn };
  }

  #restored({ how, isHeld, turn, run, chatId, threadId, endedAtMs }: UnansweredRun, nowMs: number) {
    const sinceMs = nowMs - endedAtMs;
    const isInDoubt = how === 'in_doubt' && sinceMs < DOUBT_MS;
    // If the clock was set back, nobody waits longer because of it.
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
      expectation: isLate ? 'late' : 'given_up',
      untilMs: endedAtMs + keepMs,
    } satisfies OpenAnswer;
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
    this.#open = this.#open.filter(isAliveAt(nowMs));
    const expectation =
      state.phase === 'overdue' ? (state.asks === true ? 'asking' : 'late') : 'asked';
    const rest = { expectation, isHeld: false, isInDoubt: false, untilMs: undefined } as const;
    this.#put({ ...place, run, target, ...rest });
  }

  #noteRest(id: TurnId, state: TurnState): void {
    const wasAsked = this.#open.some(
      ({ turn, expectation }) => turn === id && expectation === 'asked',
    );
    if (state.phase === 'overdue' && state.asks !== true && isBlind(state, 'overdue')) {
      if (wasAsked) this.#timeoutsInARow += 1;
      this.#overdue.add(id);
    } else this.#overdue.delete(id);
    if (state.phase === 'answered' && wasAsked) this.#timeoutsInARow = 0;
    if (this.#overdue.size === 0 && this.#timeoutsInARow >= TIMEOUTS_IN_A_ROW_MAX) {
      this.#timeoutsInARow = 0;
    }
  }

  /** The next message in a chat replies to what its agent asked. So one answer answers both. */
  #endQuestions({ turn: reply, chatId }: Place, nowMs: number): void {
    const untilMs = nowMs + GIVEN_UP_DOUBT_MS;
    this.#open = this.#open.map((answer) =>
      answer.expectation === 'asking' && answer.chatId === chatId && answer.turn !== reply
        ? { ...answer, expectation: 'given_up', untilMs }
        : answer,
    );
  }

  #doubt(id: TurnId, run: number, nowMs: number): void {
    const untilMs = nowMs + GIVEN_UP_DOUBT_MS;
    const doubt = { isHeld: true, isInDoubt: true, untilMs };
    this.#open = this.#open.map((answer) =>
      answer.turn === id && answer.run === run ? { ...answer, ...doubt } : answer,
    );
    this.#endDoubtAfter(DOUBT_MS, id, run);
  }

  /** Uses a timer, so that a clock that somebody sets makes nobody wait longer. */
  #endDoubtAfter(delayMs: number, id: TurnId, ofRun: number): void {
    const cancel = this.#parts.clock.after(delayMs, () => {
      this.#doubtTimers.delete(cancel);
      this.#open = this.#open.map((answer) =>
        answer.turn === id && answer.run === ofRun && answer.isInDoubt
          ? { ...answer, expectation: 'given_up', isInDoubt: false }
          : answer,
      );
      this.#parts.onFree();
    });
    this.#doubtTimers.add(cancel);
  }

  #put(answer: OpenAnswer): void {
    const isSame = ({ turn, run }: OpenAnswer) => turn === answer.turn && run === answer.run;
    this.#open = this.#open.some(isSame)
      ? this.#open.map((known) => (isSame(known) ? answer : known))
      : [...this.#open, answer];
  }

  #forget(id: TurnId, ofRun: number): void {
    this.#open = this.#open.filter(({ turn, run }) => turn !== id || run !== ofRun);
  }

  /** Its turn goes on without the answer. */
  #expectLate(id: TurnId, untilMs: number): void {
    this.#change(id, (answer) => {
      const expectation = answer.expectation === 'given_up' ? answer.expectation : 'late';
      return { ...answer, expectation, isHeld: false, untilMs: answer.untilMs ?? untilMs };
    });
  }

  #giveUp(id: TurnId, nowMs: number): void {
    const untilMs = nowMs + GIVEN_UP_DOUBT_MS;
    this.#change(id, (answer) => ({ ...answer, expectation: 'given_up', untilMs }));
  }

  #change(id: TurnId, change: (answer: OpenAnswer) => OpenAnswer): void {
    this.#open = this.#open.map((answer) => (answer.turn === id ? change(answer) : answer));
  }
}

function isOneChat(places: readonly Place[]): boolean {
  return places.every(({ chatId }) => chatId === places[0]?.chatId);
}

function isAliveAt(nowMs: number) {
  return ({ untilMs }: OpenAnswer) => untilMs === undefined || untilMs > nowMs;
}

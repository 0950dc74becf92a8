/** Keeps what happens for those who want to hear of it elsewhere, in the commit in which it happens. */
import { shortened } from '../../text/cut.ts';
import { visibleOf } from '../../text/visible.ts';
import type { TurnId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { Turn, TurnState } from '../../core/turn.ts';
import type { TurnStep } from '../../core/turn-update.ts';
import type { Clock } from '../../time/clock.ts';
import { outKey } from '../outbox/keys.ts';
import type { Journal } from '../ports/journal.ts';
import type { NewsEvent, NewsItem, NewsStore } from '../ports/news.ts';
import type { Question } from '../ports/questions.ts';
import type { StoreRetry } from '../store-retry.ts';
import { begunAtMs } from '../turns/turn.ts';

/** Steps that end at almost the same time are stored together. */
const STEPS_GATHERED_MS = 1_000;
/** Of more steps than that in this time nobody reads. */
const STEPS_GATHERED_MAX = 200;
/** The first line of a step, as CG-OUT-16 has it. */
const STEP_CHARS_MAX = 80;

interface NewsParts {
  readonly store: NewsStore | undefined;
  readonly journal: Pick<Journal, 'enqueueIf'>;
  readonly storeRetry: StoreRetry;
  readonly clock: Clock;
  readonly log: Log;
  readonly turnTimeoutMs: number;
  /** Something is to be told. */
  readonly onNews: () => void;
}

export class News {
  readonly #parts: NewsParts;
  /** The finished steps of turns at work that were told. */
  readonly #finished = new Map<TurnId, Set<string>>();
  #steps: NewsItem[] = [];
  #cancelTimer: (() => void) | undefined;

  constructor(parts: NewsParts) {
    this.#parts = parts;
  }

  /** Steps that were not stored yet are lost, as all progress is. */
  stop(): void {
    this.#cancelTimer?.();
  }

  /** To be called in the commit that changes the turn. */
  turnMoved(turn: Turn, was: TurnState, nowMs: number): void {
    const event = eventOf(turn.state, was);
    if (event === undefined) return;
    const begunMs = begunAtMs(was, this.#parts.turnTimeoutMs);
    this.#note({
      ...itemOf(turn, event, nowMs),
      ...(begunMs !== undefined && { tookMs: Math.max(0, nowMs - begunMs) }),
      ...whyOf(turn.state),
    });
  }

  /** The turn is not at work any more. */
  turnOver(id: TurnId): void {
    this.#finished.delete(id);
  }

  /** To be called in the commit that stores the question. */
  questionAsked(turn: Turn, { key, askedAtMs }: Question): void {
    this.#note({ ...itemOf(turn, 'question.asked', askedAtMs, key), question: key });
  }

  /** To be called in the commit that stores how the question ended. */
  questionEnded(turn: Turn, { key, state }: Question): void {
    if (state.phase === 'open') return;
    const why = state.phase === 'over' ? state.why : state.phase;
    this.#note({
      ...itemOf(turn, 'question.ended', state.atMs, `${key}:${why}`),
      question: key,
      why,
    });
  }

  /** An agent tells of a step. Each one that is finished is told once. */
  stepTold(turn: Turn, { id, title, status }: TurnStep): void {
    if (status === 'running') return;
    const event = status === 'done' ? 'tool.done' : 'tool.failed';
    const { store, clock } = this.#parts;
    if (store?.isWanted(event, turn.message.chatId) !== true) return;
    const finished = this.#finished.get(turn.id) ?? new Set();
    if (finished.has(id)) return;
    this.#finished.set(turn.id, finished.add(id));
    const [line = ''] = visibleOf(title).split('\n', 1);
    const step = shortened(line, STEP_CHARS_MAX);
    this.#gather({ ...itemOf(turn, event, clock.nowMs(), id), step });
  }

  #gather(item: NewsItem): void {
    const { clock, log } = this.#parts;
    if (this.#steps.length >= STEPS_GATHERED_MAX) {
      log.debug('step_not_told', { turn: item.turn });
      return;
    }
    this.#steps.push(item);
    this.#cancelTimer ??= clock.after(STEPS_GATHERED_MS, () => void this.#storeSteps());
  }

  async #storeSteps(): Promise<void> {
    const { store, journal, storeRetry } = this.#parts;
    const steps = this.#steps;
    this.#steps = [];
    this.#cancelTimer = undefined;
    await storeRetry.untilStored(() =>
      journal.enqueueIf([], () => {
        for (const item of steps) store?.note(item);
        return true;
      }),
    );
    this.#parts.onNews();
  }

  #note(item: NewsItem): void {
    if (this.#parts.store?.note(item) === true) this.#parts.onNews();
  }
}

function itemOf(turn: Turn, event: NewsEvent, atMs: number, about = ''): NewsItem {
  const { id, run, message, details, state } = turn;
  const session = details?.session;
  const agent = (state.phase === 'failed' ? state.cause?.agent : undefined) ?? session?.agent;
  return {
    id: outKey('news', id, run, event, about),
    event,
    turn: id,
    run,
    chatId: message.chatId,
    chatType: message.chatType,
    atMs,
    ...(agent !== undefined && { agent }),
    ...(session?.folder !== undefined && { folder: session.folder }),
  };
}

/** CG-OUT-07: a turn that was stopped or taken back is no news, and neither is a command. */
function eventOf(state: TurnState, was: TurnState): NewsEvent | undefined {
  if (state.phase === was.phase) return undefined;
  switch (state.phase) {
    case 'answered':
      return state.joined !== undefined || state.isOpen === true ? undefined : 'turn.answered';
    case 'failed':
      return 'turn.failed';
    case 'overdue':
      return state.asks === true ? 'question.asked' : 'turn.overdue';
    case 'held':
      return 'turn.held';
    case 'waiting':
    case 'sending':
    case 'accepted':
    case 'kept':
    case 'command':
    case 'dropped':
      return undefined;
  }
}

function whyOf(state: TurnState) {
  if (state.phase === 'held') return { why: state.why };
  return state.phase === 'failed' ? { why: state.reason } : {};
}

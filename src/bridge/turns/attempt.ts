import { BridgeError, errorText } from '../../core/errors.ts';
import type { ChatId, TurnId, WorkspaceId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import { personOf, type Turn } from '../../core/turn.ts';
import type { Clock } from '../../time/clock.ts';
import { type Limit, limitAt, pause } from '../../time/wait.ts';
import type { Hold, LaneRunner } from '../../time/lane-runner.ts';
import type { LaneItem } from '../../time/lanes.ts';
import { platformMessageId } from '../outbox/keys.ts';
import type { Journal } from '../ports/journal.ts';
import type { SessionBook } from '../ports/sessions.ts';
import type { TurnTarget, WaitResult } from '../ports/target.ts';
import type { Attachments } from './attachments.ts';
import type { LiveCards } from '../live/live-cards.ts';
import type { News } from '../news/news.ts';
import type { Questions } from '../questions/questions.ts';
import { chosenFor } from './chosen-target.ts';
import type { Forwards } from './forwards.ts';
import { toldShow } from '../texts/told.ts';
import type { SaidBefore } from './said-before.ts';
import type { UsageNotes } from './usage-notes.ts';
import type { TurnRequests } from './requests.ts';
import type { TurnChanges } from './turn-changes.ts';
import { sendBackoffMs, TURN_SEND_BACKOFF_BASE_MS } from './send-backoff.ts';
import { isBlind } from './turn.ts';
import type { TurnEvent } from './turn-events.ts';

/** After a start, an answer from the time without a process is found within this time, even at a slow hub. */
const LAST_CHECK_MS = 30_000;

/** The pause before an unfinished task is asked for again. A hub takes as long to answer that nothing is new. */
const UNFINISHED_ASK_AGAIN_MS = 8_000;

interface AttemptsParts {
  readonly journal: Journal;
  readonly target: TurnTarget;
  readonly requests: TurnRequests;
  readonly changes: TurnChanges;
  readonly questions: Questions;
  readonly forwards: Forwards;
  readonly attachments: Attachments;
  readonly saidBefore: SaidBefore;
  readonly live: LiveCards;
  readonly news: News;
  readonly usage: UsageNotes;
  readonly runner: LaneRunner;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly turnTimeoutMs: number;
  readonly sessions: Pick<SessionBook, 'dropChoice'>;
}

/** A turn that was given to an agent. */
export interface TurnAtWork {
  readonly id: TurnId;
  readonly chatId: ChatId;
  readonly target: WorkspaceId;
  /** Since when this process waits for its answer. */
  readonly sinceMs: number;
}

/** Sends turns to their agents and waits for the answers. */
export class Attempts {
  readonly #parts: AttemptsParts;
  /** Ends the work on a turn early. */
  readonly #underWay = new Map<TurnId, AbortController>();
  readonly #limits = new Map<TurnId, Limit>();
  readonly #atWork = new Map<TurnId, TurnAtWork>();

  constructor(parts: AttemptsParts) {
    this.#parts = parts;
  }

  /** Sends a waiting turn. Its slot becomes free when its time is over. Its answer is waited for longer. */
  begin(id: TurnId, hold: Hold): Promise<void> {
    return this.#workOn(id, (signal) => this.#run(id, hold, signal));
  }

  /** Waits for the answer to a turn that an earlier process sent. A turn whose time is over holds no slot. */
  resume(turn: Turn, hold: Hold | undefined): Promise<void> {
    const { state } = turn;
    if ((state.phase === 'accepted' || state.phase === 'overdue') && isBlind(state, state.phase)) {
      this.#parts.requests.noteUncorrelated(state.target);
    }
    return this.#workOn(turn.id, async (signal) => {
      let now = turn;
      this.#watch(turn, signal);
      if (hold !== undefined) {
        try {
          const limit = this.#limitOf(turn, signal);
          this.#limits.set(turn.id, limit);
          now = await this.#awaitAnswer(turn, limit);
        } finally {
          this.#free(now, hold);
        }
      }
      if (now.state.phase === 'overdue') await this.#awaitAnswer(now, this.#limitOf(now, signal));
    });
  }

  /** The time of a turn stands still until the returned function is called. */
  hold(id: TurnId): () => void {
    return this.#limits.get(id)?.hold() ?? (() => {});
  }

  /** The turns that agents have, or that are being sent to them. */
  atWork(): Iterable<TurnAtWork> {
    return this.#atWork.values();
  }

  /** Ends the work on a turn that is over for another reason. */
  end(id: TurnId): void {
    this.#underWay.get(id)?.abort();
  }

  endAll(): void {
    for (const ending of this.#underWay.values()) ending.abort();
  }

  /** Runs the work on one turn with a signal that aborts when the work, the turn or the whole bridge ends. */
  #workOn(id: TurnId, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const ending = new AbortController();
    this.#underWay.set(id, ending);
    return work(ending.signal).finally(() => {
      ending.abort();
      if (this.#underWay.get(id) !== ending) return;
      this.#underWay.delete(id);
      this.#limits.delete(id);
    });
  }

  /** What the turn tells until `signal` aborts is shown on its live card. Its questions are asked. */
  #watch(turn: Turn, signal: AbortSignal): void {
    const { state } = turn;
    if (signal.aborted || !('target' in state)) return;
    const { target, live, news, usage, questions, changes, runner, clock } = this.#parts;
    const { id, message } = turn;
    const about = { id, chatId: message.chatId, target: state.target, sinceMs: clock.nowMs() };
    this.#atWork.set(id, about);
    signal.addEventListener('abort', () => {
      if (this.#atWork.get(id) === about) this.#atWork.delete(id);
    });
    const unwatch = target.watch?.(state.target, platformMessageId(turn), (update) => {
      if (update.kind === 'step') news.stepTold(turn, update.step);
      if (update.kind === 'usage') usage.take(turn, update.usage);
      if (update.kind === 'told') void runner.track(changes.tell(turn, toldShow(update.what)));
      else if (update.kind === 'question') questions.ask(turn, update);
      else live.take(turn, update);
    });
    if (unwatch !== undefined) signal.addEventListener('abort', unwatch);
  }

  async #run(id: TurnId, hold: Hold, signal: AbortSignal): Promise<void> {
    const { changes, clock, turnTimeoutMs } = this.#parts;
    let limit: Limit | undefined;
    let turn: Turn | undefined;
    try {
      const target = await this.#targetOf(id);
      if (target === 'gone') return;
      if (target === 'unknown') {
        await this.#putBack(id);
        return;
      }
      // What Lark gives only on request has bounds of its own. The time of the turn begins after it.
      await this.#parts.forwards.read(id, signal);
      await this.#parts.attachments.read(id, signal);
      const details = await this.#parts.saidBefore.read(id, signal);
      if (signal.aborted) return;
      const limitMs = this.#parts.target.limitMs?.(target);
      limit = limitAt(clock, signal, clock.nowMs() + (limitMs ?? turnTimeoutMs));
      this.#limits.set(id, limit);
      const more = { ...(details && { details }), ...(limitMs !== undefined && { limitMs }) };
      const started = { kind: 'started', target, ...more } as const;
      ({ turn } = await changes.apply(id, started));
      this.#watch(turn, signal);
      if (turn.state.phase === 'sending') turn = await this.#send(turn, limit);
      if (turn.state.phase === 'accepted') turn = await this.#awaitAnswer(turn, limit);
    } finally {
      limit?.cancel();
      this.#free(turn, hold);
    }
    if (turn.state.phase === 'overdue') await this.#awaitAnswer(turn, this.#limitOf(turn, signal));
  }

  /** Frees the slot. A turn that has to wait again keeps its place in the chat. */
  #free(turn: Turn | undefined, hold: Hold): void {
    const { runner } = this.#parts;
    const item = turn && laneItemOf(turn);
    if (item !== undefined && !runner.stopSignal.aborted) runner.add(item);
    hold.release();
  }

  /** How long to wait for the answer to a turn that an agent has. */
  #limitOf({ state }: Turn, signal: AbortSignal): Limit {
    const { clock, turnTimeoutMs } = this.#parts;
    if (state.phase === 'accepted') return limitAt(clock, signal, state.deadlineMs);
    const isBounded = state.phase === 'overdue' && isBlind(state, 'overdue');
    if (!isBounded) return limitAt(clock, signal, undefined);
    const leastMs = clock.nowMs() + LAST_CHECK_MS;
    return limitAt(clock, signal, Math.max(leastMs, state.sinceMs + turnTimeoutMs));
  }

  /** `gone`: what was chosen for the turn can't be had any more. Its person was told so, and the turn is over. */
  async #targetOf(id: TurnId): Promise<WorkspaceId | 'gone' | 'unknown'> {
    const { journal, target, changes, sessions, log } = this.#parts;
    try {
      const turn = await journal.turn(id);
      if (turn === undefined) return await target.currentTarget();
      const chosen = chosenFor(turn);
      const isChosen = Object.keys(chosen).length > 0;
      const gone = isChosen ? await target.goneOf?.(chosen) : undefined;
      if (gone === undefined) return await target.currentTarget(chosen.agent);
      // First, so that the next message goes elsewhere when the person is told that it does.
      await sessions.dropChoice(turn.message, gone);
      await changes.apply(id, { kind: 'choice_gone', gone });
      return 'gone';
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      log.warn('target_unknown', { error: errorText(error) });
      return 'unknown';
    }
  }

  /** The target can't be found out now. The turn waits again and keeps its place in the chat. */
  async #putBack(id: TurnId): Promise<void> {
    const { journal, runner, clock } = this.#parts;
    const turn = await journal.turn(id);
    const item = turn && laneItemOf(turn);
    if (item === undefined) return;
    runner.add({ ...item, notBeforeMs: clock.nowMs() + TURN_SEND_BACKOFF_BASE_MS });
  }

  async #send(turn: Turn, limit: Limit): Promise<Turn> {
    if (turn.state.phase !== 'sending') return turn;
    const { target, requests, changes, runner, random } = this.#parts;
    const { target: workspace } = turn.state;
    const result = await target.send(requests.requestOf(turn, workspace), limit.signal);
    if (result.kind === 'accepted_uncorrelated') requests.noteUncorrelated(workspace);
    // It is not known whether the interrupted request arrived. The next start decides whether to send it again.
    if (runner.stopSignal.aborted && result.kind === 'unknown') return turn;
    const late = result.kind === 'unknown' && limit.isOver();
    const event: TurnEvent = late
      ? { kind: 'timed_out' }
      : { kind: 'sent', result, random: random() };
    return (await changes.apply(turn.id, event)).turn;
  }

  /** Waits until the turn is settled or the limit is over. */
  async #awaitAnswer(turn: Turn, limit: Limit): Promise<Turn> {
    const { target, clock, random } = this.#parts;
    const { state } = turn;
    if (state.phase !== 'accepted' && state.phase !== 'overdue') return turn;
    try {
      if (state.ticket === undefined) return await this.#awaitUnmatched(turn, limit);
      let failures = 0;
      while (!limit.signal.aborted) {
        const result = await target.wait(state.target, state.ticket, limit.signal);
        if (result.kind === 'pending') failures = 0;
        else if (result.kind === 'unreachable') {
          failures += 1;
          await pause(clock, limit.signal, sendBackoffMs(failures, random()));
        } else {
          const now = await this.#applyWaitResult(turn, result, limit);
          if (now.state.phase !== state.phase) return now;
        }
      }
      return limit.isOver() ? await this.#applyTimeout(turn) : turn;
    } finally {
      limit.cancel();
    }
  }

  /** If the result does not change the phase of the turn, the ticket is asked for again after a pause. */
  async #applyWaitResult(turn: Turn, result: WaitResult, limit: Limit): Promise<Turn> {
    const { changes, clock } = this.#parts;
    const { turn: now } = await changes.apply(turn.id, { kind: 'waited', result });
    if (now.state.phase !== turn.state.phase) return now;
    const rest = limitAt(clock, limit.signal, clock.nowMs() + UNFINISHED_ASK_AGAIN_MS);
    const then = await changes.untilMoved(now, rest.signal);
    rest.cancel();
    return then;
  }

  /** Without a ticket the answer comes through `Bridge.receive`, which changes the turn. */
  async #awaitUnmatched(turn: Turn, limit: Limit): Promise<Turn> {
    const now = await this.#parts.changes.untilMoved(turn, limit.signal);
    return now.state.phase === turn.state.phase && limit.isOver() ? this.#applyTimeout(now) : now;
  }

  async #applyTimeout({ id, state }: Turn): Promise<Turn> {
    const kind = state.phase === 'overdue' ? 'gave_up_waiting' : 'timed_out';
    return (await this.#parts.changes.apply(id, { kind })).turn;
  }
}

/** The place of a turn in its chat's lane, and the person whose turn it is; `undefined` if it does not wait. */
export function laneItemOf(turn: Turn): LaneItem | undefined {
  const { id, seq, message, state, receivedAtMs } = turn;
  if (state.phase !== 'waiting') return undefined;
  const { notBeforeMs } = state;
  const share = personOf(turn);
  return { id, lane: message.chatId, share, order: seq, notBeforeMs, sinceMs: receivedAtMs };
}

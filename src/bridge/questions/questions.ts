/** What agents ask during their turns: stored, shown, answered by a person, told to the agent. */
import type { ChatId, OpenId, TurnId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { Turn } from '../../core/turn.ts';
import type { OutboxDraft } from '../ports/outbox.ts';
import type { QuestionUpdate } from '../../core/turn-update.ts';
import type { LaneRunner } from '../../time/lane-runner.ts';
import { platformMessageId, turnKey } from '../outbox/keys.ts';
import type { Approval } from '../ports/approvals.ts';
import type { Observer } from '../ports/observer.ts';
import type { Question, QuestionEndReason } from '../ports/questions.ts';
import type { TurnTarget } from '../ports/target.ts';
import { isGiven } from '../turns/phases.ts';
import { Asking, type AskingParts } from './asking.ts';
import { outcomeDraft } from './question-content.ts';
import {
  answerOf,
  type EndState,
  type Given,
  mayAnswer,
  standstillMs,
  whyOver,
  withdrawn,
  withMoreTime,
  withState,
} from './question.ts';

interface QuestionsParts extends AskingParts {
  readonly target: TurnTarget;
  readonly runner: Pick<LaneRunner, 'track' | 'stopSignal'>;
  readonly log: Log;
  readonly observer: Observer;
  /** The time of the turn stands still until the returned function is called. */
  readonly hold: (turn: TurnId) => () => void;
  /** An approval from before has answered a question of the turn. */
  readonly onApproved: (turn: Turn, question: Question, approval: Approval) => void;
}

/** What this process keeps of an open question. */
interface Waiting {
  readonly turn: TurnId;
  readonly goOn: () => void;
  cancelTimer: () => void;
}

/** An answer, and whatever is stored with it if it counts. */
interface EndsWith {
  /** What was said, if it was answered in words. Only the agent gets it. */
  readonly words?: string | undefined;
  readonly more?: readonly OutboxDraft[];
}

/** `state`: how the question ended, now or before. Undefined: it is not known any more. */
interface Ended {
  readonly isNew: boolean;
  readonly state: EndState | undefined;
}

export class Questions {
  readonly #parts: QuestionsParts;
  readonly #asking: Asking;
  readonly #waiting = new Map<string, Waiting>();

  constructor(parts: QuestionsParts) {
    this.#parts = parts;
    this.#asking = new Asking(parts);
  }

  /** Whoever asked in an earlier process has ended with it. To be called before the turns go on. */
  async start(): Promise<void> {
    const { journal, questions, clock } = this.#parts;
    for (const { key, turn } of questions.unsettled()) {
      if ((await journal.turn(turn)) === undefined) continue;
      await this.#end(key, { phase: 'over', why: 'restarted', atMs: clock.nowMs() });
    }
  }

  stop(): void {
    for (const { cancelTimer } of this.#waiting.values()) cancelTimer();
  }

  /** Takes what the agent at work on a turn asks. */
  ask(turn: Turn, asked: QuestionUpdate): void {
    const { runner, hold } = this.#parts;
    const key = turnKey(turn, `question:${asked.id}`);
    // The same question a second time.
    if (this.#waiting.has(key)) return;
    this.#waiting.set(key, { turn: turn.id, goOn: hold(turn.id), cancelTimer: () => {} });
    void runner.track(this.#ask(turn, asked, key));
  }

  /** Ends the open questions of a turn that is not at work any more. */
  turnMoved(turn: Turn): void {
    if (isGiven(turn.state.phase)) return;
    const why = whyOver(turn.state);
    for (const [key, waiting] of this.#waiting) {
      if (waiting.turn === turn.id) this.#over(key, why);
    }
  }

  /** Deletes the words of what was asked in a turn whose message was recalled. To be called in the same commit. */
  withdraw(turn: TurnId): void {
    const { questions } = this.#parts;
    for (const question of questions.ofTurn(turn)) questions.update(withdrawn(question));
  }

  /** The row that shows it has ended, and nothing was shown. */
  notShown(key: string): void {
    this.#over(key, 'not_shown');
  }

  /** A person has answered. `more`: rows that are added in the same write if the answer counts. */
  async answer(
    key: string,
    { by, ...given }: Given & { readonly by: OpenId },
    more: readonly OutboxDraft[] = [],
  ): Promise<Ended> {
    const { questions, clock, log } = this.#parts;
    const question = questions.question(key);
    if (question === undefined) return { isNew: false, state: undefined };
    const atMs = clock.nowMs();
    const isLate = question.state.phase === 'open' && atMs >= question.expiresAtMs;
    const words = 'words' in given ? given.words : undefined;
    const chosen = 'option' in given ? given : {};
    const state: EndState = isLate
      ? { phase: 'expired', atMs }
      : { phase: 'answered', ...chosen, by, atMs };
    const isNew = await this.#end(key, state, isLate ? {} : { words, more });
    if (isNew && !isLate) log.info('question_answered', { turn: question.turn, by });
    const now = questions.question(key)?.state;
    return { isNew: isNew && !isLate, state: now?.phase === 'open' ? undefined : now };
  }

  /** True if this process knows of a question that waits. Most messages cost no more than this. */
  get areOpen(): boolean {
    return this.#waiting.size > 0;
  }

  /** The open questions of a chat, newest first. */
  openIn(chat: ChatId): readonly Question[] {
    const { questions, clock } = this.#parts;
    return questions.openIn(chat).filter(({ expiresAtMs }) => clock.nowMs() < expiresAtMs);
  }

  question(key: string): Question | undefined {
    return this.#parts.questions.question(key);
  }

  mayAnswer(question: Question, by: OpenId): boolean {
    return mayAnswer(question, by, this.#parts.owner());
  }

  /** In a group only the owner can allow something from now on. */
  async mayAllowAlways({ turn }: Question, by: OpenId): Promise<boolean> {
    if (by === this.#parts.owner()) return true;
    return (await this.#parts.journal.turn(turn))?.message.chatType === 'p2p';
  }

  async #ask(turn: Turn, asked: QuestionUpdate, key: string): Promise<void> {
    const { owner, log } = this.#parts;
    const stored = await this.#asking.store(turn, asked, key);
    if (stored === undefined) {
      // The turn has ended meanwhile, and its agent with it.
      this.#forget(key);
      return;
    }
    const { now, question, approval } = stored;
    if (approval !== undefined) {
      this.#forget(key);
      const about = { turn: turn.id, approval: approval.number, tool: approval.tool };
      log.info('question_approved', about);
      this.#parts.onApproved(now, question, approval);
      return this.#tell(now, question, '');
    }
    log.info('question_asked', { turn: turn.id, options: asked.options.length });
    if (!this.#expireInTime(key)) return;
    if (asked.only === 'owner' && owner() === undefined) {
      log.warn('question_without_owner', { turn: turn.id, next: 'Run: lark-bridge connect' });
      this.#over(key, 'no_owner');
    }
  }

  /** False if nobody waits for an answer any more. */
  #expireInTime(key: string): boolean {
    const { clock, questionTimeoutMs } = this.#parts;
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return false;
    waiting.cancelTimer = clock.after(questionTimeoutMs, () => {
      this.#endSoon(key, { phase: 'expired', atMs: clock.nowMs() });
    });
    return true;
  }

  #over(key: string, why: QuestionEndReason): void {
    this.#endSoon(key, { phase: 'over', why, atMs: this.#parts.clock.nowMs() });
  }

  #endSoon(key: string, state: EndState): void {
    const end = async () => void (await this.#end(key, state));
    void this.#parts.runner.track(end());
  }

  /** False if it has ended before. */
  async #end(key: string, state: EndState, { words = '', more = [] }: EndsWith = {}) {
    const { runner, delivery, storeRetry } = this.#parts;
    const before = this.#parts.questions.question(key);
    if (before === undefined) return false;
    const done = await storeRetry.untilStored(() => this.#store(before, state, more));
    this.#forget(key);
    if (!done.changed) return false;
    // An answer that nobody heard ends a second time.
    if (before.state.phase === 'open') this.#parts.observer.questionEnded(state.phase);
    delivery.offer(done.out);
    // After a restart nobody waits for it.
    if (state.phase !== 'over' || state.why !== 'restarted') {
      void runner.track(this.#tell(done.turn, { ...before, state }, words));
    }
    return true;
  }

  /** Stores the end with what shows it, what it allows from now on, and the time that the turn gets back. */
  #store(before: Question, state: EndState, more: readonly OutboxDraft[]) {
    const { journal, questions, news, languages } = this.#parts;
    const { key, turn: id } = before;
    const nowMs = state.atMs;
    let next: Question | undefined;
    return journal.changeTurn(
      id,
      (turn) => {
        const now = questions.question(key);
        if (now === undefined || !mayEnd(now, state)) return undefined;
        next = withState(now, state);
        const at = { nowMs, lang: languages.ofTurn(turn) };
        const gainedMs = standstillMs(questions.ofTurn(id), nowMs);
        return {
          state: withMoreTime(turn.state, gainedMs),
          out: [outcomeDraft(turn, next, at), ...more],
        };
      },
      {
        join: (turn, changed) => {
          if (!changed || next === undefined) return;
          questions.update(next);
          news.questionEnded(turn, next);
          this.#allowFromNowOn(next);
        },
      },
    );
  }

  /** What the owner allows counts everywhere, and what another person allows only where they are. */
  #allowFromNowOn({ state, permission, chatId }: Question): void {
    const scope = permission?.always;
    if (state.phase !== 'answered' || state.always !== true || scope === undefined) return;
    const { by, atMs } = state;
    const { approvals, owner } = this.#parts;
    const chat = by === owner() ? undefined : chatId;
    approvals.insert({ ...scope, ...(chat !== undefined && { chat }), by, atMs });
  }

  #forget(key: string): void {
    const waiting = this.#waiting.get(key);
    waiting?.cancelTimer();
    waiting?.goOn();
    this.#waiting.delete(key);
  }

  /** An answer that the agent does not take any more is not left as if it had counted. */
  async #tell(turn: Turn, question: Question, words: string): Promise<void> {
    const { key, target, id, run, state } = question;
    const { questions, journal, storeRetry, clock, log } = this.#parts;
    if (state.phase === 'open') return;
    const messageId = platformMessageId({ ...turn, run });
    const asked = { target, messageId, id };
    const told =
      (await this.#parts.target.answerQuestion?.(asked, answerOf(state, words))) ?? 'over';
    if (state.phase !== 'answered') return;
    if (told === 'over') {
      log.warn('question_answer_not_heard', { turn: turn.id });
      await this.#end(key, { phase: 'over', why: 'not_heard', atMs: clock.nowMs() });
      return;
    }
    const join = () => {
      const now = questions.question(key);
      if (now?.state.phase === 'answered') {
        questions.update({ ...now, state: { ...now.state, isHeard: true } });
      }
    };
    await storeRetry.untilStored(() => journal.changeTurn(turn.id, () => undefined, { join }));
  }
}

/** An answer that the agent has not got may still turn out to be in vain. */
function mayEnd({ state }: Question, end: EndState): boolean {
  if (state.phase === 'open') return true;
  const isUnheard = state.phase === 'answered' && state.isHeard !== true;
  return isUnheard && end.phase === 'over' && (end.why === 'not_heard' || end.why === 'restarted');
}

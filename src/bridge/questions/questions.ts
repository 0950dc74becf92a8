/** What agents ask during their turns: stored, shown, answered by a person, told to the agent. */
import type { OpenId, TurnId } from '../../core/ids.ts';
import type { InboundMessage } from '../../core/message.ts';
import type { Log } from '../../core/log.ts';
import type { Turn } from '../../core/turn.ts';
import type { OutboxDraft } from '../ports/outbox.ts';
import type { QuestionOption, TurnUpdate } from '../../core/turn-update.ts';
import type { Clock } from '../../time/clock.ts';
import type { LaneRunner } from '../../time/lane-runner.ts';
import type { News } from '../news/news.ts';
import type { Delivery } from '../outbox/delivery.ts';
import { ownDraft, reactionDraft } from '../outbox/drafts.ts';
import { platformMessageId, turnKey } from '../outbox/keys.ts';
import type { Journal } from '../ports/journal.ts';
import type { Observer } from '../ports/observer.ts';
import type { Question, QuestionEndReason, QuestionStore } from '../ports/questions.ts';
import type { TurnTarget } from '../ports/target.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import { questionNotices } from '../texts/questions.ts';
import { isGiven } from '../turns/phases.ts';
import {
  answerOf,
  type EndState,
  isSaidTo,
  mayAnswer,
  optionMeant,
  outcomeDraft,
  questionDraft,
  standstillMs,
  typedWords,
  whyOver,
  withdrawn,
  withMoreTime,
  withState,
} from './question.ts';

/** The reaction on a message that answered a question. */
const TAKEN_EMOJI = 'DONE';

interface QuestionsParts {
  readonly journal: Journal;
  readonly questions: QuestionStore;
  readonly target: TurnTarget;
  readonly news: News;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
  readonly runner: Pick<LaneRunner, 'track' | 'stopSignal'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: Observer;
  /** How long a question waits for an answer. */
  readonly questionTimeoutMs: number;
  /** Who may answer what is for the owner only. */
  readonly owner: () => OpenId | undefined;
  /** The time of the turn stands still until the returned function is called. */
  readonly hold: (turn: TurnId) => () => void;
}

type Asked = Extract<TurnUpdate, { kind: 'question' }>;

/** What this process keeps of an open question. */
interface Waiting {
  readonly turn: TurnId;
  readonly goOn: () => void;
  cancelTimer: () => void;
}

/** A message that answers a question. */
export interface TypedAnswer {
  readonly key: string;
  readonly option: QuestionOption;
}

/** `state`: how the question ended, now or before. Undefined: it is not known any more. */
interface Ended {
  readonly isNew: boolean;
  readonly state: EndState | undefined;
}

export class Questions {
  readonly #parts: QuestionsParts;
  readonly #waiting = new Map<string, Waiting>();

  constructor(parts: QuestionsParts) {
    this.#parts = parts;
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
  ask(turn: Turn, asked: Asked): void {
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

  /** A person chose an option. `more`: rows that are added in the same write if the choice counts. */
  async choose(
    key: string,
    { option, by }: { readonly option: QuestionOption; readonly by: OpenId },
    more: readonly OutboxDraft[] = [],
  ): Promise<Ended> {
    const { questions, clock, log } = this.#parts;
    const question = questions.question(key);
    if (question === undefined) return { isNew: false, state: undefined };
    const atMs = clock.nowMs();
    const isLate = question.state.phase === 'open' && atMs >= question.expiresAtMs;
    const state: EndState = isLate
      ? { phase: 'expired', atMs }
      : { phase: 'answered', option, by, atMs };
    const isNew = await this.#end(key, state, isLate ? [] : more);
    if (isNew && !isLate) log.info('question_answered', { turn: question.turn, by });
    const now = questions.question(key)?.state;
    return { isNew: isNew && !isLate, state: now?.phase === 'open' ? undefined : now };
  }

  /** The open question that a message answers: the newest one that has such an option, for those who may. */
  meantBy(message: InboundMessage): TypedAnswer | undefined {
    // A process has all open questions in memory, so most messages cost no read.
    const words = this.#waiting.size === 0 ? undefined : typedWords(message);
    if (words === undefined) return undefined;
    const { questions, owner, clock } = this.#parts;
    const { chatId, senderOpenId: by } = message;
    for (const question of questions.openIn(chatId)) {
      const option = optionMeant(words, question.options);
      if (option === undefined || clock.nowMs() >= question.expiresAtMs) continue;
      if (!isSaidTo(question, message) || !mayAnswer(question, by, owner())) continue;
      return { key: question.key, option };
    }
    return undefined;
  }

  /** Carries out what a message answers, and shows on that message that it counts, or why not. */
  async typed({ message }: Turn, { key, option }: TypedAnswer): Promise<void> {
    const { journal, storeRetry, delivery, languages, clock } = this.#parts;
    const { senderOpenId: by } = message;
    const subject = { message, run: 1 };
    const nowMs = clock.nowMs();
    const sign: OutboxDraft = {
      ...reactionDraft(subject, nowMs),
      key: turnKey(subject, 'answer_taken'),
      body: { kind: 'react', emoji: TAKEN_EMOJI },
    };
    const { isNew, state } = await this.choose(key, { option, by }, [sign]);
    if (isNew || state === undefined) return;
    const at = { nowMs, lang: languages.of(by) };
    const late = ownDraft(subject, questionNotices.late(state), at);
    delivery.offer(await storeRetry.untilStored(() => journal.enqueue([late])));
  }

  question(key: string): Question | undefined {
    return this.#parts.questions.question(key);
  }

  mayAnswer(question: Question, by: OpenId): boolean {
    return mayAnswer(question, by, this.#parts.owner());
  }

  async #ask({ id: turn, run }: Turn, asked: Asked, key: string): Promise<void> {
    const { owner, log } = this.#parts;
    if (!(await this.#stored({ turn, run, key }, asked))) {
      // The turn has ended meanwhile, and its agent with it.
      this.#forget(key);
      return;
    }
    log.info('question_asked', { turn, options: asked.options.length });
    if (!this.#expireInTime(key)) return;
    if (asked.only === 'owner' && owner() === undefined) {
      log.warn('question_without_owner', { turn, next: 'Run: lark-bridge connect' });
      this.#over(key, 'no_owner');
    }
  }

  /** Stores a question with the row that shows it. False if its run is over. */
  async #stored(
    of: Pick<Question, 'turn' | 'run' | 'key'>,
    { kind: _kind, ...said }: Asked,
  ): Promise<boolean> {
    const { journal, questions, news, storeRetry, delivery, languages, clock } = this.#parts;
    const askedAtMs = clock.nowMs();
    const times = { askedAtMs, expiresAtMs: askedAtMs + this.#parts.questionTimeoutMs };
    let question: Question | undefined;
    const { out, changed } = await storeRetry.untilStored(() =>
      journal.changeTurn(
        of.turn,
        (now) => {
          const { state, message } = now;
          // Only a turn that was given to an agent has a target.
          if (now.run !== of.run || !('target' in state)) return undefined;
          if (questions.question(of.key) !== undefined) return undefined;
          const { chatId, threadId } = message;
          const place = { ...of, target: state.target, chatId, threadId };
          question = { ...place, ...said, ...times, state: { phase: 'open' } };
          const at = { nowMs: askedAtMs, lang: languages.ofTurn(now) };
          return { state, out: [questionDraft(now, question, at)] };
        },
        {
          join: (now, isAsked) => {
            if (!isAsked || question === undefined) return;
            questions.insert(question);
            news.questionAsked(now, question);
          },
        },
      ),
    );
    delivery.offer(out);
    return changed;
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

  /** False if it has ended before. `more`: rows that are added with the end. */
  async #end(key: string, state: EndState, more: readonly OutboxDraft[] = []): Promise<boolean> {
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
      void runner.track(this.#tell(done.turn, { ...before, state }));
    }
    return true;
  }

  /** Stores the end with what shows it and the time that the turn gets back. */
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
        },
      },
    );
  }

  #forget(key: string): void {
    const waiting = this.#waiting.get(key);
    waiting?.cancelTimer();
    waiting?.goOn();
    this.#waiting.delete(key);
  }

  /** An answer that the agent does not take any more is not left as if it had counted. */
  async #tell(turn: Turn, { key, target, id, run, state }: Question): Promise<void> {
    const { questions, journal, storeRetry, clock, log } = this.#parts;
    if (state.phase === 'open') return;
    const messageId = platformMessageId({ ...turn, run });
    const asked = { target, messageId, id };
    const told = (await this.#parts.target.answerQuestion?.(asked, answerOf(state))) ?? 'over';
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

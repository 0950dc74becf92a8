import { randomUUID } from 'node:crypto';
import type { AgentResult, AgentRun, TurnHost } from '../../agents/runtime.ts';
import type { Log } from '../../core/log.ts';
import type { QuestionAnswer, TurnUpdate } from '../../core/turn-update.ts';
import type { Clock } from '../../time/clock.ts';
import { pausableTimer } from '../../time/pausable-timer.ts';
import { SilenceWatch } from './silence-watch.ts';
import { failureSentence, noAnswerWithin } from '../../wire/failure-sentences.ts';

/** How long an agent may take to end that was cancelled, before the hub goes on without it. */
const CANCEL_MS_MAX = 4_000;

interface AskedQuestion {
  /** The agent's own id of it. */
  readonly id: string;
  /** Ends the standstill of the time limit. */
  readonly goOn: () => void;
}

interface AgentWorkParts {
  readonly clock: Clock;
  /** Its lines name the turn. */
  readonly log: Log;
  /** Silence of this length is told. Undefined: none is. */
  readonly silenceMs: number | undefined;
}

/** What of a turn's host is about time and updates. */
export type WorkHost = Required<Pick<TurnHost, 'onUpdate' | 'onSign' | 'expectSilence'>>;

/** One run of an agent. It ends in time, whatever the agent does. While a person is asked, its time stands still. */
export class AgentWork {
  readonly #parts: AgentWorkParts;
  #isCancelled = false;
  #isRunning = false;
  #isOvertime = false;
  #run: AgentRun | undefined;
  #begun: Promise<AgentRun> | undefined;
  /** Part of the ids of its questions, because another run may ask under the same ids. */
  readonly #mark = randomUUID();
  readonly #asked = new Map<string, AskedQuestion>();
  #holdTime: () => () => void = () => () => {};
  #abandon: (result: AgentResult) => void = () => {};
  #cancelTimer = () => {};
  #cancelMs = CANCEL_MS_MAX;

  constructor(parts: AgentWorkParts) {
    this.#parts = parts;
  }

  /** Ends the run. Its result is then `cancelled`, unless the run ended by itself just before. */
  cancel(): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    if (!this.#isRunning) return;
    this.#run?.cancel();
    this.#abandonAfter(this.#cancelMs);
  }

  /** Ends the run, and waits for no agent for long: the hub stops. */
  cancelSoon(): void {
    this.cancel();
    if (this.#isRunning) this.#abandonAfter(CANCEL_MS_MAX);
  }

  /**
   * Never rejects: agents are foreign code, so an agent that throws fails its turn only. Updates are passed on
   * until the turn is over or cancelled.
   */
  async run(
    begin: (host: WorkHost) => Promise<AgentRun>,
    onUpdate: (update: TurnUpdate) => void,
    {
      timeoutMs,
      cancelMs = CANCEL_MS_MAX,
    }: { readonly timeoutMs: number; readonly cancelMs?: number },
  ): Promise<AgentResult> {
    const { clock, log, silenceMs = Infinity } = this.#parts;
    if (this.#isCancelled) return CANCELLED;
    this.#isRunning = true;
    this.#cancelMs = cancelMs;
    const limit = pausableTimer(clock, timeoutMs, () => {
      this.#isOvertime = true;
      this.cancel();
    });
    this.#cancelTimer = () => limit.cancel();
    const silence = new SilenceWatch({
      clock,
      silenceMs,
      tell: () => {
        if (!this.#isCancelled)
          onUpdate({ kind: 'told', what: { kind: 'silent', silentMs: silenceMs } });
      },
    });
    this.#holdTime = () => {
      const ends = [limit.hold(), silence.expect()];
      return () => ends.forEach((end) => end());
    };
    const abandoned = new Promise<AgentResult>((resolve) => {
      this.#abandon = resolve;
    });
    try {
      const host: WorkHost = {
        onUpdate: (update) => {
          silence.sign();
          // What a runtime says of a stop comes after the stop.
          const isHeard = !this.#isCancelled || update.kind === 'told';
          if (this.#isRunning && isHeard) onUpdate(this.#noted(update));
        },
        onSign: () => silence.sign(),
        expectSilence: () => silence.expect(),
      };
      const result = await Promise.race([this.#ended(() => begin(host)), abandoned]);
      return this.#isOvertime && !result.ok ? timedOut(timeoutMs) : result;
    } catch (error) {
      const stack = error instanceof Error ? error.stack : String(error);
      log.error('hub_agent_broke', { error: stack });
      return { ok: false, reason: 'failed', detail: failureSentence('agent_broke') };
    } finally {
      this.#isRunning = false;
      silence.end();
      this.#asked.clear();
      this.#cancelTimer();
    }
  }

  /** Gives the agent the answer to a question. False if it does not wait for it. */
  async answer(questionId: string, answer: QuestionAnswer): Promise<boolean> {
    const question = this.#asked.get(questionId);
    if (question === undefined) return false;
    this.#asked.delete(questionId);
    question.goOn();
    const run = await this.#begun;
    return run?.answer(question.id, answer) ?? false;
  }

  /** For agents that do not end when they are told to. */
  #abandonAfter(delayMs: number): void {
    const { clock, log } = this.#parts;
    this.#cancelTimer();
    this.#cancelTimer = clock.after(delayMs, () => {
      log.error('hub_agent_abandoned');
      this.#abandon(CANCELLED);
    });
  }

  /** A question gets an id that no other run has. */
  #noted(update: TurnUpdate): TurnUpdate {
    if (update.kind !== 'question') return update;
    const id = `${this.#mark}:${update.id}`;
    if (!this.#asked.has(id)) this.#asked.set(id, { id: update.id, goOn: this.#holdTime() });
    return { ...update, id };
  }

  async #ended(begin: () => Promise<AgentRun>): Promise<AgentResult> {
    this.#begun = begin();
    const run = await this.#begun;
    this.#run = run;
    if (this.#isCancelled) run.cancel();
    return run.result;
  }
}

export const CANCELLED: AgentResult = {
  ok: false,
  reason: 'cancelled',
  detail: failureSentence('cancelled'),
};

function timedOut(timeoutMs: number): AgentResult {
  return { ok: false, reason: 'timed_out', detail: noAnswerWithin(timeoutMs) };
}

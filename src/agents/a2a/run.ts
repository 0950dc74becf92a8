/** One turn of an agent elsewhere. */
import { isSystemError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { withoutSecrets } from '../../core/secret.ts';
import type { QuestionAnswer, QuestionUpdate, TurnUpdate } from '../../core/turn-update.ts';
import { byteLength, shortened } from '../../text/cut.ts';
import { withoutTerminalControls } from '../../text/visible.ts';
import type { Clock } from '../../time/clock.ts';
import { limitAt, NEVER } from '../../time/wait.ts';
import { failureSentence } from '../../wire/failure-sentences.ts';
import { cutAnswer } from '../cut-answer.ts';
import type { OutputFolders } from '../output-folders.ts';
import type { AgentResult, AgentRun, AgentTurn, TurnHost } from '../runtime.ts';
import type { RemoteAgent } from './agent.ts';
import { Answer } from './answer.ts';
import { Conversation } from './conversation.ts';
import { type AgentEvent, type AgentStatus, textOf } from './events.ts';
import { failureFor, failureOf } from './failures.ts';
import { type OutgoingMessage, promptOf } from './prompt.ts';
import { answerParts, questionOf } from './question.ts';
import { AgentTrouble } from './trouble.ts';

/** How long an agent that is told to stop may take to say so. */
const CANCEL_MS_MAX = 10_000;
/** It is one line of a card. */
const STATUS_CHARS_MAX = 500;

export interface RunParts {
  readonly agent: RemoteAgent;
  readonly clock: Clock;
  /** Its lines name the turn. */
  readonly log: Log;
  readonly outputs: OutputFolders | undefined;
  /** A longer answer is cut, and its work stopped. */
  readonly answerBytesMax: number;
}

/** Thrown to end the reading of an answer that is too long. */
class AnswerFull extends Error {
  override readonly name = 'AnswerFull';
}

/** What stops by itself is told to the agent too: it would work on for nobody. */
const STOPPED_KINDS: ReadonlySet<AgentTrouble['kind']> = new Set(['too_large', 'unreadable']);

interface OpenQuestion {
  readonly question: QuestionUpdate;
  readonly answer: (answer: QuestionAnswer) => void;
}

export class A2aRun implements AgentRun {
  readonly result: Promise<AgentResult>;
  readonly #parts: RunParts;
  readonly #turn: AgentTurn;
  readonly #host: TurnHost;
  readonly #answer = new Answer();
  readonly #conversation: Conversation;
  /** Ends what goes on with the agent. */
  readonly #stop = new AbortController();
  #asked: OpenQuestion | undefined;
  #questions = 0;
  #toldStatus = '';
  #phase: 'working' | 'cancelling' | 'over' = 'working';
  #settleCancel: (result: AgentResult) => void = () => {};

  constructor(parts: RunParts, turn: AgentTurn, host: TurnHost) {
    this.#parts = parts;
    this.#turn = turn;
    this.#host = host;
    this.#conversation = new Conversation({
      agent: parts.agent,
      clock: parts.clock,
      log: parts.log,
      context: turn.session?.nativeId ?? '',
      take: (event) => this.#take(event),
    });
    const cancelled = new Promise<AgentResult>((resolve) => {
      this.#settleCancel = resolve;
    });
    this.result = Promise.race([this.#run(), cancelled]);
  }

  cancel(): void {
    if (this.#phase !== 'working') return;
    this.#phase = 'cancelling';
    this.#asked = undefined;
    void this.#endWork().finally(() => {
      this.#stop.abort();
      this.#settleCancel(this.#cancelled());
    });
  }

  answer(questionId: string, answer: QuestionAnswer): boolean {
    const asked = this.#asked;
    if (asked?.question.id !== questionId) return false;
    this.#asked = undefined;
    asked.answer(answer);
    return true;
  }

  async #run(): Promise<AgentResult> {
    const result = await this.#work();
    if (this.#phase === 'cancelling') return this.#cancelled();
    this.#phase = 'over';
    this.#stop.abort();
    return result;
  }

  async #work(): Promise<AgentResult> {
    const { log, agent } = this.#parts;
    try {
      let status = await this.#begin();
      while (status.state === 'input_required') {
        const answer = await this.#ask(status);
        status = await this.#conversation.say(answer, this.#stop.signal);
      }
      return await this.#resultOf(status);
    } catch (error) {
      if (error instanceof AnswerFull) return this.#cut();
      if (!(error instanceof AgentTrouble)) throw error;
      if (this.#phase === 'working') {
        const detail = this.#masked(error.message);
        log.warn('a2a_turn_failed', { why: error.kind, detail });
      }
      agent.forgetCard();
      if (STOPPED_KINDS.has(error.kind)) await this.#endWork();
      return failureFor(error, (text) => this.#masked(text));
    }
  }

  /** An agent that has forgotten the conversation did nothing about the message, and gets a new one. */
  async #begin(): Promise<AgentStatus> {
    const { session } = this.#turn;
    const { signal } = this.#stop;
    const context = session?.nativeId;
    if (context !== undefined) {
      try {
        return await this.#conversation.say(await promptOf(this.#turn, ''), signal);
      } catch (error) {
        const isForgotten = error instanceof AgentTrouble && error.kind === 'unknown_task';
        if (!isForgotten || this.#conversation.task !== '') throw error;
        await this.#host.keepSession?.(undefined);
      }
    }
    const before = session === undefined ? '' : ((await this.#host.saidBefore?.()) ?? '');
    if (before !== '') this.#tellPeople({ kind: 'told', what: { kind: 'memory_lost' } });
    const prompt = await promptOf(this.#turn, before);
    return this.#conversation.say({ ...prompt, context: '' }, signal);
  }

  async #ask({ parts }: AgentStatus): Promise<OutgoingMessage> {
    this.#questions += 1;
    const question = questionOf(parts, String(this.#questions));
    const answered = new Promise<QuestionAnswer>((resolve) => {
      this.#asked = { question, answer: resolve };
    });
    this.#host.onUpdate(question);
    const answer = await answered;
    return {
      id: `${this.#turn.turnId}:${question.id}`,
      context: this.#conversation.context,
      task: this.#conversation.task,
      parts: answerParts(question, answer),
    };
  }

  async #take(event: AgentEvent): Promise<void> {
    this.#host.onSign?.();
    const { context } = event;
    const isNew = context !== '' && context !== this.#conversation.context;
    if (isNew && this.#turn.session !== undefined) await this.#host.keepSession?.(context);
    switch (event.kind) {
      case 'message':
        return this.#show(this.#answer.end(event.parts));
      case 'artifact':
        return this.#show(this.#answer.take(event.artifact, event.continues));
      case 'task':
        for (const artifact of event.artifacts) this.#show(this.#answer.take(artifact, false));
        return this.#tellStatus(event.status);
      case 'status':
        return this.#tellStatus(event.status);
    }
  }

  #tellStatus({ state, parts }: AgentStatus): void {
    const text = state === 'working' ? withoutTerminalControls(textOf(parts)).trim() : '';
    if (text === '' || text === this.#toldStatus) return;
    this.#toldStatus = text;
    this.#tellPeople({ kind: 'status', text: shortened(text, STATUS_CHARS_MAX) });
  }

  #show(update: TurnUpdate | undefined): void {
    if (update !== undefined) this.#tellPeople(update);
    // No text has more bytes than three for each unit.
    const { length } = this.#answer.text;
    const { answerBytesMax } = this.#parts;
    if (length * 3 > answerBytesMax && byteLength(this.#answer.text) > answerBytesMax) {
      throw new AnswerFull();
    }
  }

  #tellPeople(update: TurnUpdate): void {
    if (this.#phase === 'working') this.#host.onUpdate(update);
  }

  async #resultOf(status: AgentStatus): Promise<AgentResult> {
    if (status.state === 'completed') {
      this.#show(this.#answer.end(status.parts));
      return this.#withFiles({ ok: true, text: this.#answer.text });
    }
    const unfinished = failureSentence('a2a_unfinished');
    if (status.state === 'unknown' && this.#answer.text !== '') {
      return this.#withFiles({ ok: true, text: this.#answer.text, warning: unfinished });
    }
    // It would go on some time later, and nobody would see it.
    if (status.state === 'auth_required') await this.#endWork();
    return failureOf(status, (text) => this.#masked(text));
  }

  async #withFiles(result: Extract<AgentResult, { ok: true }>): Promise<AgentResult> {
    const { outputs, log } = this.#parts;
    try {
      const attached = await this.#answer.keepFiles(outputs);
      return attached === undefined ? result : { ...result, attached };
    } catch (error) {
      if (!isSystemError(error)) throw error;
      log.error('agent_output_not_taken', { error: error.message });
      return { ok: false, reason: 'failed', detail: failureSentence('answer_files_not_kept') };
    }
  }

  async #cut(): Promise<AgentResult> {
    const { answerBytesMax, log } = this.#parts;
    log.warn('agent_answer_cut', { bytes_max: answerBytesMax });
    await this.#endWork();
    return { ok: true, text: cutAnswer(this.#answer.text, answerBytesMax) };
  }

  #cancelled(): AgentResult {
    const detail = failureSentence('cancelled');
    const { text } = this.#answer;
    return { ok: false, reason: 'cancelled', detail, ...(text !== '' && { text }) };
  }

  async #endWork(): Promise<void> {
    const { clock } = this.#parts;
    const limit = limitAt(clock, NEVER, clock.nowMs() + CANCEL_MS_MAX);
    try {
      await this.#conversation.cancel(limit.signal);
    } finally {
      limit.cancel();
    }
  }

  #masked(text: string): string {
    const { token } = this.#parts.agent;
    return withoutSecrets(token === '' ? text : text.replaceAll(token, '[secret]'));
  }
}

/** One turn of an agent: its program, its memory, the prompt, and the end. */
import type { Json } from '../../core/json-object.ts';
import type { Log } from '../../core/log.ts';
import type { QuestionAnswer, RuntimeNotice, TurnUpdate } from '../../core/turn-update.ts';
import { headOf } from '../../text/cut.ts';
import type { Clock } from '../../time/clock.ts';
import { NEVER, pause } from '../../time/wait.ts';
import { failureSentence } from '../../wire/failure-sentences.ts';
import { ProgramGroup } from '../program-group.ts';
import type { AgentResult, AgentRun, AgentTurn, TurnHost } from '../runtime.ts';
import { folderTroubleOf } from './folder.ts';
import type { AcpObserver, Memory } from './observer.ts';
import type { AcpProcess } from './process.ts';
import type { HeldProgram, Programs } from './programs.ts';
import { promptOf } from './prompt.ts';
import { Questions } from './questions.ts';
import { CANCELLED } from '../ended-run.ts';
import { answerResult, logTrouble, troubleResult, unfinished } from './results.ts';
import type { AcpSession } from './session.ts';
import { AcpTrouble, AUTH_REQUIRED } from './trouble.ts';
import { UpdateReader } from './updates.ts';

/** An agent that does not answer a cancel within this time is ended. With the end of its group that is 15 s at most. */
const CANCEL_MS_MAX = 8_000;
/** What a stopped turn has started may take so long to end. */
const LEFT_MS_MAX = 5_000;
const LEFT_CHECK_MS = 200;
/** What was said before, for an agent that lost its memory. */
const SAID_BEFORE_CHARS_MAX = 16_000;

interface RunParts {
  readonly turn: AgentTurn;
  readonly host: TurnHost;
  readonly session: AcpSession;
  readonly programs: Programs;
  readonly bytesMax: number;
  /** The command that logs in, if the agent names none. */
  readonly loginCommand: string | undefined;
  readonly observer: AcpObserver;
  readonly clock: Clock;
  /** Its lines name the turn. */
  readonly log: Log;
}

export class AcpRun implements AgentRun {
  readonly result: Promise<AgentResult>;
  /** Resolves when its program and its session are free for others. */
  readonly over: Promise<void>;
  readonly #parts: RunParts;
  readonly #cancelled = new AbortController();
  readonly #reader: UpdateReader;
  readonly #questions: Questions;
  /** What tells the agent to stop. Undefined: it has no prompt. */
  #stop: (() => void) | undefined;
  #endEarly: (result: AgentResult) => void = () => {};
  /** Calls off the end of a program that did not stop. */
  #spare: () => void = () => {};
  #isOver = false;
  #isWaitTold = false;
  #goOn: (() => void) | undefined;
  #login: string | undefined;
  /** Undefined as soon as it has told something. */
  #promptedAtMs: number | undefined;

  constructor(parts: RunParts) {
    const { bytesMax, host, session } = parts;
    this.#parts = parts;
    this.#login = parts.loginCommand;
    this.#reader = new UpdateReader({ folder: session.folder, bytesMax });
    this.#questions = new Questions({
      onUpdate: (update) => this.#tell(update),
      expectSilence: host.expectSilence ?? (() => () => {}),
      tools: { isOwnTool: (use) => session.tools?.isOwnTool(use) === true },
      callOf: (toolCall) => this.#reader.asked(toolCall),
    });
    const early = new Promise<AgentResult>((resolve) => {
      this.#endEarly = resolve;
    });
    const work = this.#work();
    this.over = work.then(
      () => {},
      () => {},
    );
    this.result = Promise.race([work, early]).finally(() => {
      this.#isOver = true;
    });
  }

  cancel(): void {
    if (this.#isOver || this.#cancelled.signal.aborted) return;
    this.#cancelled.abort();
    // Before the prompt there is nothing to wait for. What was begun goes on by itself.
    if (this.#stop === undefined) this.#endEarly(CANCELLED);
    else this.#stop();
  }

  answer(questionId: string, answer: QuestionAnswer): boolean {
    return !this.#isOver && this.#questions.answer(questionId, answer);
  }

  async #work(): Promise<AgentResult> {
    const { session, log } = this.#parts;
    const leave = await session.enter();
    try {
      return await this.#attempts();
    } catch (error) {
      if (!(error instanceof AcpTrouble)) throw error;
      logTrouble(log, error.trouble);
      return troubleResult(error.trouble, this.#login);
    } finally {
      this.#questions.end();
      leave();
    }
  }

  /** An agent that does not get ready is ended, and tried once more. */
  async #attempts(): Promise<AgentResult> {
    try {
      return await this.#attempt({ afresh: false });
    } catch (error) {
      const isSilent = error instanceof AcpTrouble && error.trouble.kind === 'silent';
      if (!isSilent || this.#cancelled.signal.aborted) throw error;
      logTrouble(this.#parts.log, error.trouble);
      this.#notice({ kind: 'tries_again' });
      return this.#attempt({ afresh: true });
    }
  }

  async #attempt({ afresh }: { readonly afresh: boolean }): Promise<AgentResult> {
    const { programs, turn, session, host } = this.#parts;
    const { folder } = session;
    const { signal } = this.#cancelled;
    const trouble = folderTroubleOf(folder);
    if (trouble !== undefined) return { ok: false, reason: 'failed', detail: trouble };
    const onWait = () => this.#tellWait();
    const held = await programs.acquire({ folder, turn, onWait, signal });
    if (held === undefined) return CANCELLED;
    this.#login ??= held.program.loginCommand;
    try {
      const keep = (nativeId: string) => host.keepSession?.(nativeId) ?? Promise.resolve();
      const memory = await session.open(held.program, { session: turn.session, afresh, keep });
      return await this.#prompt(held, memory);
    } catch (error) {
      throw this.#afterTrouble(held, error);
    } finally {
      held.release();
    }
  }

  /** A program that is of no use is not kept. Adds what the agent says of its login. */
  #afterTrouble(held: HeldProgram, error: unknown): unknown {
    if (!(error instanceof AcpTrouble)) return error;
    const { trouble } = error;
    if (trouble.kind === 'silent') held.program.kill();
    // Agents read at their start whether somebody has logged in.
    if (trouble.kind === 'refused' && trouble.code === AUTH_REQUIRED) held.retire();
    return error;
  }

  async #prompt(held: HeldProgram, memory: Memory): Promise<AgentResult> {
    const { turn, host, session } = this.#parts;
    const { program } = held;
    if (memory === 'lost') this.#notice({ kind: 'memory_lost' });
    const said = memory === 'lost' ? await host.saidBefore?.() : undefined;
    const saidBefore = headOf(said ?? '', { chars: SAID_BEFORE_CHARS_MAX });
    const prompt = await promptOf(turn, { abilities: program.abilities.prompt, saidBefore });
    await session.settleLate();
    const sessionId = session.nativeId;
    if (this.#isCancelled()) return CANCELLED;
    const began = ProgramGroup.now();
    this.#begin(program, sessionId);
    this.#parts.observer.promptSent();
    this.#promptedAtMs = this.#parts.clock.nowMs();
    const answered = this.#answerTo({ sessionId, prompt }, program);
    const result = await answered.finally(() => this.#end());
    if (!this.#isCancelled()) return result;
    // Whatever it says to a cancel, it has stopped.
    await this.#endLeft(held, began);
    return this.#stopped();
  }

  async #answerTo(params: Json, program: AcpProcess): Promise<AgentResult> {
    try {
      const answer = await program.request('session/prompt', params);
      for (const update of this.#reader.takeUsage(answer['usage'])) this.#tell(update);
      return answerResult(answer['stopReason'], this.#reader.answer);
    } catch (error) {
      return this.#isCancelled() ? CANCELLED : await this.#broken(program, error);
    }
  }

  #isCancelled(): boolean {
    return this.#cancelled.signal.aborted;
  }

  /** From now on the turn hears its agent. */
  #begin(program: AcpProcess, sessionId: string | undefined): void {
    const { session, host, clock, log } = this.#parts;
    this.#stop = () => {
      program.notify('session/cancel', { sessionId });
      this.#questions.end();
      this.#spare = clock.after(CANCEL_MS_MAX, () => {
        log.warn('agent_did_not_stop');
        program.kill();
      });
    };
    session.beginTurn({
      onUpdate: (update) => this.#take(update),
      onPermission: (request, signal) => this.#permission(request, signal),
      onElicitation: (request, signal) => this.#questions.elicitation(request, signal),
      onSign: () => host.onSign?.(),
    });
    session.tools?.attach({ host, ask: (question) => this.#questions.ask(question) });
  }

  #end(): void {
    const { session } = this.#parts;
    this.#spare();
    session.tools?.attach(undefined);
    session.endTurn();
    this.#questions.end();
    this.#goOn?.();
    this.#goOn = undefined;
  }

  #take(update: Json): void {
    this.#observeFirst();
    for (const one of this.#reader.take(update)) this.#tell(one);
    const { hasToolAtWork } = this.#reader;
    if (hasToolAtWork) this.#goOn ??= this.#parts.host.expectSilence?.();
    else {
      this.#goOn?.();
      this.#goOn = undefined;
    }
  }

  #observeFirst(): void {
    if (this.#promptedAtMs === undefined) return;
    const { observer, clock } = this.#parts;
    observer.firstUpdateAfter(Math.max(0, clock.nowMs() - this.#promptedAtMs));
    this.#promptedAtMs = undefined;
  }

  #permission({ toolCall, ...request }: Json, signal: AbortSignal): Promise<Json> {
    return this.#questions.permission(request, (toolCall ?? {}) as Json, signal);
  }

  /** It has stopped, because it was told to. */
  #stopped(): AgentResult {
    const { answer: text } = this.#reader;
    return text.trim() === '' ? CANCELLED : { ...CANCELLED, text };
  }

  /** The prompt has no answer. What was said meanwhile is not lost. */
  async #broken(program: AcpProcess, error: unknown): Promise<AgentResult> {
    if (!(error instanceof AcpTrouble)) throw error;
    const { trouble } = error;
    const isLogin = trouble.kind === 'refused' && trouble.code === AUTH_REQUIRED;
    if (isLogin) throw error;
    logTrouble(this.#parts.log, trouble);
    if (trouble.kind !== 'refused') await program.gone;
    const failed = trouble.kind === 'gone' ? await this.#goneResult(program) : undefined;
    const { detail, ...rest } = failed ?? troubleResult(trouble, undefined);
    return unfinished(detail, this.#reader.answer, { detail, ...rest });
  }

  #goneResult(program: AcpProcess) {
    if (!program.wasKilled) return program.exitResult();
    this.#notice({ kind: 'program_ended' });
    const detail = failureSentence('program_ended_for_others');
    return { ok: false, reason: 'failed', detail } as const;
  }

  /** What the stopped turn has started must not go on. */
  async #endLeft(held: HeldProgram, began: number | undefined): Promise<void> {
    const { program } = held;
    const { clock } = this.#parts;
    if (!program.isAlive) return program.gone;
    if (began === undefined) return;
    const untilMs = clock.nowMs() + LEFT_MS_MAX;
    while ((await program.startedSince(began)).length > 0) {
      if (clock.nowMs() < untilMs) await pause(clock, NEVER, LEFT_CHECK_MS);
      else return this.#endProgram(held);
    }
  }

  async #endProgram(held: HeldProgram): Promise<void> {
    const { program } = held;
    this.#notice({ kind: 'still_running' });
    // Others are at work in it. It is ended after them.
    if (held.turns() > 1) {
      held.retire();
      await program.detach(this.#parts.session.nativeId ?? '');
      return;
    }
    program.kill();
    await program.gone;
  }

  #tellWait(): void {
    if (this.#isWaitTold) return;
    this.#isWaitTold = true;
    this.#notice({ kind: 'waits_for_program' });
  }

  #notice(what: RuntimeNotice): void {
    this.#tell({ kind: 'told', what });
  }

  #tell(update: TurnUpdate): void {
    if (!this.#isOver) this.#parts.host.onUpdate(update);
  }
}

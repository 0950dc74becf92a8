/** One run of a program. */
import { isBlank } from '../../text/visible.ts';
import { PlainTalk } from './plain-talk.ts';
import { StreamTalk } from './stream-talk.ts';
import { writeLine } from './asks.ts';
import type { Talk } from './talk.ts';
import { failureSentence } from '../../wire/failure-sentences.ts';
import { isThrownBySystem, startFailure, timedOut } from '../exec-failures.ts';
import type { Environment } from '../environment.ts';
import { Tail } from '../tail.ts';
import { cutAnswer } from '../cut-answer.ts';
import { AGENT_KILL_GRACE_MS, type ProgramGroup } from '../program-group.ts';
import {
  AGENT_TAIL_BYTES_MAX,
  type ProgramSurroundings,
  type RunningProgram,
} from '../program/running-program.ts';
import type { OutputFolder, OutputFolders } from '../output-folders.ts';
import type { TurnFiles } from '../turn-files.ts';
import type { AgentResult, AgentRun, AgentTurn, ExecSpec } from '../runtime.ts';
import type { QuestionAnswer, TurnUpdate } from '../../core/turn-update.ts';
import { type PausableTimer, pausableTimer } from '../../time/pausable-timer.ts';

/** How long output that a program wrote before its end may take to arrive. */
const AGENT_DRAIN_MS = 500;

export interface ExecOptions extends ProgramSurroundings {
  /** Its program and arguments do not pass through a shell. */
  readonly spec: ExecSpec;
  /** The bridge's own environment. The program gets only what is allowed, and what `spec` names. */
  readonly env: Environment;
  readonly timeoutMs: number;
  readonly outputBytesMax: number;
  /** Without it programs can't add files to their answers. */
  readonly outputs?: OutputFolders;
  /** Writes the file of each turn, which the program finds through `LARK_TURN_FILE`. */
  readonly turnFiles?: TurnFiles;
}

interface StartedRun {
  readonly program: RunningProgram;
  readonly onUpdate: (update: TurnUpdate) => void;
  readonly folder: OutputFolder | undefined;
}

export class ExecRun implements AgentRun {
  readonly result: Promise<AgentResult>;
  readonly #options: ExecOptions;
  readonly #turn: AgentTurn;
  readonly #program: RunningProgram;
  readonly #child: RunningProgram['child'];
  readonly #group: ProgramGroup;
  readonly #talk: Talk;
  readonly #folder: OutputFolder | undefined;
  readonly #stdout = new Tail(AGENT_TAIL_BYTES_MAX);
  #stderr = new Tail(AGENT_TAIL_BYTES_MAX);
  readonly #timers: (() => void)[] = [];
  readonly #limit: PausableTimer;
  /** What ends the standstill of the limit, by the question that caused it. */
  readonly #asked = new Map<string, () => void>();
  /** Why the program was told to end, if it was. */
  #ending: AgentResult | undefined;
  /** The program has ended, and all its output was read. */
  #closed = false;
  #resolve: (result: AgentResult) => void = () => {};

  constructor(options: ExecOptions, turn: AgentTurn, { program, onUpdate, folder }: StartedRun) {
    const { child } = program;
    const { clock } = options;
    this.#options = options;
    this.#turn = turn;
    this.#program = program;
    this.#child = child;
    this.#talk = this.#talkWith(onUpdate);
    this.#folder = folder;
    this.#group = program.group;
    this.result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#listen();
    const { timeoutMs } = options;
    this.#limit = pausableTimer(clock, timeoutMs, () => this.#end(timedOut(timeoutMs)));
    this.#timers.push(() => this.#limit.cancel());
    // The program may end before it has read all its input. Its answer counts anyway.
    child.stdin.on('error', (error: NodeJS.ErrnoException) => {
      options.log.debug('agent_stdin_closed', { code: error.code });
    });
    const { text, isAll } = this.#talk.input;
    if (isAll) child.stdin.end(text);
    else child.stdin.write(text);
  }

  cancel(): void {
    const text = this.#talk.shown();
    const cancelled = {
      ok: false,
      reason: 'cancelled',
      detail: failureSentence('cancelled'),
    } as const;
    this.#end(text === undefined ? cancelled : { ...cancelled, text });
  }

  answer(questionId: string, answer: QuestionAnswer): boolean {
    const goOn = this.#asked.get(questionId);
    if (goOn === undefined || this.#closed || this.#ending !== undefined) return false;
    this.#asked.delete(questionId);
    goOn();
    return this.#talk.tell(questionId, answer);
  }

  #talkWith(tell: StartedRun['onUpdate']): Talk {
    const { spec, outputBytesMax: bytesMax, log } = this.#options;
    const turn = this.#turn;
    if (spec.stream !== true) return new PlainTalk(turn.text, bytesMax);
    const masked = (text: string) => this.#program.masked(text);
    const onUpdate = (update: TurnUpdate) => {
      if (update.kind === 'question') this.#asked.set(update.id, this.#limit.hold());
      tell(update);
    };
    const reply = (line: string) => writeLine(this.#child.stdin, line);
    return new StreamTalk({ turn, bytesMax, onUpdate, reply, masked, log });
  }

  #listen(): void {
    const child = this.#child;
    child.stdout.on('data', (chunk: Buffer) => this.#take(chunk));
    child.stderr.on('data', (chunk: Buffer) => this.#stderr.add(chunk));
    child.once('error', (error) => {
      this.#settle(startFailure(this.#options.log, error));
    });
    child.once('exit', () => {
      // The program was told to end, and so was every process that it started.
      if (this.#ending !== undefined) this.#group.signal('SIGKILL');
      // A process that the program started in the background may hold the output open for ever.
      else this.#later(AGENT_DRAIN_MS, () => this.#abandonOutput());
    });
    child.once('close', (exitCode, signal) => {
      void this.#endRest(this.#resultOf(exitCode, signal));
    });
  }

  /** The turn is over when nothing of the program is left: the next one must not run beside it. */
  async #endRest(result: AgentResult): Promise<void> {
    const atOnce = this.#ending !== undefined;
    this.#stopTimers();
    this.#closed = true;
    await this.#program.endRest({ atOnce });
    this.#settle(await this.#withFiles(result));
  }

  /** Files belong to an answer only if the program has ended by itself. */
  async #withFiles(result: AgentResult): Promise<AgentResult> {
    if (!result.ok || this.#ending !== undefined || this.#folder === undefined) return result;
    try {
      const attached = await this.#folder.take(this.#talk.files);
      const hasSome = attached.files.length > 0 || attached.leftOut.length > 0;
      return hasSome ? { ...result, attached } : result;
    } catch (error) {
      if (!isThrownBySystem(error)) throw error;
      this.#options.log.error('agent_output_not_taken', { error: error.message });
      return { ok: false, reason: 'failed', detail: failureSentence('answer_files_not_kept') };
    }
  }

  #take(chunk: Buffer): void {
    if (this.#ending !== undefined) return;
    const { outputBytesMax, log } = this.#options;
    this.#stdout.add(chunk);
    if (this.#talk.take(chunk)) return;
    log.warn('agent_answer_cut', { bytes_max: outputBytesMax });
    this.#end({ ok: true, text: cutAnswer(this.#talk.answer(), outputBytesMax) });
  }

  #end(ending: AgentResult): void {
    if (this.#closed || this.#ending !== undefined) return;
    this.#ending = ending;
    this.#group.signal('SIGTERM');
    this.#later(AGENT_KILL_GRACE_MS, () => {
      this.#group.signal('SIGKILL');
      this.#abandonOutput();
    });
  }

  /** Stops waiting for output that is held open by processes that have not ended. */
  #abandonOutput(): void {
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
  }

  #resultOf(exitCode: number | null, signal: NodeJS.Signals | null): AgentResult {
    if (this.#ending !== undefined) return this.#ending;
    if (exitCode === 0) {
      this.#talk.end();
      return { ok: true, text: this.#talk.answer() };
    }
    const failure = this.#program.failure(exitCode, this.#stderr.text());
    if (failure !== undefined) {
      // The program has written nothing.
      this.#stderr = new Tail(AGENT_TAIL_BYTES_MAX);
      return startFailure(this.#options.log, failure);
    }
    if (exitCode === null) {
      const detail = failureSentence('program_signal', String(signal));
      return { ok: false, reason: 'failed', detail };
    }
    const detail = failureSentence('program_exit_code', String(exitCode));
    return { ok: false, reason: 'failed', detail, exitCode };
  }

  #settle(result: AgentResult): void {
    this.#closed = true;
    this.#stopTimers();
    this.#folder?.remove();
    this.#resolve(this.#withOutput(result));
  }

  #stopTimers(): void {
    for (const cancelTimer of this.#timers) cancelTimer();
  }

  /** Adds the end of the program's output if there is no answer. `turns show` and `trace` show it. */
  #withOutput(result: AgentResult): AgentResult {
    const { log } = this.#options;
    const isCancelled = !result.ok && result.reason === 'cancelled';
    // A cancelled turn needs no report.
    if (isCancelled) return result;
    const output = {
      stdout: this.#program.shown(this.#stdout),
      stderr: this.#program.shown(this.#stderr),
    };
    const reported = output.stdout === '' && output.stderr === '' ? result : { ...result, output };
    if (!result.ok) {
      log.debug('agent_program_failed', { detail: result.detail, ...output });
      return reported;
    }
    if (isBlank(result.text) && result.attached === undefined) {
      log.warn('agent_program_gave_no_answer', output);
      return reported;
    }
    const { stderr } = output;
    if (stderr !== '') log.debug('agent_stderr_written', { stderr });
    return result;
  }

  #later(delayMs: number, run: () => void): void {
    this.#timers.push(this.#options.clock.after(delayMs, run));
  }
}

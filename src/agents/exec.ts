/** An agent that is a program: one process a turn, the text on stdin, the answer on stdout. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { headOf, tailOf } from '../core/cut.ts';
import { withoutSecrets } from '../core/secret.ts';
import { isBlank, withoutTerminalControls } from '../core/visible.ts';
import { endedRun, NOT_RUNNING } from './ended-run.ts';
import { agentEnvironment, type Environment, secretsIn } from './environment.ts';
import { Tail } from './tail.ts';
import { AGENT_KILL_GRACE_MS, type RunningPrograms } from './running-programs.ts';
import type { AgentResult, AgentRun, AgentRuntime, AgentTurn } from './runtime.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

/** What is kept of the end of an agent's stdout and stderr. */
const AGENT_TAIL_BYTES_MAX = 8 * 1024;
/** How much of it an operator is shown: enough for a stack trace, and not too much for the log. */
const SHOWN_CHARS_MAX = 2_000;
/** How long output that a program wrote before its end may take to arrive. */
const AGENT_DRAIN_MS = 500;

export interface ExecOptions {
  /** The program and its arguments. They do not pass through a shell. */
  readonly argv: readonly string[];
  /** The bridge's own environment. The program does not get the bridge's settings from it. */
  readonly env: Environment;
  readonly timeoutMs: number;
  readonly outputBytesMax: number;
  /** Notes which programs are running, for the process after this one. */
  readonly programs?: RunningPrograms;
  readonly clock: Clock;
  readonly log: Log;
}

/** One process for each turn. Between turns nothing of the agent runs. */
export class ExecRuntime implements AgentRuntime {
  readonly #options: ExecOptions;
  readonly #runs = new Set<AgentRun>();
  #life: 'new' | 'started' | 'stopped' = 'new';

  constructor(options: ExecOptions) {
    this.#options = options;
  }

  start(): Promise<void> {
    if (this.#life === 'new') this.#life = 'started';
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#life = 'stopped';
    const runs = [...this.#runs];
    for (const run of runs) run.cancel();
    await Promise.all(runs.map(({ result }) => result));
  }

  prompt(turn: AgentTurn): AgentRun {
    if (this.#life !== 'started') return endedRun(NOT_RUNNING);
    const run = this.#run(turn);
    this.#runs.add(run);
    void run.result.then(() => this.#runs.delete(run));
    return run;
  }

  #run(turn: AgentTurn): AgentRun {
    const { argv, env, log } = this.#options;
    const [program = '', ...args] = argv;
    try {
      const child = spawn(program, args, {
        env: agentEnvironment(env, turn),
        // A process group of its own, so that the whole tree can be stopped.
        detached: true,
        windowsHide: true,
      });
      return new ExecRun(this.#options, turn, child);
    } catch (error) {
      // Some failures to start are thrown, others come as an event. For the turn they are the same.
      if (!isSystemError(error)) throw error;
      return endedRun(startFailure(log, turn, error));
    }
  }
}

class ExecRun implements AgentRun {
  readonly result: Promise<AgentResult>;
  readonly #options: ExecOptions;
  readonly #turn: AgentTurn;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #output: Buffer[] = [];
  readonly #stdout = new Tail(AGENT_TAIL_BYTES_MAX);
  readonly #stderr = new Tail(AGENT_TAIL_BYTES_MAX);
  readonly #timers: (() => void)[] = [];
  readonly #removeNote: (() => void) | undefined;
  #outputBytes = 0;
  /** Why the program was told to end, if it was. */
  #ending: AgentResult | undefined;
  #over = false;
  #resolve: (result: AgentResult) => void = () => {};

  constructor(options: ExecOptions, turn: AgentTurn, child: ChildProcessWithoutNullStreams) {
    this.#options = options;
    this.#turn = turn;
    this.#child = child;
    this.result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#removeNote = child.pid === undefined ? undefined : options.programs?.note(child.pid);
    this.#listen();
    this.#later(options.timeoutMs, () => this.#end(timedOut(options.timeoutMs)));
    // The program may end before it has read all its input. Its answer counts anyway.
    child.stdin.on('error', (error: NodeJS.ErrnoException) => {
      options.log.debug('agent_stdin_closed', { turn: turn.turnId, code: error.code });
    });
    child.stdin.end(turn.text);
  }

  cancel(): void {
    this.#end({ ok: false, reason: 'cancelled', detail: 'The turn was cancelled.' });
  }

  #listen(): void {
    const child = this.#child;
    child.stdout.on('data', (chunk: Buffer) => this.#take(chunk));
    child.stderr.on('data', (chunk: Buffer) => this.#stderr.add(chunk));
    child.once('error', (error) => {
      this.#settle(startFailure(this.#options.log, this.#turn, error));
    });
    child.once('exit', () => {
      // The program was told to end, and so was every process that it started.
      if (this.#ending !== undefined) this.#signal('SIGKILL');
      // A process that the program started in the background may hold the output open for ever.
      else this.#later(AGENT_DRAIN_MS, () => this.#abandonOutput());
    });
    child.once('close', (exitCode, signal) => this.#settle(this.#resultOf(exitCode, signal)));
  }

  #take(chunk: Buffer): void {
    if (this.#ending !== undefined) return;
    const { outputBytesMax, log } = this.#options;
    this.#stdout.add(chunk);
    this.#outputBytes += chunk.length;
    this.#output.push(chunk);
    if (this.#outputBytes <= outputBytesMax) return;
    log.warn('agent_answer_cut', { turn: this.#turn.turnId, bytes_max: outputBytesMax });
    this.#end({ ok: true, text: cutAnswer(this.#text(), outputBytesMax) });
  }

  /** Decoded as a whole, because a character may be split between two chunks. */
  #text(): string {
    return Buffer.concat(this.#output).toString('utf8');
  }

  #end(ending: AgentResult): void {
    if (this.#over || this.#ending !== undefined) return;
    this.#ending = ending;
    this.#output.length = 0;
    this.#signal('SIGTERM');
    this.#later(AGENT_KILL_GRACE_MS, () => {
      this.#signal('SIGKILL');
      this.#abandonOutput();
    });
  }

  /** Stops waiting for output that is held open by processes that we can't end. */
  #abandonOutput(): void {
    this.#signal('SIGKILL');
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      // ESRCH: the group has no process left. EPERM: only processes of another user are left (setuid programs).
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ESRCH' && code !== 'EPERM') throw error;
    }
  }

  #resultOf(exitCode: number | null, signal: NodeJS.Signals | null): AgentResult {
    if (this.#ending !== undefined) return this.#ending;
    if (exitCode === 0) {
      return { ok: true, text: this.#text().replace(/\r?\n$/, '') };
    }
    const detail =
      signal === null
        ? `The agent's program ended with exit code ${String(exitCode)}.`
        : `The agent's program was ended by ${signal}.`;
    return { ok: false, reason: 'failed', detail };
  }

  #settle(result: AgentResult): void {
    if (this.#over) return;
    this.#over = true;
    for (const cancelTimer of this.#timers) cancelTimer();
    this.#removeNote?.();
    this.#resolve(this.#withOutput(result));
  }

  /** Adds the end of the program's output if there is no answer, and logs it. */
  #withOutput(result: AgentResult): AgentResult {
    const { log } = this.#options;
    const turn = this.#turn.turnId;
    const isCancelled = !result.ok && result.reason === 'cancelled';
    // A cancelled turn needs no report. Without a process there is no output.
    if (isCancelled || this.#child.pid === undefined) return result;
    const output = { stdout: this.#shown(this.#stdout), stderr: this.#shown(this.#stderr) };
    const reported = output.stdout === '' && output.stderr === '' ? result : { ...result, output };
    if (!result.ok) {
      log.warn('agent_program_failed', { turn, detail: result.detail, ...output });
      return reported;
    }
    if (isBlank(result.text)) {
      log.warn('agent_program_gave_no_answer', { turn, ...output });
      return reported;
    }
    const { stderr } = output;
    if (stderr !== '') log.debug('agent_stderr_written', { turn, stderr });
    return result;
  }

  #shown(tail: Tail): string {
    const text = withoutTerminalControls(tail.text()).trim();
    const secrets = secretsIn(this.#options.env);
    const masked = secrets.reduce((left, one) => left.replaceAll(one, '[secret]'), text);
    return tailOf(withoutSecrets(masked), { chars: SHOWN_CHARS_MAX });
  }

  #later(delayMs: number, run: () => void): void {
    this.#timers.push(this.#options.clock.after(delayMs, run));
  }
}

function startFailure(log: Log, turn: AgentTurn, error: NodeJS.ErrnoException): AgentResult {
  log.error('agent_program_not_started', { turn: turn.turnId, error: error.message });
  const detail =
    error.code === 'ENOENT'
      ? "The agent's program was not found."
      : "The agent's program could not be started.";
  return { ok: false, reason: 'failed', detail };
}

function timedOut(timeoutMs: number): AgentResult {
  const secs = Math.round(timeoutMs / 1000);
  const detail = `The agent gave no answer within ${secs} ${secs === 1 ? 'second' : 'seconds'}.`;
  return { ok: false, reason: 'timed_out', detail };
}

/** The beginning of an answer, and a line that says that it was cut. */
function cutAnswer(text: string, bytesMax: number): string {
  const kept = headOf(text, { bytes: bytesMax });
  return `${kept}\n\n[The answer was longer than ${Math.round(bytesMax / 1024)} KB. It was cut here.]`;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string';
}

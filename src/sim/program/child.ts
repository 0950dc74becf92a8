/** The command that runs beside the simulator. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isSystemError, Trouble } from './trouble.ts';

/** How long it may take to end after a signal. Supervisors commonly send SIGKILL to everything after 10 s. */
const END_MS_MAX = 8_000;

interface Command {
  /** The program and its arguments. */
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** When it aborts, the command gets the signal that the reason names, or SIGTERM. */
  readonly signal: AbortSignal;
  /** A terminal sends Ctrl-C to the command by itself. */
  readonly isTerminal: boolean;
}

/** Runs it on the terminal of this process. Resolves with its exit code: after a signal 128 and its number. */
export function runCommand({ words, env, signal, isTerminal }: Command): Promise<number> {
  const [program = '', ...args] = words;
  const child = spawn(program, args, { env, stdio: 'inherit' });
  let killing: NodeJS.Timeout | undefined;
  const pass = () => {
    const name = signalIn(signal.reason);
    if (name !== 'SIGINT' || !isTerminal) child.kill(name);
    killing = setTimeout(() => child.kill('SIGKILL'), END_MS_MAX);
  };
  if (signal.aborted) pass();
  else signal.addEventListener('abort', pass, { once: true });
  return exitOf(child, program).finally(() => {
    signal.removeEventListener('abort', pass);
    clearTimeout(killing);
  });
}

function exitOf(child: ChildProcess, program: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(startTrouble(error, program)));
    child.once('exit', (code, name) => {
      resolve(code ?? 128 + (name === null ? 0 : constants.signals[name]));
    });
  });
}

function signalIn(reason: unknown): NodeJS.Signals {
  const name = reason instanceof Error ? reason.message : '';
  return name in constants.signals ? (name as NodeJS.Signals) : 'SIGTERM';
}

function startTrouble(error: Error, program: string): Error {
  if (!isSystemError(error)) return error;
  const what =
    error.code === 'ENOENT'
      ? `there is no program ${JSON.stringify(program)}`
      : `can't start ${JSON.stringify(program)}: ${error.message}`;
  return new Trouble('usage', what, {
    next: 'Check the command after `--`. It runs without a shell: use `-- sh -c "…"` for pipes.',
    cause: error,
  });
}

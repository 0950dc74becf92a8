/** Runs a program to its end, with a limit on its time and on what is kept of its output. */
import { spawn } from 'node:child_process';
import { isSystemError } from '../../core/errors.ts';
import type { Environment } from '../environment.ts';
import { Tail } from '../tail.ts';

/** More is not needed to know a version, or why something failed. */
const OUTPUT_BYTES_MAX = 64 * 1024;

interface RunOptions {
  /** All that the program gets. */
  readonly env: Environment;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

type RunEnd =
  /** `code`: null if a signal ended it. */
  | {
      readonly kind: 'ended';
      readonly code: number | null;
      readonly output: string;
      readonly errors: string;
    }
  | { readonly kind: 'not_started'; readonly why: string }
  | { readonly kind: 'too_long' | 'aborted' };

/** Runs without a shell and with an empty stdin. What it started is ended with it. Never rejects for what it does. */
export function runToEnd(words: readonly string[], options: RunOptions): Promise<RunEnd> {
  const [program = '', ...args] = words;
  return new Promise((resolve) => {
    // A group of its own: a script's children would otherwise outlive the time limit.
    const child = spawn(program, args, {
      env: options.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const [output, errors] = [new Tail(OUTPUT_BYTES_MAX), new Tail(OUTPUT_BYTES_MAX)];
    child.stdout.on('data', (chunk: Buffer) => output.add(chunk));
    child.stderr.on('data', (chunk: Buffer) => errors.add(chunk));
    const finish = (end: RunEnd) => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', abort);
      endGroup(child.pid);
      // Whoever left the group may hold them open.
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(end);
    };
    const abort = () => finish({ kind: 'aborted' });
    const timer = setTimeout(() => finish({ kind: 'too_long' }), options.timeoutMs);
    options.signal?.addEventListener('abort', abort, { once: true });
    if (options.signal?.aborted === true) abort();
    child.once('error', (error) => finish({ kind: 'not_started', why: error.message }));
    child.once('close', (code) =>
      finish({ kind: 'ended', code, output: output.text(), errors: errors.text() }),
    );
  });
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // Nobody of it is left.
    if (!isSystemError(error)) throw error;
  }
}

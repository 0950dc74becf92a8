/** Calls programs of the system. */
import { execFile, spawn } from 'node:child_process';

export type Environment = Readonly<Record<string, string | undefined>>;

type ProgramResult =
  | {
      readonly kind: 'ended';
      readonly code: number;
      readonly output: string;
      readonly errors: string;
    }
  /** There is no such program on the PATH. */
  | { readonly kind: 'missing' }
  /** It took too long, or another process ended it. */
  | { readonly kind: 'killed' };

const OUTPUT_BYTES_MAX = 1024 * 1024;

/** Runs a program to its end, without a shell and with only this environment. */
export function runProgram(
  name: string,
  args: readonly string[],
  options: { readonly env: Environment; readonly timeoutMs: number },
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    execFile(
      name,
      args,
      { env: options.env, timeout: options.timeoutMs, maxBuffer: OUTPUT_BYTES_MAX },
      (error, output, errors) => {
        if (error === null) resolve({ kind: 'ended', code: 0, output, errors });
        else if (isMissing(error)) resolve({ kind: 'missing' });
        else if (typeof error.code === 'number') {
          resolve({ kind: 'ended', code: error.code, output, errors });
        } else if (error.killed === true || typeof error.signal === 'string') {
          resolve({ kind: 'killed' });
        } else reject(error);
      },
    );
  });
}

/** Runs a program and shows its output, until it ends or `signal` aborts. */
export function showProgram(
  name: string,
  args: readonly string[],
  options: {
    readonly env: Environment;
    readonly signal: AbortSignal;
    readonly stdout: NodeJS.WritableStream;
    readonly stderr: NodeJS.WritableStream;
  },
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, { env: options.env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk: Buffer) => options.stdout.write(chunk));
    child.stderr.on('data', (chunk: Buffer) => options.stderr.write(chunk));
    const stop = () => child.kill('SIGTERM');
    if (options.signal.aborted) stop();
    options.signal.addEventListener('abort', stop, { once: true });
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (isMissing(error)) resolve({ kind: 'missing' });
      else reject(error);
    });
    child.once('close', (code) => {
      options.signal.removeEventListener('abort', stop);
      resolve(code === null ? { kind: 'killed' } : { kind: 'ended', code, output: '', errors: '' });
    });
  });
}

function isMissing(error: { readonly code?: unknown }): boolean {
  return error.code === 'ENOENT' || error.code === 'EACCES';
}

/** Runs the program in this process, between streams of the test's own. */
import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { main, type ProcessParts } from '../../../src/cli/main.ts';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Start extends Partial<Pick<ProcessParts, 'execPath' | 'argv'>> {
  /** What comes on its stdin, which ends after it; without it stdin stays open. */
  readonly input?: string;
  /** Its stdout is a terminal of this width, and takes colors. */
  readonly columns?: number;
}

/** A program that may wait for something; `stop` asks it to end, as a signal does. */
interface Started {
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
  /** Comes when all that it said was read. */
  readonly code: Promise<number>;
  stop(): void;
}

export function startProgram(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  { execPath = process.execPath, argv = process.argv, input, columns }: Start = {},
): Started {
  const streams = {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
  };
  if (input !== undefined) streams.stdin.end(input);
  if (columns !== undefined) Object.assign(streams.stdout, { isTTY: true, columns });
  const around = { env, execPath, argv, ...streams } as unknown as ProcessParts;
  const stopping = new AbortController();
  const code = async () => {
    const exitCode = await main(words, stopping.signal, around);
    // The log gathers its lines for a turn of the event loop. The streams stay open, as those of a process do.
    do await setImmediate();
    while (streams.stdout.readableLength + streams.stderr.readableLength > 0);
    return exitCode;
  };
  return {
    stdout: streams.stdout,
    stderr: streams.stderr,
    code: code(),
    stop: () => stopping.abort(),
  };
}

export async function runProgram(...call: Parameters<typeof startProgram>): Promise<Ended> {
  const started = startProgram(...call);
  const [stdout, stderr] = [heardFrom(started.stdout), heardFrom(started.stderr)];
  return { code: await started.code, stdout: stdout(), stderr: stderr() };
}

/** Takes what is said as it comes, however much. */
function heardFrom(stream: PassThrough): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}

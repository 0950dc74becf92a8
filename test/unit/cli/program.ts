/** Runs the program in this process, between streams of the test's own. */
import { PassThrough } from 'node:stream';
import { main, type ProcessParts } from '../../../src/cli/main.ts';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runProgram(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  started: Pick<ProcessParts, 'execPath' | 'argv'> = process,
): Promise<Ended> {
  const streams = {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
  };
  const { execPath, argv } = started;
  const around = { env, execPath, argv, ...streams } as unknown as ProcessParts;
  const code = await main(words, new AbortController().signal, around);
  const textOf = (stream: PassThrough) => String(stream.read() ?? '');
  return { code, stdout: textOf(streams.stdout), stderr: textOf(streams.stderr) };
}

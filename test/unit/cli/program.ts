/** Runs the program in this process, between streams of the test's own. */
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { main, type ProcessParts } from '../../../src/cli/main.ts';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Start extends Partial<Pick<ProcessParts, 'execPath' | 'argv'>> {
  /** What comes on its stdin, which ends after it; without it stdin stays open. */
  readonly input?: string;
}

export async function runProgram(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  { execPath = process.execPath, argv = process.argv, input }: Start = {},
): Promise<Ended> {
  const streams = {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
  };
  if (input !== undefined) streams.stdin.end(input);
  const around = { env, execPath, argv, ...streams } as unknown as ProcessParts;
  const stdout = heardFrom(streams.stdout);
  const stderr = heardFrom(streams.stderr);
  const code = await main(words, new AbortController().signal, around);
  return { code, stdout: await stdout(), stderr: await stderr() };
}

/** Takes what is said as it comes, however much; the result ends the stream and gives back all of it. */
function heardFrom(stream: PassThrough): () => Promise<string> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return async () => {
    stream.end();
    await finished(stream);
    return Buffer.concat(chunks).toString();
  };
}

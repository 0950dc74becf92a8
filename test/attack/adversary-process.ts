/** The adversary as a process of its own, so that it does not slow down those who measure. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Adversary, type Assault } from './adversary.ts';

const PROGRESS_MS = 200;

/**
 * Reads an `Assault` as a line of JSON, attacks until its input ends, and prints the report as a line of JSON;
 * before it, the number of calls so far, again and again.
 */
export async function main(): Promise<number> {
  const lines = createInterface({ input: process.stdin });
  const [line] = (await once(lines, 'line')) as [string];
  const adversary = new Adversary(JSON.parse(line) as Assault);
  const telling = setInterval(() => console.log(adversary.calls), PROGRESS_MS);
  await once(lines, 'close');
  clearInterval(telling);
  console.log(JSON.stringify(await adversary.stop()));
  return 0;
}

/** The adversary as a process of its own, so that it does not slow down those who measure. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Adversary, type Assault } from './adversary.ts';

/** Reads an `Assault` as a line of JSON, attacks until its input ends, and prints the report as a line of JSON. */
export async function main(): Promise<number> {
  const lines = createInterface({ input: process.stdin });
  const [line] = (await once(lines, 'line')) as [string];
  const adversary = new Adversary(JSON.parse(line) as Assault);
  await once(lines, 'close');
  console.log(JSON.stringify(await adversary.stop()));
  return 0;
}

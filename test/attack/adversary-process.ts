/** The adversary as a process of its own, so that it does not slow down those who measure. */
import { createInterface } from 'node:readline';
import { Adversary, type Assault } from './adversary.ts';

const PROGRESS_MS = 200;

export type Order = 'attack' | 'rest';

/**
 * Reads an `Assault` as a line of JSON, and then a line for each `Order`. When its input ends, it prints the
 * report as a line of JSON; before that, the number of calls so far, again and again.
 */
export async function main(): Promise<number> {
  let adversary: Adversary | undefined;
  const telling = setInterval(() => console.log(adversary?.calls ?? 0), PROGRESS_MS);
  for await (const line of createInterface({ input: process.stdin })) {
    if (adversary === undefined) adversary = new Adversary(JSON.parse(line) as Assault);
    else if ((line as Order) === 'attack') adversary.attack();
    else adversary.rest();
  }
  clearInterval(telling);
  console.log(JSON.stringify(await adversary?.stop()));
  return 0;
}

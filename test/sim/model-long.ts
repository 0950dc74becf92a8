/** `npm run model`: more seeds of the model than a run of the tests has time for. */
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { CLEAN } from './findings.ts';
import { live, type Met, replayLine } from './lives.ts';

const PROGRESS_EVERY = 100;

export async function main(words: string[]): Promise<number> {
  const { values } = parseArgs({
    args: words,
    options: {
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '2000' },
    },
  });
  const first = Number(values.seed);
  const seeds = Number(values.seeds);
  let crashes = 0;
  let failed = 0;
  const met = { files: 0, joined: 0, cards: 0, changes: 0, stops: 0 };
  for (let seed = first; seed < first + seeds; seed += 1) {
    const one = await live(seed);
    crashes += one.crashes;
    for (const [name, count] of Object.entries(one.met)) met[name as keyof Met] += count;
    if (!isDeepStrictEqual(one.found, CLEAN)) {
      failed += 1;
      const complaints = Object.entries(one.found).filter(([, texts]) => texts.length > 0);
      console.log(`seed ${seed}: ${JSON.stringify(Object.fromEntries(complaints))}`);
      console.log(replayLine(seed));
    }
    const done = seed - first + 1;
    if (done % PROGRESS_EVERY === 0)
      console.log(`${done} seeds, ${crashes} crashes, ${failed} failed`);
  }
  console.log(`${seeds} seeds, ${crashes} crashes, ${failed} failed; met ${JSON.stringify(met)}`);
  return failed === 0 ? 0 : 1;
}

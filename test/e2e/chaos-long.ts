/** `npm run chaos`: lives of chaos.ts until enough processes were killed or the time is over. */
import { parseArgs } from 'node:util';
import { KILLS_A_LIFE, live, type LifeReport, replayLine } from './chaos.ts';

/** As many as there are cores to be had everywhere. */
const LIVES_AT_ONCE = 2;

export async function main(words: string[]): Promise<number> {
  const { values } = parseArgs({
    args: words,
    options: {
      seed: { type: 'string', default: '1' },
      kills: { type: 'string', default: '1000' },
      /** Seconds after which no new life is begun. */
      duration: { type: 'string', default: 'Infinity' },
    },
  });
  const [first, kills, secs] = [values.seed, values.kills, values.duration].map(Number);
  return new Run(first ?? 1, kills ?? 0, (secs ?? 0) * 1000).run();
}

class Run {
  readonly #killsWanted: number;
  readonly #untilMs: number;
  readonly #reports: LifeReport[] = [];
  #seed: number;
  #killsPlanned = 0;

  constructor(seed: number, kills: number, durationMs: number) {
    this.#seed = seed;
    this.#killsWanted = kills;
    this.#untilMs = Date.now() + durationMs;
  }

  async run(): Promise<number> {
    await Promise.all(Array.from({ length: LIVES_AT_ONCE }, () => this.#liveOn()));
    type Counted = 'kills' | 'said' | 'recalled' | 'runs' | 'replies' | 'faults';
    const sum = (name: Counted | 'files' | 'cards' | 'stopped' | 'coded') =>
      this.#reports.reduce((all, report) => all + report[name], 0);
    const failed = this.#reports.filter(({ complaints }) => complaints.length > 0);
    console.log(
      `${this.#reports.length} lives: ${sum('kills')} kills, ${sum('faults')} faults, ` +
        `${sum('said')} messages (${sum('recalled')} recalled), ${sum('runs')} runs, ` +
        `${sum('replies')} replies, ${sum('files')} files, ${sum('cards')} live cards, ` +
        `${sum('stopped')} stopped, ${sum('coded')} prompts of a coding agent; ${failed.length} lives with complaints`,
    );
    return failed.length === 0 ? 0 : 1;
  }

  async #liveOn(): Promise<void> {
    while (this.#killsPlanned < this.#killsWanted && Date.now() < this.#untilMs) {
      const seed = this.#seed;
      const kills = Math.min(KILLS_A_LIFE, this.#killsWanted - this.#killsPlanned);
      this.#seed += 1;
      this.#killsPlanned += kills;
      const startedMs = Date.now();
      const report = await live({ seed, kills });
      this.#reports.push(report);
      const { said, runs, replies, faults, complaints } = report;
      const secs = Math.round((Date.now() - startedMs) / 1000);
      console.log(
        `seed ${seed}: ${report.kills} kills, ${faults} faults, ${said} messages, ${runs} runs, ` +
          `${replies} replies, ${complaints.length} complaints, ${secs} s`,
      );
      for (const complaint of complaints) console.log(`  ${complaint}`);
      if (complaints.length > 0) console.log(replayLine(seed, kills));
    }
  }
}

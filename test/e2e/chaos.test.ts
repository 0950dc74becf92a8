/**
 * Goal: no message lost, none answered twice, no answer in the wrong place or order, nobody left in silence,
 * whenever the process is killed. Method: see chaos.ts; here as many kills as a run of the tests has time for.
 */
import { expect, test } from 'vitest';
import { live, replayLine } from './chaos.ts';

const SEEDS = [1, 2];
/** A start of the program is what this takes; `npm run chaos` has no end of them. */
const KILLS_A_LIFE = 10;

test(
  '20 times kill -9 in bad weather: every message is answered once, in its place',
  {
    timeout: 900_000,
  },
  async () => {
    const lives = await Promise.all(SEEDS.map((seed) => live({ seed, kills: KILLS_A_LIFE })));
    for (const { seed, complaints } of lives) {
      expect(complaints, replayLine(seed, KILLS_A_LIFE)).toEqual([]);
    }
    // Calm weather and a silent chat would prove nothing.
    const sum = (name: 'kills' | 'said' | 'faults' | 'files' | 'cards' | 'stopped' | 'coded') =>
      lives.reduce((all, one) => all + one[name], 0);
    expect(sum('kills')).toBeGreaterThanOrEqual(18);
    expect(sum('said')).toBeGreaterThan(40);
    expect(sum('faults')).toBeGreaterThan(40);
    expect(sum('files')).toBeGreaterThan(4);
    expect(sum('cards')).toBeGreaterThan(2);
    expect(sum('coded')).toBeGreaterThan(2);
  },
);

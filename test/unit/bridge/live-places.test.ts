/** Many turns at work at once: none of their cards waits longer than for the calls of others. */
import { expect, test } from 'vitest';
import { CallPlaces } from '../../../src/bridge/live/call-places.ts';
import { LIVE_AFTER_MS } from '../../../src/bridge/live/live-pace.ts';
import { LiveRun } from '../../../src/bridge/live/live-run.ts';
import type { LiveGateway, LiveJournal, LiveResult } from '../../../src/bridge/ports/live.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { added } from './live-rig.ts';
import { english, target, turnIn } from './samples.ts';

const turn = turnIn({ phase: 'sending', attempt: 0, target, deadlineMs: 60_000 });
const TURNS = 20;
const CALL_MS = 100;

const journal: LiveJournal = {
  open: () => Promise.resolve(),
  change: () => Promise.resolve(),
  noteDone: () => Promise.resolve(),
  remove: () => Promise.resolve(),
  card: () => Promise.resolve(undefined),
  reserve: () => Promise.resolve(1),
  unended: () => Promise.resolve([]),
};

/** A Lark that takes its time. */
class SlowLark {
  readonly sentAtMs: number[] = [];
  atOnce = 0;
  readonly #clock: VirtualClock;
  #underWay = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  readonly gateway: LiveGateway = {
    create: () => this.#call(),
    send: async () => {
      const sent = await this.#call();
      this.sentAtMs.push(this.#clock.nowMs());
      return sent;
    },
    update: () => this.#call(),
    updateText: () => this.#call(),
    end: () => this.#call(),
  };

  async #call(): Promise<LiveResult> {
    this.#underWay += 1;
    this.atOnce = Math.max(this.atOnce, this.#underWay);
    await this.#clock.sleep(CALL_MS);
    this.#underWay -= 1;
    return { ok: true, id: 'id' };
  }
}

test('B9: cards that are due in the same moment take turns, six calls at once and without a pause', async () => {
  const clock = new VirtualClock();
  const lark = new SlowLark(clock);
  const shared = { cards: 0, places: new CallPlaces(), noStreamsUntilMs: 0 };
  const startedAtMs = clock.nowMs();
  const runs = Array.from({ length: TURNS }, () => {
    const parts = { lark: lark.gateway, journal, clock, log: silentLog, mode: 'on' } as const;
    const more = { languages: english, stopValue: () => ({}), shared };
    return new LiveRun({ ...parts, ...more }, turn, { startedAtMs });
  });
  for (const run of runs) run.take(added('Hello'));
  await clock.pass(LIVE_AFTER_MS);
  expect(lark.atOnce).toBe(6);
  // Six cards at a time, with two calls each.
  await clock.pass(Math.ceil(TURNS / 6) * 2 * CALL_MS);
  expect(lark.sentAtMs).toHaveLength(TURNS);
  expect(lark.atOnce).toBe(6);
  for (const run of runs) run.end();
});

/**
 * Goal: every message is answered once, in its place, whatever fails and whenever the process dies.
 * Method: see world.ts. A failing seed prints the line that replays it alone.
 */
import { describe, expect, test } from 'vitest';
import { Lanes } from '../../src/bridge/lanes.ts';
import type { LarkGateway, TurnTarget } from '../../src/core/ports.ts';
import { BridgeWorld, findings, type Findings, type Mutations } from './world.ts';

const COUNT = Number(process.env['SEEDS'] ?? 200);
const FIRST = Number(process.env['SEED'] ?? 1);
const SEEDS = process.env['SEED'] === undefined ? COUNT : 1;
const MESSAGES = 15;

const CLEAN = {
  lost: [],
  repeated: [],
  misplaced: [],
  outOfOrder: [],
  ranTwice: [],
  leftOver: [],
};

async function life(seed: number, mutations: Mutations = {}) {
  const world = new BridgeWorld(seed, mutations);
  try {
    await world.live(MESSAGES);
    return { found: await findings(world), crashes: world.crashes };
  } finally {
    world.close();
  }
}

describe('storm, then calm', () => {
  test(
    `every message is answered once, in its place and in order, over ${SEEDS} seeds`,
    { timeout: 3_600_000 },
    async () => {
      let crashes = 0;
      for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
        const one = await life(seed);
        crashes += one.crashes;
        expect(one.found, `replay: SEED=${seed} npx vitest run test/sim/model`).toEqual(CLEAN);
      }
      // A storm without crashes would prove nothing.
      expect(crashes).toBeGreaterThan(SEEDS / 2);
    },
  );
});

describe('the checks notice a broken rule', () => {
  /** Breaks a rule and expects one of the first seeds to show it. */
  async function caught(mutations: Mutations, by: keyof Findings) {
    for (let seed = 1; seed <= 20; seed += 1) {
      const { found } = await life(seed, mutations);
      if (found[by].length > 0) return true;
    }
    return false;
  }

  test('acking before the commit loses messages', async () => {
    expect(await caught({ ackFirst: true }, 'lost')).toBe(true);
  });

  test('a fresh key for each try repeats answers', async () => {
    let tries = 0;
    const lark = (real: LarkGateway): LarkGateway => ({
      deliver: (out, key, priority) => real.deliver(out, `${key}:${(tries += 1)}`, priority),
      history: (chat, sinceMs) => real.history(chat, sinceMs),
    });
    expect(await caught({ lark }, 'repeated')).toBe(true);
  });

  test('marking before sending loses answers', async () => {
    const lark = (real: LarkGateway): LarkGateway => ({
      deliver: (out, key, priority) => {
        void real.deliver(out, key, priority);
        return Promise.resolve({ ok: true, id: 'om_not_yet' });
      },
      history: (chat, sinceMs) => real.history(chat, sinceMs),
    });
    expect(await caught({ lark }, 'lost')).toBe(true);
  });

  test('a fresh id at the hub for each try runs turns twice', async () => {
    let tries = 0;
    const target = (real: TurnTarget): TurnTarget => ({
      correlates: real.correlates,
      deduplicates: real.deduplicates,
      currentTarget: () => real.currentTarget(),
      wait: (workspace, ticket, signal) => real.wait(workspace, ticket, signal),
      send: (request, signal) =>
        real.send({ ...request, messageId: `${request.messageId}:${(tries += 1)}` }, signal),
    });
    expect(await caught({ target }, 'ranTwice')).toBe(true);
  });

  test('forgetting the lane answers out of order', async () => {
    const original = Lanes.prototype.add;
    Lanes.prototype.add = function forgetful(item) {
      original.call(this, { ...item, lane: item.id });
    };
    try {
      expect(await caught({}, 'outOfOrder')).toBe(true);
    } finally {
      Lanes.prototype.add = original;
    }
  });
});

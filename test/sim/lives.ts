import { findings, type Findings } from './findings.ts';
import type { Fate, Mutations } from './fates.ts';
import { BridgeWorld } from './world.ts';

const MESSAGES = 15;

export interface Life {
  readonly found: Findings;
  readonly crashes: number;
  /** Without them a life would prove nothing about them. */
  readonly met: Met;
}

export type Met = Readonly<Record<'files' | 'joined' | 'cards' | 'changes' | 'stops', number>>;

/** The life that belongs to a seed, and what came out in it. */
export async function live(
  seed: number,
  mutations: Mutations = {},
  fate: Partial<Fate> = {},
): Promise<Life> {
  const world = new BridgeWorld(seed, mutations, fate);
  try {
    await world.live(MESSAGES);
    return { found: await findings(world), crashes: world.crashes, met: await metIn(world) };
  } finally {
    world.close();
  }
}

async function metIn(world: BridgeWorld): Promise<Met> {
  const { lark, hub, people } = world;
  const states = (await world.turns()).map(({ state }) => state);
  return {
    files: hub.given.reduce((sum, { files }) => sum + files.length, 0),
    joined: states.filter((state) => state.phase === 'answered' && state.joined).length,
    cards: lark.shown.filter((one) => one.live !== undefined).length,
    changes: people.changes.length,
    stops: states.filter((state) => state.phase === 'dropped' && state.why === 'stopped').length,
  };
}

/** The line that lives one life again, alone. */
export function replayLine(seed: number): string {
  return `replay: SEED=${seed} npx vitest run test/sim/model`;
}

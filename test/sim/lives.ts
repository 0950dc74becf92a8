import { findings, type Findings } from './findings.ts';
import type { Fate, Mutations } from './fates.ts';
import { BridgeWorld } from './world.ts';

const MESSAGES = 15;

export interface Life {
  readonly found: Findings;
  readonly crashes: number;
}

/** The life that belongs to a seed, and what came out in it. */
export async function live(
  seed: number,
  mutations: Mutations = {},
  fate: Partial<Fate> = {},
): Promise<Life> {
  const world = new BridgeWorld(seed, mutations, fate);
  try {
    await world.live(MESSAGES);
    return { found: await findings(world), crashes: world.crashes };
  } finally {
    world.close();
  }
}

/** The line that lives one life again, alone. */
export function replayLine(seed: number): string {
  return `replay: SEED=${seed} npx vitest run test/sim/model`;
}

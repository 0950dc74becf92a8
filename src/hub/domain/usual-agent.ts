import type { AgentRecord } from '../ports/agents.ts';

/** Who gets turns that name no agent: the one that was added or chosen last. `agents` are in the order of their age. */
export function usualAgent(agents: readonly AgentRecord[]): AgentRecord | undefined {
  return agents.reduce<AgentRecord | undefined>(
    (usual, agent) => (usual === undefined || momentOf(agent) >= momentOf(usual) ? agent : usual),
    undefined,
  );
}

function momentOf({ createdAtMs, chosenAtMs = 0 }: AgentRecord): number {
  return Math.max(createdAtMs, chosenAtMs);
}

/** Who gets the turns that `run` would take, with the settings and the agents as they are. */
import type { Config } from '../config/load.ts';
import { usualAgent } from '../hub/domain/usual-agent.ts';
import type { AgentRecord } from '../hub/ports/agents.ts';

export type TurnsGoTo =
  /** `isNamed`: a setting names it, so a new agent does not get the turns. */
  | { readonly kind: 'agent'; readonly name: string; readonly isNamed: boolean }
  /** The settings name an agent that does not exist. */
  | { readonly kind: 'nobody'; readonly name: string }
  | { readonly kind: 'elsewhere'; readonly url: string };

export function turnsGoTo(
  { platformUrl: url, agent: named }: Pick<Config, 'platformUrl' | 'agent'>,
  agents: readonly AgentRecord[],
): TurnsGoTo {
  if (url !== undefined) return { kind: 'elsewhere', url };
  const name = named ?? usualAgent(agents)?.name ?? 'echo';
  const exists = agents.some((agent) => agent.name === name);
  return exists ? { kind: 'agent', name, isNamed: named !== undefined } : { kind: 'nobody', name };
}

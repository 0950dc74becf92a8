/** Opens the agents of the state directory for a command, whether a daemon runs or not. */
import type { Config } from '../config/load.ts';
import type { Invocation } from './command.ts';

export type Agents = Awaited<ReturnType<(typeof import('../app/agents.ts'))['openAgents']>>;

export async function withAgents<T>(
  invocation: Invocation,
  work: (agents: Agents, config: Config) => Promise<T>,
): Promise<T> {
  const config = await invocation.loadConfig([]);
  const log = await invocation.createLog(config);
  const { openAgents } = await import('../app/agents.ts');
  const agents = await openAgents({ config, env: invocation.env, log });
  try {
    return await work(agents, config);
  } finally {
    await agents.close();
  }
}

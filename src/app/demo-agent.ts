/** What `demo` needs for the agent that a person brings: it is added to a state directory that is there for the demo alone. */
import { inheritable } from '../agents/environment.ts';
import { BridgeError } from '../core/errors.ts';
import { appId, openId } from '../core/ids.ts';
import { ownerFile } from '../host/owner-file.ts';
import { type NewAgent, packagesFolder } from './agent-specs.ts';
import { openAgents } from './agents.ts';
import type { AppContext } from './context.ts';

/** What the bridge of the demo gets of the person's environment: only what programs of agents may have. */
export function environmentForAgents(
  env: AppContext['env'],
  { variables = [] }: Pick<NewAgent, 'variables'>,
): AppContext['env'] {
  return inheritable(env, variables);
}

interface DemoAgentOptions {
  readonly signal: AbortSignal;
  /** The person's own state directory, where known agents may have been installed. */
  readonly ownStateDir: string;
}

/** Adds it, so that it gets the turns. Resolves with the folder that it works in, if one was named. Throws `usage` for one that can't work. */
export async function addDemoAgent(
  context: AppContext,
  agent: NewAgent,
  { signal, ownStateDir }: DemoAgentOptions,
): Promise<string | undefined> {
  const agents = await openAgents(context, { packages: packagesFolder(ownStateDir) });
  try {
    const { spec } = await agents.add(agent, { signal, onInstall: () => {} });
    if (spec.kind === 'external') {
      throw new BridgeError('usage', `${agent.name} is not the name of a known agent`, {
        next: 'The names: lark-bridge agents known. Any other program that speaks ACP: lark-bridge demo --acp "COMMAND"',
      });
    }
    return spec.kind === 'acp' ? spec.folder : undefined;
  } finally {
    await agents.close();
  }
}

/** Some words and questions are for the owner only. */
export function nameDemoOwner(stateDir: string, app: string, person: string): void {
  ownerFile(stateDir, appId(app)).save(openId(person));
}

/** What `agents` runs: the agents on the embedded hub, whether it runs or not. */
import { resolve } from 'node:path';
import { checkedFolder, type NewAgent, packagesFolder, specOf } from './agent-specs.ts';
import { type Trial, type TrialEnd, tryAgent } from './agent-trial.ts';
import type { AppContext } from './context.ts';
import { knownHere } from './known-here.ts';
import { turnsGoTo } from './turns-go-to.ts';
import { BridgeError } from '../core/errors.ts';
import { findFolder } from '../files/folder-check.ts';
import { type AddedAgent, Directory } from '../hub/domain/directory.ts';
import type { AgentSpec } from '../hub/ports/agents.ts';
import { Db } from '../store/sqlite/db.ts';
import { SqliteFolders } from '../store/sqlite/hub/folders.ts';
import { SqliteHubStore } from '../store/sqlite/hub/hub-store.ts';
import { systemClock } from '../time/clock.ts';

interface ChangedFolder {
  readonly path: string;
  readonly changed: boolean;
}

interface Progress {
  readonly signal: AbortSignal;
  /** An installation begins, which takes minutes. */
  readonly onInstall: () => void;
}

interface AgentsOptions {
  /** Where known agents are installed for the bridge alone, if it is not in the state directory. */
  readonly packages?: string;
}

/** How the new agent is run is for the person who added it. */
interface AddedHere extends AddedAgent {
  readonly spec: AgentSpec;
}

export async function openAgents(context: AppContext, options: AgentsOptions = {}) {
  const { config, env, log } = context;
  const db = Db.open(config.dbPath, log);
  const directory = new Directory(new SqliteHubStore(db), systemClock);
  const folders = new SqliteFolders(db);
  const { packages = packagesFolder(config.stateDir) } = options;
  return {
    list: () => directory.listAgents(),
    async add(agent: NewAgent, progress: Progress): Promise<AddedHere> {
      // An installation that takes minutes must not end with this.
      await directory.checkName(agent.name);
      const { stateDir } = config;
      const spec = await specOf(agent, { env, stateDir, packages, ...progress });
      const added = await directory.addAgent({ name: agent.name, spec });
      const folder = spec.kind === 'acp' ? spec.folder : undefined;
      if (folder !== undefined) await folders.addFolder(folder, systemClock.nowMs());
      return { ...added, spec };
    },
    remove: (name: string) => directory.removeAgent(name),
    /** Gives it the turns from now on, unless a setting names another one. A running daemon sees it too. */
    use: (name: string) => directory.chooseAgent(name),
    turnsGoTo: async () => turnsGoTo(config, await directory.listAgents()),
    async test(name: string, trial: Omit<Trial, 'name' | 'spec'>): Promise<TrialEnd> {
      const { spec } = await directory.agentNamed(name);
      if (spec.kind === 'external') {
        throw new BridgeError('usage', `the agent ${name} runs elsewhere, and can't be run here`, {
          next: 'Write to the bot in Lark. `lark-bridge agents list` shows which agents are programs of this machine.',
        });
      }
      return tryAgent(context, { ...trial, name, spec });
    },
    known: () => knownHere({ env, home: config.home, packages }),
    folders: () => folders.folders(),
    /** Resolves with the full path, and whether it is new. Throws `usage` for what is no folder. */
    async addFolder(typed: string): Promise<ChangedFolder> {
      const path = checkedFolder(typed);
      return { path, changed: await folders.addFolder(path, systemClock.nowMs()) };
    },
    /** One that is gone from the disk can be removed too. */
    async removeFolder(typed: string): Promise<ChangedFolder> {
      const found = findFolder(resolve(typed));
      const path = found.ok ? found.path : resolve(typed);
      return { path, changed: await folders.removeFolder(path) };
    },
    close: () => Promise.resolve(db.close()),
  };
}

/** What people can choose of the agents on this machine, and how long their turns may take. */
import { isAbsolute, join } from 'node:path';
import { hasMemory } from '../agents/runtime.ts';
import type { AgentControls } from '../bridge/ports/agent-controls.ts';
import type { Chosen } from '../bridge/ports/sessions.ts';
import type { Config } from '../config/load.ts';
import type { SessionOfTurn } from '../core/turn-details.ts';
import { type AllowedFolder, findAllowedFolder } from '../files/folder-check.ts';
import type { Directory } from '../hub/domain/directory.ts';
import type { SessionChoices } from '../hub/domain/session-choices.ts';
import type { AgentRecord } from '../hub/ports/agents.ts';
import type { FolderStore } from '../hub/ports/folders.ts';

/** The hub ends such an agent in steps, which take up to 15 s, and then reports it. */
const SESSION_REPORT_MS = 30_000;

interface EmbeddedControlsParts {
  readonly directory: Directory;
  readonly folders: FolderStore;
  readonly choices: SessionChoices;
  /** The agent of this name, else the one that gets the turns. */
  readonly agent: (name?: string) => Promise<AgentRecord>;
  readonly home: string;
}

/** Over the embedded hub. */
export class EmbeddedControls implements AgentControls {
  readonly #parts: EmbeddedControlsParts;

  constructor(parts: EmbeddedControlsParts) {
    this.#parts = parts;
  }

  async agents() {
    const usual = await this.#parts.agent();
    const agents = await this.#parts.directory.listAgents();
    return agents.map(({ name }) => ({ name, isUsual: name === usual.name }));
  }

  /** Those that the owner added, and those that agents were added with. */
  async folders(): Promise<readonly string[]> {
    const { folders, directory } = this.#parts;
    const ofAgents = (await directory.listAgents()).flatMap(({ spec }) =>
      spec.kind === 'acp' && spec.folder !== undefined ? [spec.folder] : [],
    );
    return [...new Set([...(await folders.folders()), ...ofAgents])];
  }

  async folderOf(path: string, from: string | undefined): Promise<AllowedFolder> {
    const roots = await this.folders();
    const wanted = path.startsWith('~/') ? join(this.#parts.home, path.slice(2)) : path;
    const bases = from === undefined ? roots : [from, ...roots];
    const paths = isAbsolute(wanted) ? [wanted] : bases.map((base) => join(base, wanted));
    const judged = paths.map((one) => findAllowedFolder(one, roots));
    const there = judged.find((one) => one.ok || one.why !== 'missing');
    return judged.find(({ ok }) => ok) ?? there ?? { ok: false, why: 'missing' };
  }

  async options({ id, agent }: SessionOfTurn) {
    return this.#parts.choices.options(await this.#parts.agent(agent), id);
  }

  async choose({ id, agent }: SessionOfTurn, option: string, value: string): Promise<void> {
    await this.#parts.choices.choose(await this.#parts.agent(agent), id, { option, value });
  }

  async goneOf({ agent, folder }: Chosen): Promise<Chosen | undefined> {
    const agents = await this.#parts.directory.listAgents();
    if (agent !== undefined && !agents.some(({ name }) => name === agent)) return { agent };
    if (folder === undefined) return undefined;
    // A link may have been put in its place since it was chosen.
    const found = findAllowedFolder(folder, await this.folders());
    return found.ok && found.path === folder ? undefined : { folder };
  }
}

/** The hub ends an agent whose time is over itself, and its report says why there is no answer. */
export function limitMsOf({ spec }: AgentRecord, config: Config): number | undefined {
  if (!hasMemory(spec)) return undefined;
  return config.agentTurnLimitSecs * 1000 + SESSION_REPORT_MS;
}

/** Which agent answers in a chat or thread, in which folder, mode and model. */
import { BridgeError } from '../../core/errors.ts';
import type { SessionOfTurn } from '../../core/turn-details.ts';
import type { OwnShow } from '../outbox/drafts.ts';
import type { AgentControls, ChoosableOption } from '../ports/agent-controls.ts';
import type { CommandSurroundings } from '../ports/commands.ts';
import type { SessionBook } from '../ports/sessions.ts';
import { agentNotices, choices, type Entry } from '../texts/agents.ts';
import { sessionNotices } from '../texts/sessions.ts';
import { pickFrom } from './pick.ts';
import type { CommandOrder } from './turns-meant.ts';

/** A longer list helps nobody. Whatever is not in it can be named. */
const LIST_MAX = 10;
/** Takes a choice back. */
const RESET = 'reset';

interface AgentOrdersParts {
  readonly sessions: SessionBook;
  readonly isOwner: CommandSurroundings['isOwner'];
  /** Undefined: the agents run elsewhere. */
  readonly agents: AgentControls | undefined;
}

type Order<Name> = CommandOrder & { readonly name: Name };

export class AgentOrders {
  readonly #parts: AgentOrdersParts;

  constructor(parts: AgentOrdersParts) {
    this.#parts = parts;
  }

  async carryOut(order: Order<'agent' | 'folder' | 'mode' | 'model'>): Promise<OwnShow> {
    const { agents } = this.#parts;
    const { name } = order;
    if (agents === undefined) return agentNotices.elsewhere();
    if (order.argument !== '' && !(await this.#mayChange(order))) {
      return agentNotices.ownerOnly(name === 'mode' ? 'mode' : 'group');
    }
    if (name === 'agent') return this.#agent(order, agents);
    if (name === 'folder') return this.#folder(order, agents);
    return this.#option({ ...order, name }, agents);
  }

  /** A mode can let an agent act without asking, so only the owner changes it; in a group that goes for all of it. */
  async #mayChange({ name, chatType, by }: CommandOrder): Promise<boolean> {
    return (name !== 'mode' && chatType === 'p2p') || (await this.#parts.isOwner(by));
  }

  async #agent(order: CommandOrder, controls: AgentControls): Promise<OwnShow> {
    const { argument, once } = order;
    const { sessions } = this.#parts;
    const agents = await controls.agents();
    const { agent } = await sessions.chosenIn(order);
    if (argument === '') {
      const entries = agents.map(({ name, isUsual }) => ({
        name,
        argument: name,
        isCurrent: agent === undefined ? isUsual : agent === name,
      }));
      return choices('agent', entries.slice(0, LIST_MAX), entries.length - LIST_MAX);
    }
    const names = agents.map(({ name }) => name);
    const picked = pickFrom(names, argument);
    if (picked.kind === 'no_such_number') return sessionNotices.noSuchNumber(picked.count);
    if (picked.kind === 'other') {
      if (argument !== RESET) return agentNotices.unknown('agent', argument);
      await sessions.choose(order, { agent: undefined }, once);
      return agentNotices.reset('agent');
    }
    const chosen = names[picked.at];
    await sessions.choose(order, { agent: chosen }, once);
    return agentNotices.chosen('agent', chosen ?? '');
  }

  async #folder(order: CommandOrder, controls: AgentControls): Promise<OwnShow> {
    const { argument, once } = order;
    const { sessions } = this.#parts;
    const roots = await controls.folders();
    const { folder } = await sessions.chosenIn(order);
    // One below the folders of the list is in use.
    const listed = folder === undefined || roots.includes(folder) ? roots : [folder, ...roots];
    if (argument === '') {
      if (listed.length === 0) return agentNotices.noFolders();
      const entries = listed.map((path) => ({
        name: path,
        argument: path,
        isCurrent: path === folder,
      }));
      return choices('folder', entries.slice(0, LIST_MAX), entries.length - LIST_MAX);
    }
    const isReset = argument === RESET;
    if (!isReset && listed.length === 0) return agentNotices.noFolders();
    const picked = isReset ? undefined : pickFrom(listed, argument);
    if (picked?.kind === 'no_such_number') return sessionNotices.noSuchNumber(picked.count);
    if (picked === undefined) {
      await sessions.choose(order, { folder: undefined }, once);
      return agentNotices.reset('folder');
    }
    const wanted = picked.kind === 'at' ? (listed[picked.at] ?? '') : argument;
    const judged = await controls.folderOf(wanted, folder);
    if (!judged.ok) return agentNotices.folderRefused(wanted, judged.why);
    await sessions.choose(order, { folder: judged.path }, once);
    return agentNotices.chosen('folder', judged.path);
  }

  async #option(order: Order<'mode' | 'model'>, controls: AgentControls): Promise<OwnShow> {
    const { name, argument } = order;
    const session = await this.#parts.sessions.current(order);
    const option = session && (await optionOf(session, name, controls));
    if (session === undefined || option === undefined) return agentNotices.nothingSaid();
    const { id, current, values } = option;
    if (argument === '') {
      const entries = values.map((value): Entry => ({
        name: value.name,
        argument: value.id,
        isCurrent: value.id === current,
      }));
      return choices(name, entries.slice(0, LIST_MAX), entries.length - LIST_MAX);
    }
    // The id first: names may be alike, and a button has the id.
    const byId = values.findIndex((value) => value.id === argument);
    const picked =
      byId === -1
        ? pickFrom(
            values.map((value) => value.name),
            argument,
          )
        : ({ kind: 'at', at: byId } as const);
    if (picked.kind === 'no_such_number') return sessionNotices.noSuchNumber(picked.count);
    const value = picked.kind === 'at' ? values[picked.at] : undefined;
    if (value === undefined) return agentNotices.unknown(name, argument);
    try {
      await controls.choose(session, id, value.id);
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      return agentNotices.refused(error.message);
    }
    return agentNotices.chosen(name, value.name);
  }
}

/** What can be chosen for a session. Nothing if its agent is gone. */
export async function optionOf(
  session: SessionOfTurn,
  is: 'mode' | 'model',
  controls: Pick<AgentControls, 'options'>,
): Promise<ChoosableOption | undefined> {
  try {
    return (await controls.options(session)).find((option) => option.is === is);
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    return undefined;
  }
}

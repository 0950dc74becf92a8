/** Which conversations there are, and going back to one. */
import type { OwnShow } from '../outbox/drafts.ts';
import type { AgentControls } from '../ports/agent-controls.ts';
import type { CommandSurroundings } from '../ports/commands.ts';
import type { KnownSession, SessionBook, Viewer } from '../ports/sessions.ts';
import type { Clock } from '../../time/clock.ts';
import { agentNotices } from '../texts/agents.ts';
import { type SessionLine, sessionList, sessionNotices } from '../texts/sessions.ts';
import { pickFrom } from './pick.ts';
import type { CommandOrder } from './turns-meant.ts';

/** A longer list helps nobody. */
const LIST_MAX = 10;
/** Fewer signs of an id would be a number of the list. */
const ID_CHARS_MIN = 4;

interface SessionOrdersParts {
  readonly sessions: SessionBook;
  readonly isOwner: CommandSurroundings['isOwner'];
  readonly agents: AgentControls | undefined;
  readonly clock: Clock;
}

export class SessionOrders {
  readonly #parts: SessionOrdersParts;

  constructor(parts: SessionOrdersParts) {
    this.#parts = parts;
  }

  async list(order: CommandOrder): Promise<OwnShow> {
    const listed = await this.#listed(order);
    if (listed.length === 0) return sessionNotices.noSessions();
    const current = await this.#parts.sessions.current(order);
    return sessionList(listed.map((one) => this.#lineOf(one, current?.id)));
  }

  /** A number of the list, or the beginning of an id. */
  async resume(order: CommandOrder): Promise<OwnShow> {
    if (order.argument === '') return this.list(order);
    const found = await this.#meant(order);
    if ('what' in found) return found;
    const refused = await this.#refused(order, found);
    if (refused !== undefined) return refused;
    const here = { place: order, by: order.by };
    switch (await this.#parts.sessions.resume(found.id, here, order.once)) {
      case 'done':
        return sessionNotices.resumed(this.#lineOf(found, found.id));
      case 'busy':
        return sessionNotices.sessionBusy();
      case 'unknown':
        return sessionNotices.sessionUnknown();
    }
  }

  async #meant(order: CommandOrder): Promise<KnownSession | OwnShow> {
    const { argument, chatId, by } = order;
    const listed = await this.#listed(order);
    const ids = listed.map(({ id }) => id);
    const picked = pickFrom(ids, argument);
    if (picked.kind === 'no_such_number') {
      return listed.length === 0
        ? sessionNotices.noSessions()
        : sessionNotices.noSuchNumber(picked.count);
    }
    if (picked.kind === 'at') return listed[picked.at] ?? sessionNotices.sessionUnknown();
    const start = argument.toLowerCase();
    if (start.length < ID_CHARS_MIN) return sessionNotices.sessionUnknown();
    const [one, other] = await this.#parts.sessions.beginningWith(start, { chatId, by });
    if (other !== undefined) return sessionNotices.sessionAmbiguous();
    return one ?? sessionNotices.sessionUnknown();
  }

  /** In a group only the owner changes the agent and the folder, and a conversation brings its own. */
  async #refused(order: CommandOrder, { agent, folder }: KnownSession) {
    const { sessions, agents, isOwner } = this.#parts;
    const now = await sessions.chosenIn(order);
    const isSame = now.agent === agent && now.folder === folder;
    if (!isSame && order.chatType !== 'p2p' && !(await isOwner(order.by))) {
      return agentNotices.ownerOnly('group');
    }
    const chosen = { ...(agent && { agent }), ...(folder && { folder }) };
    const gone = await agents?.goneOf(chosen);
    if (gone?.agent !== undefined) return agentNotices.unknown('agent', gone.agent);
    return gone?.folder === undefined
      ? undefined
      : agentNotices.folderRefused(gone.folder, 'outside');
  }

  #listed(order: CommandOrder): Promise<readonly KnownSession[]> {
    return this.#parts.sessions.list(viewerOf(order), LIST_MAX);
  }

  #lineOf({ id, agent, folder, title, usedAtMs }: KnownSession, current?: string): SessionLine {
    const usedMs = Math.max(0, this.#parts.clock.nowMs() - usedAtMs);
    return { id, agent, folder, title, usedMs, isCurrent: id === current };
  }
}

/** What a person said elsewhere is not shown to a group. */
export function viewerOf({ chatId, chatType, by }: CommandOrder): Viewer {
  return { chatId, by: chatType === 'p2p' ? by : undefined };
}

/** Carries out what people tell the bridge itself, by a typed word, a button or the bot's menu. */
import type { CommandName } from '../../core/content.ts';
import { BridgeError, errorText } from '../../core/errors.ts';
import { personOf } from '../../core/turn.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';
import { untilAborted } from '../../time/wait.ts';
import type { Decisions } from '../intake/decisions.ts';
import type { OwnShow } from '../outbox/drafts.ts';
import type { CommandSurroundings } from '../ports/commands.ts';
import type { Journal, Place } from '../ports/journal.ts';
import type { SaidInSessions, SessionBook } from '../ports/sessions.ts';
import type { ApprovalStore } from '../ports/approvals.ts';
import {
  commandNotices,
  diagnosis,
  diagnosisFailed,
  help,
  queue,
  status,
  whoami,
} from '../texts/commands.ts';
import { sessionNotices } from '../texts/sessions.ts';
import { notices } from '../texts/texts.ts';
import type { Engine } from '../turns/engine.ts';
import { orderAccess } from './access-orders.ts';
import { AgentOrders, optionOf } from './agent-orders.ts';
import { SearchOrders } from './search-orders.ts';
import { SessionOrders } from './session-orders.ts';
import { orderFollow } from './follow-orders.ts';
import { orderReport } from './report-orders.ts';
import { orderApprovals, orderDecision } from './approval-orders.ts';
import { type CommandOrder, OPEN_TURNS_MAX } from './turns-meant.ts';
import { COMMAND_NAMES, COMMANDS, type CommandRow, type CommandWords } from './table.ts';
import { queueOf } from './queue-view.ts';

interface CommandsParts {
  readonly journal: Journal;
  readonly engine: Engine;
  readonly decisions: Decisions;
  readonly sessions: SessionBook;
  readonly said: SaidInSessions;
  readonly approvals: ApprovalStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly surroundings?: CommandSurroundings | undefined;
}

/** For a bridge that nobody told what is around it. */
const ALONE: CommandSurroundings = {
  prefix: '/',
  version: '',
  agentName: () => Promise.resolve(undefined),
  isOwner: () => Promise.resolve(false),
};

export class Commands {
  readonly words: CommandWords;
  readonly #parts: CommandsParts;
  readonly #around: CommandSurroundings;
  readonly #agents: AgentOrders;
  readonly #sessions: SessionOrders;
  readonly #search: SearchOrders;
  readonly #stop = new AbortController();

  constructor(parts: CommandsParts) {
    this.#parts = parts;
    this.#around = parts.surroundings ?? ALONE;
    const { prefix, isOwner, agents } = this.#around;
    this.words = { prefix, names: namesIn(this.#around) };
    this.#agents = new AgentOrders({ ...parts, isOwner, agents });
    this.#sessions = new SessionOrders({ ...parts, isOwner, agents });
    this.#search = new SearchOrders({ ...parts, prefix });
  }

  stop(): void {
    this.#stop.abort();
  }

  /** What is to be shown, one answer. Undefined if the bridge stops meanwhile: then the next start does it again. */
  async carryOut(order: CommandOrder): Promise<readonly OwnShow[] | undefined> {
    const { name, by } = order;
    if (!this.words.names.has(name)) return [commandNotices.notHere()];
    const { who }: CommandRow = COMMANDS[name];
    if (who === 'owner' && !(await this.#around.isOwner(by))) return [commandNotices.ownerOnly()];
    const show = await this.#do(order);
    return this.#stop.signal.aborted && name === 'doctor' ? undefined : show;
  }

  async taskBegins(place: Place): Promise<OwnShow> {
    const { agent, folder } = await this.#parts.sessions.chosenIn(place);
    const name = agent ?? (this.#around.agents && (await this.#around.agentName()));
    return sessionNotices.taskBegins({ ...(name && { agent: name }), ...(folder && { folder }) });
  }

  async #do(order: CommandOrder): Promise<readonly OwnShow[]> {
    const { name } = order;
    switch (name) {
      case 'run':
      case 'skip':
      case 'retry':
        return this.#decide({ ...order, name });
      case 'stop':
        return this.#stopTurns(order);
      case 'new':
        return [commandNotices.newSession()];
      case 'help':
        return [help(await this.#namesFor(order), this.words.prefix)];
      case 'status':
        return [await this.#status(order)];
      case 'queue':
        return [queue(await this.#queueIn(order))];
      case 'whoami':
        return [await this.#whoami(order)];
      case 'lang':
        return [await this.#chooseLanguage(order)];
      case 'allow':
      case 'block':
      case 'revoke':
        return [await orderAccess({ ...order, name }, this.#around)];
      case 'follow':
        return [await orderFollow(order, this.#around)];
      case 'report':
        return [await orderReport(order, this.#around)];
      case 'reconnect':
        // The answer goes another way, so it does not matter which of them is first.
        this.#around.link?.().restart();
        return [commandNotices.reconnecting()];
      case 'doctor':
        return [await this.#diagnose()];
      case 'agent':
      case 'folder':
      case 'mode':
      case 'model':
        return [await this.#agents.carryOut({ ...order, name })];
      case 'task':
        // With a text it is a message for the agent.
        return [commandNotices.usage('task', this.words.prefix)];
      case 'sessions':
        return [await this.#sessions.list(order)];
      case 'resume':
        return [await this.#sessions.resume(order)];
      case 'search':
        return [await this.#search.search(order)];
      case 'today':
        return [await this.#search.today(order)];
      case 'approve':
      case 'deny':
        return [await orderDecision({ ...order, name }, this.#parts.engine.questions)];
      case 'approvals':
        return [await this.#approvals(order)];
    }
  }

  async #decide({
    name: action,
    about,
    by,
    once,
    chatId: chat,
  }: CommandOrder & { readonly name: 'run' | 'skip' | 'retry' }): Promise<readonly OwnShow[]> {
    const { decisions } = this.#parts;
    await decisions.choose(about, { action, by }, once);
    const mayAsk = about.length > 0 || (await decisions.staleOf(chat, by)).length > 0;
    const isAsked = mayAsk && (await decisions.askAboutRest(chat, once));
    if (about.length === 0) return isAsked ? [] : [notices.nothingMeant()];
    return action === 'skip' ? [notices.skipped()] : [];
  }

  /** The turn itself says that it was stopped. */
  async #stopTurns({ about, by, once }: CommandOrder): Promise<readonly OwnShow[]> {
    const { journal, engine } = this.#parts;
    let isForeign = false;
    for (const id of about) {
      const turn = await journal.turn(id);
      if (turn === undefined) continue;
      if (personOf(turn) !== by && !(await this.#around.isOwner(by))) isForeign = true;
      else if ((await engine.stopTurn(id, by, once)) || (await journal.isDone(once))) return [];
    }
    return [isForeign ? commandNotices.notYoursToStop() : commandNotices.nothingAtWork()];
  }

  async #namesFor({ by }: CommandOrder): Promise<readonly CommandName[]> {
    const isOwner = await this.#around.isOwner(by);
    return COMMAND_NAMES.filter((name) => {
      const { who }: CommandRow = COMMANDS[name];
      return this.words.names.has(name) && (who === 'everybody' || isOwner);
    });
  }

  async #queueIn({ chatId }: CommandOrder) {
    const { journal, clock } = this.#parts;
    return queueOf(await journal.openIn(chatId, OPEN_TURNS_MAX), clock.nowMs());
  }

  async #status(order: CommandOrder) {
    const { atWork, waiting } = await this.#queueIn(order);
    const link = this.#around.link?.();
    const sinceMs = link?.connectedSinceMs();
    const nowMs = this.#parts.clock.nowMs();
    const { agents } = this.#around;
    const { sessions } = this.#parts;
    const { agent, folder } = await sessions.chosenIn(order);
    const session = await sessions.current(order);
    const mode = session && agents && (await optionOf(session, 'mode', agents));
    return status({
      version: this.#around.version,
      connectedMs:
        link === undefined
          ? null
          : sinceMs === undefined
            ? undefined
            : Math.max(0, nowMs - sinceMs),
      agent: agent ?? (await this.#around.agentName()),
      folder,
      session: session && { id: session.id, title: await sessions.titleOf(session.id) },
      mode: mode?.values.find(({ id }) => id === mode.current)?.name,
      atWork,
      waiting: waiting.length,
    });
  }

  async #whoami({ by, chatId, chatType, threadId }: CommandOrder) {
    return whoami({
      name: await this.#around.nameOf?.({ chatId, chatType }, by),
      openId: by,
      isOwner: await this.#around.isOwner(by),
      session: (await this.#parts.sessions.current({ chatId, threadId }))?.id,
    });
  }

  async #approvals(order: CommandOrder) {
    const { approvals } = this.#parts;
    const isOwner = await this.#around.isOwner(order.by);
    const { prefix } = this.words;
    return (
      (await orderApprovals(order, { approvals, isOwner })) ??
      commandNotices.usage('approvals', prefix)
    );
  }

  async #chooseLanguage({ argument, by }: CommandOrder) {
    const wanted = (['en', 'zh', 'auto'] as const).find((one) => one === argument.toLowerCase());
    if (wanted === undefined) return commandNotices.usage('lang', this.words.prefix);
    await this.#around.languages?.choose(by, wanted);
    return commandNotices.language(wanted);
  }

  async #diagnose() {
    try {
      const { signal } = this.#stop;
      const checks = this.#around.diagnose?.() ?? Promise.resolve([]);
      // A stop waits for no check.
      const found = await Promise.race([checks, untilAborted(signal)]);
      return diagnosis(found ?? []);
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      this.#parts.log.warn('diagnosis_failed', { error: errorText(error) });
      return diagnosisFailed();
    }
  }
}

/** The commands that can be carried out with what is around. */
function namesIn(around: CommandSurroundings): ReadonlySet<CommandName> {
  const needs: Readonly<Partial<Record<CommandName, unknown>>> = {
    lang: around.languages,
    allow: around.access,
    block: around.access,
    revoke: around.access,
    follow: around.follows,
    report: around.reports,
    reconnect: around.link,
    doctor: around.diagnose,
  };
  return new Set(COMMAND_NAMES.filter((name) => !(name in needs) || needs[name] !== undefined));
}

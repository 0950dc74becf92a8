/** Commands as people give them: typed in messages, which are stored, by buttons and by the bot's menu. */
import type { CommandName } from '../../core/content.ts';
import { type AppId, directChatOf, type MessageId, type OpenId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { ChatType } from '../../core/message.ts';
import type { Turn } from '../../core/turn.ts';
import type { OutboxDraft } from '../ports/outbox.ts';
import type { Clock } from '../../time/clock.ts';
import { Commands } from './commands.ts';
import { turnsMeantBy } from './turns-meant.ts';
import { isCommandName, type CommandWords } from './table.ts';
import { type OwnShow, turnlessDraft } from '../outbox/drafts.ts';
import type { Delivery } from '../outbox/delivery.ts';
import { outKey } from '../outbox/keys.ts';
import type { CommandSurroundings } from '../ports/commands.ts';
import type { ApprovalStore } from '../ports/approvals.ts';
import type { Journal, Place } from '../ports/journal.ts';
import type { SaidInSessions, SessionBook } from '../ports/sessions.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import type { Engine } from '../turns/engine.ts';
import type { Decisions } from '../intake/decisions.ts';

interface GivenCommandsParts {
  readonly journal: Journal;
  readonly engine: Engine;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly decisions: Decisions;
  readonly sessions: SessionBook;
  readonly said: SaidInSessions;
  readonly approvals: ApprovalStore;
  readonly languages: Languages;
  readonly clock: Clock;
  readonly log: Log;
  readonly surroundings?: CommandSurroundings | undefined;
}

/** A command without a message of its own. */
interface CommandEvent {
  readonly appId: AppId;
  readonly name: CommandName;
  readonly argument: string;
  readonly by: OpenId;
  /** The same each time that Lark delivers it. */
  readonly eventId: string;
  /** Where it counts. Undefined: the person has written to the bot in no direct chat yet. */
  readonly place: Place | undefined;
  readonly chatType: ChatType;
  /** The card under which the answer is shown. Undefined: in the person's direct chat. */
  readonly card: MessageId | undefined;
}

/** Lark keeps them with the entries of the menu; whoever runs the bot types them there. */
const MENU_KEYS: readonly CommandName[] = ['help', 'new', 'stop', 'status'];

/** Each command that is given gets one answer. */
export class GivenCommands {
  readonly words: CommandWords;
  readonly #parts: GivenCommandsParts;
  readonly #commands: Commands;
  readonly #slow = new Set<Promise<void>>();

  constructor(parts: GivenCommandsParts) {
    this.#parts = parts;
    this.#commands = new Commands(parts);
    this.words = this.#commands.words;
  }

  async stop(): Promise<void> {
    this.#commands.stop();
    await Promise.all(this.#slow);
  }

  /** Carries out a command that is stored. */
  async carryOut(command: Turn): Promise<void> {
    if (command.state.phase !== 'command') return;
    const work = this.#carryOut(command);
    if (command.state.action !== 'doctor') return work;
    // Its checks take longer than Lark waits for an ack.
    const tracked = work.finally(() => this.#slow.delete(tracked));
    this.#slow.add(tracked);
  }

  /** What the person is told whose message begins a conversation. */
  taskBegins(place: Place): Promise<OwnShow> {
    return this.#commands.taskBegins(place);
  }

  /** A person selected an entry of the bot's menu. The event names no chat, so it means the direct chat. */
  async menu(
    event: Pick<CommandEvent, 'appId' | 'by' | 'eventId'> & { readonly key: string },
  ): Promise<void> {
    const { key: name, ...rest } = event;
    if (!isCommandName(name) || !MENU_KEYS.includes(name)) return;
    const chatId = await this.#parts.journal.directChat(event.by);
    const place = chatId && { chatId, threadId: undefined };
    await this.take({ ...rest, name, argument: '', place, chatType: 'p2p', card: undefined });
  }

  /** Lark delivers an event again until it is acked, which is when all of it is done. */
  async take(event: CommandEvent): Promise<void> {
    const { name, argument, by, eventId, place, chatType } = event;
    const { journal, sessions, delivery, storeRetry } = this.#parts;
    const once = `command:${eventId}`;
    if (await journal.isDone(`${once}:done`)) return;
    const giver = place && { ...place, by };
    if (name === 'new' && place !== undefined) {
      await storeRetry.untilStored(() => sessions.renew(place, by, once));
    }
    const show = await this.#commands.carryOut({
      ...(giver ?? { chatId: directChatOf(by), threadId: undefined, by }),
      chatType,
      name,
      argument,
      about: giver === undefined ? [] : await turnsMeantBy(name, giver, journal),
      mentioned: [],
      once,
    });
    if (show === undefined) return;
    const drafts = show.map((one) => this.#draftOf(one, event));
    delivery.offer(await storeRetry.untilStored(() => journal.enqueue(drafts, `${once}:done`)));
  }

  #draftOf(show: OwnShow, { appId, by, eventId, place, card }: CommandEvent): OutboxDraft {
    const chatId = card === undefined || place === undefined ? directChatOf(by) : place.chatId;
    const { clock, languages } = this.#parts;
    const at = { nowMs: clock.nowMs(), lang: languages.of(by) };
    const key = outKey(appId, chatId, 'command', eventId, show.name);
    return turnlessDraft(show, { key, chatId, under: card }, at);
  }

  async #carryOut(command: Turn): Promise<void> {
    if (command.state.phase !== 'command') return;
    const { action: name, argument = '', about } = command.state;
    const {
      chatId,
      chatType,
      threadId,
      sentAtMs,
      senderOpenId: by,
      mentioned = [],
    } = command.message;
    const giver = { chatId, chatType, threadId, sentAtMs, by };
    const order = { ...giver, name, argument, about, mentioned, once: command.id };
    const show = await this.#commands.carryOut(order);
    if (show === undefined) return;
    await this.#parts.engine.apply(command.id, { kind: 'carried_out', show });
  }
}

import { LRUCache } from 'lru-cache';
import { directChatOf, turnId, type MessageId } from '../../core/ids.ts';
import type { InboundEvent, InboundMessage } from '../../core/message.ts';
import type { Turn } from '../../core/turn.ts';
import type { AccessControl } from './access-control.ts';
import { admissionOf } from './admission.ts';
import { parseCommand, type TypedCommand } from '../commands/parse.ts';
import { isTask, withoutTaskWord } from '../commands/task.ts';
import { GivenCommands } from '../commands/given.ts';
import { Decisions } from './decisions.ts';
import { Presses } from './presses.ts';
import type { Delivery } from '../outbox/delivery.ts';
import type { Engine } from '../turns/engine.ts';
import type { ChoiceValues } from '../../wire/choice-value.ts';
import { turnlessDraft } from '../outbox/drafts.ts';
import { turnKey } from '../outbox/keys.ts';
import type { TypedAnswer } from '../questions/typed-answers.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import { notices } from '../texts/texts.ts';
import type { AttachmentStore } from '../ports/attachments.ts';
import type { ChatEvent, EventReply, Intake } from '../ports/intake.ts';
import type { CommandSurroundings } from '../ports/commands.ts';
import type { ApprovalStore } from '../ports/approvals.ts';
import type { Journal } from '../ports/journal.ts';
import type { SaidInSessions, SessionBook } from '../ports/sessions.ts';
import type { LiveJournal } from '../ports/live.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

/** A duplicate usually comes within minutes. With this many ids in memory it is known without a read. */
const IDS_REMEMBERED_MAX = 10_000;

export interface EventIntakeParts {
  readonly journal: Journal;
  readonly access: AccessControl;
  readonly engine: Engine;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
  readonly choices: ChoiceValues;
  readonly sessions: SessionBook;
  readonly said: SaidInSessions;
  readonly approvals: ApprovalStore;
  readonly attachments?: AttachmentStore | undefined;
  readonly burstWaitMs?: number | undefined;
  /** When the bridge was restored from a backup, if it ever was. */
  readonly restoredAtMs?: number | undefined;
  readonly liveJournal?: LiveJournal | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly surroundings?: CommandSurroundings | undefined;
}

type Admitted = NonNullable<Awaited<ReturnType<Journal['admit']>>>;

/** What a message says to the bridge itself. */
interface ReadMessage {
  readonly typed: TypedCommand | undefined;
  /** It answers the question of an agent. */
  readonly isAnswer: boolean;
}

/** Takes events from Lark. Each event is stored in the journal once, before anything else happens. */
export class EventIntake implements Intake {
  readonly #parts: EventIntakeParts;
  readonly #commands: GivenCommands;
  readonly #presses: Presses;
  /** Ids that are known to be in the journal, so that a duplicate costs no write. */
  readonly #known = new LRUCache<MessageId, true>({ max: IDS_REMEMBERED_MAX });
  /** Recalls that came before their message. */
  readonly #recalled = new LRUCache<MessageId, true>({ max: IDS_REMEMBERED_MAX });
  readonly #writes = new Set<Promise<void>>();
  #duplicates = 0;

  constructor(parts: EventIntakeParts) {
    this.#parts = parts;
    const decisions = new Decisions(parts);
    this.#commands = new GivenCommands({ ...parts, decisions });
    this.#presses = new Presses({ ...parts, decisions, commands: this.#commands });
  }

  get duplicates(): number {
    return this.#duplicates;
  }

  async admit(event: InboundEvent | ChatEvent): Promise<EventReply | undefined> {
    switch (event.kind) {
      case 'message':
        await this.#takeMessage(event.message);
        return undefined;
      case 'edited':
        await this.#takeEdit(event);
        return undefined;
      case 'recalled':
        await this.#takeRecall(event);
        return undefined;
      case 'unreadable':
        await this.#takeUnreadable(event);
        return undefined;
      case 'button':
        return this.#presses.take(event);
      case 'menu': {
        const { appId, eventId, operatorOpenId: by, eventKey: key } = event;
        await this.#menu({ appId, eventId, by, key });
        return undefined;
      }
      case 'bot_added':
        await this.#parts.access.welcomes.added(event);
        return undefined;
      case 'chat_entered':
        await this.#parts.access.welcomes.entered(event);
        return undefined;
    }
  }

  /** The menu is in the direct chat, so whoever may talk there may use it. */
  async #menu(event: Parameters<GivenCommands['menu']>[0]): Promise<void> {
    const { access, log } = this.#parts;
    if (await access.isLetIn({ openId: event.by }, directChatOf(event.by))) {
      return this.#commands.menu(event);
    }
    log.info('menu_of_guest', { by: event.by });
  }

  /** Commands that take long end early. The next start carries them out again. */
  stop(): Promise<void> {
    return this.#commands.stop();
  }

  /** Carries out a command that an earlier process stored but did not carry out. */
  async resume(command: Turn): Promise<void> {
    await this.#commands.carryOut(command);
  }

  /** False if it was known already. */
  async #takeMessage(message: InboundMessage): Promise<boolean> {
    if (!this.#known.has(message.messageId) && (await this.#admitNew(message))) return true;
    this.#duplicates += 1;
    return false;
  }

  /** An edit may be the first that the bridge hears of a message: only now it names the bot. */
  async #takeEdit({
    message,
    editedAtMs,
  }: Extract<InboundEvent, { kind: 'edited' }>): Promise<void> {
    const { journal, engine } = this.#parts;
    const isKnown = async () => (await journal.turn(turnId(message.messageId))) !== undefined;
    if (!(await isKnown()) && (await this.#takeMessage(message))) return;
    // Of a message that was pruned nothing is left to change.
    if (!(await isKnown())) return;
    await engine.edits.take(withoutTaskWord(message, this.#commands.words), editedAtMs);
  }

  /** False if the journal knows it. */
  async #admitNew(message: InboundMessage): Promise<boolean> {
    const typed = parseCommand(message, this.#commands.words);
    // A command stays a command, whatever the options of a question are called.
    const answer = typed === undefined ? this.#answerIn(message) : undefined;
    const admitted = await this.#storeInOrder(message, { typed, isAnswer: answer !== undefined });
    this.#known.set(message.messageId, true);
    if (admitted !== undefined) await this.#goOnWith(admitted, answer);
    if (answer !== undefined) this.#parts.engine.typedAnswers.release(answer);
    return admitted !== undefined;
  }

  async #goOnWith(
    { turn, out, takenIn }: Admitted,
    answer: TypedAnswer | undefined,
  ): Promise<void> {
    const { access, delivery, engine, log } = this.#parts;
    const { id, message, state } = turn;
    const { phase } = state;
    if (takenIn !== undefined) engine.takenIn(takenIn, message.chatId);
    // The line of a usual message comes when it is answered.
    const level = phase === 'waiting' || phase === 'command' ? 'debug' : 'info';
    const joined = takenIn === undefined ? {} : { took_in: takenIn };
    log[level]('message_admitted', { turn: id, chat: message.chatId, phase, ...joined });
    delivery.offer(out);
    if (phase === 'kept') access.noteKept();
    // Of somebody who may not talk to the bot it answers nothing.
    if (answer !== undefined && phase === 'answered') await engine.typedAnswers.typed(turn, answer);
    else if (phase === 'command') await this.#commands.carryOut(turn);
    // A recall that came while the message was being stored found no turn to end.
    else if (!this.#recalled.has(message.messageId)) engine.offer(turn);
    else await engine.apply(id, { kind: 'recalled' });
  }

  /** What a message answers that starts no turn. */
  #answerIn(message: InboundMessage): TypedAnswer | undefined {
    if (this.#recalled.has(message.messageId)) return undefined;
    return this.#parts.engine.typedAnswers.meantBy(message);
  }

  /** What was said just before a command may still be on its way to the disk, and the command may mean it. */
  async #storeInOrder(message: InboundMessage, read: ReadMessage): ReturnType<Journal['admit']> {
    const before = read.typed === undefined ? [] : [...this.#writes];
    const stored = Promise.all(before).then(() => this.#store(message, read));
    const ended = stored.then(
      () => {},
      () => {},
    );
    this.#writes.add(ended);
    try {
      return await stored;
    } finally {
      this.#writes.delete(ended);
    }
  }

  async #store(
    message: InboundMessage,
    { typed, isAnswer }: ReadMessage,
  ): ReturnType<Journal['admit']> {
    const { journal, access, languages, clock, burstWaitMs = 0, restoredAtMs } = this.#parts;
    const nowMs = clock.nowMs();
    if (isAnswer) {
      const state = { phase: 'answered' } as const;
      return journal.admit(access.guard({ message, receivedAtMs: nowMs, state, out: [] }));
    }
    const begins = isTask(typed) ? await this.#commands.taskBegins(message) : undefined;
    const said = begins === undefined ? message : withoutTaskWord(message, this.#commands.words);
    const admission = await admissionOf(said, {
      journal,
      typed: begins === undefined ? typed : undefined,
      begins,
      nowMs,
      lang: languages.of(message.senderOpenId),
      isRecalled: this.#recalled.has(message.messageId),
      burstWaitMs,
      restoredAtMs,
    });
    return journal.admit(access.guard(admission));
  }

  async #takeRecall(event: Extract<InboundEvent, { kind: 'recalled' }>): Promise<void> {
    const { journal, engine, attachments } = this.#parts;
    const { messageId, chatId, eventId, by } = event;
    const id = turnId(messageId);
    if ((await journal.turn(id)) === undefined) this.#recalled.set(messageId, true);
    else await engine.apply(id, { kind: 'recalled', by }, eventId);
    await engine.forget(messageId, chatId);
    await attachments?.remove(messageId);
  }

  /** No turn is made, because the chat's history may still contain the whole message. */
  async #takeUnreadable(event: Extract<InboundEvent, { kind: 'unreadable' }>): Promise<void> {
    const { journal, delivery, languages, clock, log } = this.#parts;
    if (this.#recalled.has(event.messageId)) return;
    // The message came in another delivery that could be read.
    if ((await journal.turn(turnId(event.messageId))) !== undefined) return;
    const at = { nowMs: clock.nowMs(), lang: languages.standard };
    const { messageId, chatId, threadId } = event;
    const notice = notices.unreadable();
    const key = turnKey({ message: event, run: 1 }, `${notice.what}:${notice.name}`);
    const place = { key, chatId, under: messageId, inThread: threadId !== undefined };
    const draft = turnlessDraft(notice, place, at);
    delivery.offer(await journal.enqueue([draft], `unreadable:${messageId}`));
    log.warn('message_unreadable', { message: messageId, chat: chatId });
  }
}

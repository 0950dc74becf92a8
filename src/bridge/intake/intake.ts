import { LRUCache } from 'lru-cache';
import { turnId, type MessageId, type TurnId } from '../../core/ids.ts';
import type { InboundEvent, InboundMessage } from '../../core/message.ts';
import type { Turn } from '../../core/turn.ts';
import { admissionOf } from './admission.ts';
import { parseCommand } from './commands.ts';
import { Decisions } from './decisions.ts';
import { Presses } from './presses.ts';
import type { Delivery } from '../outbox/delivery.ts';
import type { Engine } from '../turns/engine.ts';
import type { ChoiceValues } from '../../wire/choice-value.ts';
import { ownDraft } from '../outbox/drafts.ts';
import type { Questions, TypedAnswer } from '../questions/questions.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import { notices } from '../texts/texts.ts';
import type { AttachmentStore, EventReply, Intake, Journal } from '../ports.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

/** A duplicate usually comes within minutes. With this many ids in memory it is known without a read. */
const IDS_REMEMBERED_MAX = 10_000;

export interface EventIntakeParts {
  readonly journal: Journal;
  readonly engine: Engine;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
  readonly choices: ChoiceValues;
  readonly attachments?: AttachmentStore | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** Takes events from Lark. Each event is stored in the journal once, before anything else happens. */
export class EventIntake implements Intake {
  readonly #parts: EventIntakeParts;
  readonly #decisions: Decisions;
  readonly #presses: Presses;
  /** Ids that are known to be in the journal, so that a duplicate costs no write. */
  readonly #known = new LRUCache<MessageId, true>({ max: IDS_REMEMBERED_MAX });
  /** Recalls that came before their message. */
  readonly #recalled = new LRUCache<MessageId, true>({ max: IDS_REMEMBERED_MAX });
  #duplicates = 0;

  constructor(parts: EventIntakeParts) {
    this.#parts = parts;
    this.#decisions = new Decisions(parts);
    this.#presses = new Presses({ ...parts, decisions: this.#decisions });
  }

  get duplicates(): number {
    return this.#duplicates;
  }

  async admit(event: InboundEvent): Promise<EventReply | undefined> {
    switch (event.kind) {
      case 'message':
        await this.#message(event.message);
        return undefined;
      case 'edited':
        await this.#edited(event);
        return undefined;
      case 'recalled':
        await this.#recall(event);
        return undefined;
      case 'unreadable':
        await this.#unreadable(event);
        return undefined;
      case 'button':
        return this.#presses.take(event);
    }
  }

  /** Carries out a command that an earlier process stored but did not carry out. */
  async resume(command: Turn): Promise<void> {
    await this.#carryOut(command);
  }

  /** False if it was known already. */
  async #message(message: InboundMessage): Promise<boolean> {
    if (!this.#known.has(message.messageId) && (await this.#unknown(message))) return true;
    this.#duplicates += 1;
    return false;
  }

  /** An edit may be the first that the bridge hears of a message: only now it names the bot. */
  async #edited({ message, editedAtMs }: Extract<InboundEvent, { kind: 'edited' }>): Promise<void> {
    const { journal, engine } = this.#parts;
    const isKnown = async () => (await journal.turn(turnId(message.messageId))) !== undefined;
    if (!(await isKnown()) && (await this.#message(message))) return;
    // Of a message that was pruned nothing is left to change.
    if (await isKnown()) await engine.edits.take(message, editedAtMs);
  }

  /** False if the journal knows it. */
  async #unknown(message: InboundMessage): Promise<boolean> {
    const { journal, delivery, engine, languages, clock, log } = this.#parts;
    const context = {
      journal,
      nowMs: clock.nowMs(),
      lang: languages.of(message.senderOpenId),
      isRecalled: this.#recalled.has(message.messageId),
    };
    const meant = answerOf(message, context, engine.questions);
    const admission =
      meant === undefined
        ? await admissionOf(message, context)
        : ({
            message,
            receivedAtMs: context.nowMs,
            state: { phase: 'answered' },
            out: [],
          } as const);
    const done = await journal.admit(admission);
    this.#known.set(message.messageId, true);
    if (done === undefined) return false;
    const { turn, out } = done;
    const { phase } = turn.state;
    // Each message leaves this line, so it has only what names it. `trace` tells the rest.
    const usual = phase === 'waiting' ? {} : { phase };
    log.info('message_admitted', { turn: turn.id, chat: message.chatId, ...usual });
    delivery.offer(out);
    if (meant !== undefined) await engine.questions.typed(turn, meant);
    else if (phase === 'command') await this.#carryOut(turn);
    // A recall that came while the message was being stored found no turn to end.
    else if (!this.#recalled.has(turn.message.messageId)) engine.offer(turn);
    else await engine.apply(turn.id, { kind: 'recalled' });
    return true;
  }

  async #recall(event: Extract<InboundEvent, { kind: 'recalled' }>): Promise<void> {
    const { journal, engine, attachments } = this.#parts;
    const { messageId, eventId, by } = event;
    const id = messageId as string as TurnId;
    if ((await journal.turn(id)) === undefined) {
      this.#recalled.set(messageId, true);
      return;
    }
    await engine.apply(id, { kind: 'recalled', by }, eventId);
    await attachments?.remove(messageId);
  }

  /** No turn is made, because the chat's history may still contain the whole message. */
  async #unreadable(event: Extract<InboundEvent, { kind: 'unreadable' }>): Promise<void> {
    const { journal, delivery, languages, clock, log } = this.#parts;
    if (this.#recalled.has(event.messageId)) return;
    // The message came in another delivery that could be read.
    if ((await journal.turn(turnId(event.messageId))) !== undefined) return;
    const at = { nowMs: clock.nowMs(), lang: languages.standard };
    const draft = ownDraft({ message: event, run: 1 }, notices.unreadable(), at);
    const alone = { ...draft, turn: undefined };
    delivery.offer(await journal.enqueue([alone], `unreadable:${event.messageId}`));
    log.warn('message_unreadable', { message: event.messageId, chat: event.chatId });
  }

  async #carryOut(command: Turn): Promise<void> {
    if (command.state.phase !== 'command') return;
    const { action, about } = command.state;
    const { chatId: chat, senderOpenId: by } = command.message;
    await this.#decisions.choose(about, { action, by }, command.id);
    const mayAsk = about.length > 0 || (await this.#decisions.staleOf(chat, by)).length > 0;
    const isAsked = mayAsk && (await this.#decisions.askAboutRest(chat, command.id));
    const nothing = isAsked ? [] : [notices.nothingMeant()];
    const show = about.length === 0 ? nothing : action === 'skip' ? [notices.skipped()] : [];
    await this.#parts.engine.apply(command.id, { kind: 'carried_out', show });
  }
}

/** What a message answers that starts no turn. A command stays a command, whatever the options are called. */
function answerOf(
  message: InboundMessage,
  { isRecalled }: { readonly isRecalled: boolean },
  questions: Questions,
): TypedAnswer | undefined {
  if (isRecalled || parseCommand(message) !== undefined) return undefined;
  return questions.meantBy(message);
}

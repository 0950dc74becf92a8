import { LRUCache } from 'lru-cache';
import { turnId, type MessageId, type TurnId } from '../../core/ids.ts';
import type { InboundEvent, InboundMessage } from '../../core/message.ts';
import type { Turn } from '../../core/turn.ts';
import type { AccessControl } from './access-control.ts';
import { admissionOf } from './admission.ts';
import { Decisions } from './decisions.ts';
import { Presses } from './presses.ts';
import type { Delivery } from '../outbox/delivery.ts';
import type { Engine } from '../turns/engine.ts';
import type { ChoiceValues } from '../../wire/choice-value.ts';
import { ownDraft } from '../outbox/drafts.ts';
import type { StoreRetry } from '../store-retry.ts';
import { notices } from '../texts/texts.ts';
import type { ChatEvent, Intake, Journal } from '../ports.ts';
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
  readonly choices: ChoiceValues;
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

  async admit(event: InboundEvent | ChatEvent): Promise<void> {
    switch (event.kind) {
      case 'message':
        return this.#message(event.message);
      case 'edited':
        // A turn does not take the new text yet.
        this.#parts.log.debug('edit_not_used', { message: event.message.messageId });
        return;
      case 'recalled':
        return this.#recall(event);
      case 'unreadable':
        return this.#unreadable(event);
      case 'button':
        return this.#presses.take(event);
      case 'bot_added':
        return this.#parts.access.welcomes.added(event);
      case 'chat_entered':
        return this.#parts.access.welcomes.entered(event);
    }
  }

  /** Carries out a command that an earlier process stored but did not carry out. */
  async resume(command: Turn): Promise<void> {
    await this.#carryOut(command);
  }

  async #message(message: InboundMessage): Promise<void> {
    const { journal, access, delivery, engine, clock, log } = this.#parts;
    if (this.#known.has(message.messageId)) {
      this.#duplicates += 1;
      return;
    }
    const admission = await admissionOf(message, {
      journal,
      nowMs: clock.nowMs(),
      isRecalled: this.#recalled.has(message.messageId),
    });
    const done = await journal.admit(access.guard(admission));
    this.#known.set(message.messageId, true);
    if (done === undefined) {
      this.#duplicates += 1;
      return;
    }
    const { turn, out } = done;
    const { phase } = turn.state;
    // Each message leaves this line, so it has only what names it. `trace` tells the rest.
    const usual = phase === 'waiting' ? {} : { phase };
    log.info('message_admitted', { turn: turn.id, chat: message.chatId, ...usual });
    delivery.offer(out);
    if (phase === 'kept') access.noteKept();
    if (turn.state.phase === 'command') return this.#carryOut(turn);
    // A recall that came while the message was being stored found no turn to end.
    if (!this.#recalled.has(turn.message.messageId)) engine.offer(turn);
    else await engine.apply(turn.id, { kind: 'recalled' });
  }

  async #recall(event: Extract<InboundEvent, { kind: 'recalled' }>): Promise<void> {
    const { journal, engine } = this.#parts;
    const { messageId, eventId, by } = event;
    const id = messageId as string as TurnId;
    if ((await journal.turn(id)) === undefined) {
      this.#recalled.set(messageId, true);
      return;
    }
    await engine.apply(id, { kind: 'recalled', by }, eventId);
  }

  /** No turn is made, because the chat's history may still contain the whole message. */
  async #unreadable(event: Extract<InboundEvent, { kind: 'unreadable' }>): Promise<void> {
    const { journal, delivery, clock, log } = this.#parts;
    if (this.#recalled.has(event.messageId)) return;
    // The message came in another delivery that could be read.
    if ((await journal.turn(turnId(event.messageId))) !== undefined) return;
    const draft = ownDraft({ message: event, run: 1 }, notices.unreadable(), clock.nowMs());
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

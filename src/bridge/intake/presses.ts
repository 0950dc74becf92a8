/** Judges presses on buttons: only what the bridge asked here, and only for the person whom it asked. */
import type { InboundEvent } from '../../core/message.ts';
import type { Log } from '../../core/log.ts';
import type { TurnId } from '../../core/ids.ts';
import type { Show } from '../../core/turn.ts';
import type { Clock } from '../../time/clock.ts';
import type { Choice, ChoiceValues } from '../../wire/choice-value.ts';
import type { Delivery } from '../outbox/delivery.ts';
import { ownDraft } from '../outbox/drafts.ts';
import { outKey } from '../outbox/keys.ts';
import type { Journal } from '../ports.ts';
import type { StoreRetry } from '../store-retry.ts';
import { notices } from '../texts/texts.ts';
import type { AccessControl } from './access-control.ts';
import type { Decisions } from './decisions.ts';

interface PressesParts {
  readonly journal: Journal;
  readonly access: AccessControl;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly choices: ChoiceValues;
  readonly decisions: Decisions;
  readonly clock: Clock;
  readonly log: Log;
}

type Press = Extract<InboundEvent, { kind: 'button' }>;

export class Presses {
  readonly #parts: PressesParts;

  constructor(parts: PressesParts) {
    this.#parts = parts;
  }

  async take(press: Press): Promise<void> {
    const { choices, clock, log } = this.#parts;
    const { chatId: chat, messageId: card, operatorOpenId: by, value } = press;
    const parsed = choices.parse(value, { chat, nowMs: clock.nowMs() });
    if (parsed === undefined) return;
    const presser = { openId: by, facts: press.operator };
    if (!(await this.#parts.access.isLetIn(presser, chat))) {
      return log.info('press_of_guest', { chat, card, by });
    }
    const why = parsed.kind === 'refused' ? parsed.why : await this.#mismatch(press, parsed.choice);
    if (why !== undefined) log.warn('press_refused', { chat, card, by, why });
    if (parsed.kind === 'refused' || why !== undefined) {
      return this.#tell(press, notices.buttonNotValid());
    }
    return this.#decide(press, parsed.choice);
  }

  /** A forwarded card has another message id. Old rows of the outbox are gone, and then the signature counts alone. */
  async #mismatch(press: Press, { row: key, under, turn: id }: Choice) {
    const { journal } = this.#parts;
    const row = await journal.out(key);
    if (row !== undefined) {
      if (row.chatId !== press.chatId || row.turn !== id) return 'other_row';
      if (row.state.phase === 'sent' && row.state.larkId !== press.messageId) return 'other_card';
      if (under !== undefined && row.replyTo !== under) return 'other_message';
    }
    if (id === undefined) return undefined;
    const turn = await journal.turn(id);
    if (turn === undefined) return 'turn_gone';
    return turn.message.chatId === press.chatId ? undefined : 'other_chat';
  }

  async #decide(press: Press, choice: Choice): Promise<void> {
    const { journal, decisions, storeRetry, log } = this.#parts;
    const { chatId: chat, messageId: card, operatorOpenId: by, eventId } = press;
    if (choice.action === 'allow' || choice.action === 'block') {
      return this.#decideAboutPerson(press, { ...choice, action: choice.action });
    }
    // One use for each person. It is over when all is done, because nobody repeats a press whose process died.
    const { action } = choice;
    const use = `press:${choice.row}:${by}`;
    if (await journal.isDone(`${use}:done`)) return;
    const about = await this.#turnsOf(press, choice);
    if (about.length === 0) {
      if (choice.turn === undefined && (await decisions.staleOf(chat)).length === 0) return;
      log.info('press_of_other_person', { chat, card, by, turn: choice.turn });
      return this.#tell(press, notices.notYours({ canRetry: action === 'retry' }));
    }
    log.info('press_taken', { chat, card, by, action, turns: about.length });
    await decisions.choose(about, { action, by }, use);
    await decisions.askAboutRest(chat, eventId);
    await storeRetry.untilStored(() => journal.enqueue([], `${use}:done`));
  }

  /** Only the owner decides who may talk. The first press on a card counts. */
  async #decideAboutPerson(
    { chatId, messageId: card, operatorOpenId: by }: Press,
    { action, about, row }: Choice & { readonly action: 'allow' | 'block' },
  ): Promise<void> {
    const { access, log } = this.#parts;
    if (about === undefined || !(await access.isOwner(by))) {
      return log.warn('press_refused', { chat: chatId, card, by, why: 'not_owner' });
    }
    log.info('press_taken', { chat: chatId, card, by, action, about });
    await access.decideByPress({ action, about }, { chatId, by, once: `press:${row}` });
  }

  /** The turns that this person may decide about with this button. */
  async #turnsOf({ chatId: chat, operatorOpenId: by }: Press, choice: Choice): Promise<TurnId[]> {
    if (choice.turn === undefined) return this.#parts.decisions.staleOf(chat, by);
    const author = (await this.#parts.journal.turn(choice.turn))?.message.senderOpenId;
    return author === by && (choice.person ?? by) === by ? [choice.turn] : [];
  }

  /** Once for each person and card. */
  async #tell(press: Press, notice: Extract<Show, { what: 'notice' }>): Promise<void> {
    const { journal, delivery, storeRetry, clock } = this.#parts;
    const { appId, chatId: chat, messageId: card, operatorOpenId: by } = press;
    const message = { appId, chatId: chat, messageId: card, threadId: undefined };
    const draft = ownDraft({ message, run: 1 }, notice, clock.nowMs());
    const key = outKey(appId, chat, 'press', notice.name, card, by);
    const alone = { ...draft, key, turn: undefined };
    delivery.offer(await storeRetry.untilStored(() => journal.enqueue([alone])));
  }
}

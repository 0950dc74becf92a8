/** Judges presses on buttons: only what the bridge asked here, and only for the person whom it asked. */
import type { InboundEvent } from '../../core/message.ts';
import type { ChoiceAction, CommandName } from '../../core/content.ts';
import type { Log } from '../../core/log.ts';
import { directChatOf, type TurnId } from '../../core/ids.ts';
import type { Show } from '../outbox/show.ts';
import type { Clock } from '../../time/clock.ts';
import type { Choice, ChoiceValues } from '../../wire/choice-value.ts';
import type { Delivery } from '../outbox/delivery.ts';
import { turnlessDraft } from '../outbox/drafts.ts';
import { outKey } from '../outbox/keys.ts';
import type { EventReply } from '../ports/intake.ts';
import type { Journal } from '../ports/journal.ts';
import type { LiveJournal } from '../ports/live.ts';
import type { Engine } from '../turns/engine.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import { notices } from '../texts/texts.ts';
import type { AccessControl } from './access-control.ts';
import type { GivenCommands } from '../commands/given.ts';
import { replyToPress } from '../questions/press.ts';
import type { Decisions } from './decisions.ts';

interface PressesParts {
  readonly journal: Journal;
  readonly access: AccessControl;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
  readonly choices: ChoiceValues;
  readonly decisions: Decisions;
  readonly engine: Engine;
  readonly liveJournal?: LiveJournal | undefined;
  readonly commands: GivenCommands;
  readonly clock: Clock;
  readonly log: Log;
}

type Press = Extract<InboundEvent, { kind: 'button' }>;

export class Presses {
  readonly #parts: PressesParts;

  constructor(parts: PressesParts) {
    this.#parts = parts;
  }

  /** What the person sees at once. Undefined: nothing. */
  async take(press: Press): Promise<EventReply | undefined> {
    const { choices, clock, log, engine, languages } = this.#parts;
    const { chatId: chat, messageId: card, operatorOpenId: by, value } = press;
    const nowMs = clock.nowMs();
    const here = choices.parse(value, { chat, nowMs });
    if (here === undefined) return undefined;
    // A card that was sent to a person, and not to a chat, works for that person.
    const there =
      here.kind === 'refused' && choices.parse(value, { chat: directChatOf(by), nowMs });
    const parsed = there !== false && there?.kind === 'choice' ? there : here;
    const presser = { openId: by, facts: press.operator };
    if (!(await this.#parts.access.isLetIn(presser, chat))) {
      log.info('press_of_guest', { chat, card, by });
      return undefined;
    }
    const why = parsed.kind === 'refused' ? parsed.why : await this.#mismatch(press, parsed.choice);
    if (why !== undefined) log.warn('press_refused', { chat, card, by, why });
    const isAnswer =
      parsed.kind === 'refused' ? parsed.isAnswer === true : parsed.choice.action === 'answer';
    if (isAnswer) {
      const choice = parsed.kind === 'choice' ? parsed.choice : undefined;
      return replyToPress({ by, choice, why, lang: languages.of(by) }, engine.questions);
    }
    if (parsed.kind === 'refused' || why !== undefined) {
      await this.#tell(press, notices.buttonNotValid());
      return undefined;
    }
    await this.#carryOut(press, parsed.choice);
    return undefined;
  }

  async #carryOut(press: Press, choice: Choice): Promise<void> {
    const { action } = choice;
    if (action === 'answer') return;
    if (action === 'run' || action === 'skip' || action === 'retry') {
      return this.#decide(press, { ...choice, action });
    }
    if (action === 'allow' || action === 'block') {
      return this.#decideAboutPerson(press, { ...choice, action });
    }
    // On a live card, which is there before any row of the outbox.
    if (action === 'stop' && choice.turn !== undefined) return this.#stop(press, choice);
    return this.#command(press, { ...choice, action });
  }

  /** The button of a turn at work. */
  async #stop(press: Press, { row, turn: id, person }: Choice): Promise<void> {
    const { engine, log } = this.#parts;
    const { chatId: chat, messageId: card, operatorOpenId: by } = press;
    if (id === undefined || person !== by) {
      log.info('press_of_other_person', { chat, card, by, turn: id });
      return this.#tell(press, notices.notYours({ canRetry: false }));
    }
    log.info('press_taken', { chat, card, by, action: 'stop', turns: 1 });
    await engine.stopTurn(id, by, `press:${row}:${by}`);
  }

  /** A forwarded card has another message id. Old rows of the outbox are gone, and then the signature counts alone. */
  async #mismatch(press: Press, { row: key, under, turn: id }: Choice) {
    const { journal, liveJournal } = this.#parts;
    const live = await liveJournal?.card(key);
    if (live !== undefined) {
      if (live.place.chatId !== press.chatId || live.turn !== id) return 'other_row';
      const { messageId: sent = press.messageId } = live;
      if (sent !== press.messageId) return 'other_card';
    }
    const row = await journal.out(key);
    if (row !== undefined) {
      const isThere =
        row.chatId === press.chatId || row.chatId === directChatOf(press.operatorOpenId);
      // The buttons of a menu are about no turn.
      const isMenu = row.body.kind === 'message' && row.body.content.kind === 'menu';
      if (!isThere || (isMenu ? undefined : row.turn) !== id) return 'other_row';
      if (row.state.phase === 'sent' && row.state.larkId !== press.messageId) return 'other_card';
      if (under !== undefined && row.replyTo !== under) return 'other_message';
    }
    if (id === undefined) return undefined;
    const turn = await journal.turn(id);
    if (turn === undefined) return 'turn_gone';
    return turn.message.chatId === press.chatId ? undefined : 'other_chat';
  }

  /** The same as the typed command of whoever presses. */
  async #command(press: Press, choice: Choice & { readonly action: CommandName }): Promise<void> {
    const { journal, commands, log } = this.#parts;
    const { appId, chatId, messageId: card, operatorOpenId: by, eventId } = press;
    const { action: name } = choice;
    const row = await journal.out(choice.row);
    const asked = row?.turn && (await journal.turn(row.turn))?.message;
    const place = { chatId, threadId: asked?.threadId };
    log.info('press_taken', { chat: chatId, card, by, action: name });
    await commands.take({ appId, name, by, eventId, place, card });
  }

  async #decide(press: Press, choice: Choice & { readonly action: ChoiceAction }): Promise<void> {
    const { journal, decisions, storeRetry, log } = this.#parts;
    const { chatId: chat, messageId: card, operatorOpenId: by, eventId } = press;
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
    const { journal, delivery, storeRetry, languages, clock } = this.#parts;
    const { appId, chatId: chat, messageId: card, operatorOpenId: by } = press;
    const key = outKey(appId, chat, 'press', notice.name, card, by);
    const at = { nowMs: clock.nowMs(), lang: languages.of(by) };
    const draft = turnlessDraft(notice, { key, chatId: chat, under: card }, at);
    delivery.offer(await storeRetry.untilStored(() => journal.enqueue([draft])));
  }
}

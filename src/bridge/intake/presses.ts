/** Judges presses on buttons: only what the bridge asked here, and only for the person whom it asked. */
import type { InboundEvent } from '../../core/message.ts';
import type { ButtonAction, ChoiceAction, MenuAction } from '../../core/content.ts';
import { personOf } from '../../core/turn.ts';
import type { Log } from '../../core/log.ts';
import { type ChatId, directChatOf, type OpenId, type TurnId } from '../../core/ids.ts';
import type { Clock } from '../../time/clock.ts';
import type { Choice, ChoiceValues } from '../../wire/choice-value.ts';
import { inWordsOf } from '../commands/with-prefix.ts';
import type { EventReply } from '../ports/intake.ts';
import type { Journal } from '../ports/journal.ts';
import type { LiveJournal } from '../ports/live.ts';
import type { Engine } from '../turns/engine.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import { pressDone, pressTexts, TYPE_INSTEAD } from '../texts/presses.ts';
import { inEach, type Text } from '../texts/text.ts';
import type { AccessControl } from './access-control.ts';
import type { GivenCommands } from '../commands/given.ts';
import { replyToPress } from '../questions/press.ts';
import type { Decisions } from './decisions.ts';

interface PressesParts {
  readonly journal: Journal;
  readonly access: AccessControl;
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

/** All but the answers to agents, which go to their questions. */
type Decided = Exclude<ButtonAction, 'answer'>;

interface Said {
  readonly kind: EventReply['toast']['kind'];
  readonly text: Text;
}

export class Presses {
  readonly #parts: PressesParts;

  constructor(parts: PressesParts) {
    this.#parts = parts;
  }

  /** What the person sees at once. Undefined: the button is none of ours. */
  async take(press: Press): Promise<EventReply | undefined> {
    const { choices, clock, log, engine, languages, commands } = this.#parts;
    const { chatId: chat, messageId: card, operatorOpenId: by, value } = press;
    const nowMs = clock.nowMs();
    const here = choices.parse(value, { chat, nowMs });
    if (here === undefined) return undefined;
    const lang = languages.of(by);
    const toast = ({ kind, text }: Said): EventReply => {
      return { toast: { kind, text: inWordsOf(commands.words.prefix, text[lang]) } };
    };
    // A card that was sent to a person, and not to a chat, works for that person.
    const there =
      here.kind === 'refused' && choices.parse(value, { chat: directChatOf(by), nowMs });
    const parsed = there !== false && there?.kind === 'choice' ? there : here;
    const presser = { openId: by, facts: press.operator };
    if (!(await this.#parts.access.isLetIn(presser, chat))) {
      log.info('press_of_guest', { chat, card, by });
      return toast({ kind: 'warning', text: pressTexts.notLetIn });
    }
    const why = parsed.kind === 'refused' ? parsed.why : await this.#mismatch(press, parsed.choice);
    if (why !== undefined) log.warn('press_refused', { chat, card, by, why });
    const action = parsed.kind === 'refused' ? parsed.action : parsed.choice.action;
    if (action === 'answer') {
      const choice = parsed.kind === 'choice' ? parsed.choice : undefined;
      return replyToPress({ by, choice, why, lang }, engine.questions);
    }
    return action === undefined || parsed.kind === 'refused' || why !== undefined
      ? toast(refused(why, action))
      : toast(await this.#carryOut(press, { ...parsed.choice, action }));
  }

  async #carryOut(press: Press, choice: Choice & { readonly action: Decided }): Promise<Said> {
    const { action } = choice;
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
  async #stop(press: Press, { row, turn: id, person }: Choice): Promise<Said> {
    const { engine, log } = this.#parts;
    const { chatId: chat, messageId: card, operatorOpenId: by } = press;
    if (id === undefined || person !== by) {
      log.info('press_of_other_person', { chat, card, by, turn: id });
      return { kind: 'warning', text: pressTexts.notYours };
    }
    log.info('press_taken', { chat, card, by, action: 'stop', turns: 1 });
    const isStopped = await engine.stopTurn(id, by, `press:${row}:${by}`);
    return isStopped ? done('stop') : { kind: 'info', text: pressTexts.over };
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
  async #command(press: Press, choice: Choice & { readonly action: MenuAction }): Promise<Said> {
    const { journal, commands, log } = this.#parts;
    const { appId, chatId, messageId: card, operatorOpenId: by, eventId } = press;
    const { action: name, argument = '' } = choice;
    const row = await journal.out(choice.row);
    const asked = row?.turn && (await journal.turn(row.turn))?.message;
    const place = { chatId, threadId: asked?.threadId };
    // Whoever runs the bot decides more in a group, so what is not known is one.
    const chatType = asked?.chatType ?? ((await this.#isDirect(by, chatId)) ? 'p2p' : 'group');
    log.info('press_taken', { chat: chatId, card, by, action: name });
    await commands.take({ appId, name, argument, by, eventId, place, chatType, card });
    return { kind: 'success', text: pressTexts.answered };
  }

  async #isDirect(person: OpenId, chat: ChatId): Promise<boolean> {
    return (await this.#parts.journal.directChat(person)) === chat;
  }

  async #decide(press: Press, choice: Choice & { readonly action: ChoiceAction }): Promise<Said> {
    const { journal, decisions, storeRetry, log } = this.#parts;
    const { chatId: chat, messageId: card, operatorOpenId: by, eventId } = press;
    // One use for each person. It is over when all is done, because nobody repeats a press whose process died.
    const { action } = choice;
    const use = `press:${choice.row}:${by}`;
    if (await journal.isDone(`${use}:done`)) return { kind: 'info', text: pressTexts.used };
    const about = await this.#turnsOf(press, choice);
    if (about.length === 0) {
      if (choice.turn === undefined && (await decisions.staleOf(chat)).length === 0) {
        return { kind: 'info', text: pressTexts.nothingLeft };
      }
      log.info('press_of_other_person', { chat, card, by, turn: choice.turn });
      const text = action === 'retry' ? pressTexts.notYoursToRetry : pressTexts.notYours;
      return { kind: 'warning', text };
    }
    log.info('press_taken', { chat, card, by, action, turns: about.length });
    const isChosen = await decisions.choose(about, { action, by }, use);
    await decisions.askAboutRest(chat, eventId);
    await storeRetry.untilStored(() => journal.enqueue([], `${use}:done`));
    return isChosen ? done(action) : { kind: 'info', text: pressTexts.nothingLeft };
  }

  /** Only the owner decides who may talk. The first press on a card counts. */
  async #decideAboutPerson(
    { chatId, messageId: card, operatorOpenId: by }: Press,
    { action, about, row }: Choice & { readonly action: 'allow' | 'block' },
  ): Promise<Said> {
    const { access, log } = this.#parts;
    if (about === undefined || !(await access.isOwner(by))) {
      log.warn('press_refused', { chat: chatId, card, by, why: 'not_owner' });
      return { kind: 'warning', text: pressTexts.notOwner };
    }
    log.info('press_taken', { chat: chatId, card, by, action, about });
    const isAllowed = await access.decideByPress(
      { action, about },
      { chatId, by, once: `press:${row}` },
    );
    return done(isAllowed ? 'allow' : 'block');
  }

  /** The turns that this person may decide about with this button. */
  async #turnsOf({ chatId: chat, operatorOpenId: by }: Press, choice: Choice): Promise<TurnId[]> {
    if (choice.turn === undefined) return this.#parts.decisions.staleOf(chat, by);
    const turn = await this.#parts.journal.turn(choice.turn);
    const isOwn = turn !== undefined && personOf(turn) === by;
    return isOwn && (choice.person ?? by) === by ? [choice.turn] : [];
  }
}

function done(action: keyof typeof pressDone): Said {
  return { kind: 'success', text: pressDone[action] };
}

function refused(why: string | undefined, action: ButtonAction | undefined): Said {
  const isOld = why === 'too_old';
  const text = isOld ? pressTexts.tooOld : pressTexts.notValid;
  const canType = action === 'run' || action === 'skip' || action === 'retry';
  return {
    kind: isOld ? 'warning' : 'error',
    text: canType ? inEach((lang) => text[lang] + TYPE_INSTEAD[lang]) : text,
  };
}

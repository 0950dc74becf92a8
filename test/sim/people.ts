import {
  appId,
  chatId,
  messageId,
  openId,
  type MessageId,
  type OpenId,
} from '../../src/core/ids.ts';
import type { InboundEvent, InboundMessage } from '../../src/core/message.ts';
import { personOf, type Turn } from '../../src/core/turn.ts';
import type { FaultyLark, Shown } from './faulty-lark.ts';
import type { VirtualClock } from '../kit/clock.ts';

export const APP = appId('cli_0123456789abcdef');
const CHATS = 3;
export const ALICE = openId('ou_alice');
const BOB = openId('ou_bob');
/** Where the owner decides who may talk, Alice is the owner and lets Bob in, but never Carol. */
export const CAROL = openId('ou_carol');
const TENANT = 'tenant';
const MINUTE_MS = 60_000;
/** Longer than a question waits. */
const ANSWERED_WITHIN_MS = 80_000;

export interface PeopleParts {
  readonly clock: VirtualClock;
  readonly random: () => number;
  readonly lark: FaultyLark;
  /** One delivery of an event; true if it was acked in time. */
  readonly deliver: (event: InboundEvent) => Promise<boolean>;
  /** How often the bridge has died so far. */
  readonly crashes: () => number;
  /** How many messages are taken back soon after they were said, 0…1. */
  readonly recalls: number;
  /** They write to the bot in private, and all but the owner have to be let in. */
  readonly isPairing: boolean;
  /** The operator lets a person in or blocks one. False if the bridge died meanwhile. */
  readonly decide: (action: 'allow' | 'block', person: OpenId) => Promise<boolean>;
  /** They believe that their recalls arrive, and they don't. */
  readonly recallsLost: boolean;
}

/** Those who write in the chats, take back what they wrote, and answer when they are asked. */
export class People {
  readonly said: InboundMessage[] = [];
  /** What was taken back before the bridge got it. */
  readonly takenBack = new Set<MessageId>();
  /** When the bridge had taken the recall of a message. */
  readonly heardAtMs = new Map<MessageId, number>();
  /** When it was first said that Bob may talk. */
  letInAtMs: number | undefined;
  /** Who wanted old messages to be run, in which chat. */
  readonly #wanted = new Set<string>();
  /** Who wanted something to be run again, in which chat. */
  readonly #retried = new Set<string>();
  readonly #parts: PeopleParts;
  /** Cards with those who have answered them. */
  readonly #answered = new Set<string>();
  #events = 0;

  constructor(parts: PeopleParts) {
    this.#parts = parts;
    parts.lark.onQuestion = (question) => this.#hear(question);
  }

  async say(index: number): Promise<void> {
    const { random, clock, recalls } = this.#parts;
    const text = random() < 0.1 ? `fail ${index}` : `question ${index}`;
    const ageMs = random() < 0.08 ? Math.round((31 + random() * 120) * MINUTE_MS) : 0;
    const message = this.#inbound(`om_in_${index}`, {
      chat: 1 + Math.floor(random() * CHATS),
      by: this.#anybody(),
      text,
      sentAtMs: clock.nowMs() - ageMs,
    });
    this.said.push(message);
    const roll = random();
    if (roll < 0.04) await this.#takeBackAndSend(message);
    else {
      if (roll < 0.04 + recalls) clock.after(random() * 10_000, () => void this.#takeBack(message));
      await this.#arrive({ kind: 'message', message });
    }
    if (random() < 0.2) await this.#parts.deliver({ kind: 'message', message });
  }

  /** Looks at the chats, and perhaps answers a question that stands there, or one that was answered. */
  async look(): Promise<void> {
    const { random, lark } = this.#parts;
    const by = this.#anybody();
    const cards = lark.shown.filter(
      ({ id, buttons }) =>
        buttons.length > 0 &&
        !isAboutPerson(buttons) &&
        (!this.#answered.has(pair(id, by)) || random() < 0.1),
    );
    const card = cards[Math.floor(random() * cards.length)];
    if (card === undefined) return;
    const roll = random();
    if (roll < 0.4) await this.press(card, Math.floor(random() * card.buttons.length), by);
    else if (roll < 0.6) await this.#sayWord(card, by);
  }

  /** True if this person asked for old messages to be run, or for something to be run again. */
  hasWanted(what: 'run' | 'retry', { chatId: chat }: InboundMessage, by: string): boolean {
    return (what === 'run' ? this.#wanted : this.#retried).has(pair(chat, by));
  }

  async press(card: Shown, button: number, by: OpenId): Promise<void> {
    const { deliver, random } = this.#parts;
    const event: InboundEvent = {
      kind: 'button',
      appId: APP,
      eventId: this.#eventId('press'),
      chatId: card.chatId,
      messageId: card.id,
      operatorOpenId: by,
      value: card.buttons[button] ?? {},
    };
    if (event.value['lark_bridge_choice'] === 'run') this.#wanted.add(pair(card.chatId, by));
    // Without an ack the person sees an error, and knows that nothing came of it.
    if (await deliver(event)) this.#answered.add(pair(card.id, by));
    if (random() < 0.2) await deliver(event);
  }

  /**
   * Questions about this turn that whose turn it is may still answer. Those about old messages are for everybody, and who
   * had none at the time of a press may press again.
   */
  questionsAbout(turn: Turn): Shown[] {
    const { id, message, state } = turn;
    const isStale = state.phase === 'held' && state.why === 'stale';
    const about = isStale ? undefined : id;
    return this.#parts.lark.shown.filter(
      (card) =>
        card.chatId === message.chatId &&
        card.buttons.length > 0 &&
        card.buttons[0]?.['turn'] === about &&
        !isAgentsQuestion(card) &&
        !isAboutPerson(card.buttons) &&
        (isStale || !this.#answered.has(pair(card.id, personOf(turn)))),
    );
  }

  /** True if nobody has said that this person may talk, by this time or at all. */
  isOutside(by: OpenId, atMs = Infinity): boolean {
    if (!this.#parts.isPairing || by === ALICE) return false;
    return by === CAROL || this.letInAtMs === undefined || atMs < this.letInAtMs;
  }

  /** The operator or the owner decides, until it is done. A button may be pressed twice. */
  async decide(isCarolBlocked: boolean): Promise<void> {
    const { clock, decide, lark } = this.#parts;
    this.letInAtMs = clock.nowMs();
    const card = lark.shown.find(({ buttons: [allow] }) => allow?.['about'] === BOB);
    if (card !== undefined) await this.press(card, 0, ALICE);
    while (!(await decide('allow', BOB))) await clock.sleep(2_000);
    if (!isCarolBlocked) return;
    while (!(await decide('block', CAROL))) await clock.sleep(2_000);
  }

  #inbound(id: string, said: Said): InboundMessage {
    const message = inbound(id, said);
    if (!this.#parts.isPairing) return message;
    return { ...message, chatType: 'p2p', sender: { tenant: TENANT, ownTenant: TENANT } };
  }

  #anybody(): OpenId {
    const persons = this.#parts.isPairing ? [ALICE, BOB, CAROL] : [ALICE, BOB];
    return persons[Math.floor(this.#parts.random() * persons.length)] ?? ALICE;
  }

  /** Says a word in place of a button. What it is about, the bridge decides. */
  async #sayWord({ chatId: chat }: Shown, by: OpenId): Promise<void> {
    const { random, clock, lark } = this.#parts;
    const words = ['/run', '/skip', '/retry'] as const;
    const word = words[Math.floor(random() * words.length)] ?? '/run';
    const stale = lark.shown.filter(
      ({ chatId: other, buttons: [first] }) =>
        other === chat && first !== undefined && first['turn'] === undefined,
    );
    const message = {
      ...this.#inbound(this.#eventId('om_word'), {
        chat: 0,
        by,
        text: word,
        sentAtMs: clock.nowMs(),
      }),
      chatId: chat,
    };
    if (word === '/run') this.#wanted.add(pair(chat, by));
    if (word === '/retry') this.#retried.add(pair(chat, by));
    await this.#arrive({ kind: 'message', message });
    if (word !== '/retry') for (const card of stale) this.#answered.add(pair(card.id, by));
  }

  /** Some answer an agent at once, some when it is too late, some twice, and some don't. */
  #hear(question: Shown): void {
    const { random, clock } = this.#parts;
    while (random() < 0.6) {
      const by = this.#anybody();
      const [first, ...others] = question.buttons;
      const mayPress = first !== undefined && random() < 0.7;
      const button = others.length > 0 && random() < 0.5 ? 1 : 0;
      clock.after(random() * random() * ANSWERED_WITHIN_MS, () => {
        void (mayPress ? this.press(question, button, by) : this.#typeAnswer(question, by));
      });
    }
  }

  async #typeAnswer({ chatId: chat }: Shown, by: OpenId): Promise<void> {
    const { random, clock } = this.#parts;
    const text = ['yes', '2', 'No'][Math.floor(random() * 3)] ?? 'yes';
    const typed = { chat: 0, by, text, sentAtMs: clock.nowMs() };
    const message = { ...this.#inbound(this.#eventId('om_typed'), typed), chatId: chat };
    await this.#arrive({ kind: 'message', message });
  }

  async #takeBack({ messageId: id, chatId: chat }: InboundMessage): Promise<void> {
    const { lark, recallsLost, clock } = this.#parts;
    lark.recall(id);
    const eventId = this.#eventId('recall');
    if (recallsLost) return;
    await this.#arrive({ kind: 'recalled', appId: APP, eventId, messageId: id, chatId: chat });
    this.heardAtMs.set(id, clock.nowMs());
  }

  /** Lark keeps no order: the recall comes before what it recalls. */
  async #takeBackAndSend(message: InboundMessage): Promise<void> {
    const { crashes } = this.#parts;
    const before = crashes();
    await this.#takeBack(message);
    await this.#arrive({ kind: 'message', message });
    // A process that died in between has forgotten the recall; then it may be answered.
    if (crashes() === before) this.takenBack.add(message.messageId);
  }

  /** Lark delivers until it is acked. */
  async #arrive(event: InboundEvent): Promise<void> {
    const { clock, lark, deliver } = this.#parts;
    while (!(await deliver(event))) await clock.sleep(lark.away ? MINUTE_MS : 2_000);
  }

  #eventId(what: string): string {
    this.#events += 1;
    return `${what}_${this.#events}`;
  }
}

/** Its buttons answer the agent, and decide nothing about the turn. */
export function isAgentsQuestion({ buttons: [first] }: Shown): boolean {
  return first?.['lark_bridge_choice'] === 'answer';
}

const pair = (one: string, other: string) => `${one} ${other}`;

/** The card that asks the owner whether somebody may talk. */
function isAboutPerson([first]: Shown['buttons']): boolean {
  return first?.['about'] !== undefined;
}

interface Said {
  readonly chat: number;
  readonly by: OpenId;
  readonly text: string;
  readonly sentAtMs: number;
}

function inbound(id: string, { chat, by, text, sentAtMs }: Said): InboundMessage {
  return {
    appId: APP,
    messageId: messageId(id),
    eventId: `event_of_${id}`,
    chatId: chatId(`oc_${chat}`),
    chatType: 'group',
    senderOpenId: by,
    rootId: undefined,
    parentId: undefined,
    threadId: undefined,
    sentAtMs,
    parts: [{ kind: 'text', text }],
  };
}

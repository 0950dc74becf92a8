import type { ChatId, MessageId, OpenId } from '../../src/core/ids.ts';
import type { InboundEvent, InboundMessage } from '../../src/core/message.ts';
import { personOf, type Turn } from '../../src/core/turn.ts';
import type { VirtualClock } from '../kit/clock.ts';
import type { Fate } from './fates.ts';
import type { FaultyFiles } from './faulty-files.ts';
import type { FaultyLark } from './faulty-lark.ts';
import { APP, chatNumber, inbound, partsWithFiles, personNamed, words } from './messages.ts';
import type { Shown } from './shown.ts';
import { nameOf, versionText } from './subjects.ts';

const CHATS = 3;
export const ALICE = personNamed('alice');
const BOB = personNamed('bob');
/** Where the owner decides who may talk, Alice is the owner and lets Bob in, but never Carol. */
const CAROL = personNamed('carol');
const MINUTE_MS = 60_000;
/** Longer than a question waits. */
const ANSWERED_WITHIN_MS = 80_000;
const CHANGED_WITHIN_MS = 15_000;
/** Lark tells of a change so much later, so two of them may come in any order. */
const CHANGE_LATE_MS = 5_000;
/** How many messages are changed, again and again, and how many are for the bot only since they were changed. */
const CHANGED_RATE = 0.35;
const NAMED_LATER_RATE = 0.2;

export interface PeopleParts {
  readonly clock: VirtualClock;
  readonly random: () => number;
  /** A stream of its own for what not all people do. */
  readonly extras: () => number;
  readonly lark: FaultyLark;
  /** One delivery of an event; true if it was acked in time. */
  readonly deliver: (event: InboundEvent) => Promise<boolean>;
  /** How often the bridge has died so far. */
  readonly crashes: () => number;
  readonly fate: Fate;
  readonly files: FaultyFiles;
  /** The operator lets a person in or blocks one. False if the bridge died meanwhile. */
  readonly decide: (action: 'allow' | 'block', person: OpenId) => Promise<boolean>;
  /** They believe that their recalls arrive, and they don't. */
  readonly recallsLost: boolean;
}

/** A change of a message that the bridge has taken. */
interface Change {
  readonly messageId: MessageId;
  readonly version: number;
  readonly heardAtMs: number;
}

/** Those who write in the chats, change and take back what they wrote, and answer when they are asked. */
export class People {
  readonly said: InboundMessage[] = [];
  /** What was taken back before the bridge got it. */
  readonly takenBack = new Set<MessageId>();
  /** When the bridge had taken the recall of a message that it knew. */
  readonly heardAtMs = new Map<MessageId, number>();
  /** When it was first said that Bob may talk. */
  letInAtMs: number | undefined;
  readonly changes: Change[] = [];
  /** Who wanted old messages to be run, something to be run again, or work to be stopped, in which chat. */
  readonly #wanted = { run: new Set<string>(), retry: new Set<string>(), stop: new Set<string>() };
  readonly #known = new Set<MessageId>();
  readonly #versions = new Map<MessageId, number>();
  readonly #parts: PeopleParts;
  /** Cards with those who have answered them. */
  readonly #answered = new Set<string>();
  #events = 0;

  constructor(parts: PeopleParts) {
    this.#parts = parts;
    parts.lark.onQuestion = (question) => this.#hear(question);
  }

  async say(index: number): Promise<void> {
    const { random, clock, fate } = this.#parts;
    const text = random() < 0.1 ? `fail ${index}` : `question ${index}`;
    const ageMs = random() < 0.08 ? Math.round((31 + random() * 120) * MINUTE_MS) : 0;
    const message = this.#inbound(`om_in_${index}`, {
      chat: this.#anyChat(),
      by: this.#anybody(),
      parts: this.#partsOf(index, text),
      sentAtMs: clock.nowMs() - ageMs,
    });
    this.said.push(message);
    if (this.#isNamedLater(message)) return this.#change(message);
    const roll = random();
    if (roll < 0.04) await this.#takeBackAndSend(message);
    else {
      if (roll < 0.04 + fate.recalls) {
        clock.after(random() * 10_000, () => void this.#takeBack(message));
      }
      this.#changeLater(message);
      await this.#arrive({ kind: 'message', message });
    }
    if (random() < 0.2) await this.#parts.deliver({ kind: 'message', message });
  }

  /** Somebody wants that the work ends: mostly on what was just said. */
  async stop(): Promise<void> {
    const { extras } = this.#parts;
    const latest = this.said.at(-1 - Math.floor(extras() * 3));
    const isOwn = latest !== undefined && extras() < 0.7;
    const chat = isOwn ? latest.chatId : this.#anyChat();
    await this.#sayWord('/stop', { chat, by: isOwn ? latest.senderOpenId : this.#anybody() });
  }

  /** Looks at the chats, and perhaps answers a question that stands there, or one that was answered. */
  async look(): Promise<void> {
    const { random, lark, fate } = this.#parts;
    const by = this.#anybody();
    const cards = lark.shown.filter(
      ({ id, buttons }) =>
        buttons.length > 0 &&
        !isAboutPerson(buttons) &&
        (fate.stops || !stopsWork(buttons)) &&
        (!this.#answered.has(pair(id, by)) || random() < 0.1),
    );
    const card = cards[Math.floor(random() * cards.length)];
    if (card === undefined) return;
    const roll = random();
    if (roll < 0.4) await this.press(card, Math.floor(random() * card.buttons.length), by);
    else if (roll < 0.6) await this.#sayAnyWord(card, by);
  }

  /** True if this person asked for old messages to be run, something to be run again, or work to be stopped. */
  hasWanted(what: 'run' | 'retry' | 'stop', { chatId: chat }: InboundMessage, by: string): boolean {
    return this.#wanted[what].has(pair(chat, by));
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
    const action = event.value['lark_bridge_choice'];
    if (action === 'run' || action === 'stop') this.#wanted[action].add(pair(card.chatId, by));
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
        !stopsWork(card.buttons) &&
        (isStale || !this.#answered.has(pair(card.id, personOf(turn)))),
    );
  }

  /** True if nobody has said that this person may talk, by this time or at all. */
  isOutside(by: OpenId, atMs = Infinity): boolean {
    if (!this.#parts.fate.pairing || by === ALICE) return false;
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

  #inbound(id: string, said: Parameters<typeof inbound>[1]): InboundMessage {
    const { pairing, files } = this.#parts.fate;
    return inbound(id, said, pairing || files);
  }

  #partsOf(index: number, text: string): InboundMessage['parts'] {
    const { fate, files, extras } = this.#parts;
    return fate.files ? partsWithFiles({ index, text }, files, extras) : [words(text)];
  }

  #anyChat(): ChatId {
    return chatNumber(1 + Math.floor(this.#parts.random() * CHATS));
  }

  #anybody(): OpenId {
    const persons = this.#parts.fate.pairing ? [ALICE, BOB, CAROL] : [ALICE, BOB];
    return persons[Math.floor(this.#parts.random() * persons.length)] ?? ALICE;
  }

  /** Says a word in place of a button. What it is about, the bridge decides. */
  async #sayAnyWord({ chatId: chat }: Shown, by: OpenId): Promise<void> {
    const { random, lark } = this.#parts;
    const all = ['/run', '/skip', '/retry'] as const;
    const word = all[Math.floor(random() * all.length)] ?? '/run';
    const stale = lark.shown.filter(
      ({ chatId: other, buttons: [first] }) =>
        other === chat && first !== undefined && first['turn'] === undefined,
    );
    await this.#sayWord(word, { chat, by });
    if (word !== '/retry') for (const card of stale) this.#answered.add(pair(card.id, by));
  }

  async #sayWord(
    word: '/run' | '/skip' | '/retry' | '/stop',
    { chat, by }: { readonly chat: ChatId; readonly by: OpenId },
  ): Promise<void> {
    const sentAtMs = this.#parts.clock.nowMs();
    const parts = [words(word)];
    const message = this.#inbound(this.#eventId('om_word'), { chat, by, parts, sentAtMs });
    if (word === '/run') this.#wanted.run.add(pair(chat, by));
    if (word === '/retry') this.#wanted.retry.add(pair(chat, by));
    if (word === '/stop') this.#wanted.stop.add(pair(chat, by));
    await this.#arrive({ kind: 'message', message });
  }

  /** It is said in a group without naming the bot, so that Lark tells of it only when that has changed. */
  #isNamedLater({ chatType, sentAtMs }: InboundMessage): boolean {
    const { fate, extras, clock } = this.#parts;
    if (!fate.edits || chatType === 'p2p' || sentAtMs < clock.nowMs()) return false;
    return extras() < NAMED_LATER_RATE;
  }

  #changeLater(message: InboundMessage): void {
    const { fate, extras, clock } = this.#parts;
    if (!fate.edits || message.parts.every(({ kind }) => kind !== 'text')) return;
    while (extras() < CHANGED_RATE) {
      clock.after(extras() * CHANGED_WITHIN_MS, () => void this.#change(message));
    }
  }

  /** Files stay as they are. */
  async #change(message: InboundMessage): Promise<void> {
    const { lark, clock, extras, deliver } = this.#parts;
    const { messageId: id } = message;
    if (lark.recalled.has(id)) return;
    const version = (this.#versions.get(id) ?? 1) + 1;
    this.#versions.set(id, version);
    const editedAtMs = clock.nowMs();
    const text = words(versionText(nameOf(message), version));
    const parts = message.parts.map((part) => (part.kind === 'text' ? text : part));
    const changed = { ...message, parts, edited: { atMs: editedAtMs } };
    const event = { kind: 'edited', message: changed, editedAtMs } as const;
    await clock.sleep(extras() * CHANGE_LATE_MS);
    await this.#arrive(event);
    this.changes.push({ messageId: id, version, heardAtMs: clock.nowMs() });
    if (extras() < 0.3) await deliver(event);
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
    const typed = { chat, by, parts: [words(text)], sentAtMs: clock.nowMs() };
    const message = this.#inbound(this.#eventId('om_typed'), typed);
    await this.#arrive({ kind: 'message', message });
  }

  async #takeBack({ messageId: id, chatId: chat }: InboundMessage): Promise<void> {
    const { lark, recallsLost, clock } = this.#parts;
    lark.recall(id);
    const eventId = this.#eventId('recall');
    if (recallsLost) return;
    await this.#arrive({ kind: 'recalled', appId: APP, eventId, messageId: id, chatId: chat });
    if (this.#known.has(id)) this.heardAtMs.set(id, clock.nowMs());
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
    if (event.kind === 'message' || event.kind === 'edited')
      this.#known.add(event.message.messageId);
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

/** The card of a turn at work. */
function stopsWork([first]: Shown['buttons']): boolean {
  return first?.['lark_bridge_choice'] === 'stop';
}

/** The card that asks the owner whether somebody may talk. */
function isAboutPerson([first]: Shown['buttons']): boolean {
  return first?.['about'] !== undefined;
}

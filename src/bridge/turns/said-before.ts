/** Finds out what an agent has to know beside the message: names, the message that it replies to, its thread. */
import { LRUCache } from 'lru-cache';
import { shortened } from '../../text/cut.ts';
import type { ChatId, MessageId, TurnId } from '../../core/ids.ts';
import type { InboundMessage } from '../../core/message.ts';
import type { Said, TurnDetails } from '../../core/turn-details.ts';
import type { Turn } from '../../core/turn.ts';
import { isBlank } from '../../text/visible.ts';
import type { Clock } from '../../time/clock.ts';
import { messageText, saysNothing } from '../../wire/message-text.ts';
import type { Journal } from '../ports/journal.ts';
import type { KnownTurn, ReadResult, SaidMessage } from '../ports/said-before.ts';
import type { LarkGateway } from '../ports/lark.ts';
import { findNames } from '../known-names.ts';
import { contextNotices } from '../texts/said-before.ts';
import { notices } from '../texts/texts.ts';
import { readForAWhile } from './reading.ts';
import type { TurnChanges } from './turn-changes.ts';

const THREAD_MESSAGES_MAX = 20;
/** It may be the question itself. */
const QUOTED_CHARS_MAX = 20_000;
/** Enough to follow a conversation. The oldest messages are left out first. */
const THREAD_CHARS_MAX = 20_000;
const THREAD_MESSAGE_CHARS_MAX = 4_000;
/** Recalls that came while a turn was being prepared. Older ones are in the journal. */
const RECALLED_MAX = 1_000;

interface SaidBeforeParts {
  readonly journal: Pick<
    Journal,
    'turn' | 'turnsBefore' | 'answersAmong' | 'isDone' | 'enqueue' | 'forgetSaid'
  >;
  readonly lark: Pick<LarkGateway, 'surroundings'>;
  readonly changes: TurnChanges;
  readonly clock: Clock;
}

type Quoted = ReadResult<SaidMessage | undefined>;

export class SaidBefore {
  readonly #parts: SaidBeforeParts;
  readonly #recalled = new LRUCache<MessageId, true>({ max: RECALLED_MAX });

  constructor(parts: SaidBeforeParts) {
    this.#parts = parts;
  }

  /**
   * What to store with the turn when it starts; undefined if it has all that it needs. A message that asks nothing,
   * also not by what it replies to, is settled here.
   */
  async read(id: TurnId, stop: AbortSignal): Promise<TurnDetails | undefined> {
    const { journal, lark, changes } = this.#parts;
    const turn = await journal.turn(id);
    if (turn === undefined || turn.state.phase !== 'waiting') return undefined;
    const { message } = turn;
    const asksByQuote = saysNothing(message.parts);
    const isRead = turn.details?.readInRun === turn.run;
    if (isRead && !(asksByQuote && turn.details.quoted === undefined)) return undefined;
    if (lark.surroundings === undefined && !asksByQuote) return undefined;
    const [quoted, thread] = await Promise.all([
      this.#quoted(message, stop),
      this.#thread(turn, stop),
    ]);
    // After a stop the next process reads it.
    if (stop.aborted) return undefined;
    const details = await this.#detailsOf(turn, { quoted, thread });
    if (!asksByQuote || (quoted.ok && !isBlank(details.quoted?.text ?? ''))) return details;
    const notice = quoted.ok ? notices.empty() : contextNotices.notRead();
    await changes.apply(id, { kind: 'carried_out', show: [notice, { what: 'receipt_off' }] });
    return undefined;
  }

  /** A message was recalled: no later turn shows it. */
  async forget(message: MessageId, chat: ChatId): Promise<void> {
    const { journal } = this.#parts;
    this.#recalled.set(message, true);
    await journal.enqueue([], recallOf(message));
    await journal.forgetSaid(message, chat);
  }

  /** From the journal, if the bridge knows the message: that costs no call. */
  async #quoted(message: InboundMessage, stop: AbortSignal): Promise<Quoted> {
    const { journal, lark, clock } = this.#parts;
    const { parentId } = message;
    if (parentId === undefined) return { ok: true, value: undefined };
    const known = await journal.turn(parentId as string as TurnId);
    if (known !== undefined && known.message.parts.length > 0) {
      return { ok: true, value: saidBy(known.message) };
    }
    const { surroundings } = lark;
    if (surroundings === undefined) return NOT_HERE;
    return readForAWhile(() => surroundings.quotedBy(message), { clock, stop });
  }

  /** What Lark does not show is taken from the journal: what was said to the bot there, and its answers. */
  async #thread(turn: Turn, stop: AbortSignal): Promise<readonly SaidMessage[]> {
    const { journal, lark, clock } = this.#parts;
    const { message } = turn;
    const { surroundings } = lark;
    if (message.threadId === undefined || surroundings === undefined) return [];
    const read = () => surroundings.threadBefore(message, THREAD_MESSAGES_MAX);
    const result = await readForAWhile(read, { clock, stop });
    if (result.ok) return result.value;
    const known = await journal.turnsBefore(turn, THREAD_MESSAGES_MAX);
    return known.flatMap(saidIn).slice(-THREAD_MESSAGES_MAX);
  }

  async #detailsOf(
    { message, run }: Turn,
    read: { readonly quoted: Quoted; readonly thread: readonly SaidMessage[] },
  ): Promise<TurnDetails> {
    const quoted = read.quoted.ok ? read.quoted.value : undefined;
    const all = [...(quoted === undefined ? [] : [quoted]), ...read.thread];
    const gone = await goneAmong(this.#parts.journal, all);
    const answers = await this.#parts.journal.answersAmong(
      all.flatMap(({ messageId, isBot }) => (isBot ? messageId : [])),
    );
    const people = all.flatMap(({ sender, isBot }) => (isBot ? [] : sender));
    await findNames(this.#parts, message, [message.senderOpenId, ...people]);
    // Nothing is waited for from here on, so no recall is missed: a later one finds what is stored.
    const saidOf = (one: SaidMessage, charsMax: number): Said | undefined => {
      const { messageId, sender, isBot, text } = one;
      if (gone.has(messageId) || this.#recalled.has(messageId)) return undefined;
      const senderName = this.#nameOf(sender) ?? (isBot ? 'Bot' : sender);
      return { senderName, text: shortened(answers.get(messageId) ?? text, charsMax), messageId };
    };
    const senderName = this.#nameOf(message.senderOpenId) ?? message.senderOpenId;
    return {
      senderName,
      // A direct chat has no name of its own.
      chatName:
        message.chatType === 'p2p' ? senderName : (this.#nameOf(message.chatId) ?? message.chatId),
      quoted: quoted === undefined ? notReadOf(read.quoted) : saidOf(quoted, QUOTED_CHARS_MAX),
      thread: newestOf(read.thread.flatMap((one) => saidOf(one, THREAD_MESSAGE_CHARS_MAX) ?? [])),
      readInRun: run,
    };
  }

  #nameOf(id: string): string | undefined {
    return this.#parts.lark.surroundings?.nameOf(id);
  }
}

/** Those of the messages that are known to be recalled. */
export async function goneAmong(
  journal: Pick<Journal, 'isDone'>,
  messages: readonly Pick<SaidMessage, 'messageId'>[],
): Promise<ReadonlySet<MessageId>> {
  const gone = new Set<MessageId>();
  for (const { messageId } of messages) {
    if (await journal.isDone(recallOf(messageId))) gone.add(messageId);
  }
  return gone;
}

function saidBy({ messageId, senderOpenId: sender, edited, parts }: InboundMessage): SaidMessage {
  return { messageId, sender, isBot: false, text: messageText(edited?.parts ?? parts) };
}

function saidIn({ message, answers }: KnownTurn): SaidMessage[] {
  const own = answers.map((one) => ({ ...one, sender: message.appId, isBot: true }));
  return [saidBy(message), ...own];
}

const NOT_HERE = { ok: false, reason: 'it can not be read here', isPassing: false } as const;

function recallOf(message: MessageId): string {
  return `recalled:${message}`;
}

/** The agent has to know that there was something. */
function notReadOf(quoted: Quoted): Said | undefined {
  if (quoted.ok) return undefined;
  const text = `[the message that this one replies to could not be read: ${quoted.reason}]`;
  return { senderName: 'unknown', text };
}

function newestOf(said: readonly Said[]): Said[] {
  let charsLeft = THREAD_CHARS_MAX;
  const from = said.findLastIndex(({ text }) => (charsLeft -= text.length) < 0);
  return said.slice(from + 1);
}

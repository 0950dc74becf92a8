import { BridgeError } from '../../src/core/errors.ts';
import { messageId, type ChatId, type MessageId } from '../../src/core/ids.ts';
import type { VirtualClock } from '../kit/clock.ts';
import type { DeliveryResult, Outgoing } from '../../src/bridge/ports/delivery.ts';
import type { HistoryMessage, LarkGateway } from '../../src/bridge/ports/lark.ts';
import { contentForm, rendered } from '../../src/lark/content/rendered.ts';
import { FaultyCards } from './faulty-cards.ts';
import type { FaultyFiles } from './faulty-files.ts';
import { looksOf, type Shown } from './shown.ts';

const KEY_HONOURED_MS = 60 * 60_000;
/** The sign on a message that answered a question. It stays. */
const TAKEN_EMOJI = 'DONE';
/** So the questions of agents begin, as cards and as texts. */
export const AGENT_ASKS = 'May I do';
const PER_SECOND_MAX = 5;
/** How often an answer in Markdown is refused in its form. */
const FORM_REFUSED_RATE = 0.3;

/** Lark's cloud as the outbox meets it: it honours keys for an hour, and its answers get lost. */
export class FaultyLark implements LarkGateway {
  readonly form = contentForm;
  readonly live: FaultyCards;
  readonly resource?: NonNullable<LarkGateway['resource']>;
  readonly shown: Shown[] = [];
  readonly reactions = new Map<string, MessageId>();
  /** When messages were taken back. */
  readonly recalled = new Map<MessageId, number>();
  readonly #keys = new Map<string, { readonly id: string; readonly atMs: number }>();
  /** By the cards that showed them. */
  readonly #questions = new Map<MessageId, string>();
  readonly #clock: VirtualClock;
  readonly #random: () => number;
  /** Called when people see the question of an agent. */
  onQuestion: (question: Shown) => void = () => {};
  #ids = 0;
  /** Chance of each fault, 0…1; zero in the calm. */
  trouble = 0;
  /** Nobody gets an answer, though now and then something is carried out. */
  away = false;

  constructor(clock: VirtualClock, random: () => number, files?: FaultyFiles) {
    if (files !== undefined) this.resource = (of, resource) => files.read(of, resource);
    this.#clock = clock;
    this.#random = random;
    this.live = new FaultyCards({
      clock,
      random,
      shown: this.shown,
      trouble: () => this.trouble,
      isAway: () => this.away,
      isRecalled: (message) => this.recalled.has(message),
    });
  }

  async deliver(out: Outgoing, key: string): Promise<DeliveryResult> {
    await this.#clock.sleep(20 + this.#random() * 200);
    const away = this.away;
    if (away ? this.#random() < 0.7 : this.#random() < this.trouble) {
      return away ? noAnswer() : this.#refusal();
    }
    const result = this.#tooFast(out) ?? this.#carryOut(out, key);
    await this.#clock.sleep(10 + this.#random() * 50);
    return away || this.#random() < this.trouble ? noAnswer() : result;
  }

  history(chat: ChatId, sinceMs: number): Promise<readonly HistoryMessage[]> {
    if (this.away) return Promise.reject(new BridgeError('unreachable', 'nobody there'));
    const messages = this.shown
      .filter((message) => message.chatId === chat && message.atMs >= sinceMs)
      .map((message) => ({
        messageId: message.id,
        chatId: chat,
        sentAtMs: message.atMs,
        own: true,
        parentId: message.replyTo,
        threadId: undefined,
        deleted: false,
        text: message.form === undefined ? message.text : undefined,
        form: message.form,
        inbound: undefined,
      }));
    return Promise.resolve(messages);
  }

  /** The question of an agent that a card was sent for. */
  questionOf(card: MessageId): string | undefined {
    return this.#questions.get(card);
  }

  recall(message: MessageId): void {
    this.recalled.set(message, this.#clock.nowMs());
    for (const [id, under] of this.reactions) if (under === message) this.reactions.delete(id);
  }

  #refusal(): DeliveryResult {
    const failed = { ok: false, code: undefined, detail: 'trouble' } as const;
    const roll = this.#random();
    if (roll < 0.3) return { ...failed, action: 'wait', code: 99991400, retryAfterMs: 3_000 };
    if (roll < 0.6) return { ...failed, action: 'wait', code: 230020 };
    if (roll < 0.8) return { ...failed, action: 'retry' };
    return noAnswer();
  }

  /** In calm weather too. */
  #tooFast(out: Outgoing): DeliveryResult | undefined {
    if (out.kind !== 'reply' && out.kind !== 'send') return undefined;
    const sinceMs = this.#clock.nowMs() - 1_000;
    const lately = this.shown.filter(({ chatId, atMs }) => chatId === out.chatId && atMs > sinceMs);
    if (lately.length < PER_SECOND_MAX) return undefined;
    return { ok: false, action: 'wait', code: 230020, detail: 'too fast', retryAfterMs: 1_000 };
  }

  #update({ messageId: id, content }: Extract<Outgoing, { kind: 'update' }>): void {
    const at = this.shown.findIndex((one) => one.id === id);
    const before = this.shown[at];
    if (before === undefined) throw new Error('an update of a card that was never shown');
    this.shown[at] = { ...before, ...looksOf(rendered(content)) };
  }

  #carryOut(out: Outgoing, key: string): DeliveryResult {
    const before = this.#keys.get(key);
    if (before !== undefined && this.#clock.nowMs() - before.atMs < KEY_HONOURED_MS) {
      return { ok: true, id: before.id };
    }
    this.#ids += 1;
    const id = `om_out_${this.#ids}`;
    switch (out.kind) {
      case 'react':
        if (this.recalled.has(out.messageId)) return gone('give_up');
        // Lark makes another one for each call.
        for (const [known, message] of this.reactions) {
          if (out.again && message === out.messageId) return { ok: true, id: known };
        }
        if (out.emoji !== TAKEN_EMOJI) this.reactions.set(id, out.messageId);
        return { ok: true, id };
      case 'update':
        if (this.recalled.has(out.messageId)) return gone('give_up');
        this.#update(out);
        return { ok: true, id: out.messageId };
      case 'unreact':
        if (this.recalled.has(out.messageId)) return gone('give_up');
        this.reactions.delete(out.reactionId);
        return { ok: true, id: out.reactionId };
      case 'reply':
      case 'send': {
        const replyTo = out.kind === 'reply' ? out.replyTo : undefined;
        if (replyTo !== undefined && this.recalled.has(replyTo)) return gone('message_gone');
        const atMs = this.#clock.nowMs();
        const { text, buttons, words, form } = looksOf(rendered(out.content, out.buttonValues));
        const mayBeRefused = buttons.length === 0 || out.content.kind === 'question';
        if (form !== undefined && mayBeRefused && this.#random() < FORM_REFUSED_RATE) {
          return { ok: false, action: 'fall_back_to_text', code: 230099, detail: 'no such form' };
        }
        const shown = {
          id: messageId(id),
          chatId: out.chatId,
          replyTo,
          inThread: out.kind === 'reply' && out.inThread,
          text,
          form,
          buttons,
          words,
          atMs,
        };
        this.shown.push(shown);
        if (text.startsWith(AGENT_ASKS)) this.onQuestion(shown);
        this.#keys.set(key, { id, atMs });
        const question = out.buttonValues?.[0]?.['question'];
        if (question !== undefined) this.#questions.set(messageId(id), question);
        return { ok: true, id };
      }
    }
  }
}

function noAnswer(): DeliveryResult {
  return { ok: false, action: 'unknown', code: undefined, detail: 'no answer' };
}

function gone(action: 'give_up' | 'message_gone'): DeliveryResult {
  return { ok: false, action, code: 230011, detail: 'recalled' };
}

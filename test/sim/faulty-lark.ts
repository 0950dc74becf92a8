import type {
  DeliveryResult,
  HistoryMessage,
  LarkGateway,
  Outgoing,
} from '../../src/core/ports.ts';
import { messageId, type ChatId, type MessageId } from '../../src/core/ids.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface Shown {
  readonly id: MessageId;
  readonly chatId: ChatId;
  readonly replyTo: MessageId | undefined;
  readonly text: string;
  readonly atMs: number;
}

const KEY_HONOURED_MS = 60 * 60_000;

/** Lark's cloud as the outbox meets it: it honours keys for an hour, and its answers get lost. */
export class FaultyLark implements LarkGateway {
  readonly shown: Shown[] = [];
  readonly reactions = new Map<string, MessageId>();
  readonly recalled = new Set<MessageId>();
  readonly #keys = new Map<string, { readonly id: string; readonly atMs: number }>();
  readonly #clock: VirtualClock;
  readonly #random: () => number;
  #ids = 0;
  /** Chance of each fault, 0…1; zero in the calm. */
  trouble = 0;

  constructor(clock: VirtualClock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  async deliver(out: Outgoing, key: string): Promise<DeliveryResult> {
    await this.#clock.sleep(20 + this.#random() * 200);
    if (this.#random() < this.trouble) return this.#refusal();
    const result = this.#carryOut(out, key);
    await this.#clock.sleep(10 + this.#random() * 50);
    if (this.#random() < this.trouble) {
      return { ok: false, action: 'unknown', code: undefined, detail: 'no answer' };
    }
    return result;
  }

  history(chat: ChatId, sinceMs: number): Promise<readonly HistoryMessage[]> {
    const messages = this.shown
      .filter((message) => message.chatId === chat && message.atMs >= sinceMs)
      .map((message) => ({
        messageId: message.id,
        chatId: chat,
        sentAtMs: message.atMs,
        own: true,
        parentId: message.replyTo,
        deleted: false,
        text: message.text,
        inbound: undefined,
      }));
    return Promise.resolve(messages);
  }

  #refusal(): DeliveryResult {
    const failed = { ok: false, code: undefined, detail: 'trouble' } as const;
    const roll = this.#random();
    if (roll < 0.3) return { ...failed, action: 'wait', code: 99991400, retryAfterMs: 3_000 };
    if (roll < 0.6) return { ...failed, action: 'wait', code: 230020 };
    if (roll < 0.8) return { ...failed, action: 'retry' };
    return { ...failed, action: 'unknown' };
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
        for (const [known, message] of this.reactions) {
          if (message === out.messageId) return { ok: true, id: known };
        }
        this.reactions.set(id, out.messageId);
        return { ok: true, id };
      case 'unreact':
        this.reactions.delete(out.reactionId);
        return { ok: true, id: out.reactionId };
      case 'reply':
      case 'send': {
        const replyTo = out.kind === 'reply' ? out.replyTo : undefined;
        if (replyTo !== undefined && this.recalled.has(replyTo)) {
          return { ok: false, action: 'fall_back_to_chat', code: 230011, detail: 'recalled' };
        }
        const text = out.content.kind === 'text' ? out.content.text : out.content.card;
        const atMs = this.#clock.nowMs();
        this.shown.push({ id: messageId(id), chatId: out.chatId, replyTo, text, atMs });
        this.#keys.set(key, { id, atMs });
        return { ok: true, id };
      }
    }
  }
}

/** Reads a message by its id when its event can't be parsed. The event is acked after that. */
import { LRUCache } from 'lru-cache';
import { BridgeError, errorText } from '../../core/errors.ts';
import type { ChatId, MessageId } from '../../core/ids.ts';
import type { InboundEvent, InboundMessage } from '../../core/message.ts';
import type { IgnoreReason, IncompleteMessage } from './parsed.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

/** Lark waits three seconds for an ack. A message that comes later is stored all the same, and its next delivery is acked. */
const ACK_WITHIN_MS = 2_000;
/** Messages that are read at the same time. Complete events are the rule: more than these are a fault at Lark, and reading does not help. */
const RUNNING_MAX = 8;
/** Lark delivers again after 15 s, 5 min, 1 h and 6 h, then no more. The person gets a notice before that. */
const TRIES_MAX = 3;
const TRIED_FOR_MS_MAX = 30 * 60_000;
/** Messages whose failed tries are counted. */
const COUNTED_MAX = 1_000;

/** What Lark says when it is asked for a message. */
export type Reread =
  | { readonly kind: 'message'; readonly message: InboundMessage }
  | { readonly kind: 'ignored'; readonly reason: IgnoreReason }
  /** The person has recalled it. */
  | { readonly kind: 'gone' }
  /** Lark shows it no better than the event did. */
  | { readonly kind: 'unreadable'; readonly chatId: ChatId; readonly isForBot: boolean }
  /** Lark does not show it to us. */
  | { readonly kind: 'denied'; readonly detail: string };

/** Throws a `BridgeError` if another try may help. */
export type FetchMessage = (incomplete: IncompleteMessage) => Promise<Reread>;

interface RereaderOptions {
  readonly fetch: FetchMessage;
  /** Resolves when the event is stored. */
  readonly admit: (event: InboundEvent) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** `recalled`: there is nothing left to answer. */
type RereadOutcome = 'admitted' | 'recalled' | IgnoreReason;

/**
 * The event is not acked before the message is stored. If the process dies earlier, Lark delivers the event
 * again.
 */
export class Rereader {
  readonly #options: RereaderOptions;
  readonly #running = new Map<MessageId, Promise<RereadOutcome>>();
  readonly #tries = new LRUCache<MessageId, number>({ max: COUNTED_MAX });

  constructor(options: RereaderOptions) {
    this.#options = options;
  }

  /** Resolves when everything is done about the event. Rejects if it must not be acked yet. */
  async take(incomplete: IncompleteMessage): Promise<RereadOutcome> {
    const { clock } = this.#options;
    let cancel: (() => void) | undefined;
    const tooLate = new Promise<never>((_resolve, reject) => {
      const error = new BridgeError('failed', 'Lark has not shown the message yet');
      cancel = clock.after(ACK_WITHIN_MS, () => reject(error));
    });
    try {
      return await Promise.race([this.#read(incomplete), tooLate]);
    } finally {
      cancel?.();
    }
  }

  /** Two deliveries of one message make one call. */
  #read(incomplete: IncompleteMessage): Promise<RereadOutcome> {
    const id = incomplete.messageId;
    const running = this.#running.get(id);
    if (running !== undefined) return running;
    if (this.#running.size >= RUNNING_MAX) {
      return Promise.reject(new BridgeError('failed', 'too many messages are being read already'));
    }
    const work = this.#work(incomplete).finally(() => this.#running.delete(id));
    // The caller may have stopped waiting by then.
    work.catch((error: unknown) => {
      if (error instanceof BridgeError) return;
      this.#options.log.error('reread_failed', { error: String((error as Error).stack) });
    });
    this.#running.set(id, work);
    return work;
  }

  async #work(incomplete: IncompleteMessage): Promise<RereadOutcome> {
    const { admit, log } = this.#options;
    const reread = await this.#ask(incomplete);
    const { messageId: message, eventId } = incomplete;
    log.info('message_reread', { message, outcome: reread.kind });
    switch (reread.kind) {
      case 'message':
        await admit({ kind: 'message', message: { ...reread.message, eventId } });
        return 'admitted';
      case 'ignored':
        return reread.reason;
      case 'gone':
        return 'recalled';
      case 'unreadable':
        if (!reread.isForBot && incomplete.named !== 'bot') return 'not_addressed';
        return this.#tell(incomplete, reread.chatId);
      case 'denied':
        // An app that may not read a group receives only messages that name its bot.
        if (incomplete.named === 'others') return 'not_addressed';
        log.warn('message_not_shown', { message, detail: reread.detail });
        return this.#tell(incomplete, incomplete.chatId);
    }
  }

  async #ask(incomplete: IncompleteMessage): Promise<Reread> {
    const { messageId: id, toldAtMs } = incomplete;
    const { fetch, clock } = this.#options;
    try {
      return await fetch(incomplete);
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      const tries = (this.#tries.get(id) ?? 0) + 1;
      this.#tries.set(id, tries);
      const isOld = toldAtMs !== undefined && clock.nowMs() - toldAtMs > TRIED_FOR_MS_MAX;
      if (tries < TRIES_MAX && !isOld) throw error;
      return { kind: 'denied', detail: errorText(error) };
    }
  }

  async #tell(incomplete: IncompleteMessage, chat: ChatId | undefined): Promise<RereadOutcome> {
    const { messageId, eventId, appId, threadId } = incomplete;
    // Without a chat there is no place for a notice.
    if (chat === undefined) return 'malformed';
    const about = { appId, eventId, messageId, chatId: chat, threadId };
    await this.#options.admit({ kind: 'unreadable', ...about });
    return 'admitted';
  }
}

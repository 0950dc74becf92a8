/** Takes events from the SDK's dispatcher: parses them, hands them to the bridge, counts them. Never waits for an agent. */
import { BridgeError, errorText } from '../../core/errors.ts';
import { EVENT_PARSERS, idsOf, namesIn, parseEvent } from './parse.ts';
import type { IgnoreReason, Self, IncompleteMessage } from './parsed.ts';
import { type FetchMessage, Rereader } from './reread.ts';
import { type EventDispatcher, loadSdk, type Logger } from '../sdk.ts';
import type { ChatEvent, EventReply, Intake } from '../../bridge/ports/intake.ts';
import type { Observer } from '../../bridge/ports/observer.ts';
import type { OpenId } from '../../core/ids.ts';
import type { InboundEvent } from '../../core/message.ts';
import type { Log, LogFields } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

export interface EventCounts {
  /** The bridge has stored them, or knew them already. */
  readonly admitted: number;
  /** They could not be stored, or could not be parsed yet. Lark delivers them again. */
  readonly failed: number;
  readonly ignored: Readonly<Partial<Record<IgnoreReason, number>>>;
  /** When the last event of each type came. */
  readonly seenAtMs: SeenAtMs;
}

export type SeenAtMs = Readonly<Record<string, number>>;

interface EventsOptions {
  readonly intake: Intake;
  /** Reads a message whose event is incomplete. */
  readonly fetchMessage: FetchMessage;
  /** Takes the names that come with mentions. */
  readonly noteName?: ((id: OpenId, name: string) => void) | undefined;
  readonly self: () => Self;
  readonly clock: Clock;
  readonly log: Log;
  readonly logger: Logger;
  readonly observer: Observer;
  /** When earlier processes received events. */
  readonly seenBefore?: SeenAtMs | undefined;
}

export class Events {
  readonly #options: EventsOptions;
  readonly #rereader: Rereader;
  readonly #inFlight = new Set<Promise<unknown>>();
  readonly #ignored: Partial<Record<IgnoreReason, number>> = {};
  readonly #seenAtMs: Record<string, number>;
  #admitted = 0;
  #failed = 0;
  #lastAtMs: number | undefined;
  #dispatcher: EventDispatcher | undefined;

  constructor(options: EventsOptions) {
    this.#options = options;
    this.#seenAtMs = { ...options.seenBefore };
    const { fetchMessage: fetch, clock, log } = options;
    const admit = async (event: InboundEvent) => void (await this.#admit(event));
    this.#rereader = new Rereader({ fetch, admit, clock, log });
  }

  /** The SDK acks an event with 200 when its handler resolves and with 500 when it rejects. */
  get dispatcher(): EventDispatcher {
    if (this.#dispatcher !== undefined) return this.#dispatcher;
    const sdk = loadSdk();
    this.#dispatcher = new sdk.EventDispatcher({
      logger: this.#options.logger,
      loggerLevel: sdk.LoggerLevel.info,
    });
    const handlers = Object.keys(EVENT_PARSERS).map((type) => [
      type,
      (raw: unknown) => this.#track(this.#timed(type, raw)),
    ]);
    this.#dispatcher.register(Object.fromEntries(handlers) as object);
    return this.#dispatcher;
  }

  counts(): EventCounts {
    return {
      admitted: this.#admitted,
      failed: this.#failed,
      ignored: { ...this.#ignored },
      seenAtMs: { ...this.#seenAtMs },
    };
  }

  get lastAtMs(): number | undefined {
    return this.#lastAtMs;
  }

  /** Resolves when everything that has come so far is stored or refused, so that its ack can still be sent. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
  }

  /** The body of the answer to Lark, if there is one. */
  async #timed(type: string, raw: unknown): Promise<object | undefined> {
    const startedMs = performance.now();
    const reply = await this.#take(type, raw);
    this.#options.observer.eventAcked(performance.now() - startedMs);
    return reply && { toast: { type: reply.toast.kind, content: reply.toast.text } };
  }

  async #take(type: string, raw: unknown): Promise<EventReply | undefined> {
    this.#lastAtMs = this.#options.clock.nowMs();
    this.#seenAtMs[type] = this.#lastAtMs;
    try {
      return await this.#handle(type, raw);
    } catch (error) {
      this.#failed += 1;
      throw error; // Without an ack Lark delivers it again.
    }
  }

  async #handle(type: string, raw: unknown): Promise<EventReply | undefined> {
    const { log, self } = this.#options;
    const ids = { type, ...idsOf(raw) };
    for (const { id, name } of namesIn(raw)) this.#options.noteName?.(id, name);
    const parsed = parseEvent(type, raw, self());
    if (parsed.ok) {
      try {
        return await this.#admit(parsed.event);
      } catch (error) {
        log.error('lark_event_not_stored', { ...ids, error: errorText(error) });
        throw error;
      }
    }
    if (parsed.reason === 'incomplete') {
      await this.#reread(parsed.incomplete, ids);
    } else if (parsed.reason === 'bot_unknown') {
      log.warn('lark_event_postponed', { ...ids, reason: parsed.reason });
      // The bot's id is known by the next delivery.
      throw new BridgeError('failed', 'nobody knows yet whether the bot is mentioned');
    } else this.#ignore(parsed.reason, ids);
    return undefined;
  }

  async #admit(event: InboundEvent | ChatEvent): Promise<EventReply | undefined> {
    const reply = await this.#options.intake.admit(event);
    this.#admitted += 1;
    return reply ?? undefined;
  }

  async #reread(incomplete: IncompleteMessage, ids: LogFields): Promise<void> {
    const { log } = this.#options;
    log.warn('lark_event_incomplete', ids);
    try {
      const outcome = await this.#rereader.take(incomplete);
      if (outcome !== 'admitted' && outcome !== 'recalled') this.#ignore(outcome, ids);
    } catch (error) {
      log.warn('lark_event_postponed', { ...ids, reason: errorText(error) });
      throw error;
    }
  }

  /** It is acked all the same: Lark would deliver the same event again. */
  #ignore(reason: IgnoreReason, ids: LogFields): void {
    this.#ignored[reason] = (this.#ignored[reason] ?? 0) + 1;
    const level = reason === 'malformed' || reason === 'other_app' ? 'warn' : 'debug';
    this.#options.log[level]('lark_event_ignored', { ...ids, reason });
  }

  #track<T>(handling: Promise<T>): Promise<T> {
    this.#inFlight.add(handling);
    const forget = () => this.#inFlight.delete(handling);
    handling.then(forget, forget);
    return handling;
  }
}

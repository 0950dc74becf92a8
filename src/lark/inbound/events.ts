/** From the SDK's dispatcher to the bridge's door: judge, admit, count. Never waits for an agent. */
import { BridgeError, errorText } from '../../core/errors.ts';
import { EVENT_PARSERS, type IgnoreReason, idsOf, parseEvent, type Self } from './parse.ts';
import { type EventDispatcher, loadSdk, type Logger } from '../sdk/sdk.ts';
import type { Intake, Observer } from '../../bridge/ports.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

export interface EventCounts {
  /** Handed to the bridge and stored, or known there already. */
  readonly admitted: number;
  /** Could not be stored, or not be judged yet; Lark delivers them again. */
  readonly failed: number;
  readonly ignored: Readonly<Partial<Record<IgnoreReason, number>>>;
  /** When an event of each type came last. */
  readonly seenAtMs: SeenAtMs;
}

export type SeenAtMs = Readonly<Record<string, number>>;

export interface EventsOptions {
  readonly intake: Intake;
  readonly self: () => Self;
  readonly clock: Clock;
  readonly log: Log;
  readonly logger: Logger;
  readonly observer: Observer;
  /** By earlier processes. */
  readonly seenBefore?: SeenAtMs | undefined;
}

export class Events {
  readonly #options: EventsOptions;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #ignored: Partial<Record<IgnoreReason, number>> = {};
  readonly #seenAtMs: Record<string, number>;
  #admitted = 0;
  #failed = 0;
  #lastAtMs: number | undefined;
  #dispatcher: EventDispatcher | undefined;

  constructor(options: EventsOptions) {
    this.#options = options;
    this.#seenAtMs = { ...options.seenBefore };
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

  /** Resolves when what has come so far is stored or refused, so that its ack can still leave. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
  }

  async #timed(type: string, raw: unknown): Promise<void> {
    const startedMs = performance.now();
    await this.#take(type, raw);
    this.#options.observer.eventAcked(performance.now() - startedMs);
  }

  async #take(type: string, raw: unknown): Promise<void> {
    this.#lastAtMs = this.#options.clock.nowMs();
    this.#seenAtMs[type] = this.#lastAtMs;
    const { log, intake, self } = this.#options;
    const judged = parseEvent(type, raw, self());
    if (!judged.ok) {
      const { reason } = judged;
      if (reason === 'bot_unknown') {
        this.#failed += 1;
        log.warn('lark_event_postponed', { type, reason, ...idsOf(raw) });
        // Not acked: Lark delivers it again, and by then the bot knows itself.
        throw new BridgeError('failed', 'nobody knows yet whether the bot is mentioned');
      }
      this.#ignored[reason] = (this.#ignored[reason] ?? 0) + 1;
      // Acked all the same: Lark would only deliver it again, and it would not get any better.
      const level = reason === 'malformed' || reason === 'other_app' ? 'warn' : 'debug';
      log[level]('lark_event_ignored', { type, reason, ...idsOf(raw) });
      return;
    }
    try {
      await intake.admit(judged.event);
      this.#admitted += 1;
    } catch (error) {
      this.#failed += 1;
      log.error('lark_event_not_stored', { type, error: errorText(error), ...idsOf(raw) });
      throw error; // So that it is not acked.
    }
  }

  #track(handling: Promise<void>): Promise<void> {
    this.#inFlight.add(handling);
    const forget = () => this.#inFlight.delete(handling);
    handling.then(forget, forget);
    return handling;
  }
}

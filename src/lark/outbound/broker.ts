/** Decides for all calls to Lark's API which one goes first, how many run at the same time, and how fast they follow. */
import PQueue from 'p-queue';
import { BridgeError } from '../../core/errors.ts';
import { CallQueue, type CallLimits } from './call-queue.ts';
import { NO_OBSERVER, type Observer } from '../../bridge/ports/observer.ts';
import type { CallPriority } from '../../bridge/ports/delivery.ts';
import type { Clock } from '../../time/clock.ts';

/** Calls that run at the same time. 50 calls a second need about ten at usual latencies. */
const LARK_CALLS_RUNNING_MAX = 16;
/** Calls that wait here. With more than this the outbox keeps them. */
const LARK_CALLS_WAITING_MAX = 10_000;
/** Lark's limits for one API of one app. */
const LARK_API_PER_SECOND_MAX = 50;
const LARK_API_PER_MINUTE_MAX = 1_000;
/** Lark's limit for messages to one person or one group. */
const LARK_CHAT_PER_SECOND_MAX = 5;
/** Chats whose latest calls are remembered. The chat that had no call for the longest time is forgotten first. */
export const LARK_CHATS_PACED_MAX = 2_000;

/** Our windows are this much longer than Lark's, because calls may arrive closer together than they were sent. */
const MARGIN_MS = 100;

export const CALL_LIMITS: CallLimits = {
  api: [
    { hitsMax: LARK_API_PER_SECOND_MAX, windowMs: 1_000 + MARGIN_MS },
    { hitsMax: LARK_API_PER_MINUTE_MAX, windowMs: 60_000 + MARGIN_MS },
  ],
  chat: { hitsMax: LARK_CHAT_PER_SECOND_MAX, windowMs: 1_000 + MARGIN_MS },
  runningMax: LARK_CALLS_RUNNING_MAX,
  waitingMax: LARK_CALLS_WAITING_MAX,
  chatsPacedMax: LARK_CHATS_PACED_MAX,
};

/** For a deployment without rate limits. A call still waits if an answer asks for it. */
export const LIFTED_CALL_LIMITS: CallLimits = {
  ...CALL_LIMITS,
  api: [],
  chat: { hitsMax: Infinity, windowMs: 0 },
};

/** The result of a call, and which other calls have to wait because of it. */
export interface Worked<T> {
  readonly value: T;
  readonly coolDown?: { readonly scope: 'api' | 'chat'; readonly durationMs: number };
}

export interface CallSpec {
  /** Lark counts each API by itself. */
  readonly api: string;
  readonly priority: CallPriority;
  /** Calls with the same lane and priority go one after another, in the order in which they came. */
  readonly lane?: string;
  /** The chat whose message limit this call uses up. */
  readonly pacedBy?: string;
}

export interface CallBroker {
  /**
   * Runs `work` when the limits allow it. Rejects with `failed` if too many calls wait, and with `interrupted`
   * after `stop`. In both cases `work` was not begun.
   */
  run<T>(spec: CallSpec, work: () => Promise<Worked<T>>): Promise<T>;
  waiting(priority?: CallPriority): number;
  running(): number;
  /** Rejects all calls that wait. Running calls end by themselves. */
  stop(): void;
}

interface BrokerOptions {
  readonly clock: Clock;
  readonly limits?: CallLimits;
  /** Called for each call that begins. Lark's free tenants have a monthly quota of calls. */
  readonly countCall?: (priority: CallPriority) => void;
  readonly observer?: Observer;
}

export function createCallBroker(options: BrokerOptions): CallBroker {
  return new Broker(options);
}

/** `CallQueue` says which call may start, and when. `p-queue` runs the calls and counts the running ones. */
class Broker implements CallBroker {
  readonly #clock: Clock;
  readonly #limits: CallLimits;
  readonly #countCall: (priority: CallPriority) => void;
  readonly #observer: Observer;
  readonly #calls: CallQueue;
  readonly #queue: PQueue;
  #stopped = false;
  #waiting = 0;
  #laneNumber = 0;
  #wakeAtMs = Infinity;
  #cancelWake = () => {};

  constructor(options: BrokerOptions) {
    const { clock, limits = CALL_LIMITS } = options;
    this.#clock = clock;
    this.#limits = limits;
    this.#countCall = options.countCall ?? (() => {});
    this.#observer = options.observer ?? NO_OBSERVER;
    this.#calls = new CallQueue(limits);
    this.#queue = new PQueue({ concurrency: limits.runningMax });
    // The end of a call frees its lane and a running place.
    this.#queue.on('next', () => this.#startAll());
  }

  run<T>(spec: CallSpec, work: () => Promise<Worked<T>>): Promise<T> {
    if (this.#stopped) return Promise.reject(stoppedError());
    if (this.#waiting >= this.#limits.waitingMax) {
      return Promise.reject(new BridgeError('failed', 'too many calls to Lark are waiting'));
    }
    this.#laneNumber += 1;
    const lane = spec.lane ?? `#${this.#laneNumber}`;
    const { api, priority, pacedBy } = spec;
    const sinceMs = this.#clock.nowMs();
    return new Promise<T>((resolve, reject) => {
      this.#waiting += 1;
      const start = async () => {
        this.#countCall(priority);
        this.#observer.callStarted(priority, this.#clock.nowMs() - sinceMs);
        try {
          const worked = await work();
          this.#coolDown(spec, worked);
          resolve(worked.value);
        } catch (error) {
          reject(error);
        } finally {
          this.#calls.finish({ priority, lane });
        }
      };
      this.#calls.push({ api, priority, lane, pacedBy, start, cancel: reject });
      this.#startAll();
    });
  }

  waiting(priority?: CallPriority): number {
    return priority === undefined ? this.#waiting : this.#calls.waiting(priority);
  }

  running(): number {
    return this.#queue.pending;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelWake();
    for (const call of this.#calls.takeAll()) call.cancel(stoppedError());
    this.#waiting = 0;
  }

  #coolDown<T>(spec: CallSpec, { coolDown }: Worked<T>): void {
    if (coolDown === undefined) return;
    const nowMs = this.#clock.nowMs();
    if (coolDown.scope === 'api') this.#calls.coolApi(spec.api, nowMs, coolDown.durationMs);
    else if (spec.pacedBy !== undefined) {
      this.#calls.coolChat(spec.pacedBy, nowMs, coolDown.durationMs);
    }
  }

  /** Starts all calls that may start now, and sets a timer for the next call that a limit allows. */
  #startAll(): void {
    const nowMs = this.#clock.nowMs();
    while (this.#queue.pending < this.#limits.runningMax) {
      const call = this.#calls.take(nowMs);
      if (call === undefined) return this.#wakeAt(this.#calls.freeAtMs(nowMs));
      this.#waiting -= 1;
      void this.#queue.add(call.start);
    }
    // All running places are taken. The end of a call starts the next ones.
    this.#wakeAt(Infinity);
  }

  #wakeAt(atMs: number): void {
    if (atMs === this.#wakeAtMs) return;
    this.#cancelWake();
    this.#wakeAtMs = atMs;
    if (atMs === Infinity || this.#stopped) return;
    this.#cancelWake = this.#clock.after(Math.max(0, atMs - this.#clock.nowMs()), () => {
      this.#wakeAtMs = Infinity;
      this.#startAll();
    });
  }
}

function stoppedError(): BridgeError {
  return new BridgeError('interrupted', 'stopped before the call to Lark was made');
}

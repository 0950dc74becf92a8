/** Work that is done again and again until the program stops. */
import { BridgeError, errorStack, errorText } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Service } from './service.ts';
import type { Clock } from './clock.ts';
import { waitAtMost } from './wait.ts';

/**
 * A round ends early when `stopping` aborts, but a call that it waits for may hang. What closes later in the
 * stop ends the call, and the next start does the work again. A stop has ten seconds for all parts.
 */
const STOP_MS_MAX = 1_000;

interface RepeatOptions {
  /** Name of the service. A round that fails is logged as `NAME_failed`. */
  readonly name: string;
  /** From the end of one round to the start of the next. A function is asked after each round. */
  readonly everyMs: number | (() => number);
  /** From the start of the service to the first round; the same as `everyMs` unless it is given. */
  readonly firstMs?: number;
  /** One round. `stopping` aborts when the service stops: a long round then ends early. */
  readonly work: (stopping: AbortSignal) => void | Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface RepeatedWork extends Service {
  /** Aborts when the service stops. */
  readonly stopSignal: AbortSignal;
  /** The next round begins now, or directly after the round that runs. */
  hurry(): void;
}

/** A service that does `work` again and again. `stop` waits for the round that runs, if it ends soon. */
export function repeating(options: RepeatOptions): RepeatedWork {
  const { name, everyMs, work, clock, log } = options;
  const stopping = new AbortController();
  const stopSignal = stopping.signal;
  let cancel: (() => void) | undefined;
  let running: Promise<void> = Promise.resolve();
  let isWorking = false;
  let isHurried = false;
  const delayMs = () => (typeof everyMs === 'number' ? everyMs : everyMs());

  const plan = (afterMs: number) => {
    cancel?.();
    if (stopSignal.aborted) return;
    cancel = clock.after(afterMs, () => {
      isHurried = false;
      running = round();
    });
  };
  const round = async () => {
    isWorking = true;
    try {
      await work(stopSignal);
    } catch (error) {
      // Calls and writes are refused while the program stops. The next start does this work again.
      if (!(stopSignal.aborted && error instanceof BridgeError)) logFailure(name, log, error);
    }
    isWorking = false;
    plan(isHurried ? 0 : delayMs());
  };

  return {
    name,
    stopSignal,
    hurry() {
      isHurried = true;
      if (!isWorking) plan(0);
    },
    start() {
      plan(options.firstMs ?? delayMs());
      return Promise.resolve();
    },
    async stop() {
      stopping.abort();
      cancel?.();
      await waitAtMost(clock, running, STOP_MS_MAX);
    },
  };
}

/** Does `work` once and never rejects, for work that is tried again later. */
export async function attempt(
  name: string,
  log: Log,
  work: () => void | Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    logFailure(name, log, error);
  }
}

/** A `BridgeError` is a warning. Anything else is a bug: an error with its stack, and the program goes on. */
export function logFailure(name: string, log: Log, error: unknown): void {
  if (error instanceof BridgeError) log.warn(`${name}_failed`, { error: errorText(error) });
  else log.error(`${name}_failed`, { error: errorText(error), stack: errorStack(error) });
}

/** Work that is done again and again until the program stops. */
import { BridgeError, errorStack, errorText } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Service } from '../core/service.ts';
import type { Clock } from './clock.ts';

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

/** A service that does `work` again and again. `stop` waits for the round that runs. */
export function repeating(options: RepeatOptions): Service {
  const { name, everyMs, work, clock, log } = options;
  const stopping = new AbortController();
  let cancel: (() => void) | undefined;
  let running: Promise<void> = Promise.resolve();
  const delayMs = () => (typeof everyMs === 'number' ? everyMs : everyMs());

  const plan = (afterMs: number) => {
    if (stopping.signal.aborted) return;
    cancel = clock.after(afterMs, () => {
      running = round();
    });
  };
  const round = async () => {
    await attempt(name, log, () => work(stopping.signal));
    plan(delayMs());
  };

  return {
    name,
    start() {
      plan(options.firstMs ?? delayMs());
      return Promise.resolve();
    },
    async stop() {
      stopping.abort();
      cancel?.();
      await running;
    },
  };
}

/**
 * Does `work` once and never rejects, for work that is tried again later. A `BridgeError` is a warning.
 * Anything else is a bug: it is logged as an error with its stack, and the program goes on.
 */
export async function attempt(
  name: string,
  log: Log,
  work: () => void | Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof BridgeError) log.warn(`${name}_failed`, { error: errorText(error) });
    else log.error(`${name}_failed`, { error: errorText(error), stack: errorStack(error) });
  }
}

/** Does something round after round, for those who do not use `repeating` yet. */
export class Rounds {
  readonly #clock: Clock;
  readonly #work: () => Promise<number>;
  #cancel = () => {};
  #running: Promise<void> = Promise.resolve();
  #atWork = false;
  #hurried = false;
  #stopped = false;

  /** `work` returns how long to wait until the next round, in milliseconds. It must not reject. */
  constructor(clock: Clock, work: () => Promise<number>) {
    this.#clock = clock;
    this.#work = work;
  }

  /** True from the call of `stop` on: a long round looks at it between its steps. */
  get stopped(): boolean {
    return this.#stopped;
  }

  start(firstDelayMs: number): void {
    if (this.#stopped) return;
    this.#cancel = this.#clock.after(firstDelayMs, () => {
      this.#running = this.#round();
    });
  }

  /** The next round begins at once, or as soon as the one at hand is over. */
  hurry(): void {
    this.#hurried = true;
    if (this.#atWork) return;
    this.#cancel();
    this.start(0);
  }

  /** No more rounds; resolves when the one at hand is over. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#running;
  }

  async #round(): Promise<void> {
    this.#atWork = true;
    this.#hurried = false;
    const delayMs = await this.#work();
    this.#atWork = false;
    // Set while the work went on.
    this.start((this.#hurried as boolean) ? 0 : delayMs);
  }
}

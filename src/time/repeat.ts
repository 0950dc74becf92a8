import type { Clock } from './clock.ts';

/** Does something round after round; the next one is planned when the last is over. */
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

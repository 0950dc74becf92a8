import type { Clock } from '../../time/clock.ts';
import { type PausableTimer, pausableTimer } from '../../time/pausable-timer.ts';

const NO_TIMER: Pick<PausableTimer, 'cancel'> = { cancel: () => {} };

interface SilenceWatchParts {
  readonly clock: Clock;
  /** Infinity: it is never told. */
  readonly silenceMs: number;
  readonly tell: () => void;
}

/** Tells when nothing was heard of an agent for some time: once, until it is heard again. */
export class SilenceWatch {
  readonly #parts: SilenceWatchParts;
  readonly #holds = new Set<() => void>();
  #timer: Pick<PausableTimer, 'cancel'>;
  #isOver = false;

  constructor(parts: SilenceWatchParts) {
    this.#parts = parts;
    this.#timer = this.#begin();
  }

  /** The agent was heard. */
  sign(): void {
    if (this.#isOver || this.#holds.size > 0) return;
    this.#timer.cancel();
    this.#timer = this.#begin();
  }

  /** Silence is no trouble until the returned function is called: a person is asked, or a tool is at work. */
  expect(): () => void {
    this.#timer.cancel();
    const end = () => {
      if (this.#holds.delete(end)) this.sign();
    };
    this.#holds.add(end);
    return end;
  }

  end(): void {
    this.#isOver = true;
    this.#timer.cancel();
  }

  #begin(): Pick<PausableTimer, 'cancel'> {
    const { clock, silenceMs, tell } = this.#parts;
    return silenceMs === Infinity ? NO_TIMER : pausableTimer(clock, silenceMs, tell);
  }
}

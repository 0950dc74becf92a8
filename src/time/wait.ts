/** Waits that end at a time, or when everything stops. */
import type { Clock } from './clock.ts';
import { pausableTimer } from './pausable-timer.ts';

export interface Limit {
  /** Aborts when the time is over, or when everything stops. */
  readonly signal: AbortSignal;
  /** True if the time was over before everything stopped. */
  readonly isOver: () => boolean;
  /** Time stands still until the returned function is called. */
  readonly hold: () => () => void;
  readonly cancel: () => void;
}

/**
 * A limit that ends at `deadlineMs`. The remaining time is computed once, now. If somebody sets the clock
 * later, the limit gets neither shorter nor longer. Without a deadline only `stop` ends it.
 */
export function limitAt(clock: Clock, stop: AbortSignal, deadlineMs: number | undefined): Limit {
  if (deadlineMs === undefined) {
    return { signal: stop, isOver: () => false, hold: () => () => {}, cancel: () => {} };
  }
  const controller = new AbortController();
  let over = false;
  const abort = () => controller.abort(stop.reason);
  const timer = pausableTimer(clock, deadlineMs - clock.nowMs(), () => {
    over = !stop.aborted;
    abort();
  });
  if (stop.aborted) abort();
  stop.addEventListener('abort', abort);
  return {
    signal: controller.signal,
    isOver: () => over,
    hold: () => timer.hold(),
    cancel: () => {
      timer.cancel();
      stop.removeEventListener('abort', abort);
    },
  };
}

/** Resolves after `delayMs`, or at once when `stop` aborts. Never rejects. */
export function pause(clock: Clock, stop: AbortSignal, delayMs: number): Promise<void> {
  if (stop.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      cancelTimer();
      stop.removeEventListener('abort', end);
      resolve();
    };
    const cancelTimer = clock.after(Math.max(1, delayMs), end);
    stop.addEventListener('abort', end);
  });
}

/** Resolves when `signal` aborts, or at once if it has. Never rejects. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** For a wait that nothing ends early. */
export const NEVER: AbortSignal = new AbortController().signal;

/** Waits for `work`, but at most for `durationMs`. True if the work was over in time. If not, the work goes on. */
export async function waitAtMost(
  clock: Clock,
  work: Promise<unknown>,
  durationMs: number,
): Promise<boolean> {
  const over = new AbortController();
  const late = pause(clock, over.signal, durationMs).then(() => false);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    over.abort();
  }
}

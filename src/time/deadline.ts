import type { Clock } from './clock.ts';

export interface Limit {
  /** Aborts when the time is over, or when everything stops. */
  readonly signal: AbortSignal;
  /** True if the time was over before everything stopped. */
  readonly isOver: () => boolean;
  readonly cancel: () => void;
}

/**
 * A limit at `deadlineMs`, by the clock of this moment: one that is set later neither shortens nor lengthens
 * it. Without a deadline only `stop` ends it.
 */
export function limitAt(clock: Clock, stop: AbortSignal, deadlineMs: number | undefined): Limit {
  if (deadlineMs === undefined) return { signal: stop, isOver: () => false, cancel: () => {} };
  const controller = new AbortController();
  let over = false;
  const abort = () => controller.abort();
  const cancelTimer = clock.after(Math.max(1, deadlineMs - clock.nowMs()), () => {
    over = !stop.aborted;
    abort();
  });
  if (stop.aborted) abort();
  stop.addEventListener('abort', abort);
  return {
    signal: controller.signal,
    isOver: () => over,
    cancel: () => {
      cancelTimer();
      stop.removeEventListener('abort', abort);
    },
  };
}

/** Resolves after `delayMs`, or at once when everything stops. */
export async function pause(clock: Clock, stop: AbortSignal, delayMs: number): Promise<void> {
  const limit = limitAt(clock, stop, clock.nowMs() + delayMs);
  await new Promise<void>((resolve) => {
    if (limit.signal.aborted) resolve();
    else limit.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  limit.cancel();
}

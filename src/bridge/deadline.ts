import type { Clock } from '../core/ports.ts';

export interface Limit {
  /** Aborts when the time is over, or when everything stops. */
  readonly signal: AbortSignal;
  readonly cancel: () => void;
}

/** A limit at `deadlineMs`; without one only `stop` ends it. */
export function limitAt(clock: Clock, stop: AbortSignal, deadlineMs: number | undefined): Limit {
  if (deadlineMs === undefined) return { signal: stop, cancel: () => {} };
  const controller = new AbortController();
  const abort = () => controller.abort();
  const cancelTimer = clock.after(Math.max(1, deadlineMs - clock.nowMs()), abort);
  if (stop.aborted) abort();
  stop.addEventListener('abort', abort);
  return {
    signal: controller.signal,
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

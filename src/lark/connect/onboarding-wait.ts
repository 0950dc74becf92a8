/** The onboarding's sleep. */
import { interrupted } from './onboarding-errors.ts';
import type { Clock } from '../../time/clock.ts';

/** Waits by `clock`. Rejects with `interrupted` when `signal` aborts. */
export function sleep(
  durationMs: number,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<void> {
  if (signal.aborted) return Promise.reject(interrupted());
  if (durationMs <= 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const stop = () => {
      cancel();
      reject(interrupted());
    };
    const cancel = clock.after(durationMs, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    signal.addEventListener('abort', stop, { once: true });
  });
}

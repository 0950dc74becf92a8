/** How the onboarding waits. */
import { interrupted } from './onboarding-errors.ts';
import type { Clock } from '../../time/clock.ts';
import { pause } from '../../time/wait.ts';

/** Waits by `clock`. Rejects with `interrupted` when `signal` aborts. */
export async function sleep(
  durationMs: number,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<void> {
  if (durationMs > 0) await pause(clock, signal, durationMs);
  if (signal.aborted) throw interrupted();
}

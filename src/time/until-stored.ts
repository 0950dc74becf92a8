import { type BridgeError, isStoreTrouble } from '../core/errors.ts';
import type { Clock } from './clock.ts';
import { pause } from './wait.ts';

/** How long to wait after the database refused a write (disk full, locked). */
export const STORE_RETRY_MS = 1_000;

/**
 * Repeats a write until the database accepts it. This is for data that can't be got a second time. Rejects with
 * the database's error if `stop` aborts before that.
 */
export async function untilStored<T>(
  write: () => Promise<T>,
  options: {
    readonly clock: Clock;
    readonly stop: AbortSignal;
    /** Called for each refusal after which the write is tried again. */
    readonly onRefused: (error: BridgeError) => void;
  },
): Promise<T> {
  const { clock, stop, onRefused } = options;
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!isStoreTrouble(error) || stop.aborted) throw error;
      onRefused(error);
    }
    await pause(clock, stop, STORE_RETRY_MS);
  }
}

import { backoffMs } from '../../time/backoff.ts';

/** A hub that can't be reached is tried again after this, doubling up to the maximum, without end. */
export const TURN_SEND_BACKOFF_BASE_MS = 500;
const TURN_SEND_BACKOFF_MAX_MS = 30_000;

/** How long to wait after so many tries that failed. */
export function sendBackoffMs(failures: number, random: number): number {
  return backoffMs(failures, {
    baseMs: TURN_SEND_BACKOFF_BASE_MS,
    maxMs: TURN_SEND_BACKOFF_MAX_MS,
    random,
  });
}

/**
 * How long a test waits for a fact. One bound for all waits, so long that it ends no wait on a busy machine:
 * only what never happens takes all of it.
 */
export const WAIT_MS = 60_000;

/** A test as a whole. Longer than a wait, so that what is told is the wait that was in vain. */
export const TEST_MS = 2 * WAIT_MS;

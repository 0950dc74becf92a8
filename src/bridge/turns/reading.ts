/** Reads from Lark what a turn needs before it is sent. */
import type { Clock } from '../../time/clock.ts';
import { limitAt, pause, untilAborted } from '../../time/wait.ts';

/** A person waits for the answer, and other messages for the slot. Lark answers such a call within a second. */
const READ_MS_MAX = 10_000;
const READ_AGAIN_MS = 1_000;

interface NotRead {
  readonly ok: false;
  readonly reason: string;
  readonly isPassing: boolean;
}

interface Waiting {
  readonly clock: Clock;
  readonly stop: AbortSignal;
}

/** Tries again for a while if that may help. After `stop` the result says nothing. */
export async function readForAWhile<T extends { readonly ok: true }>(
  read: () => Promise<T | NotRead>,
  { clock, stop }: Waiting,
): Promise<T | NotRead> {
  const limit = limitAt(clock, stop, clock.nowMs() + READ_MS_MAX);
  let last: T | NotRead = { ok: false, reason: 'Lark did not answer in time', isPassing: true };
  const over = untilAborted(limit.signal);
  try {
    while (!limit.signal.aborted) {
      const given = await Promise.race([read(), over]);
      if (given === undefined) break;
      last = given;
      if (last.ok || !last.isPassing) break;
      await pause(clock, limit.signal, READ_AGAIN_MS);
    }
  } finally {
    limit.cancel();
  }
  return last;
}

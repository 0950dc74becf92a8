import { onTestFinished, vi } from 'vitest';

/** Node's timers of exactly this length end a hundred times as early, until the test is over. Counts them. */
export function fasterLimit(limitMs: number): { readonly count: number } {
  const limits = { count: 0 };
  const start = setTimeout;
  const faster = (run: () => void, delayMs?: number) => {
    if (delayMs === limitMs) limits.count += 1;
    return start(run, delayMs === limitMs ? limitMs / 100 : delayMs);
  };
  const spy = vi.spyOn(globalThis, 'setTimeout');
  spy.mockImplementation(faster);
  onTestFinished(() => spy.mockRestore());
  return limits;
}

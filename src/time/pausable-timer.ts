import type { Clock } from './clock.ts';

export interface PausableTimer {
  /** Time stands still until the returned function is called. With several holds, until the last one has ended. */
  hold(): () => void;
  cancel(): void;
}

/** Calls `run` once after `delayMs`, not counting the time during which it is held. */
export function pausableTimer(clock: Clock, delayMs: number, run: () => void): PausableTimer {
  let leftMs = Math.max(1, delayMs);
  let sinceMs = 0;
  let holds = 0;
  let isOver = false;
  let stop: (() => void) | undefined;
  const begin = () => {
    sinceMs = clock.nowMs();
    stop = clock.after(leftMs, () => {
      isOver = true;
      run();
    });
  };
  const release = () => {
    holds -= 1;
    if (holds === 0 && !isOver) begin();
  };
  begin();
  return {
    hold() {
      if (holds === 0 && !isOver) {
        stop?.();
        // If somebody has set the clock meanwhile, it gets neither longer nor shorter than it was.
        const goneMs = Math.min(leftMs, Math.max(0, clock.nowMs() - sinceMs));
        leftMs = Math.max(1, leftMs - goneMs);
      }
      holds += 1;
      let isHeld = true;
      return () => {
        if (isHeld) release();
        isHeld = false;
      };
    },
    cancel() {
      isOver = true;
      stop?.();
    },
  };
}

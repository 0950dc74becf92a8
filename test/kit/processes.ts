/** Programs that a test has started, or that these have started. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { vi } from 'vitest';
import { WAIT_MS } from './bounds.ts';

/** Zombies are dead; only nobody has looked yet. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false; // No such process.
  }
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return process.platform !== 'linux'; // On Linux it ended between the two looks.
  }
}

/** The number that a program writes into this file, once it has. */
export function pidIn(path: string): Promise<number> {
  return vi.waitFor(
    () => {
      const text = readFileSync(path, 'utf8');
      if (!/\d\n/.test(text)) throw new Error(`${path} holds no number yet: ${text}`);
      return Number(text);
    },
    { timeout: WAIT_MS },
  );
}

/** All processes that work in this folder, or were started with a word of it. Linux only. */
export function processesIn(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => {
      try {
        const isHere = readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
        const isNamed = readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
        return (isHere || isNamed) && isProcessAlive(pid);
      } catch {
        return false; // It has ended, or belongs to somebody else.
      }
    });
}

/** Some may end while others are killed: that is no failure. */
export function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // No such process.
    }
  }
}

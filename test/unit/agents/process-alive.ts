import { readFileSync } from 'node:fs';

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

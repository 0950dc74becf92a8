import { setPriority } from 'node:os';
import { isThrownBySystem } from '../exec-failures.ts';

/** Agents that compute must not keep the bridge from its chats. On an idle machine it changes nothing. */
const AGENT_NICENESS = 5;

/** What it starts later inherits this. */
export function yieldToBridge(pid: number): void {
  try {
    setPriority(pid, AGENT_NICENESS);
  } catch (error) {
    // It has ended already, or the system allows no change.
    if (!isThrownBySystem(error)) throw error;
  }
}

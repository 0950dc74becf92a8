/** What a process meets that may die at any moment. */
import type { ProcessClock } from './process-clock.ts';

/** Before and after them the process may die. */
const WRITES: ReadonlySet<string> = new Set([
  'admit',
  'changeTurn',
  'enqueue',
  'changeOut',
  // Of live cards.
  'open',
  'change',
  'remove',
  'reserve',
  // Of files.
  'save',
]);

export interface Death {
  readonly clock: ProcessClock;
  readonly random: () => number;
  readonly isStarting: () => boolean;
  readonly chance: () => number;
  readonly die: () => void;
}

type Method = (...args: unknown[]) => Promise<unknown>;

/**
 * A store in front of which the process may die: before a commit or right after it, and while it starts at any
 * read.
 */
export function mortal<T extends object>(part: T, death: Death): T {
  const { clock, random, isStarting, chance, die } = death;
  return new Proxy(part, {
    get: (target, name: string) => {
      const method = (Reflect.get(target, name, target) as Method).bind(target);
      return async (...args: unknown[]) => {
        if (clock.dead) return never();
        if (!WRITES.has(name) && !isStarting()) return method(...args);
        const roll = random();
        if (roll < chance() / 2) {
          die();
          return never();
        }
        const done = await method(...args);
        if (roll < chance() && !clock.dead) die();
        return clock.dead ? never() : done;
      };
    },
  });
}

/** What a dead process asked for may still happen; it never hears of it. */
export function cut<T extends object>(part: T, clock: ProcessClock): T {
  return new Proxy(part, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (name === 'live' && value !== undefined) return cut(value as object, clock);
      if (typeof value !== 'function') return value;
      // It returns no promise, and a dead process is told nothing.
      if (name === 'watch') return value.bind(target) as unknown;
      return async (...args: unknown[]) => {
        if (clock.dead) return never();
        const done: unknown = await Reflect.apply(value, target, args);
        return clock.dead ? never() : done;
      };
    },
  });
}

function never(): Promise<never> {
  return new Promise(() => {});
}

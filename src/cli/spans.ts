/** Lengths of time, as people read and write them. */
import { BridgeError } from '../core/errors.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const SECONDS = { ms: SECOND_MS, short: 's', one: 's', many: 's' };
/** The longest first. */
const UNITS = [
  { ms: DAY_MS, short: 'd', one: 'day', many: 'days' },
  { ms: HOUR_MS, short: 'h', one: 'h', many: 'h' },
  { ms: MINUTE_MS, short: 'm', one: 'min', many: 'min' },
  SECONDS,
];

/** For a table: `3m`. */
export function shortSpan(ms: number): string {
  const { count, unit } = inUnits(ms);
  return `${count}${unit.short}`;
}

/** For a sentence: `3 min`. */
export function spanOf(ms: number): string {
  const { count, unit } = inUnits(ms);
  return `${count} ${count === 1 ? unit.one : unit.many}`;
}

/** How long something took: `110ms`, `3.2s`, `2m`. */
export function tookText(ms: number): string {
  if (ms < SECOND_MS) return `${Math.max(0, Math.round(ms))}ms`;
  return ms < MINUTE_MS ? `${(ms / SECOND_MS).toFixed(1)}s` : shortSpan(ms);
}

/** The moment that `--since` names: so long ago (30m, 2h, 7d), or a date. Throws `usage` for anything else. */
export function sinceOf(typed: string, nowMs: number): number {
  const [, count, letter] = /^(\d{1,6})([smhd])$/.exec(typed) ?? [];
  const unit = UNITS.find(({ short }) => short === letter);
  if (unit !== undefined) return nowMs - Number(count) * unit.ms;
  const atMs = /^\d{4}-\d\d-\d\d/.test(typed) ? Date.parse(typed) : Number.NaN;
  if (!Number.isNaN(atMs)) return atMs;
  throw new BridgeError('usage', '--since must be a time such as 30m, 2h, 7d or 2026-01-31', {
    next: 'Give it as in `--since 2h`.',
  });
}

function inUnits(ms: number) {
  const whole = Math.max(0, ms);
  const unit = UNITS.find((one) => whole >= one.ms) ?? SECONDS;
  return { count: Math.floor(whole / unit.ms), unit };
}

/**
 * How long to wait before try number `attempt` (1 = the first repeat), in milliseconds: doubles from
 * `baseMs` up to `maxMs`, then `random` (0…1) spreads it over 50–100 % so that many don't come at once.
 */
export function backoffMs(
  attempt: number,
  { baseMs, maxMs, random }: { baseMs: number; maxMs: number; random: number },
): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(Math.max(0, attempt - 1), 30));
  return Math.round(full * (0.5 + random / 2));
}

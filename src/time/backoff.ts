/**
 * How long to wait before try number `attempt`, in milliseconds (1 is the first repeat). The time doubles from
 * `baseMs` up to `maxMs`. Then `random` (0…1) gives 50–100 % of it, so that many callers do not try at once.
 */
export function backoffMs(
  attempt: number,
  { baseMs, maxMs, random }: { baseMs: number; maxMs: number; random: number },
): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(Math.max(0, attempt - 1), 30));
  return Math.round(full * (0.5 + random / 2));
}

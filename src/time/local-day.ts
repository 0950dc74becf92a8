/** Days and times of the day as people in a time zone count them. */

/** `2026-03-29`. Such texts are in the order of the days. */
export type LocalDay = string & { readonly brand: 'LocalDay' };

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const MINUTE_MS = 60 * 1000;

/** A formatter takes a hundred times as long to make as to use. */
const formats = new Map<string, Intl.DateTimeFormat>();

/** Throws a RangeError for a zone that does not exist. */
function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formats.set(zone, format);
  }
  return format;
}

export function isTimeZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** The zone of the machine. */
export function ownTimeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The clock on the wall in a zone, as if it were UTC, in whole seconds. */
function wallMs(zone: string, atMs: number): number {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(atMs)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const of = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  const time = [of('hour'), of('minute'), of('second')] as const;
  return Date.UTC(of('year'), of('month') - 1, of('day'), ...time);
}

export function localDayOf(zone: string, atMs: number): LocalDay {
  return dayOf(wallMs(zone, atMs));
}

/** `days` may be negative. */
export function dayAfter(day: LocalDay, days = 1): LocalDay {
  return dayOf(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS);
}

function dayOf(wall: number): LocalDay {
  return new Date(wall).toISOString().slice(0, 10) as LocalDay;
}

/**
 * When the clock on the wall shows this minute of the day. Of two such moments (clocks are set back) the first one.
 * A minute that does not exist (clocks are set forward) comes as much later as they are set.
 */
export function momentOf(zone: string, day: LocalDay, minuteOfDay: number): number {
  const wanted = Date.parse(`${day}T00:00:00Z`) + minuteOfDay * MINUTE_MS;
  // No clock is changed twice within two days, so one of these offsets holds then.
  const [before, after] = [wanted - DAY_MS, wanted + DAY_MS].map(
    (around) => wallMs(zone, around) - Math.floor(around / 1000) * 1000,
  );
  const moments = [before ?? 0, after ?? 0].map((offset) => wanted - offset);
  const exact = moments.filter((moment) => wallMs(zone, moment) === wanted);
  return exact.length > 0 ? Math.min(...exact) : wanted - (before ?? 0);
}

/** When the report of a day is due. It is pure. */
import { dayAfter, type LocalDay, localDayOf, momentOf } from '../../time/local-day.ts';

/** Of a date line that moved, a day may be missing: two days before it is one that was. */
const DAYS_BACK_MAX = 3;

export interface ReportDay {
  readonly day: LocalDay;
  /** What it tells of. */
  readonly sinceMs: number;
  readonly untilMs: number;
}

interface ReportTime {
  readonly zone: string;
  readonly minuteOfDay: number;
}

/** The newest day whose time for the report has come. */
export function newestReportDay({ zone, minuteOfDay }: ReportTime, nowMs: number): ReportDay {
  const today = localDayOf(zone, nowMs);
  const days = Array.from({ length: DAYS_BACK_MAX }, (_, back) => dayAfter(today, -back));
  const day = days.find((one) => momentOf(zone, one, minuteOfDay) <= nowMs) ?? today;
  return {
    day,
    sinceMs: momentOf(zone, dayAfter(day, -1), minuteOfDay),
    untilMs: momentOf(zone, day, minuteOfDay),
  };
}

/**
 * The report that is to be sent now. `lastDay`: the newest one that was sent. A day is reported once, however the
 * clock or the zone is changed. A time that was missed is made up for; of several days only the newest.
 */
export function dueReport(
  time: ReportTime,
  { lastDay, nowMs }: { readonly lastDay: LocalDay; readonly nowMs: number },
): ReportDay | undefined {
  const newest = newestReportDay(time, nowMs);
  if (newest.day > lastDay) return newest;
  // The clock was far ahead when that day was noted, and must not silence the reports until then.
  return lastDay > dayAfter(newest.day, 2) ? newest : undefined;
}

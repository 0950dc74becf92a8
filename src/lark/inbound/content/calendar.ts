import { millis, textOf } from '../fields.ts';
import { linePart, type ReadContent } from './read-content.ts';
import { timeText } from './words.ts';

/** An event of a calendar: `calendar`, `general_calendar` and `share_calendar_event` have the same fields. */
export const readCalendar: ReadContent = ({ summary, start_time: start, end_time: end }) => {
  const times = [start, end].map(millis).flatMap((ms) => (ms === undefined ? [] : timeText(ms)));
  return [linePart('calendar event', textOf(summary), times.join(' to '))];
};

import { millis, textOf } from '../fields.ts';
import { linePart, type ReadContent } from './read-content.ts';
import { timeText } from './words.ts';

/** An invitation to a meeting. */
export const readVideoChat: ReadContent = ({ topic, start_time: start }) => {
  const startMs = millis(start);
  return [linePart('video meeting', textOf(topic), startMs === undefined ? '' : timeText(startMs))];
};

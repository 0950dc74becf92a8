import { textOf } from '../fields.ts';
import { linePart, type ReadContent } from './read-content.ts';
import { oneLine } from './words.ts';

/** Lark allows fewer. */
const OPTIONS_MAX = 50;

export const readVote: ReadContent = ({ topic, options }) => {
  const given: unknown[] = Array.isArray(options) ? options.slice(0, OPTIONS_MAX) : [];
  const choices = given.map((option) => oneLine(textOf(option))).filter((option) => option !== '');
  return [linePart('vote', textOf(topic), choices.join(' / '))];
};

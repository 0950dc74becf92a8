import { textOf } from '../fields.ts';
import { linePart, type ReadContent } from './read-content.ts';

export const readLocation: ReadContent = ({ name, latitude, longitude }) => {
  const place = textOf(name);
  return [
    place === ''
      ? linePart('location', ...[latitude, longitude].map(numberText))
      : linePart('location', place),
  ];
};

/** Lark gives coordinates as texts. */
function numberText(value: unknown): string {
  return typeof value === 'number' ? String(value) : textOf(value);
}

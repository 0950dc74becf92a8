/** The text of a message (rows MOL-RES-01, MOL-A2A-03). Pure. */
import { asObject } from '../core/json-object.ts';

/** The texts among message parts, one line or more for each. Old clients write `type`, or no kind at all. */
export function textOfParts(parts: unknown): string {
  if (!Array.isArray(parts)) return '';
  return parts
    .map((part) => {
      const { kind, type, text } = asObject(part) ?? {};
      return (kind ?? type ?? 'text') === 'text' && typeof text === 'string' ? text : '';
    })
    .filter((text) => text !== '')
    .join('\n');
}

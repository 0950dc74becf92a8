/** The text of a message (rows MOL-RES-01, MOL-A2A-03). Pure. */
import { asObject } from '../core/json-object.ts';

/** The texts in message parts, each on its own line. Old clients write `type` instead of `kind`, or neither. */
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

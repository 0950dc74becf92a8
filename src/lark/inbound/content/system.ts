import { textOf } from '../fields.ts';
import { linePart, type ReadContent } from './read-content.ts';

/** A note of Lark itself, such as that somebody joined. It starts no turn, but it may be forwarded. */
export const readSystem: ReadContent = (content) => {
  // One pass, so that a name which looks like a field is not filled in.
  const told = textOf(content['template']).replaceAll(/\{(\w+)\}/g, (field, name: string) => {
    const value = Object.hasOwn(content, name) ? content[name] : undefined;
    const names: unknown[] = Array.isArray(value) ? value : [value];
    const known = names.map(textOf).filter((one) => one !== '');
    return known.length === 0 ? field : known.join(', ');
  });
  return [linePart('system', told)];
};

/** Reads the JSON of files that people write, and says where a mistake in it is. */
import { isObject } from '../core/json-object.ts';

/**
 * Parses the text of a file that a person has written. Throws a `SyntaxError` with the line and column of the
 * first mistake. It quotes nothing, because the text may contain a secret. A byte order mark, which some editors
 * write, is allowed.
 */
export function parseJsonObject(text: string): Record<string, unknown> {
  const bare = text.replace(/^\uFEFF/, '');
  let value: unknown;
  try {
    value = JSON.parse(bare);
  } catch {
    throw new SyntaxError(`it is not JSON: ${mistakeIn(bare)}`);
  }
  if (isObject(value)) return value;
  throw new SyntaxError('it is not a JSON object: line 1, column 1');
}

function mistakeIn(text: string): string {
  const at = mistakeAt(text);
  const before = text.slice(0, at).split('\n');
  const column = Array.from(before.at(-1) ?? '').length + 1;
  const place = `line ${before.length}, column ${column}`;
  return at < text.length ? place : `it ends too early, at ${place}`;
}

const SPACE = /[ \t\r\n]*/y;
/** In quotes: any character from the space on except `"` and `\`, or an escape. */
const TEXT = /"(?:[ !#-[\]-\u{10FFFF}]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/uy;
const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** What may come next: a value, a name in an object, or what follows a complete value. */
type Wanted = 'value' | 'name' | 'more';

/** The index at which a text stops being JSON. Each version of Node describes that place differently. */
function mistakeAt(text: string): number {
  const closers: string[] = [];
  let at = 0;
  let wanted: Wanted = 'value';
  /** True directly after an opening bracket, where the closing one may follow as well. */
  let mayClose = false;

  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };
  const takeMark = (mark: string): boolean => {
    if (text[at] !== mark) return false;
    at += 1;
    return true;
  };

  for (;;) {
    take(SPACE);
    const closer = closers.at(-1);
    if (closer !== undefined && (mayClose || wanted === 'more') && takeMark(closer)) {
      closers.pop();
      wanted = 'more';
      mayClose = false;
    } else if (wanted === 'more') {
      if (closer === undefined || !takeMark(',')) return at;
      wanted = closer === '}' ? 'name' : 'value';
    } else if (wanted === 'name') {
      if (!take(TEXT)) return at;
      take(SPACE);
      if (!takeMark(':')) return at;
      wanted = 'value';
      mayClose = false;
    } else if (takeMark('{')) {
      closers.push('}');
      wanted = 'name';
      mayClose = true;
    } else if (takeMark('[')) {
      closers.push(']');
      mayClose = true;
    } else {
      if (!take(TEXT) && !take(SCALAR)) return at;
      wanted = 'more';
      mayClose = false;
    }
  }
}

/** The text of a file that holds one JSON object, as people and editors write it. */

/**
 * Throws a `SyntaxError` that says in which line and column the text goes wrong. It quotes nothing: the text
 * may hold a secret. A byte order mark, which some editors put there, is no fault.
 */
export function parseJsonObject(text: string): Record<string, unknown> {
  const bare = text.replace(/^\uFEFF/, '');
  let value: unknown;
  try {
    value = JSON.parse(bare);
  } catch {
    throw new SyntaxError(`it is not JSON: ${faultIn(bare)}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new SyntaxError('it is not a JSON object: line 1, column 1');
}

function faultIn(text: string): string {
  const at = faultAt(text);
  const before = text.slice(0, at).split('\n');
  const column = Array.from(before.at(-1) ?? '').length + 1;
  const place = `line ${before.length}, column ${column}`;
  return at < text.length ? place : `it ends too early, at ${place}`;
}

const SPACE = /[ \t\r\n]*/y;
/** In quotes: anything from the space on but `"` and `\`, or an escape. */
const TEXT = /"(?:[ !#-[\]-\u{10FFFF}]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/uy;
const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** What may come next: a value, a name in an object, or what follows a whole value. */
type Wanted = 'value' | 'name' | 'more';

/** Where a text stops to be JSON. The parser's own words about that differ from one Node to the next. */
function faultAt(text: string): number {
  const closers: string[] = [];
  let at = 0;
  let wanted: Wanted = 'value';
  /** Right after an opening bracket, where nothing but its end may stand as well. */
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

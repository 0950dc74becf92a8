/** Bounds on JSON that the hub reads. What is within them can be stored, and written out again. */
import { DESCRIPTION_BYTES_MAX } from '../../ports/workspaces.ts';
import { Refusal } from './refusal.ts';

/** Deeper than what any message needs, and far from the depth at which `JSON.stringify` fails (about 4,000). */
const JSON_DEPTH_MAX = 64;
/** Many more than a message has. A body of 1 MB can hold 500,000, which take long to parse. */
const JSON_VALUES_MAX = 20_000;

const QUOTE = '"'.charCodeAt(0);
const BACKSLASH = '\\'.charCodeAt(0);
const COMMA = ','.charCodeAt(0);
const OPEN_LIST = '['.charCodeAt(0);
const OPEN_OBJECT = '{'.charCodeAt(0);
const CLOSE_LIST = ']'.charCodeAt(0);
const CLOSE_OBJECT = '}'.charCodeAt(0);

/** What is too much in a JSON text, in words. It is judged before the text is parsed, which costs much more. */
export function beyondJsonBounds(json: string): string | undefined {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < json.length; at += 1) {
    switch (json.charCodeAt(at)) {
      case QUOTE:
        at = endOfText(json, at);
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        depth += 1;
        values += 1;
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        depth -= 1;
        break;
      case COMMA:
        values += 1;
    }
    if (depth > JSON_DEPTH_MAX) return `JSON is more than ${JSON_DEPTH_MAX} levels deep`;
    if (values > JSON_VALUES_MAX) return `JSON has more than ${JSON_VALUES_MAX} values`;
  }
  return undefined;
}

/** The index of the quote that ends a text. Without one, the end of all. */
function endOfText(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end !== -1; end = json.indexOf('"', end + 1)) {
    let first = end;
    while (json.charCodeAt(first - 1) === BACKSLASH) first -= 1;
    const isEscaped = (end - first) % 2 === 1;
    if (!isEscaped) return end;
  }
  return json.length;
}

/** Refuses an agent card, or metadata, that is too large. Others get them with every look at the list of peers. */
export function mustBeSmall(name: string, value: unknown): void {
  if (value === undefined || value === null) return;
  if (Buffer.byteLength(JSON.stringify(value)) <= DESCRIPTION_BYTES_MAX) return;
  throw new Refusal(413, `${name} is too large`, { max_bytes: DESCRIPTION_BYTES_MAX });
}

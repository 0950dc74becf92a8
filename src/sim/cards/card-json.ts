import { isJsonObject, type JsonObject } from '../world/json.ts';

/** Reads card JSON (1.0 and 2.0): its elements, limits and problems. */

/** Why the platform refuses a card. */
export interface CardProblem {
  readonly code: number;
  readonly msg: string;
}

/** Bytes of the JSON text. */
const CARD_BYTES_MAX = 30 * 1024;
/** Components and text elements together. */
const CARD_ELEMENTS_MAX = 200;
/** Table components and Markdown tables together. */
export const CARD_TABLES_MAX = 5;

/** Under these keys is data of the developer. It has no elements. */
const DATA_KEYS: ReadonlySet<string> = new Set(['config', 'behaviors', 'value', 'rows', 'data']);

export function configOf(card: JsonObject): JsonObject {
  return isJsonObject(card['config']) ? card['config'] : {};
}

/** Schema 2.0 has its elements in `body`. Every other card is read as 1.0. */
export function isSchema2(card: JsonObject): boolean {
  return card['schema'] === '2.0';
}

/** All components and text elements, in the order of the JSON. */
export function* elementsOf(value: unknown): Generator<JsonObject> {
  if (Array.isArray(value)) {
    for (const item of value) yield* elementsOf(item);
    return;
  }
  if (!isJsonObject(value)) return;
  if (typeof value['tag'] === 'string') yield value;
  for (const [key, child] of Object.entries(value)) {
    if (!DATA_KEYS.has(key)) yield* elementsOf(child);
  }
}

/** The problem of a card with the rules for all cards, in messages and entities; undefined if it has none. */
export function problemOf(card: JsonObject): CardProblem | undefined {
  const ids = new Set<string>();
  let elements = 0;
  for (const element of elementsOf(card)) {
    elements += 1;
    const id = element['element_id'];
    if (id === undefined) continue;
    if (typeof id !== 'string' || !/^[A-Za-z]\w{0,19}$/.test(id)) {
      return { code: 10002, msg: `invalid element_id ${JSON.stringify(id)}` };
    }
    if (ids.has(id)) {
      return { code: 300301, msg: `Duplicate element_id in card component: ${id}` };
    }
    ids.add(id);
  }
  if (elements > CARD_ELEMENTS_MAX) {
    return { code: 300305, msg: 'The number of card components exceeds 200' };
  }
  return undefined;
}

export function isOverSize(card: JsonObject): boolean {
  // Not by Node's Buffer: the page of the simulator loads this file too.
  return new TextEncoder().encode(JSON.stringify(card)).length > CARD_BYTES_MAX;
}

export function countTables(card: JsonObject): number {
  let tables = 0;
  for (const element of elementsOf(card)) {
    if (element['tag'] === 'table') tables += 1;
    if (element['tag'] === 'markdown' && typeof element['content'] === 'string') {
      tables += tablesInMarkdown(element['content']);
    }
  }
  return tables;
}

/** A table begins where a row of dashes follows a row of cells, but not in a code block. */
export function tablesInMarkdown(text: string): number {
  let tables = 0;
  /** What began the code block that the line is in. Only a fence of the same sign, as long or longer, ends it. */
  let fence: string | undefined;
  let previous = '';
  for (const line of text.split('\n')) {
    const found = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === undefined) fence = found;
    else if (found?.startsWith(fence) === true) fence = undefined;
    const isDashes = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/.test(line);
    if (fence === undefined && isDashes && line.includes('|') && previous.includes('|'))
      tables += 1;
    previous = line;
  }
  return tables;
}

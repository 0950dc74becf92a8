import { isSchema2, tablesInMarkdown, type CardProblem } from './card-json.ts';
import { isJsonObject, type JsonObject } from '../world/json.ts';

/**
 * The rules of schema 2.0 that the documents "Card JSON 2.0 structure", "Rich text", "Table", "Image" and
 * "Card JSON 2.0 release notes" state: which properties and tags there are, and what they may hold. Components that
 * have no row here are taken as they are.
 */

const CONTENT_CHARS_MAX = 100_000;
/** Of one `markdown` component. */
const MARKDOWN_TABLES_MAX = 4;
const TABLE_COLUMNS_MAX = 50;

/** A property that schema 2.0 does not know is an error; 1.0 leaves it out. */
const CARD_KEYS: ReadonlySet<string> = new Set(['schema', 'config', 'card_link', 'header', 'body']);
const LAYOUT_KEYS = ['tag', 'element_id', 'margin'];

/** What 1.0 had and 2.0 lacks. */
const GONE_TAGS: ReadonlySet<unknown> = new Set(['note', 'action']);

const KEYS: Readonly<Record<string, ReadonlySet<string>>> = {
  markdown: new Set([...LAYOUT_KEYS, 'content', 'text_size', 'text_align', 'icon', 'i18n_content']),
  hr: new Set(LAYOUT_KEYS),
  img: new Set([
    ...LAYOUT_KEYS,
    'img_key',
    'alt',
    'title',
    'corner_radius',
    'scale_type',
    'size',
    'transparent',
    'preview',
    'i18n_img_key',
  ]),
  table: new Set([
    ...LAYOUT_KEYS,
    'page_size',
    'row_height',
    'row_max_height',
    'freeze_first_column',
    'header_style',
    'columns',
    'rows',
  ]),
};

const DATA_TYPES: ReadonlySet<unknown> = new Set([
  'text',
  'lark_md',
  'options',
  'number',
  'persons',
  'date',
  'markdown',
]);

/** Whether an image was uploaded by the app that sends the card. */
export type ImageCheck = (key: string) => boolean;

/** The first rule that a card of schema 2.0 breaks; undefined if it breaks none, or is a card of 1.0. */
export function schemaProblem(card: JsonObject, isImage: ImageCheck): CardProblem | undefined {
  if (!isSchema2(card)) return undefined;
  const unknown = Object.keys(card).find((key) => !CARD_KEYS.has(key));
  if (unknown !== undefined) return badJson(`unknown property, property: ${unknown}`);
  const { body } = card;
  if (body === undefined) return undefined;
  if (!isJsonObject(body)) return badJson('body is not an object');
  const { elements } = body;
  if (elements !== undefined && !Array.isArray(elements)) return badJson('elements is not a list');
  return listProblem(elements ?? [], { isImage, isRoot: true });
}

interface Place {
  readonly isImage: ImageCheck;
  /** Whether it is directly in the body of the card. */
  readonly isRoot: boolean;
}

function listProblem(elements: readonly unknown[], place: Place): CardProblem | undefined {
  for (const element of elements) {
    const problem = isJsonObject(element)
      ? elementProblem(element, place)
      : badJson('an element is not an object');
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function elementProblem(element: JsonObject, { isImage, isRoot }: Place): CardProblem | undefined {
  const { tag } = element;
  if (typeof tag !== 'string') return badJson('an element has no tag');
  if (GONE_TAGS.has(tag)) {
    return {
      code: 200861,
      msg: `cards of schema V2 no longer support this capability; unsupported tag ${tag}`,
    };
  }
  const known = KEYS[tag];
  const unknown = known && Object.keys(element).find((key) => !known.has(key));
  if (unknown !== undefined) return badJson(`unknown property, property: ${unknown} of ${tag}`);
  switch (tag) {
    case 'markdown':
      return markdownProblem(element['content'], isImage);
    case 'img':
      return imageProblem(element, isImage);
    case 'table':
      return isRoot
        ? tableProblem(element, isImage)
        : badJson('a table is inside of another component');
    default:
      return childrenProblem(element, isImage);
  }
}

function childrenProblem(element: JsonObject, isImage: ImageCheck): CardProblem | undefined {
  const inside = [element['elements'], element['columns']].filter((list) => Array.isArray(list));
  return listProblem(inside.flat(), { isImage, isRoot: false });
}

function markdownProblem(content: unknown, isImage: ImageCheck): CardProblem | undefined {
  if (typeof content !== 'string') return badJson('content of markdown is not a text');
  if (content.length > CONTENT_CHARS_MAX) return badJson('content of markdown is too long');
  if (tablesInMarkdown(content) > MARKDOWN_TABLES_MAX) {
    return { code: 11310, msg: 'card table number over limit; ErrorValue: markdown' };
  }
  // In code nothing is an image.
  const text = content.replaceAll(/^(`{3,}|~{3,})[^\n]*\n[^]*?^\1`*[ \t]*$|`[^`\n]*`/gm, '');
  const wrong = [...text.matchAll(/!\[[^\]\n]*\]\(([^)\s]*)/g)].find(
    ([, key = '']) => !isImage(key),
  );
  return wrong === undefined ? undefined : badImage(wrong[1]);
}

function imageProblem(
  { img_key: key, alt }: JsonObject,
  isImage: ImageCheck,
): CardProblem | undefined {
  if (!isJsonObject(alt) || typeof alt['content'] !== 'string')
    return badJson('alt of img is missing');
  return typeof key === 'string' && isImage(key) ? undefined : badImage(key);
}

function tableProblem(table: JsonObject, isImage: ImageCheck): CardProblem | undefined {
  const { columns, rows = [], page_size: pageSize = 5, row_height: height = 'low' } = table;
  if (!Number.isInteger(pageSize) || Number(pageSize) < 1 || Number(pageSize) > 10) {
    return badJson('page_size of table is not 1 to 10');
  }
  if (!/^(?:low|middle|high|auto|\d{2,3}px)$/.test(String(height))) {
    return badJson('row_height of table is not valid');
  }
  if (!Array.isArray(columns) || !columns.every(isJsonObject))
    return badJson('columns of table are missing');
  if (columns.length > TABLE_COLUMNS_MAX) return badJson('table has more than 50 columns');
  const names = columns.map((column) => column['name']);
  if (
    new Set(names).size < names.length ||
    names.some((name) => typeof name !== 'string' || name === '')
  ) {
    return badJson('columns of table need names of their own');
  }
  if (columns.some((column) => !DATA_TYPES.has(column['data_type'] ?? 'text'))) {
    return badJson('data_type of a column is not valid');
  }
  if (!Array.isArray(rows) || !rows.every(isJsonObject))
    return badJson('rows of table are not objects');
  const markdown = columns.filter((column) => column['data_type'] === 'markdown');
  for (const row of rows) {
    for (const column of markdown) {
      const cell = row[String(column['name'])];
      const problem = typeof cell === 'string' ? markdownProblem(cell, isImage) : undefined;
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function badJson(why: string): CardProblem {
  return {
    code: 200621,
    msg: `parse card json err, please check whether the card json is correct: ${why}`,
  };
}

function badImage(key: unknown): CardProblem {
  return { code: 200570, msg: `card contains invalid image keys; ErrorValue: ${String(key)}` };
}

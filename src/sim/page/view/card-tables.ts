/** The components `table` and `chart` of a card. */
import { isJsonObject, type JsonObject } from '../../world/json.ts';
import { alignOf, contentOf, objectsIn, plain, textIn, textsIn, type Place } from './card-texts.ts';
import { parseMarkdown } from './markdown.ts';
import {
  text,
  textBlock,
  type Block,
  type Inline,
  type TableBlock,
  type TableCell,
} from './nodes.ts';

const PAGE_SIZE = 5;

export function tableBlock(node: JsonObject, place: Place): TableBlock {
  const columns = objectsIn(node['columns']);
  const pageSize = node['page_size'];
  return {
    kind: 'table',
    head: columns.map((column) => ({
      blocks: [textBlock(plain(textIn(column, 'display_name') || textIn(column, 'name')))],
      align: alignOf(column['horizontal_align']),
    })),
    rows: objectsIn(node['rows']).map((row) => columns.map((column) => cell(column, row, place))),
    pageSize: typeof pageSize === 'number' && pageSize > 0 ? pageSize : PAGE_SIZE,
  };
}

function cell(column: JsonObject, row: JsonObject, place: Place): TableCell {
  const value = row[textIn(column, 'name')];
  return { blocks: cellBlocks(column, value, place), align: alignOf(column['horizontal_align']) };
}

function cellBlocks(column: JsonObject, value: unknown, { nameOf }: Place): readonly Block[] {
  if (value === undefined || value === null) return [];
  const type = textIn(column, 'data_type');
  if (typeof value === 'string' && (type === 'markdown' || type === 'lark_md')) {
    return parseMarkdown(value, nameOf);
  }
  const mention = (id: string): Inline => ({ kind: 'mention', id, name: nameOf(id) ?? id });
  if (type === 'persons') {
    const ids = (Array.isArray(value) ? value : [value]).filter((id) => typeof id === 'string');
    return [textBlock(ids.flatMap((id) => [mention(id), text(' ')]))];
  }
  if (type === 'options' && Array.isArray(value)) {
    const tags = value.filter(isJsonObject).map((option): Inline => ({
      kind: 'tag',
      color: textIn(option, 'color') || 'neutral',
      text: textIn(option, 'text'),
    }));
    return [textBlock(tags.flatMap((tag) => [tag, text(' ')]))];
  }
  return [textBlock(plain(valueText(value, column)))];
}

function valueText(value: unknown, column: JsonObject): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'number') return JSON.stringify(value);
  if (column['data_type'] === 'date') return dayOf(value);
  const format = isJsonObject(column['format']) ? column['format'] : {};
  const { precision, symbol } = format;
  const isPrecise = typeof precision === 'number' && precision >= 0 && precision <= 20;
  const number = isPrecise ? value.toFixed(precision) : String(value);
  return typeof symbol === 'string' ? symbol + number : number;
}

function dayOf(atMs: number): string {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? String(atMs) : date.toISOString().slice(0, 10);
}

/** A chart is shown as the table of its values. */
export function chartBlock(node: JsonObject): Block {
  const spec = isJsonObject(node['chart_spec']) ? node['chart_spec'] : {};
  const sets = Array.isArray(spec['data']) ? spec['data'] : [spec['data']];
  const rows = sets.flatMap((set) => (isJsonObject(set) ? objectsIn(set['values']) : []));
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  if (names.length === 0) return { kind: 'other', tag: 'chart', texts: textsIn(node) };
  const title = isJsonObject(spec['title'])
    ? textIn(spec['title'], 'text')
    : contentOf(node['title']);
  const table: Block = {
    kind: 'table',
    head: names.map(chartCell),
    rows: rows.map((row) => names.map((name) => chartCell(row[name]))),
    pageSize: undefined,
  };
  return { kind: 'group', blocks: [...(title === '' ? [] : [textBlock([text(title)])]), table] };
}

function chartCell(value: unknown): TableCell {
  return {
    blocks: value === undefined ? [] : [textBlock(plain(valueText(value, {})))],
    align: typeof value === 'number' ? 'right' : 'left',
  };
}

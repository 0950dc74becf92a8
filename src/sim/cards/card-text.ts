import { configOf } from './card-json.ts';
import { isJsonObject, parseJsonObject, type JsonObject } from '../world/json.ts';

/** The keys of what is shown inside an element, in the order of the screen. */
const CHILD_KEYS = [
  'title',
  'subtitle',
  'text_tag_list',
  'header',
  'text',
  'fields',
  'columns',
  'elements',
  'actions',
  'extra',
] as const;

/** What a person reads in a card, one line for each piece. `card` is its JSON text (1.0 or 2.0). */
export function visibleText(card: string): string {
  const node = parseJsonObject(card);
  if (node === undefined) return '';
  const body = isJsonObject(node['body']) ? node['body']['elements'] : node['elements'];
  return [...lines(node['header']), ...lines(body ?? firstLocale(node['i18n_elements']))].join(
    '\n',
  );
}

/** What the list of chats shows for a card. While streaming is on it is "[Generating...]". */
export function previewText(card: string): string {
  const node = parseJsonObject(card);
  if (node === undefined) return '';
  const config = configOf(node);
  const summary = isJsonObject(config['summary']) ? config['summary']['content'] : undefined;
  if (typeof summary === 'string' && summary !== '') return summary;
  if (config['streaming_mode'] === true) return '[Generating...]';
  return visibleText(card).split('\n')[0] ?? '';
}

function lines(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(lines);
  return isJsonObject(value) ? nodeLines(value) : [];
}

function nodeLines(node: JsonObject): string[] {
  switch (node['tag']) {
    case 'plain_text':
    case 'lark_md':
    case 'markdown':
    case 'text_tag':
      return [decoded(contentOf(node['text']) || contentOf(node))].filter((text) => text !== '');
    case 'button':
      return [`[${contentOf(node['text'])}]`];
    case 'img':
      return [labelled('image', contentOf(node['alt']))];
    case 'hr':
      return ['---'];
    case 'table':
      return tableLines(node);
    case 'checker':
      return [`[${node['checked'] === true ? 'x' : ' '}] ${contentOf(node['text'])}`];
    case 'input':
      return [labelled('input', contentOf(node['label']) || contentOf(node['placeholder']))];
    case 'select_static':
    case 'multi_select_static':
    case 'select_person':
    case 'multi_select_person':
    case 'overflow':
    case 'date_picker':
    case 'picker_time':
    case 'picker_datetime':
      return [labelled('select', contentOf(node['placeholder']))];
    case 'chart':
    case 'audio':
    case 'person':
    case 'person_list':
    case 'img_combination':
      return [`[${node['tag']}]`];
    default:
      return CHILD_KEYS.flatMap((key) => lines(node[key]));
  }
}

/** Signs that stand as numbers, as the document of the rich text component asks, are read as signs. */
function decoded(text: string): string {
  return text.replaceAll(/&#(\d{1,6});/g, (_, code: string) => String.fromCodePoint(Number(code)));
}

function tableLines(node: JsonObject): string[] {
  const columns = (Array.isArray(node['columns']) ? node['columns'] : []).filter(isJsonObject);
  const rows = (Array.isArray(node['rows']) ? node['rows'] : []).filter(isJsonObject);
  const head = columns.map((column) => cellText(column['display_name'] ?? column['name']));
  const body = rows.map((row) => columns.map((column) => cellText(row[cellText(column['name'])])));
  return [head, ...body].map((cells) => cells.join(' | '));
}

function cellText(value: unknown): string {
  if (typeof value === 'string') return decoded(value);
  return value === undefined ? '' : JSON.stringify(value);
}

function contentOf(value: unknown): string {
  return isJsonObject(value) && typeof value['content'] === 'string' ? value['content'] : '';
}

function labelled(kind: string, label: string): string {
  return label === '' ? `[${kind}]` : `[${kind}: ${label}]`;
}

function firstLocale(value: unknown): unknown {
  return isJsonObject(value) ? Object.values(value)[0] : undefined;
}

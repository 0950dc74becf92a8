/** A card (JSON 1.0 and 2.0) as a tree of what it shows. Every text of it is in the tree. */
import { buttonsOf, pressablesOf } from '../../cards/card-buttons.ts';
import { isJsonObject, type JsonObject } from '../../world/json.ts';
import { buttonBlock, containerBlock } from './card-presses.ts';
import { fieldBlock, isField } from './card-fields.ts';
import { chartBlock, tableBlock } from './card-tables.ts';
import {
  blocksOfText,
  contentOf,
  listIn,
  objectsIn,
  textIn,
  textsIn,
  type Place,
} from './card-texts.ts';
import { parseInlines } from './inlines.ts';
import {
  text,
  textBlock,
  type Block,
  type CardHeader,
  type CardView,
  type Column,
} from './nodes.ts';
import type { NameOf } from './scan.ts';

/** Who may be named or chosen in a card. */
export interface CardPeople {
  readonly nameOf: NameOf;
  /** Those who can be chosen where a card lists nobody. */
  readonly members: readonly { readonly openId: string; readonly name: string }[];
}

/** Deeper components are shown by their texts. Lark refuses such cards. */
const DEPTH_MAX = 40;

export function cardView(card: JsonObject, people: CardPeople): CardView {
  const buttons = buttonsOf(card);
  const index = new Map(pressablesOf(card).map((node, at) => [node, buttons[at]]));
  const place: Place = {
    ...people,
    buttonOf: (node) => index.get(node),
    isInForm: false,
    depth: 0,
    path: '',
    draw: drawAll,
  };
  const config = isJsonObject(card['config']) ? card['config'] : {};
  const body = isJsonObject(card['body']) ? card['body']['elements'] : card['elements'];
  return {
    header: headerOf(card['header'] ?? firstOf(card['i18n_header']), people.nameOf),
    blocks: drawAll(body ?? firstOf(card['i18n_elements']), place),
    isStreaming: config['streaming_mode'] === true,
  };
}

function firstOf(value: unknown): unknown {
  return isJsonObject(value) ? Object.values(value)[0] : undefined;
}

function headerOf(header: unknown, nameOf: NameOf): CardHeader | undefined {
  if (!isJsonObject(header)) return undefined;
  const line = (value: unknown) =>
    typeof value === 'string' ? [text(value)] : parseInlines(contentOf(value), nameOf);
  const tags = objectsIn(header['text_tag_list'] ?? firstOf(header['i18n_text_tag_list']));
  return {
    title: line(header['title']),
    subtitle: line(header['subtitle']),
    tags: tags.map((tag) => ({
      kind: 'tag',
      color: textIn(tag, 'color') || 'neutral',
      text: contentOf(tag['text']) || contentOf(tag),
    })),
    color: textIn(header, 'template') || 'default',
  };
}

/** The components of a list, one below the other. */
function drawAll(elements: unknown, place: Place): readonly Block[] {
  const list = Array.isArray(elements) ? elements : [elements];
  return list.flatMap((element: unknown, at) =>
    isJsonObject(element)
      ? drawOne(element, { ...place, depth: place.depth + 1, path: `${place.path}.${at}` })
      : [],
  );
}

function drawOne(node: JsonObject, place: Place): readonly Block[] {
  const tag = textIn(node, 'tag');
  if (place.depth > DEPTH_MAX) return [{ kind: 'other', tag, texts: textsIn(node) }];
  if (isField(tag)) return [fieldBlock(node, place)];
  switch (tag) {
    case 'plain_text':
    case 'lark_md':
    case 'markdown':
    case 'text':
    case 'text_tag':
      return blocksOfText(node, place);
    case 'div':
      return divBlocks(node, place);
    case 'hr':
      return [{ kind: 'rule' }];
    case 'img':
      return [imageBlock(node)];
    case 'img_combination':
      return [
        { kind: 'columns', flow: true, columns: objectsIn(node['img_list']).map(imageColumn) },
      ];
    case 'column_set':
      return [columnsBlock(node, place)];
    case 'column':
      return place.draw(node['elements'], place);
    case 'form':
      return [{ kind: 'form', blocks: place.draw(node['elements'], { ...place, isInForm: true }) }];
    case 'note':
      return [{ kind: 'note', blocks: place.draw(node['elements'], place) }];
    case 'action':
      return [{ kind: 'columns', flow: true, columns: actionColumns(node, place) }];
    case 'button':
      return [buttonBlock(node, place)];
    case 'collapsible_panel':
      return [panelBlock(node, place)];
    case 'interactive_container':
      return [containerBlock(node, place)];
    case 'table':
      return [tableBlock(node, place)];
    case 'chart':
      return [chartBlock(node)];
    case 'person':
    case 'person_list':
      return [peopleBlock(node, place)];
    case 'audio':
      return [audioBlock(node)];
    default:
      return [{ kind: 'other', tag, texts: textsIn(node) }];
  }
}

function divBlocks(node: JsonObject, place: Place): readonly Block[] {
  const words = isJsonObject(node['text']) ? blocksOfText(node['text'], place) : [];
  const fields = objectsIn(node['fields']).map((field) => ({
    isShort: field['is_short'] === true,
    blocks: place.draw(field['text'], place),
  }));
  const main = [...words, ...fieldBlocks(fields)];
  if (!isJsonObject(node['extra'])) return main;
  const extra = place.draw(node['extra'], { ...place, path: `${place.path}.extra` });
  const columns = [
    { blocks: main, weight: 1 },
    { blocks: extra, weight: 0 },
  ];
  return [{ kind: 'columns', flow: false, columns }];
}

/** Short fields stand in two columns. */
function fieldBlocks(
  fields: readonly { readonly isShort: boolean; readonly blocks: readonly Block[] }[],
): readonly Block[] {
  const found: Block[] = [];
  let pair: Column[] = [];
  const endPair = () => {
    if (pair.length > 0) found.push({ kind: 'columns', flow: false, columns: pair });
    pair = [];
  };
  for (const { isShort, blocks } of fields) {
    if (isShort) pair.push({ blocks, weight: 1 });
    if (!isShort || pair.length === 2) endPair();
    if (!isShort) found.push(...blocks);
  }
  endPair();
  return found;
}

function imageBlock(node: JsonObject): Block {
  const alt = contentOf(node['alt']);
  return { kind: 'image', key: textIn(node, 'img_key'), alt, title: contentOf(node['title']) };
}

function imageColumn(node: JsonObject): Column {
  return { blocks: [imageBlock(node)], weight: 0 };
}

function columnsBlock(node: JsonObject, place: Place): Block {
  const columns = objectsIn(node['columns']).map((column, at) => ({
    blocks: place.draw(column['elements'], { ...place, path: `${place.path}.column${at}` }),
    weight: weightOf(column),
  }));
  return { kind: 'columns', flow: node['flex_mode'] === 'flow', columns };
}

function weightOf(column: JsonObject): number {
  const { width, weight } = column;
  if (width === 'weighted') return typeof weight === 'number' && weight > 0 ? weight : 1;
  return width === 'auto' || typeof width === 'string' ? 0 : 1;
}

function actionColumns(node: JsonObject, place: Place): readonly Column[] {
  return listIn(node['actions']).map((one, at) => ({
    blocks: place.draw(one, { ...place, path: `${place.path}.action${at}` }),
    weight: 0,
  }));
}

function panelBlock(node: JsonObject, place: Place): Block {
  const header = isJsonObject(node['header']) ? node['header'] : {};
  return {
    kind: 'panel',
    id: textIn(node, 'element_id') || place.path,
    title: isJsonObject(header['title']) ? blocksOfText(header['title'], place) : [],
    isOpen: node['expanded'] === true,
    blocks: place.draw(node['elements'], place),
  };
}

function peopleBlock(node: JsonObject, { nameOf }: Place): Block {
  const ids = [node['user_id'], ...objectsIn(node['persons']).map(({ id }) => id)];
  const mentions = ids.flatMap((id) =>
    typeof id === 'string' ? [{ kind: 'mention' as const, id, name: nameOf(id) ?? id }] : [],
  );
  return textBlock(
    mentions.flatMap((mention, at) => (at === 0 ? [mention] : [text(' '), mention])),
  );
}

function audioBlock(node: JsonObject): Block {
  const durationMs = Number(node['duration']);
  return {
    kind: 'attachment',
    what: 'audio',
    key: textIn(node, 'file_key'),
    imageKey: '',
    name: '',
    durationMs: Number.isFinite(durationMs) ? durationMs : undefined,
  };
}

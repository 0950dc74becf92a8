/**
 * Writes blocks in the Markdown of cards: CommonMark with some tags of Lark, of which none may come from an agent.
 * Signs that mean something are written as entities, as Lark's document for the rich text component asks.
 */
import { withoutMentions } from './mentions.ts';
import { fenceFor, languageOf, listPrefix, taskSign } from './signs.ts';
import type { Block, Inline, Table } from './markdown/tree.ts';

/** The text of a block, for a `markdown` element. Tables, rules and pictures are elements of their own. */
export function cardMarkdown(block: Block): string {
  switch (block.kind) {
    case 'paragraph':
      return inline(block.children);
    case 'heading':
      return `${'#'.repeat(block.level)} ${inline(block.children, 'heading')}`;
    case 'quote':
      return prefixed(block.children.map(cardMarkdown).join('\n\n'), '> ', '> ');
    case 'list':
      return block.items
        .map((item, at) => {
          const sign = listPrefix(block.start, at);
          const text = insideItem(item.children);
          return prefixed(
            `${taskSign(item.done)}${text}`,
            sign,
            ' '.repeat(Math.max(4, sign.length)),
          );
        })
        .join('\n');
    case 'code_block': {
      const fence = fenceFor(block.lines);
      return [
        `${fence}${languageOf(block.language)}`,
        ...block.lines.map(withoutMentions),
        fence,
      ].join('\n');
    }
    case 'table':
    case 'rule':
    case 'picture':
      return '';
  }
}

/** A paragraph needs an empty line before it. Without one it would go on with what stands there. */
function insideItem(children: readonly Block[]): string {
  return children
    .map((child, at) => `${at > 0 && child.kind === 'paragraph' ? '\n' : ''}${cardMarkdown(child)}`)
    .join('\n');
}

/** Text inside a cell of a table has one line. */
export function cellMarkdown(children: readonly Inline[]): string {
  return inline(children, 'cell').replaceAll('\n', ' ');
}

/** A table as Markdown writes it. Cards have an element of their own for it. */
export function tableMarkdown({ align, head, rows }: Table): string {
  const signs = { left: '---', center: ':-:', right: '--:' };
  return [
    tableLine(head.map(cellInTable)),
    tableLine(head.map((_, at) => signs[align[at] ?? 'left'])),
    ...rows.map((row) => tableLine(row.map(cellInTable))),
  ].join('\n');
}

function tableLine(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** A bar in code would end the cell. All others are entities. */
function cellInTable(children: readonly Inline[]): string {
  return cellMarkdown(children).replaceAll('|', '\\|');
}

type Place = 'paragraph' | 'heading' | 'cell';

function inline(children: readonly Inline[], place: Place = 'paragraph'): string {
  const text = joined(children.map((child, at) => node(child, { place, isFirst: at === 0 })));
  return place === 'heading' ? text.replaceAll('\n', ' ') : text;
}

interface At {
  readonly place: Place;
  /** Whether it begins a line. */
  readonly isFirst: boolean;
}

function node(child: Inline, { place, isFirst }: At): string {
  const inner = (children: readonly Inline[]) =>
    joined(children.map((one) => node(one, { place, isFirst: false })));
  switch (child.kind) {
    case 'text':
      return escaped(child.text, { place, isFirst });
    case 'strong':
      return around('**', inner(child.children));
    case 'emphasis':
      return around('*', inner(child.children));
    case 'strike':
      return around('~~', inner(child.children));
    case 'code':
      return codeSpan(child.text);
    case 'link':
      return `[${inner(child.children).replaceAll('\n', ' ')}](${child.address})`;
    case 'image':
      return `![${escaped(child.label, { place, isFirst: false })}](${child.key})`;
    case 'mention':
      return `<at id=${child.person.openId}></at>`;
    case 'break':
      return '<br>';
  }
}

/** Signs of two nodes that stand side by side would be read as one. What keeps them apart is not shown. */
function joined(texts: readonly string[]): string {
  return texts.reduce((before, text) => {
    const sign = before.at(-1);
    return sign !== undefined && '*~`'.includes(sign) && text.startsWith(sign)
      ? `${before}\u200B${text}`
      : `${before}${text}`;
  }, '');
}

/** Signs around nothing would be shown themselves. */
function around(sign: string, text: string): string {
  return text.trim() === '' ? text : `${sign}${text}${sign}`;
}

function codeSpan(text: string): string {
  const shown = withoutMentions(text);
  const longest = Math.max(0, ...(shown.match(/`+/g) ?? []).map(({ length }) => length));
  const sign = '`'.repeat(longest + 1);
  // One space on both sides is taken off again. It keeps apart what would be read together.
  const isPadded = /^`|`$|^ .* $/s.test(shown) && shown.trim() !== '';
  return isPadded ? `${sign} ${shown} ${sign}` : `${sign}${shown}${sign}`;
}

const ENTITY = (sign: string) => `&#${sign.codePointAt(0) ?? 0};`;
/** Signs that mean something wherever they stand. */
const ANYWHERE =
  /[`[\]~]|\*(?!(?<=\s\*)\s)|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|<(?=[A-Za-z/!?\u200B])|&(?=#?\w{1,32};)|\\(?=[!-/:-@[-`{-~\n]|$)|:(?=[A-Za-z]\w*:)|!(?=$)|\$(?=\$)/gu;
/** Signs that mean something at the beginning of a line: headings, quotes, lists, lines under a text. */
const LINE_START = /^([ \t]*)(?:([#>=|:])|([-+*])(?=\s|[-\s|:]*$)|(\d{1,9})([.)])(?=\s|$))/;

function escaped(text: string, { place, isFirst }: At): string {
  const lines = withoutMentions(text)
    .split('\n')
    .map((line, at) => {
      const signs = line.replaceAll(ANYWHERE, ENTITY);
      return at > 0 || isFirst ? lineStart(signs, line) : signs;
    });
  const result = lines.join('\n');
  if (place === 'cell') return result.replaceAll('|', '&#124;');
  return place === 'heading'
    ? result.replaceAll('#', (sign, at: number) => (result[at - 1] === '&' ? sign : '&#35;'))
    : result;
}

function lineStart(signs: string, line: string): string {
  const found = LINE_START.exec(line);
  if (found === null) return signs.replace(/^[ \t]+/, '');
  const [, space = '', sign, dash, number, dot] = found;
  const trimmed = signs.slice(space.length);
  if (sign !== undefined) return `${ENTITY(sign)}${trimmed.slice(1)}`;
  // A star is an entity already where it could begin a list.
  if (dash !== undefined)
    return trimmed.startsWith(dash) ? `${ENTITY(dash)}${trimmed.slice(1)}` : trimmed;
  if (number === undefined || dot === undefined) return trimmed;
  return `${number}${ENTITY(dot)}${trimmed.slice(number.length + 1)}`;
}

function prefixed(text: string, first: string, rest: string): string {
  return text
    .split('\n')
    .map((line, at) => {
      if (at === 0) return `${first}${line}`;
      return line === '' ? rest.trimEnd() : `${rest}${line}`;
    })
    .join('\n');
}

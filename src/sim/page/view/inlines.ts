/** Reads a line of Lark's Markdown. What is no markup stays as it is, so no word is ever lost. */
import { isKnownEmoji } from './emoji.ts';
import { text, type Inline, type InlineStyle } from './nodes.ts';
import { matchAt, nextOf, safeUrl, type Found, type NameOf, type Scan } from './scan.ts';
import { readTag } from './tags.ts';

/** Deeper markup than this is shown as it was written. Nobody writes it, and each level costs a call. */
const DEPTH_MAX = 12;

type Rule = (scan: Scan, at: number) => Found | undefined;

const RULES: Readonly<Record<string, Rule>> = {
  '\\': escaped,
  '&': entity,
  '`': code,
  '!': image,
  '[': link,
  '<': readTag,
  '*': emphasis,
  '~': emphasis,
  _: emphasis,
  ':': emoji,
  h: address,
  '\n': (_scan, at) => ({ inlines: [{ kind: 'break' }], end: at + 1 }),
};
const SPECIAL = /[\\&`![<*~_:h\n]/g;

export function parseInlines(source: string, nameOf: NameOf, depth = 0): readonly Inline[] {
  if (depth > DEPTH_MAX) return source === '' ? [] : [text(source)];
  const parse = (inside: string) => parseInlines(inside, nameOf, depth + 1);
  const scan: Scan = { source, nameOf, parse, unclosed: new Set() };
  const found: Inline[] = [];
  let words = '';
  let at = 0;
  while (at < source.length) {
    SPECIAL.lastIndex = at;
    const next = SPECIAL.exec(source)?.index ?? source.length;
    words += source.slice(at, next);
    at = next;
    const piece = RULES[source[at] ?? '']?.(scan, at);
    if (piece === undefined) {
      words += source[at] ?? '';
      at += 1;
      continue;
    }
    if (words !== '') found.push(text(words));
    words = '';
    found.push(...piece.inlines);
    at = piece.end;
  }
  if (words !== '') found.push(text(words));
  return found;
}

function escaped({ source }: Scan, at: number): Found | undefined {
  const next = source[at + 1] ?? '';
  return /[!-/:-@[-`{-~]/.test(next) ? { inlines: [text(next)], end: at + 2 } : undefined;
}

const NAMED_SIGNS: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u{A0}',
};
const ENTITY = /&(?:#(\d{1,6})|(amp|lt|gt|quot|apos|nbsp));/y;

function entity(scan: Scan, at: number): Found | undefined {
  const match = matchAt(ENTITY, scan, at);
  if (match === null) return undefined;
  const [whole, number, name = ''] = match;
  const sign = number === undefined ? NAMED_SIGNS[name] : String.fromCodePoint(Number(number));
  return { inlines: [text(sign ?? whole)], end: at + whole.length };
}

function code(scan: Scan, at: number): Found | undefined {
  const [fence = ''] = matchAt(/`+/y, scan, at) ?? [];
  const start = at + fence.length;
  const end = nextOf(scan, fence, start);
  if (end === undefined || end === start) return undefined;
  return {
    inlines: [{ kind: 'code', text: scan.source.slice(start, end) }],
    end: end + fence.length,
  };
}

const IMAGE = /!\[([^\]\n]{0,500})\]\(([^)\s]{1,500})\)/y;

function image(scan: Scan, at: number): Found | undefined {
  const match = matchAt(IMAGE, scan, at);
  if (match === null) return undefined;
  const [whole, alt = '', key = ''] = match;
  return { inlines: [{ kind: 'image', key, alt }], end: at + whole.length };
}

const LINK_END = /\]\(\s*<?([^)\s>]{0,2000})>?\s*\)/y;

function link(scan: Scan, at: number): Found | undefined {
  const close = nextOf(scan, '](', at);
  if (close === undefined) return undefined;
  const match = matchAt(LINK_END, scan, close);
  if (match === null) return undefined;
  const label = scan.source.slice(at + 1, close);
  if (label === '' || label.includes('\n\n')) return undefined;
  const href = safeUrl(match[1] ?? '');
  if (href === undefined) return undefined;
  return {
    inlines: [{ kind: 'link', href, inlines: scan.parse(label) }],
    end: close + match[0].length,
  };
}

const SIGNS: readonly { readonly sign: string; readonly styles: readonly InlineStyle[] }[] = [
  { sign: '***', styles: ['bold', 'italic'] },
  { sign: '**', styles: ['bold'] },
  { sign: '__', styles: ['bold'] },
  { sign: '~~', styles: ['strike'] },
  { sign: '*', styles: ['italic'] },
  { sign: '_', styles: ['italic'] },
];

function emphasis(scan: Scan, at: number): Found | undefined {
  const { source } = scan;
  const row = SIGNS.find(({ sign }) => source.startsWith(sign, at));
  if (row === undefined) return undefined;
  const { sign, styles } = row;
  const start = at + sign.length;
  const isInWord = sign.startsWith('_') && /[\p{L}\p{N}]/u.test(source[at - 1] ?? '');
  if (isInWord || !/\S/.test(source[start] ?? '')) return undefined;
  const end = closing(scan, sign, start);
  if (end === undefined) return undefined;
  let inlines = scan.parse(source.slice(start, end));
  for (const style of styles) inlines = [{ kind: 'styled', style, inlines }];
  return { inlines, end: end + sign.length };
}

/** The same sign again, after a word. */
function closing(scan: Scan, sign: string, start: number): number | undefined {
  const { source } = scan;
  let end = nextOf(scan, sign, start + 1);
  while (end !== undefined) {
    const after = source[end + sign.length] ?? '';
    const isInWord = sign.startsWith('_') && /[\p{L}\p{N}]/u.test(after);
    const isLonger = sign.length === 1 && (after === sign || source[end - 1] === sign);
    if (!isInWord && !isLonger && /\S/.test(source[end - 1] ?? '')) return end;
    end = nextOf(scan, sign, end + (isLonger && after === sign ? 2 : 1));
  }
  return undefined;
}

const EMOJI = /:([A-Za-z][A-Za-z0-9_]{1,30}):/y;

function emoji(scan: Scan, at: number): Found | undefined {
  const [whole = '', name = ''] = matchAt(EMOJI, scan, at) ?? [];
  if (!isKnownEmoji(name)) return undefined;
  return { inlines: [{ kind: 'emoji', name }], end: at + whole.length };
}

const ADDRESS = /https?:\/\/[^\s<>"'`)\]}*~，。；：！？、]{1,2000}/y;

function address(scan: Scan, at: number): Found | undefined {
  if (/[\p{L}\p{N}]/u.test(scan.source[at - 1] ?? '')) return undefined;
  const [found = ''] = matchAt(ADDRESS, scan, at) ?? [];
  const href = found.replace(/[.,;:!?]+$/, '');
  if (safeUrl(href) === undefined) return undefined;
  return { inlines: [{ kind: 'link', href, inlines: [text(href)] }], end: at + href.length };
}

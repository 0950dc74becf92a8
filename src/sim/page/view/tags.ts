/** The tags that Lark's Markdown knows: `<at>`, `<font>`, `<text_tag>`, `<a>`, `<link>`, `<person>`, `<br>`. Others are text. */
import { text, type Inline } from './nodes.ts';
import { plainLine } from './plain.ts';
import { matchAt, nextOf, safeUrl, type Found, type Scan } from './scan.ts';

const OPEN =
  /<(at|font|text_tag|number_tag|a|link|person|u|b|i|s|br|hr)((?:\s[^<>]{0,2000})?)\/?>/y;

type Attributes = Readonly<Record<string, string>>;

export function readTag(scan: Scan, at: number): Found | undefined {
  const match = matchAt(OPEN, scan, at);
  if (match === null) return undefined;
  const [whole, name = '', written = ''] = match;
  const start = at + whole.length;
  if (name === 'br' || name === 'hr') return { inlines: [{ kind: 'break' }], end: start };
  const attributes = attributesOf(written);
  const close = `</${name}>`;
  const end = whole.endsWith('/>') ? undefined : nextOf(scan, close, start);
  if (end === undefined) {
    // Some write `<at id=…>` without its end.
    const isMention = name === 'at' || name === 'person';
    return isMention ? { inlines: mentions(scan, attributes, ''), end: start } : undefined;
  }
  const inside = scan.source.slice(start, end);
  return { inlines: drawn(scan, { name, attributes, inside }), end: end + close.length };
}

interface Tag {
  readonly name: string;
  readonly attributes: Attributes;
  readonly inside: string;
}

function drawn(scan: Scan, { name, attributes, inside }: Tag): readonly Inline[] {
  const inlines = name === 'at' || name === 'person' ? [] : scan.parse(inside);
  switch (name) {
    case 'at':
    case 'person':
      return mentions(scan, attributes, inside);
    case 'font':
      return [{ kind: 'colored', color: attributes['color'] ?? 'grey', inlines }];
    case 'text_tag':
    case 'number_tag':
      return [{ kind: 'tag', color: attributes['color'] ?? 'neutral', text: plainLine(inlines) }];
    case 'u':
      return [{ kind: 'styled', style: 'underline', inlines }];
    case 'b':
      return [{ kind: 'styled', style: 'bold', inlines }];
    case 'i':
      return [{ kind: 'styled', style: 'italic', inlines }];
    case 's':
      return [{ kind: 'styled', style: 'strike', inlines }];
    default: {
      const href = safeUrl(attributes['href'] ?? attributes['url'] ?? '');
      return href === undefined ? inlines : [{ kind: 'link', href, inlines }];
    }
  }
}

/** `<at id=…>`, `<at ids=a,b>`, `<at email=…>`; `all` is everybody. */
function mentions(scan: Scan, attributes: Attributes, inside: string): readonly Inline[] {
  const given = attributes['ids'] ?? attributes['id'] ?? attributes['user_id'];
  const ids = (given ?? attributes['email'] ?? '').split(',').filter((id) => id !== '');
  if (ids.length === 0) return inside === '' ? [] : [text(inside)];
  return ids.map((id) => ({
    kind: 'mention',
    id,
    name: id === 'all' ? 'all' : (scan.nameOf(id) ?? (inside === '' ? id : inside)),
  }));
}

function attributesOf(written: string): Attributes {
  const found: Record<string, string> = {};
  for (const [, name = '', double, single, bare] of written.matchAll(
    /([\w-]{1,30})\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))/g,
  )) {
    found[name] = double ?? single ?? bare ?? '';
  }
  return found;
}

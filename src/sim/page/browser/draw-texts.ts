/** Draws lines of text. */
import { emojiSign } from '../view/emoji.ts';
import type { Inline, InlineStyle } from '../view/nodes.ts';
import { addressOf, make, outerLink } from './dom.ts';

/** Colours of Lark that the styles know. */
const COLORS: readonly string[] = [
  'blue',
  'wathet',
  'turquoise',
  'green',
  'lime',
  'yellow',
  'orange',
  'red',
  'carmine',
  'violet',
  'purple',
  'indigo',
  'grey',
  'neutral',
  'default',
];

const TAGS = {
  bold: 'strong',
  italic: 'em',
  strike: 's',
  underline: 'u',
} as const satisfies Record<InlineStyle, string>;

/** The name of a class for a colour; `grey` for one that the styles don't know. */
export function colorClass(color: string): string {
  return `color-${COLORS.includes(color) ? color : 'grey'}`;
}

/** `myId`: mentions of this person are marked. */
export function drawInlines(inlines: readonly Inline[], myId: string | undefined): Node[] {
  return inlines.map((inline) => drawInline(inline, myId));
}

function drawInline(inline: Inline, myId: string | undefined): Node {
  switch (inline.kind) {
    case 'text':
      return document.createTextNode(inline.text);
    case 'break':
      return make('br');
    case 'code':
      return make('code', { class: 'inline-code' }, inline.text);
    case 'styled':
      return make(TAGS[inline.style], {}, ...drawInlines(inline.inlines, myId));
    case 'colored': {
      const look = `colored ${colorClass(inline.color)}`;
      return make('span', { class: look }, ...drawInlines(inline.inlines, myId));
    }
    case 'link':
      return outerLink(inline.href, {}, ...drawInlines(inline.inlines, myId));
    case 'mention': {
      const isMe = inline.id === myId || inline.id === 'all';
      return make('span', { class: isMe ? 'mention of-me' : 'mention' }, `@${inline.name}`);
    }
    case 'emoji':
      return drawEmoji(inline.name);
    case 'tag':
      return make('span', { class: `tag ${colorClass(inline.color)}` }, inline.text);
    case 'image':
      return drawPicture(inline.key, inline.alt);
  }
}

export function drawEmoji(name: string): HTMLElement {
  const sign = emojiSign(name);
  return make('span', { class: 'emoji', label: name, title: name, role: 'img' }, sign);
}

/** A picture that opens large. */
export function drawPicture(key: string, alt: string): HTMLElement {
  const picture = make('img', { class: 'picture' });
  picture.src = addressOf(key);
  picture.alt = alt === '' ? 'Picture' : alt;
  picture.loading = 'lazy';
  return outerLink(addressOf(key), { class: 'picture-link' }, picture);
}

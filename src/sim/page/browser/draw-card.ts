/** Draws a card as Lark does: a coloured header, and what is in it below. */
import type { CardHeader, CardView } from '../view/nodes.ts';
import { make } from './dom.ts';
import { drawBlocks } from './draw-blocks.ts';
import { colorClass, drawInlines } from './draw-texts.ts';
import type { Drawing } from './drawing.ts';

export function drawCard({ header, blocks, isStreaming }: CardView, drawing: Drawing): HTMLElement {
  const body = make('div', { class: 'card-body' }, ...drawBlocks(blocks, drawing));
  const head = header === undefined ? undefined : drawHeader(header, drawing.myId);
  const card = make('div', { class: 'card', role: 'group', label: 'Card' }, head, body);
  if (isStreaming) {
    card.classList.add('streaming');
    card.setAttribute('aria-busy', 'true');
    card.append(make('div', { class: 'streaming-sign', role: 'status' }, 'Writing …'));
  }
  return card;
}

function drawHeader({ title, subtitle, tags, color }: CardHeader, myId: string | undefined) {
  const name = make('div', { class: 'card-title', role: 'heading' }, ...drawInlines(title, myId));
  name.setAttribute('aria-level', '3');
  const line = make('div', { class: 'card-title-line' }, name, ...drawInlines(tags, myId));
  const below =
    subtitle.length === 0
      ? undefined
      : make('div', { class: 'card-subtitle' }, ...drawInlines(subtitle, myId));
  return make('div', { class: `card-header ${colorClass(color)}` }, line, below);
}

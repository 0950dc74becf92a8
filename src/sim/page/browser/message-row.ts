/** Draws one message: who wrote it and when, what it shows, and what can be done with it. */
import { REACTIONS } from '../view/emoji.ts';
import { bodyOf, lineOf } from '../view/message.ts';
import type { FieldValue } from '../view/nodes.ts';
import { sourceOf } from '../view/rich-text-source.ts';
import type { MessageSeen, Person } from '../view/wire.ts';
import { choose, press, react, recall } from './actions.ts';
import { avatar, button, iconButton, make, timeOf } from './dom.ts';
import { drawBlocks } from './draw-blocks.ts';
import { drawCard } from './draw-card.ts';
import { drawEmoji } from './draw-texts.ts';
import type { Drawing } from './drawing.ts';
import { chooseFrom } from './notices.ts';
import type { Session } from './session.ts';

/** Bundles in bundles are drawn this deep. */
const BUNDLE_DEPTH_MAX = 4;

/** What of a message only this page knows. It outlives a new drawing. */
export interface RowMemory {
  readonly values: Map<string, FieldValue>;
  readonly panels: Map<string, boolean>;
}

export interface RowContext {
  readonly session: Session;
  readonly isInThreadPanel: boolean;
  readonly onReply: (message: MessageSeen) => void;
  readonly onEdit: (message: MessageSeen) => void;
  readonly onThread: (message: MessageSeen) => void;
  readonly onForward: (message: MessageSeen) => void;
}

interface Row {
  readonly message: MessageSeen;
  readonly memory: RowMemory;
  readonly context: RowContext;
  readonly redraw: () => void;
}

export function drawRow(row: Row): HTMLElement {
  const { message, context } = row;
  const { me } = context.session;
  const isOwn = message.from.kind === 'user' && message.from.id === me?.openId;
  const time = make('time', {}, timeOf(message.atMs));
  time.dateTime = new Date(message.atMs).toISOString();
  const label = `${message.from.name}, ${timeOf(message.atMs)}`;
  const article = make(
    'article',
    { class: isOwn ? 'message own' : 'message', label, data: { message: message.messageId } },
    avatar(message.from.name, message.from.kind === 'app'),
  );
  if (message.isRecalled) {
    const words = `${isOwn ? 'You' : message.from.name} recalled a message`;
    article.classList.add('recalled');
    article.append(make('p', { class: 'recall-line' }, words));
    return article;
  }
  const marks = [
    message.from.kind === 'app' ? make('span', { class: 'bot-mark' }, 'Bot') : undefined,
    message.isPinned ? make('span', { class: 'mark' }, 'Pinned') : undefined,
    message.isPrivate ? make('span', { class: 'mark' }, 'Only you can see this') : undefined,
  ];
  article.append(
    make(
      'div',
      { class: 'message-main' },
      make('div', { class: 'byline' }, make('span', {}, message.from.name), ...marks, time),
      drawQuote(row),
      drawBody(row, article),
      drawReactions(row),
      drawFooter(row, isOwn),
    ),
    drawTools(row, isOwn),
  );
  return article;
}

function drawBody(row: Row, article: HTMLElement): HTMLElement {
  const { message, context } = row;
  const body = bodyOf(message, context.session.people);
  const drawing = drawingOf(row);
  switch (body.kind) {
    case 'card':
      article.classList.add('with-card');
      return drawCard(body.card, drawing);
    case 'blocks': {
      const isPicture = body.blocks.length === 1 && body.blocks[0]?.kind === 'image';
      const look = isPicture ? 'bubble bare' : 'bubble';
      return make('div', { class: look }, ...drawBlocks(body.blocks, drawing));
    }
    case 'bundle':
      return drawBundle(body.parts, row, 1);
    case 'recalled':
      return make('div', {});
  }
}

function drawingOf({ message, memory, context, redraw }: Row): Drawing {
  const { me } = context.session;
  return {
    ...memory,
    myId: me?.openId,
    redraw,
    form: undefined,
    press: (pressed, formValues) => {
      if (me !== undefined) void press(message, me, { press: pressed, formValues });
    },
    choose: (field, value) => {
      if (me !== undefined) void choose(message, me, { field, value });
    },
  };
}

function drawBundle(parts: readonly MessageSeen[], row: Row, depth: number): HTMLElement {
  const { people } = row.context.session;
  const lines = parts.map((part) => {
    const name = make('span', { class: 'bundle-name' }, `${part.from.name}, ${timeOf(part.atMs)}`);
    const body = bodyOf(part, people);
    if (body.kind === 'bundle' && depth < BUNDLE_DEPTH_MAX) {
      return make('li', {}, name, drawBundle(body.parts, row, depth + 1));
    }
    if (body.kind !== 'blocks') return make('li', {}, name, make('p', {}, lineOf(part, people)));
    return make('li', {}, name, ...drawBlocks(body.blocks, drawingOf(row)));
  });
  const title = make('div', { class: 'bundle-title' }, `${parts.length} forwarded messages`);
  return make('div', { class: 'bundle' }, title, make('ul', {}, ...lines));
}

/** What it replies to, unless both are in one thread. */
function drawQuote({ message, context }: Row): HTMLElement | undefined {
  const { replyTo, isInThread } = message;
  if (replyTo === undefined || isInThread) return undefined;
  const quoted = context.session.messages.get(replyTo);
  const line =
    quoted === undefined
      ? 'An older message'
      : `${quoted.from.name}: ${lineOf(quoted, context.session.people)}`;
  return make('div', { class: 'quoted', role: 'note', label: 'In reply to' }, line);
}

function drawReactions({ message, context }: Row): HTMLElement | undefined {
  if (message.reactions.length === 0) return undefined;
  const { me } = context.session;
  const emojis = new Set(message.reactions.map(({ emoji }) => emoji));
  const chips = [...emojis].map((emoji) => {
    const reactions = message.reactions.filter((one) => one.emoji === emoji);
    const names = reactions.map(({ by }) => by.name).join(', ');
    const isMine = reactions.some(({ by }) => by.id === me?.openId);
    const chip = button('', {
      class: isMine ? 'reaction mine' : 'reaction',
      label: `${emoji}: ${names}`,
      data: { focus: `reaction ${emoji}` },
      onClick: () => void (me && react(message, me, emoji)),
    });
    chip.append(drawEmoji(emoji), make('span', {}, names));
    return chip;
  });
  return make('div', { class: 'reactions', role: 'group', label: 'Reactions' }, ...chips);
}

function drawFooter({ message, context }: Row, isOwn: boolean): HTMLElement | undefined {
  const { session, isInThreadPanel } = context;
  const parts: HTMLElement[] = [];
  const replies = isInThreadPanel ? 0 : repliesTo(session, message);
  if (message.threadId !== undefined && !isInThreadPanel) {
    const count = `${replies} ${replies === 1 ? 'reply' : 'replies'}`;
    const onClick = () => context.onThread(message);
    parts.push(button(count, { class: 'thread-link', label: `Open thread, ${count}`, onClick }));
  }
  if (message.isEdited) parts.push(make('span', { class: 'small' }, 'Edited'));
  const read = readLine(message, session.me, isOwn);
  if (read !== undefined) parts.push(make('span', { class: 'small read' }, read));
  return parts.length === 0 ? undefined : make('div', { class: 'footer' }, ...parts);
}

function repliesTo({ messages, order }: Session, { threadId }: MessageSeen): number {
  if (threadId === undefined) return 0;
  return order.filter((id) => {
    const one = messages.get(id);
    return one?.threadId === threadId && one.isInThread;
  }).length;
}

/** Who else has read it. */
function readLine(
  { from, readBy, readers }: MessageSeen,
  me: Person | undefined,
  isOwn: boolean,
): string | undefined {
  if (!isOwn && from.kind === 'user') return undefined;
  const others = readBy.filter((name) => name !== me?.name);
  if (others.length > 0) return `Read by ${others.join(', ')}`;
  return isOwn && readers > 0 ? 'Unread' : undefined;
}

function drawTools({ message, context }: Row, isOwn: boolean): HTMLElement {
  const { me } = context.session;
  const { isInThreadPanel, onReply, onThread, onForward, onEdit } = context;
  const tools = [
    iconButton('react', 'React', () => void (me && chooseReaction(message, me))),
    ...(isInThreadPanel
      ? []
      : [
          iconButton('reply', 'Reply', () => onReply(message)),
          iconButton('thread', 'Reply in thread', () => onThread(message)),
        ]),
    iconButton('forward', 'Forward', () => onForward(message)),
    ...(isOwn && canEdit(message) ? [iconButton('edit', 'Edit', () => onEdit(message))] : []),
    ...(isOwn ? [iconButton('recall', 'Recall', () => void (me && recall(message, me)))] : []),
  ];
  return make('div', { class: 'tools', role: 'toolbar', label: 'Message actions' }, ...tools);
}

/** A text, or a post that can be written on the page. */
function canEdit({ type, content = {} }: MessageSeen): boolean {
  return type === 'text' || (type === 'post' && sourceOf(content, []) !== undefined);
}

async function chooseReaction(message: MessageSeen, me: Person): Promise<void> {
  const emoji = await chooseFrom(
    'React',
    new Map(REACTIONS.map((name) => [name, name])),
    drawEmoji,
  );
  if (emoji !== undefined) await react(message, me, emoji);
}

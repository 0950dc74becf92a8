/** What a message of any type shows below the name of its author. */
import type { JsonObject } from '../../world/json.ts';
import { cardView, type CardPeople } from './card.ts';
import { listIn, objectsIn, textIn, textsIn } from './card-texts.ts';
import {
  text,
  textBlock,
  type AttachmentBlock,
  type Block,
  type CardView,
  type Inline,
} from './nodes.ts';
import { plainBlocks, plainCard } from './plain.ts';
import { postBlocks } from './post.ts';
import { safeUrl } from './scan.ts';
import type { MentionSeen, MessageSeen } from './wire.ts';

type Body =
  | { readonly kind: 'card'; readonly card: CardView }
  | { readonly kind: 'blocks'; readonly blocks: readonly Block[] }
  /** Messages that were forwarded together. */
  | { readonly kind: 'bundle'; readonly parts: readonly MessageSeen[] }
  | { readonly kind: 'recalled' };

/** What of a message says how it looks. */
type Written = Pick<MessageSeen, 'type' | 'content' | 'mentions' | 'files' | 'parts'>;

export function bodyOf(message: Written, people: CardPeople): Body {
  const { content, type, mentions } = message;
  if (content === undefined) return { kind: 'recalled' };
  switch (type) {
    case 'interactive':
      return { kind: 'card', card: cardView(content, people) };
    case 'merge_forward':
      return { kind: 'bundle', parts: message.parts };
    case 'text':
      return blocks([textBlock(withMentions(textIn(content, 'text'), mentions))]);
    case 'post': {
      const reader = {
        nameOf: people.nameOf,
        withMentions: (words: string) => withMentions(words, mentions),
      };
      return blocks(postBlocks(content, reader));
    }
    default:
      return blocks(otherBlocks(message, content, people));
  }
}

/** One line for a quote or a preview. */
export function lineOf(message: MessageSeen, people: CardPeople): string {
  const body = bodyOf(message, people);
  const words = wordsOf(body);
  return words.replaceAll(/\s+/g, ' ').trim().slice(0, 200) || `[${message.type}]`;
}

function wordsOf(body: Body): string {
  switch (body.kind) {
    case 'card':
      return plainCard(body.card);
    case 'blocks':
      return plainBlocks(body.blocks);
    case 'bundle':
      return `[${body.parts.length} forwarded messages]`;
    case 'recalled':
      return 'This message was recalled';
  }
}

function blocks(list: readonly Block[]): Body {
  return { kind: 'blocks', blocks: list };
}

const PIECE = /@_user_\d+|@_all|https?:\/\/[^\s<>"'`，。；：！？、]+|\n/g;

/** A plain text: placeholders become names, and addresses links. */
function withMentions(words: string, mentions: readonly MentionSeen[]): readonly Inline[] {
  const found: Inline[] = [];
  let at = 0;
  const upTo = (end: number) => {
    if (end > at) found.push(text(words.slice(at, end)));
  };
  for (const { 0: piece, index } of words.matchAll(PIECE)) {
    const [inline, length] = pieceOf(piece, mentions) ?? [];
    if (inline === undefined || length === undefined) continue;
    upTo(index);
    found.push(inline);
    at = index + length;
  }
  upTo(words.length);
  return found;
}

function pieceOf(
  piece: string,
  mentions: readonly MentionSeen[],
): readonly [Inline, number] | undefined {
  if (piece === '\n') return [{ kind: 'break' }, 1];
  if (piece === '@_all') return [{ kind: 'mention', id: 'all', name: 'all' }, piece.length];
  if (piece.startsWith('@')) {
    const mention = mentions.find(({ key }) => key === piece);
    if (mention === undefined) return undefined;
    return [{ kind: 'mention', id: mention.openId, name: mention.name }, piece.length];
  }
  const href = piece.replace(/[.,;:!?)\]}]+$/, '');
  if (safeUrl(href) === undefined) return undefined;
  return [{ kind: 'link', href, inlines: [text(href)] }, href.length];
}

const ATTACHMENTS: Readonly<Record<string, AttachmentBlock['what']>> = {
  file: 'file',
  folder: 'folder',
  audio: 'audio',
  media: 'video',
  sticker: 'sticker',
};

function otherBlocks(
  { type, files }: Written,
  content: JsonObject,
  people: CardPeople,
): readonly Block[] {
  const what = ATTACHMENTS[type];
  if (what !== undefined) {
    const key = textIn(content, 'file_key');
    const durationMs = Number(content['duration']);
    const name = textIn(content, 'file_name') || (files[key]?.name ?? '');
    return [
      {
        kind: 'attachment',
        what,
        key,
        imageKey: textIn(content, 'image_key'),
        name,
        durationMs: Number.isFinite(durationMs) ? durationMs : undefined,
      },
    ];
  }
  if (type === 'image') {
    return [{ kind: 'image', key: textIn(content, 'image_key'), alt: 'Picture', title: '' }];
  }
  const lines = noteLines(type, content, people);
  if (lines === undefined) return [{ kind: 'other', tag: type, texts: textsIn(content) }];
  return [{ kind: 'note', blocks: lines.map((line) => textBlock([text(line)])) }];
}

/** The rest is one thing with a few words. Undefined for types that nobody knows. */
function noteLines(
  type: string,
  content: JsonObject,
  { nameOf }: CardPeople,
): readonly string[] | undefined {
  switch (type) {
    case 'share_chat':
      return ['Group card', textIn(content, 'chat_id')];
    case 'share_user': {
      const id = textIn(content, 'user_id');
      return ['Contact card', nameOf(id) ?? id];
    }
    case 'location':
      return ['Location', textIn(content, 'name')];
    case 'todo':
      return ['Task', ...todoLines(content), dateLine(content['due_time'])];
    case 'vote':
      return ['Vote', textIn(content, 'topic'), ...listIn(content['options']).map(String)];
    case 'calendar':
    case 'general_calendar':
    case 'share_calendar_event':
      return ['Event', textIn(content, 'summary'), dateLine(content['start_time'])];
    case 'video_chat':
      return ['Video meeting', textIn(content, 'topic'), dateLine(content['start_time'])];
    case 'hongbao':
      return ['Red packet', textIn(content, 'text')];
    case 'system':
      return [systemLine(content)];
    default:
      return undefined;
  }
}

function todoLines(content: JsonObject): readonly string[] {
  const summary = content['summary'];
  const paragraphs =
    typeof summary === 'object' && summary !== null && 'content' in summary ? summary.content : [];
  return listIn(paragraphs).map((line) =>
    objectsIn(line)
      .map((piece) => textIn(piece, 'text'))
      .join(''),
  );
}

function dateLine(value: unknown): string {
  const date = new Date(Number(value));
  return Number.isNaN(date.getTime()) ? '' : date.toLocaleString();
}

/** `{from_user} started the group chat.` */
function systemLine(content: JsonObject): string {
  return textIn(content, 'template').replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
    const value = content[name];
    if (Array.isArray(value)) return value.map(String).join(', ');
    return typeof value === 'string' ? value : whole;
  });
}

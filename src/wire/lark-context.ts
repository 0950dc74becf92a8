/** Where a message came from, in the two forms that an agent gets: structured metadata, and a header line. */
import { BRANDS } from '../core/brand.ts';
import { LARK_ID_PATTERN } from '../core/ids.ts';
import type { ChatType, LarkContext } from '../core/message.ts';
import { withEscapes, withoutEscapes } from './header-escape.ts';
import { replyMark } from './reply-token.ts';

const TAG = '[lark-channel]';
const CHAT_TYPES: readonly ChatType[] = ['p2p', 'group'];

/** An agent uses it to say which question it answers. */
export interface ReplyToken {
  readonly token: string;
  /** The agent is asked to use the token, because its answers can't be told apart in another way. */
  readonly isAskedFor: boolean;
}

/**
 * The first line of a turn's text part, for agents that read no structured metadata. If both are there, the
 * metadata is right.
 * Form: `[lark-channel] brand=… chat_id=… chat_type=… sender_open_id=… message_id=… reply_token=…`.
 * A second line with the same tag may ask for something.
 */
export function headerLine(context: LarkContext, reply?: ReplyToken): string {
  return (
    `${TAG} brand=${context.brand} chat_id=${context.chatId} chat_type=${context.chatType}` +
    ` sender_open_id=${context.senderOpenId} message_id=${context.messageId}` +
    (reply === undefined ? '' : ` reply_token=${reply.token}`)
  );
}

function tokenRequestLine({ token }: ReplyToken): string {
  return `${TAG} Please begin your answer, and every further message about this one, with ${replyMark(token)}`;
}

/** The header line and the person's text. Lines of the text that look like a header are escaped. */
export function withHeader(context: LarkContext, text: string, reply?: ReplyToken): string {
  const lines = [
    headerLine(context, reply),
    ...(reply?.isAskedFor === true ? [tokenRequestLine(reply)] : []),
    withEscapes(text),
  ];
  return lines.join('\n');
}

/** The person's text, byte for byte, from what `withHeader` made. Any other text is returned unchanged. */
export function withoutHeader(text: string): string {
  if (!text.startsWith(`${TAG} `)) return text;
  const body = afterFirstLine(text);
  // Lines of a person's text never begin like this, because `withHeader` escapes them.
  const personText = body.startsWith(`${TAG} `) ? afterFirstLine(body) : body;
  return withoutEscapes(personText);
}

function afterFirstLine(text: string): string {
  const end = text.indexOf('\n');
  return end < 0 ? '' : text.slice(end + 1);
}

/** The structured metadata of a turn that comes from Lark. */
export function larkMetadata(context: LarkContext): Readonly<Record<string, string>> {
  return {
    source: 'lark',
    brand: context.brand,
    chat_id: context.chatId,
    chat_type: context.chatType,
    sender_open_id: context.senderOpenId,
    message_id: context.messageId,
    ...(context.threadId === undefined ? {} : { thread_id: context.threadId }),
    ...(context.parentId === undefined ? {} : { parent_id: context.parentId }),
  };
}

/** Under these names a sender that is no bridge gives what it says about Lark. */
const CLAIMED = 'claimed_';
const NAMES = [
  'source',
  'brand',
  'chat_id',
  'chat_type',
  'sender_open_id',
  'message_id',
  'thread_id',
  'parent_id',
] as const;
/** What was said before goes with them, and is read only with them. */
const RENAMED = [...NAMES, 'quoted', 'thread'] as const;

type Metadata = Readonly<Record<string, unknown>>;

/** Metadata of a sender that is no bridge. Whatever it says about Lark gets the names of a claim. */
export function withClaimedNames(metadata: Metadata): Metadata {
  if (!claimsLark(metadata)) return metadata;
  const others = Object.entries(metadata).filter(([name]) => !isOneOf(RENAMED, unclaimed(name)));
  const claims = RENAMED.flatMap((name) => {
    const value = metadata[name] ?? metadata[CLAIMED + name];
    return value === undefined ? [] : [[CLAIMED + name, value] as const];
  });
  return Object.fromEntries([...others, ...claims]);
}

const unclaimed = (name: string) => (name.startsWith(CLAIMED) ? name.slice(CLAIMED.length) : name);

/** True also for a part of a context: a reader may look at one field only. Ids of other systems have other forms. */
export function claimsLark(metadata: Metadata): boolean {
  return NAMES.some((name) => {
    const value = metadata[name];
    if (typeof value !== 'string') return name === 'sender_open_id' && value !== undefined;
    const said = value.trim().toLowerCase();
    return name === 'sender_open_id' || isOneOf(BRANDS, said) || /^(?:oc|ou|om|omt)_/.test(said);
  });
}

/** What `withClaimedNames` renamed, if it makes a whole context. */
export function claimedContextOf(metadata: Metadata | undefined): LarkContext | undefined {
  return contextIn((name) => metadata?.[CLAIMED + name]);
}

/**
 * Reads what `larkMetadata` wrote. `undefined` if the metadata does not say that the message comes from Lark, or if
 * an id has a form that Lark never gives.
 */
export function larkContextOf(metadata: Metadata | undefined): LarkContext | undefined {
  return contextIn((name) => metadata?.[name]);
}

function contextIn(valueOf: (name: (typeof NAMES)[number]) => unknown): LarkContext | undefined {
  const text = (name: (typeof NAMES)[number]) => {
    const value = valueOf(name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const brand = text('brand');
  const chatId = text('chat_id');
  const chatType = text('chat_type');
  const senderOpenId = text('sender_open_id');
  const messageId = text('message_id');
  if (chatId === undefined || senderOpenId === undefined || messageId === undefined) {
    return undefined;
  }
  const threadId = text('thread_id');
  const parentId = text('parent_id');
  const ids = [chatId, senderOpenId, messageId, threadId ?? chatId, parentId ?? chatId];
  if (!ids.every((id) => LARK_ID_PATTERN.test(id))) return undefined;
  if (!isOneOf(BRANDS, brand) || !isOneOf(CHAT_TYPES, chatType)) return undefined;
  return {
    brand,
    chatId,
    chatType,
    senderOpenId,
    messageId,
    ...(threadId === undefined ? {} : { threadId }),
    ...(parentId === undefined ? {} : { parentId }),
  };
}

function isOneOf<T extends string>(known: readonly T[], value: string | undefined): value is T {
  return known.some((one) => one === value);
}

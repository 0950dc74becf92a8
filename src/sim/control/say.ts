import type { Cloud } from '../cloud.ts';
import { publishEdit, publishMessage } from '../socket/events.ts';
import { isJsonObject, parseJsonObject, type JsonObject } from '../world/json.ts';
import { MENTION_ALL_KEY, MentionList } from '../api/mentions.ts';
import { Misuse } from '../world/misuse.ts';
import type { Sender, SimApp, SimChat, SimMessage, SimUser } from '../world/model.ts';
import { receivedPost } from '../api/post.ts';
import { sampleContent } from './sample-content.ts';

export interface NewMessage {
  readonly chat: SimChat;
  readonly from: SimUser | SimApp;
  /** `{0}`, `{1}`, … stand for the mentions. Mentions without a placeholder are put at the start. */
  readonly text?: string | undefined;
  readonly mentions?: readonly (SimUser | SimApp | 'all')[] | undefined;
  readonly replyTo?: SimMessage | undefined;
  /** Opens a thread under `replyTo`. A reply to a message in a thread is always in that thread. */
  readonly inThread?: boolean | undefined;
  /** By default `text`. */
  readonly messageType?: string | undefined;
  /** Content of other types, as in events. In a post, `at` may have ids. By default a sample, for types that have one. */
  readonly content?: JsonObject | string | undefined;
  /** The forwarded bundle that this message is part of. */
  readonly partOf?: SimMessage | undefined;
  /** When it was written, in milliseconds since 1970; by default now. */
  readonly atMs?: number | undefined;
  /** True: no app gets an event. The message is in the chat as if it had always been there. */
  readonly silent?: boolean | undefined;
}

/** New content for a message, as in `NewMessage`. */
type MessageEdit = Pick<NewMessage, 'text' | 'mentions' | 'messageType' | 'content'>;

/** The message types that people can edit. */
const EDITABLE: ReadonlySet<string> = new Set(['text', 'post']);

/** A person (or another bot) writes a message. Every app that may see it gets an event. */
export function say(cloud: Cloud, options: NewMessage): SimMessage {
  const { chat, from, replyTo } = options;
  const sender: Sender =
    'appId' in from ? { kind: 'app', appId: from.appId } : { kind: 'user', openId: from.openId };
  if (chat.dissolved) throw new Misuse(`the chat ${chat.chatId} is dissolved`);
  if (!cloud.world.isIn(chat, sender)) throw new Misuse(`${from.name} is not in ${chat.chatId}`);
  if (replyTo !== undefined && replyTo.chatId !== chat.chatId) {
    throw new Misuse(`${replyTo.messageId} is in another chat`);
  }
  if (options.inThread === true && replyTo === undefined) {
    throw new Misuse('inThread needs the message to reply to: replyTo is missing');
  }
  requirePossibleTime(cloud, options);
  const mentions = new MentionList(cloud.world);
  const keys = keysOf(options, mentions);
  const msgType = options.messageType ?? 'text';
  const sample = sampleOf(cloud, options, msgType);
  const content = contentOf({ ...options, content: sample }, { msgType, keys, mentions });
  const message = cloud.world.post({
    chat,
    sender,
    msgType,
    content: JSON.stringify(content),
    mentions: mentions.all,
    replyTo,
    inThread: options.inThread === true,
    upperMessageId: options.partOf?.messageId,
    atMs: options.atMs,
  });
  // Apps get an event for a bundle, but none for its parts.
  if (options.partOf === undefined && options.silent !== true) publishMessage(cloud, message);
  cloud.changes.notify();
  return message;
}

/** A person forwards messages as one bundle. Apps get the event for the bundle after its parts are there. */
export function forward(
  cloud: Cloud,
  bundle: {
    readonly chat: SimChat;
    readonly from: SimUser;
    readonly messages: readonly SimMessage[];
  },
): SimMessage {
  const { chat, from, messages } = bundle;
  const recalled = messages.find((message) => message.recalled);
  if (recalled !== undefined) throw new Misuse(`${recalled.messageId} is recalled`);
  if (messages.length === 0) throw new Misuse('messages is empty: there is nothing to forward');
  const bundleMessage = say(cloud, {
    chat,
    from,
    messageType: 'merge_forward',
    content: { content: 'Merged and Forwarded Message' },
    silent: true,
  });
  for (const message of messages) copyInto(cloud, chat, { message, bundle: bundleMessage });
  publishMessage(cloud, bundleMessage);
  cloud.changes.notify();
  return bundleMessage;
}

/** A part keeps its author and its time. A bundle in a bundle has its own parts. */
function copyInto(
  cloud: Cloud,
  chat: SimChat,
  { message, bundle }: { readonly message: SimMessage; readonly bundle: SimMessage },
): void {
  const { sender, msgType, content, mentions, createdAtMs: atMs } = message;
  const upperMessageId = bundle.messageId;
  const others = cloud.world.chats.get(message.chatId)?.messages ?? [];
  const parts = others.filter((part) => part.upperMessageId === message.messageId);
  const copy = cloud.world.post({ chat, sender, msgType, content, mentions, upperMessageId, atMs });
  for (const part of parts) copyInto(cloud, chat, { message: part, bundle: copy });
}

/**
 * A person edits a message. Apps see the new text when they read the message. Lark documents no event for it, but
 * published bots handle `im.message.updated_v1`, so an app that subscribes to that gets it.
 */
export function editMessage(cloud: Cloud, message: SimMessage, edit: MessageEdit): void {
  const { sender, recalled, messageId } = message;
  if (sender.kind !== 'user') throw new Misuse(`${messageId} was written by an app`);
  if (recalled) throw new Misuse(`${messageId} is recalled`);
  const msgType = edit.messageType ?? message.msgType;
  if (!EDITABLE.has(message.msgType) || !EDITABLE.has(msgType)) {
    throw new Misuse('only messages of type text and post can be edited');
  }
  const mentions = new MentionList(cloud.world);
  const keys = keysOf(edit, mentions);
  const content = JSON.stringify(contentOf(edit, { msgType, keys, mentions }));
  cloud.world.edit(message, { msgType, content, mentions: mentions.all });
  publishEdit(cloud, message);
  cloud.changes.notify();
}

function requirePossibleTime(cloud: Cloud, { atMs, replyTo }: NewMessage): void {
  if (atMs === undefined) return;
  if (atMs > cloud.clock.nowMs()) throw new Misuse('atMs is in the future');
  if (replyTo !== undefined && atMs < replyTo.createdAtMs) {
    throw new Misuse(`atMs is before ${replyTo.messageId} was written`);
  }
}

function keysOf({ mentions = [] }: MessageEdit, list: MentionList): string[] {
  return mentions.map((who) => (who === 'all' ? MENTION_ALL_KEY : list.add(who)));
}

interface Form {
  readonly msgType: string;
  readonly keys: readonly string[];
  readonly mentions: MentionList;
}

function sampleOf(cloud: Cloud, { chat, from, content }: NewMessage, msgType: string) {
  return content ?? sampleContent(msgType, { cloud, chat, from });
}

function contentOf(options: MessageEdit, { msgType, keys, mentions }: Form): unknown {
  const content =
    typeof options.content === 'string' ? parseJsonObject(options.content) : options.content;
  if (content === undefined) {
    if (msgType !== 'text') throw new Misuse(`a message of type ${msgType} needs content`);
    return { text: withKeys(options.text ?? '', keys) };
  }
  if (!isJsonObject(content)) throw new Misuse('content is not a JSON object');
  if (msgType !== 'post') return content;
  const post = receivedPost({ zh_cn: content }, mentions);
  if (typeof post === 'string') throw new Misuse(post);
  return post;
}

function withKeys(text: string, keys: readonly string[]): string {
  const unplaced = keys.filter((_key, at) => !text.includes(`{${at}}`));
  const replaced = text.replaceAll(
    /\{(\d+)\}/g,
    (placeholder, digits: string) => keys[Number(digits)] ?? placeholder,
  );
  // Lark puts a space after a mention. What the person typed stays as it is.
  return [...unplaced.map((key) => `${key} `), replaced].join('');
}

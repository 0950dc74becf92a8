import type { Cloud } from '../cloud.ts';
import { publishMessage } from '../socket/events.ts';
import { isJsonObject, parseJsonObject, type JsonObject } from '../world/json.ts';
import { MENTION_ALL_KEY, MentionList } from '../api/mentions.ts';
import { Misuse } from '../world/misuse.ts';
import type { Sender, SimApp, SimChat, SimMessage, SimUser } from '../world/model.ts';
import { receivedPost } from '../api/post.ts';

export interface Saying {
  readonly chat: SimChat;
  readonly from: SimUser | SimApp;
  /** `{0}`, `{1}`, … stand for the mentions; those without a mark come first. */
  readonly text?: string | undefined;
  readonly mentions?: readonly (SimUser | SimApp | 'all')[] | undefined;
  readonly replyTo?: SimMessage | undefined;
  /** Opens a thread under `replyTo`. Replies to what is in a thread stay there anyway. */
  readonly inThread?: boolean | undefined;
  /** `text` unless told. */
  readonly messageType?: string | undefined;
  /** Content of other types, as events carry it; in a post, `at` may name ids. */
  readonly content?: JsonObject | string | undefined;
  /** The bundle that this message was forwarded in. */
  readonly partOf?: SimMessage | undefined;
  /** When it was written, in milliseconds since 1970; now unless told. */
  readonly atMs?: number | undefined;
  /** True: no app is told. The chat has it, as if it had been there before. */
  readonly silent?: boolean | undefined;
}

/** How a person changes a message; `text` or `content`, as in `Saying`. */
export type Rewording = Pick<Saying, 'text' | 'mentions' | 'messageType' | 'content'>;

/** What people can edit. */
const EDITABLE: ReadonlySet<string> = new Set(['text', 'post']);

/** A person (or another bot) writes a message; every app that may see it is told. */
export function say(cloud: Cloud, saying: Saying): SimMessage {
  const { chat, from, replyTo } = saying;
  const sender: Sender =
    'appId' in from ? { kind: 'app', appId: from.appId } : { kind: 'user', openId: from.openId };
  if (chat.dissolved) throw new Misuse(`the chat ${chat.chatId} is dissolved`);
  if (!cloud.world.isIn(chat, sender)) throw new Misuse(`${from.name} is not in ${chat.chatId}`);
  if (replyTo !== undefined && replyTo.chatId !== chat.chatId) {
    throw new Misuse(`${replyTo.messageId} is in another chat`);
  }
  if (saying.inThread === true && replyTo === undefined) {
    throw new Misuse('a thread opens under a message: replyTo is missing');
  }
  judgeTime(cloud, saying);
  const mentions = new MentionList(cloud.world);
  const keys = keysOf(saying, mentions);
  const msgType = saying.messageType ?? 'text';
  const content = contentOf(saying, { msgType, keys, mentions });
  const message = cloud.world.post({
    chat,
    sender,
    msgType,
    content: JSON.stringify(content),
    mentions: mentions.all,
    replyTo,
    inThread: saying.inThread === true,
    upperMessageId: saying.partOf?.messageId,
    atMs: saying.atMs,
  });
  // Parts of a bundle come with the bundle, not by themselves.
  if (saying.partOf === undefined && saying.silent !== true) publishMessage(cloud, message);
  cloud.changes.ring();
  return message;
}

/** A person forwards messages as one bundle; apps are told about the bundle when its parts are there. */
export function forward(
  cloud: Cloud,
  bundle: {
    readonly chat: SimChat;
    readonly from: SimUser;
    readonly messages: readonly SimMessage[];
  },
): SimMessage {
  const { chat, from, messages } = bundle;
  const gone = messages.find((message) => message.recalled);
  if (gone !== undefined) throw new Misuse(`${gone.messageId} is recalled`);
  if (messages.length === 0) throw new Misuse('there is nothing to forward');
  const whole = say(cloud, {
    chat,
    from,
    messageType: 'merge_forward',
    content: { content: 'Merged and Forwarded Message' },
    silent: true,
  });
  for (const { sender, msgType, content, mentions } of messages) {
    const upperMessageId = whole.messageId;
    cloud.world.post({ chat, sender, msgType, content, mentions, upperMessageId });
  }
  publishMessage(cloud, whole);
  cloud.changes.ring();
  return whole;
}

/** A person edits what a person wrote. Lark tells apps nothing about it: they see it when they read. */
export function reword(cloud: Cloud, message: SimMessage, words: Rewording): void {
  const { sender, recalled, messageId } = message;
  if (sender.kind !== 'user') throw new Misuse(`${messageId} was written by an app`);
  if (recalled) throw new Misuse(`${messageId} is recalled`);
  const msgType = words.messageType ?? message.msgType;
  if (!EDITABLE.has(message.msgType) || !EDITABLE.has(msgType)) {
    throw new Misuse('only messages of type text and post can be edited');
  }
  const mentions = new MentionList(cloud.world);
  const keys = keysOf(words, mentions);
  const content = JSON.stringify(contentOf(words, { msgType, keys, mentions }));
  cloud.world.edit(message, { msgType, content, mentions: mentions.all });
  cloud.changes.ring();
}

function judgeTime(cloud: Cloud, { atMs, replyTo }: Saying): void {
  if (atMs === undefined) return;
  if (atMs > cloud.clock.nowMs()) throw new Misuse('atMs is in the future');
  if (replyTo !== undefined && atMs < replyTo.createdAtMs) {
    throw new Misuse(`atMs is before ${replyTo.messageId} was written`);
  }
}

function keysOf({ mentions = [] }: Rewording, list: MentionList): string[] {
  return mentions.map((who) => (who === 'all' ? MENTION_ALL_KEY : list.add(who)));
}

interface Form {
  readonly msgType: string;
  readonly keys: readonly string[];
  readonly mentions: MentionList;
}

function contentOf(saying: Rewording, { msgType, keys, mentions }: Form): unknown {
  const content =
    typeof saying.content === 'string' ? parseJsonObject(saying.content) : saying.content;
  if (content === undefined) {
    if (msgType !== 'text') throw new Misuse(`a message of type ${msgType} needs content`);
    return { text: withKeys(saying.text ?? '', keys) };
  }
  if (!isJsonObject(content)) throw new Misuse('content is not a JSON object');
  if (msgType !== 'post') return content;
  const post = receivedPost({ zh_cn: content }, mentions);
  if (typeof post === 'string') throw new Misuse(post);
  return post;
}

function withKeys(text: string, keys: readonly string[]): string {
  const unmarked = keys.filter((_key, at) => !text.includes(`{${at}}`));
  const marked = text.replaceAll(
    /\{(\d+)\}/g,
    (mark, digits: string) => keys[Number(digits)] ?? mark,
  );
  // What the person typed stays as it is; Lark puts a space behind a mention.
  return [...unmarked.map((key) => `${key} `), marked].join('');
}

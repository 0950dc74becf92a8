import type { Cloud } from '../cloud.ts';
import { publishMessage } from '../socket/events.ts';
import { isJsonObject, parseJsonObject, type JsonObject } from './json.ts';
import { MENTION_ALL_KEY, MentionList } from '../api/mentions.ts';
import { Misuse } from './misuse.ts';
import type { Sender, SimApp, SimChat, SimMessage, SimUser } from './model.ts';
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
}

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
  const mentions = new MentionList(cloud.world);
  const keys = (saying.mentions ?? []).map((who) =>
    who === 'all' ? MENTION_ALL_KEY : mentions.add(who),
  );
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
  });
  // Parts of a bundle come with the bundle, not by themselves.
  if (saying.partOf === undefined) publishMessage(cloud, message);
  cloud.changes.ring();
  return message;
}

interface Form {
  readonly msgType: string;
  readonly keys: readonly string[];
  readonly mentions: MentionList;
}

function contentOf(saying: Saying, { msgType, keys, mentions }: Form): unknown {
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

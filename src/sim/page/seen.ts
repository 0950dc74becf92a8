/** What one person sees of the world, as the page gets it. */
import { textOf } from '../api/message-object.ts';
import { previewText } from '../cards/card-text.ts';
import type { Cloud } from '../cloud.ts';
import { isJsonObject, parseJsonObject } from '../world/json.ts';
import type { Sender, SimChat, SimMessage, SimUser } from '../world/model.ts';
import type { World } from '../world/world.ts';
import type { Author, ChatSummary, FileSeen, MessageSeen, WorldSeen } from './view/wire.ts';

/** Of a preview in the list of chats. */
const PREVIEW_CHARS_MAX = 120;

/** The page shows no number above 99, and a chat can be long. */
const UNREAD_LOOKED_AT = 1_000;

/** The person of the page: the one who was asked for, or else the first of the world. */
export function personOf(world: World, openId: string | null): SimUser | undefined {
  const [first] = world.users.values();
  return world.users.get(openId ?? '') ?? first;
}

export function worldSeen(cloud: Cloud, me: SimUser | undefined): WorldSeen {
  const { world, connections } = cloud;
  const chats = [...world.chats.values()].filter((chat) => me && chat.members.has(me.openId));
  return {
    me: me && personSeen(me),
    people: [...world.users.values()].map(personSeen),
    bots: [...world.apps.values()].map((app) => ({
      appId: app.appId,
      openId: app.botOpenId,
      name: app.name,
      isOnline: connections.of(app.appId).some(({ ready }) => ready),
      directChatId: chats.find(({ mode, bots }) => mode === 'p2p' && bots.has(app.appId))?.chatId,
    })),
    chats: me === undefined ? [] : summaries(world, chats, me),
  };
}

function summaries(world: World, chats: readonly SimChat[], me: SimUser): readonly ChatSummary[] {
  return chats
    .map((chat) => summaryOf(world, chat, me))
    .toSorted((one, other) => other.atMs - one.atMs);
}

function summaryOf(world: World, chat: SimChat, me: SimUser): ChatSummary {
  const isShown = (message: SimMessage) =>
    canSee(message, me) && message.upperMessageId === undefined;
  const last = chat.messages.findLast(isShown);
  const unread = chat.messages
    .slice(-UNREAD_LOOKED_AT)
    .filter(
      (message) =>
        isShown(message) &&
        !message.recalled &&
        !isBy(message.sender, me) &&
        !message.readAtMs.has(me.openId),
    );
  return {
    chatId: chat.chatId,
    title: titleOf(world, chat),
    mode: chat.mode,
    members: [...chat.members].flatMap((openId) => world.users.get(openId) ?? []).map(personSeen),
    bots: [...chat.bots],
    isDissolved: chat.dissolved,
    unread: unread.length,
    preview: last === undefined ? '' : previewOf(world, chat, last),
    atMs: last?.createdAtMs ?? chat.createdAtMs,
  };
}

function titleOf(world: World, chat: SimChat): string {
  if (chat.mode !== 'p2p') return chat.name;
  return [...chat.bots].map((appId) => world.apps.get(appId)?.name ?? appId).join(', ');
}

function previewOf(world: World, chat: SimChat, message: SimMessage): string {
  const name = chat.mode === 'p2p' ? '' : `${world.nameOf(message.sender)}: `;
  return (name + previewWords(world, message)).slice(0, PREVIEW_CHARS_MAX);
}

const PREVIEWS: Readonly<Record<string, string>> = {
  image: '[Picture]',
  audio: '[Voice message]',
  media: '[Video]',
  sticker: '[Sticker]',
  merge_forward: '[Forwarded messages]',
};

function previewWords(world: World, message: SimMessage): string {
  if (message.recalled) return '[recalled]';
  if (message.msgType === 'interactive') return previewText(world.cardOf(message));
  return PREVIEWS[message.msgType] ?? textOf(world, message).split('\n')[0] ?? '';
}

/** The chat as the person sees it, oldest first: the last `count` messages, and the beginnings of their threads. */
export function shownIn(
  world: World,
  chat: SimChat,
  { me, count }: { readonly me: SimUser; readonly count: number },
): { readonly messages: readonly SimMessage[]; readonly hasOlder: boolean } {
  const all = chat.messages.filter(
    (message) => canSee(message, me) && message.upperMessageId === undefined,
  );
  const newest = all.slice(-count);
  const wanted = new Set(newest.flatMap(({ messageId, threadId }) => [messageId, threadId ?? '']));
  const isRoot = ({ messageId, threadId }: SimMessage) =>
    wanted.has(threadId ?? '') && world.threads.get(threadId ?? '')?.rootId === messageId;
  const older = all.slice(0, -count).filter(isRoot);
  return { messages: [...older, ...newest], hasOlder: all.length > count };
}

export function messageSeen(world: World, message: SimMessage, me: SimUser): MessageSeen {
  const { messageId, msgType, recalled, mentions, threadId } = message;
  const json = msgType === 'interactive' ? world.cardOf(message) : message.content;
  const content = recalled ? undefined : (parseJsonObject(json) ?? {});
  const members = [...(world.chats.get(message.chatId)?.members ?? [])];
  const readers = members.filter((openId) => !isBy(message.sender, { openId }));
  return {
    messageId,
    from: authorOf(world, message.sender),
    type: msgType,
    content,
    mentions: mentions.map(({ key, openId, name }) => ({ key, openId, name })),
    replyTo: message.parentId,
    threadId,
    isInThread: threadId !== undefined && world.threads.get(threadId)?.rootId !== messageId,
    reactions: [...message.reactions.values()].map(({ reactionId, emoji, by }) => ({
      reactionId,
      emoji,
      by: authorOf(world, by),
    })),
    isRecalled: recalled,
    isEdited: message.edits > 0 && msgType !== 'interactive',
    isPinned: message.pin !== undefined,
    isPrivate: message.visibleTo !== undefined,
    atMs: message.createdAtMs,
    readBy: readers
      .filter((openId) => message.readAtMs.has(openId))
      .map((openId) => world.users.get(openId)?.name ?? openId),
    readers: readers.length,
    files: filesIn(world, content),
    parts: partsOf(world, message, me),
  };
}

/** Changes whenever the message looks different. It costs less than the message itself. */
export function stateOf(world: World, message: SimMessage): string {
  const { updatedAtMs, edits, recalled, reactions, readAtMs, threadId, pin, cardId } = message;
  const entity = cardId === undefined ? undefined : world.cards.get(cardId);
  const members = world.chats.get(message.chatId)?.members.size;
  const marks = [updatedAtMs, edits, recalled, threadId, pin?.atMs, entity?.sequence, members];
  return [...marks, ...reactions.keys(), ...readAtMs.keys()].join(' ');
}

function partsOf(world: World, message: SimMessage, me: SimUser): readonly MessageSeen[] {
  if (message.msgType !== 'merge_forward' || message.recalled) return [];
  const parts = world.chats
    .get(message.chatId)
    ?.messages.filter(({ upperMessageId }) => upperMessageId === message.messageId);
  return (parts ?? []).map((part) => messageSeen(world, part, me));
}

const FILE_KEYS: ReadonlySet<string> = new Set(['image_key', 'file_key']);

function filesIn(world: World, content: unknown): Readonly<Record<string, FileSeen>> {
  const found: Record<string, FileSeen> = {};
  const search = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(search);
    if (!isJsonObject(value)) return;
    for (const [name, child] of Object.entries(value)) {
      const upload =
        FILE_KEYS.has(name) && typeof child === 'string' ? world.uploads.get(child) : undefined;
      if (upload === undefined) search(child);
      else found[upload.key] = { name: upload.fileName, bytes: upload.bytes.length };
    }
  };
  search(content);
  return found;
}

function authorOf(world: World, sender: Sender): Author {
  const id = sender.kind === 'user' ? sender.openId : sender.appId;
  return { kind: sender.kind, id, name: world.nameOf(sender) };
}

function canSee({ visibleTo }: SimMessage, me: SimUser): boolean {
  return visibleTo === undefined || visibleTo === me.openId;
}

function isBy(sender: Sender, { openId }: { readonly openId: string }): boolean {
  return sender.kind === 'user' && sender.openId === openId;
}

function personSeen({ openId, name }: SimUser) {
  return { openId, name };
}

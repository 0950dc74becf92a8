import { command, type ControlCommand } from './command.ts';
import {
  anything,
  flag,
  listOf,
  withNote,
  numberIn,
  object,
  oneOf,
  optional,
  text,
  texts,
} from './fields.ts';
import { PRESS_CODES } from './press.ts';
import { Misuse } from '../world/misuse.ts';
import {
  HISTORY_SHAPE,
  MESSAGE_SHAPE,
  sayAtTime,
  CONTENT_SHAPE,
  writeHistory,
} from './world-plan.ts';

/** What people do in chats. */
export const CHAT_COMMANDS: readonly ControlCommand[] = [
  command({
    method: 'POST',
    path: '/say',
    fields: { chat: text, ...MESSAGE_SHAPE, silent: optional(flag) },
    answer: 'messageId, chatId, threadId',
    doc: 'a person writes a message; {0} in the text stands for the first mention, "all" mentions everybody; some types have a sample as content; `atMs` or `agoMs` put it in the past; `silent`: no app gets an event',
    run: (lark, { chat, ...message }) => {
      const { messageId, chatId, threadId } = sayAtTime(lark, chat, message);
      return { messageId, chatId, threadId };
    },
  }),
  command({
    method: 'POST',
    path: '/history',
    fields: { chat: text, messages: listOf(HISTORY_SHAPE) },
    answer: 'messageIds',
    doc: 'puts messages into a chat as if they had always been there: no app gets an event',
    run: (lark, { chat, messages }) => ({
      messageIds: writeHistory(lark, lark.findChat(chat), messages),
    }),
  }),
  command({
    method: 'POST',
    path: '/uploads',
    fields: {
      from: text,
      kind: oneOf(['image', 'file']),
      base64: text,
      fileName: optional(text),
      fileType: optional(withNote(text, 'opus, mp4, pdf, doc, xls, ppt, stream')),
      contentType: optional(text),
    },
    bytesField: 'base64',
    answer: 'key, kind, fileName, contentType, bytes',
    doc: 'a person attaches bytes: as base64, or as the body itself with the other fields in the query; the key goes into the content of a message',
    run: (lark, { from, base64, ...upload }) => {
      if (!isBase64(base64)) throw new Misuse('base64 is not base64');
      const bytes = Buffer.from(base64, 'base64');
      const owner = { kind: 'user', openId: lark.findUser(from).openId } as const;
      const { key, kind, fileName, contentType } = lark.addUpload({ ...upload, owner, bytes });
      return { key, kind, fileName, contentType, bytes: bytes.length };
    },
  }),
  command({
    method: 'POST',
    path: '/forward',
    fields: { chat: text, from: text, messages: texts },
    answer: 'messageId',
    doc: 'a person forwards messages, given by their ids, as one bundle (`merge_forward`)',
    run: (lark, bundle) => ({ messageId: lark.forward(bundle).messageId }),
  }),
  command({
    method: 'POST',
    path: '/edit',
    fields: { messageId: text, ...CONTENT_SHAPE },
    answer: 'messageId, edits',
    doc: 'the author edits a text or a post; only apps that subscribe to `im.message.updated_v1` get an event',
    run: (lark, { messageId, ...content }) => ({
      messageId,
      edits: lark.edit(messageId, content).edits,
    }),
  }),
  command({
    method: 'POST',
    path: '/press',
    fields: {
      messageId: text,
      from: text,
      label: optional(text),
      index: optional(numberIn({ min: 0, max: 1_000 })),
      value: optional(anything),
      formValues: optional(object),
      action: optional(withNote(object, 'tag, name, option, … of a select or picker')),
    },
    answer: 'ok, with toast and card, or the code that the person sees and its reason',
    doc: 'a person presses a button that is in the card, given by its label, index or value; answers after the app has answered',
    run: async (lark, { messageId, from, ...choice }) => {
      const outcome = await lark.pressOnCard(messageId, from, choice);
      return outcome.ok ? outcome : { ...outcome, reason: PRESS_CODES[outcome.code] };
    },
  }),
  command({
    method: 'POST',
    path: '/recall',
    fields: { messageId: text, by: optional(text) },
    answer: '',
    doc: 'recalls a message; by default as its author',
    run: (lark, { messageId, by }) => lark.recall(messageId, by),
  }),
  command({
    method: 'POST',
    path: '/react',
    fields: { messageId: text, from: text, emoji: text },
    answer: 'reactionId',
    doc: 'a person adds a reaction',
    run: (lark, reaction) => ({ reactionId: lark.react(reaction).reactionId }),
  }),
  command({
    method: 'POST',
    path: '/unreact',
    fields: { messageId: text, reactionId: text },
    answer: '',
    doc: 'removes a reaction',
    run: (lark, { messageId, reactionId }) => {
      const reaction = lark.findMessage(messageId).reactions.get(reactionId);
      if (reaction === undefined) {
        throw new Misuse(`${messageId} has no reaction ${JSON.stringify(reactionId)}`);
      }
      lark.unreact(messageId, reaction);
    },
  }),
  command({
    method: 'POST',
    path: '/read',
    fields: { messageId: text, by: text },
    answer: '',
    doc: 'a person reads a chat up to a message; the bots that sent the messages get an event',
    run: (lark, { messageId, by }) => lark.read(messageId, by),
  }),
  command({
    method: 'POST',
    path: '/menu',
    fields: { app: text, from: text, eventKey: text },
    answer: '',
    doc: "a person selects an entry of the bot's menu",
    run: (lark, { app, from, eventKey }) => lark.chooseMenu(app, from, eventKey),
  }),
  command({
    method: 'POST',
    path: '/open-direct-chat',
    fields: { user: text, app: text },
    answer: 'chatId',
    doc: 'a person opens the direct chat with the bot',
    run: (lark, { user, app }) => ({ chatId: lark.openDirectChat(user, app).chatId }),
  }),
];

function isBase64(value: string): boolean {
  return /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.replace(/=+$/, '').length % 4 !== 1;
}

import { WaitedInVain } from '../world/changes.ts';
import type { ControlCommand } from './control.ts';
import type { ControlFields } from './control-fields.ts';
import type { LarkCloud, Shown } from '../lark-cloud.ts';
import { Misuse } from '../world/misuse.ts';

const WAIT_MS = 10_000;

/** What people do, and what they see. */
export const CHAT_COMMANDS: readonly ControlCommand[] = [
  {
    method: 'POST',
    path: '/say',
    fields: 'chat, from, text?, mentions?, replyTo?, inThread?, messageType?, content?',
    answer: 'messageId, chatId, threadId',
    doc: 'a person writes; {0} in the text stands for the first mention, "all" mentions everybody',
    run: (lark, fields) => {
      const message = lark.say({
        chat: fields.text('chat'),
        from: fields.text('from'),
        text: fields.textOrNone('text'),
        mentions: fields.texts('mentions'),
        replyTo: fields.textOrNone('replyTo'),
        inThread: fields.flag('inThread'),
        messageType: fields.textOrNone('messageType'),
        content: fields.objectOrNone('content'),
      });
      const { messageId, chatId, threadId } = message;
      return { messageId, chatId, threadId };
    },
  },
  {
    method: 'POST',
    path: '/press',
    fields: 'messageId, from, value?, action?',
    answer: 'ok, and toast and card, or the code that the person sees',
    doc: 'a person presses a button; answers when the app has',
    run: (lark, fields) => {
      const value = fields.objectOrNone('value');
      const action = fields.objectOrNone('action');
      return lark.pressButton({
        messageId: fields.text('messageId'),
        from: fields.text('from'),
        ...(value && { value }),
        ...(action && { action }),
      });
    },
  },
  {
    method: 'POST',
    path: '/recall',
    fields: 'messageId, by?',
    answer: '',
    doc: 'recalls a message; by its author unless told',
    run: (lark, fields) => lark.recall(fields.text('messageId'), fields.textOrNone('by')),
  },
  {
    method: 'POST',
    path: '/react',
    fields: 'messageId, from, emoji',
    answer: 'reactionId',
    doc: 'a person adds a reaction',
    run: (lark, fields) => {
      const { reactionId } = lark.react({
        messageId: fields.text('messageId'),
        from: fields.text('from'),
        emoji: fields.text('emoji'),
      });
      return { reactionId };
    },
  },
  {
    method: 'POST',
    path: '/menu',
    fields: 'app, from, eventKey',
    answer: '',
    doc: "a person chooses an entry of the bot's menu",
    run: (lark, fields) =>
      lark.chooseMenu(fields.text('app'), fields.text('from'), fields.text('eventKey')),
  },
  {
    method: 'POST',
    path: '/open-direct-chat',
    fields: 'user, app',
    answer: 'chatId',
    doc: 'a person opens the direct chat with the bot',
    run: (lark, fields) => {
      const { chatId } = lark.openDirectChat(fields.text('user'), fields.text('app'));
      return { chatId };
    },
  },
  {
    method: 'GET',
    path: '/shows',
    fields: 'chat, last?',
    answer: 'messages',
    doc: 'the chat as people see it, oldest first',
    run: (lark, fields) => {
      const last = fields.numberOrNone('last');
      return { messages: lark.shows(fields.text('chat'), last === undefined ? {} : { last }) };
    },
  },
  {
    method: 'GET',
    path: '/wait',
    fields: 'chat, from? (user:NAME, app:ID), containing?, replyTo?, count?, timeoutMs?',
    answer: 'messages',
    doc: 'answers as soon as the chat shows that many fitting messages, one unless told',
    run: waitForMessages,
  },
];

async function waitForMessages(lark: LarkCloud, fields: ControlFields): Promise<unknown> {
  const chat = fields.text('chat');
  const count = fields.numberOrNone('count') ?? 1;
  const from = fields.textOrNone('from');
  const replyTo = fields.textOrNone('replyTo');
  const containing = fields.textOrNone('containing') ?? '';
  const timeoutMs = fields.numberOrNone('timeoutMs') ?? WAIT_MS;
  const fits = (shown: Shown) =>
    (from === undefined || shown.from === from) &&
    (replyTo === undefined || shown.replyTo === replyTo) &&
    shown.text.includes(containing);
  const find = () => lark.shows(chat).filter(fits);
  const messages = await lark
    .waitFor(() => (find().length >= count ? find() : undefined), timeoutMs)
    .catch((error: unknown) => {
      if (!(error instanceof WaitedInVain)) throw error;
      throw new Misuse(`after ${timeoutMs} ms the chat shows ${find().length} of ${count}`);
    });
  return { messages };
}

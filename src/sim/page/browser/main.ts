/** The page: chats on the left, the open chat, and a thread on the right. */
import type { MessageSeen } from '../view/wire.ts';
import { ChatHead } from './chat-head.ts';
import { Composer } from './composer.ts';
import { control } from './control.ts';
import { button, iconButton, make } from './dom.ts';
import type { RowContext } from './message-row.ts';
import { chooseFrom } from './notices.ts';
import { Session } from './session.ts';
import { Sidebar } from './sidebar.ts';
import { Timeline } from './timeline.ts';

let threadId: string | undefined;
/** The message whose thread is open. Before the first reply it has no thread yet. */
let rootId: string | undefined;

const session = new Session({
  onWorld: () => {
    sidebar.show();
    head.show();
    composer.element.hidden = session.chat === undefined || session.chat.isDissolved;
    markRead();
  },
  onMessages: (changed, isOther) => {
    if (isOther) {
      main.clear();
      composer.reset();
      closeThread();
    }
    showAll(changed);
    markRead();
  },
  onConnection: (isOpen) => head.connected(isOpen),
});

const sidebar = new Sidebar(session);
const head = new ChatHead(session);
const list = make('div', { class: 'messages', role: 'log', label: 'Messages' });
const threadList = make('div', { class: 'messages', role: 'log', label: 'Messages of the thread' });
const empty = make('p', { class: 'empty' });
list.append(empty);
const older = button('Older messages', { class: 'plain', onClick: () => session.showOlder() });
older.hidden = true;
const composer = new Composer({
  session,
  names: { box: 'Message', send: 'Send' },
  threadRoot: () => undefined,
});
const threadComposer = new Composer({
  session,
  names: { box: 'Reply in thread', send: 'Send reply' },
  threadRoot: () => session.messages.get(rootId ?? ''),
});
const context = (isInThreadPanel: boolean, box: Composer): RowContext => ({
  session,
  isInThreadPanel,
  onReply: (message) => box.reply(message),
  onEdit: (message) => box.edit(message),
  onThread: openThread,
  onForward: (message) => void forward(message),
});
const main = new Timeline(list, context(false, composer));
const thread = new Timeline(threadList, context(true, threadComposer));
const panel = make(
  'aside',
  { class: 'thread', label: 'Thread' },
  make(
    'header',
    { class: 'chat-head' },
    make('h1', {}, 'Thread'),
    iconButton('close', 'Close thread', closeThread),
  ),
  threadList,
  threadComposer.element,
);
panel.hidden = true;

document
  .querySelector('#page')
  ?.append(
    sidebar.element,
    make('main', { class: 'chat-panel' }, head.element, older, list, composer.element),
    panel,
  );
document.addEventListener('visibilitychange', markRead);
session.start();

function showAll(changed: readonly string[]): void {
  const all = session.order.flatMap((id) => session.messages.get(id) ?? []);
  const redrawn = new Set([...changed, ...rootsOf(changed)]);
  older.hidden = !session.hasOlder;
  empty.hidden = !session.isLoaded || all.length > 0;
  empty.textContent = emptyWords(session);
  main.show(
    all.filter(({ isInThread }) => !isInThread),
    redrawn,
  );
  threadId ??= session.messages.get(rootId ?? '')?.threadId;
  if (rootId === undefined) return;
  const inThread = all.filter(
    (message) =>
      message.messageId === rootId || (threadId !== undefined && message.threadId === threadId),
  );
  thread.show(inThread, new Set(changed));
}

/** What stands in a chat without messages. */
function emptyWords({ chat, world }: Session): string {
  const [bot] = world.bots.filter(({ appId }) => chat?.bots.includes(appId));
  const name = bot?.name ?? '';
  if (bot === undefined) return 'There are no messages yet.';
  if (chat?.mode === 'p2p') return `There are no messages yet. Write to ${name}.`;
  return `There are no messages yet. To ask the bot, write @${name}.`;
}

/** The beginning of a thread shows how many replies it has, and a reply what it replies to. */
function rootsOf(changed: readonly string[]): readonly string[] {
  const ids = new Set(changed);
  const threads = new Set(changed.flatMap((id) => session.messages.get(id)?.threadId ?? []));
  return [...session.messages.values()]
    .filter((message) => threads.has(message.threadId ?? '') || ids.has(message.replyTo ?? ''))
    .map(({ messageId }) => messageId);
}

function openThread(message: MessageSeen): void {
  rootId = message.messageId;
  threadId = message.threadId;
  thread.clear();
  panel.hidden = false;
  showAll([]);
  threadComposer.focus();
}

function closeThread(): void {
  rootId = undefined;
  threadId = undefined;
  panel.hidden = true;
  thread.clear();
  threadComposer.reset();
}

/** Who looks at a chat has read it. */
function markRead(): void {
  const { chat, me, order } = session;
  const last = order.at(-1);
  if (chat === undefined || chat.unread === 0 || me === undefined || last === undefined) return;
  if (document.visibilityState !== 'visible') return;
  void control('POST', '/read', { messageId: last, by: me.openId });
}

async function forward({ messageId }: MessageSeen): Promise<void> {
  const { me, world } = session;
  const choices = new Map(world.chats.map(({ chatId, title }) => [chatId, title]));
  const chat = await chooseFrom('Forward to', choices);
  if (chat === undefined || me === undefined) return;
  await control('POST', '/forward', { chat, from: me.openId, messages: [messageId] });
}

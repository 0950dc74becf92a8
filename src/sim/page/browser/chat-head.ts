/** The line above the messages: the name of the chat, who is in it, and the bot's state. */
import type { ChatSummary, WorldSeen } from '../view/wire.ts';
import { control } from './control.ts';
import { button, make } from './dom.ts';
import { askFor, chooseFrom } from './notices.ts';
import type { Session } from './session.ts';

export class ChatHead {
  readonly element = make('header', { class: 'chat-head' });
  readonly #session: Session;
  #isConnected = true;

  constructor(session: Session) {
    this.#session = session;
  }

  connected(isConnected: boolean): void {
    this.#isConnected = isConnected;
    this.show();
  }

  show(): void {
    const { chat, world } = this.#session;
    if (chat === undefined) {
      this.element.replaceChildren(make('h1', {}, 'No chat is open'));
      return;
    }
    const isDirect = chat.mode === 'p2p';
    const act = isDirect
      ? button('Menu', { class: 'plain', onClick: () => void this.#menu(chat) })
      : button('Add people', { class: 'plain', onClick: () => void this.#addPeople(chat) });
    const state = this.#isConnected ? botState(chat, world) : 'The simulator does not answer';
    this.element.replaceChildren(
      make(
        'div',
        {},
        make('h1', {}, chat.title),
        make('p', { class: 'small' }, isDirect ? state : `${namesIn(chat, world)} · ${state}`),
      ),
      act,
    );
  }

  /** As if the person chose an entry of the bot's menu. */
  async #menu({ bots }: ChatSummary): Promise<void> {
    const { me } = this.#session;
    const [app] = bots;
    const eventKey = await askFor('Entry of the menu of the bot', 'Event key, such as help');
    if (me === undefined || app === undefined || eventKey === undefined) return;
    await control('POST', '/menu', { app, from: me.openId, eventKey });
  }

  async #addPeople({ chatId, members }: ChatSummary): Promise<void> {
    const { me, world } = this.#session;
    const inside = new Set(members.map(({ openId }) => openId));
    const others = world.people.filter(({ openId }) => !inside.has(openId));
    const choices = new Map(others.map(({ openId, name }) => [openId, name]));
    const user = await chooseFrom('Add to the group', choices);
    if (me === undefined || user === undefined) return;
    await control('POST', '/groups/members', { chat: chatId, user, by: me.openId });
  }
}

function botsIn({ bots }: ChatSummary, world: WorldSeen) {
  return world.bots.filter(({ appId }) => bots.includes(appId));
}

function namesIn(chat: ChatSummary, world: WorldSeen): string {
  return [...chat.members, ...botsIn(chat, world)].map(({ name }) => name).join(', ');
}

function botState(chat: ChatSummary, world: WorldSeen): string {
  const bots = botsIn(chat, world);
  if (bots.length === 0) return 'no bot';
  const offline = bots.filter(({ isOnline }) => !isOnline);
  if (offline.length === 0) return 'bot online';
  return `bot offline: ${offline.map(({ name }) => name).join(', ')}`;
}

/** The list of chats, and who the person is. */
import type { ChatSummary } from '../view/wire.ts';
import { control } from './control.ts';
import { arrange, avatar, button, make, timeOf } from './dom.ts';
import { askFor } from './notices.ts';
import type { Session } from './session.ts';

export class Sidebar {
  readonly element: HTMLElement;
  readonly #session: Session;
  readonly #people = make('select', { label: 'You are' });
  readonly #chats = make('div', { class: 'chats' });
  readonly #bots = make('div', { class: 'bots' });
  /** By chat, with what it was drawn from. */
  readonly #rows = new Map<string, { readonly json: string; readonly row: HTMLElement }>();

  constructor(session: Session) {
    this.#session = session;
    this.#people.addEventListener('change', () => session.become(this.#people.value));
    const add = button('New person', { class: 'plain', onClick: () => void this.#addPerson() });
    this.element = make(
      'nav',
      { class: 'sidebar', label: 'Chats' },
      make(
        'div',
        { class: 'me' },
        make('label', {}, make('span', {}, 'You are'), this.#people),
        add,
      ),
      this.#chats,
      this.#bots,
    );
  }

  show(): void {
    const { world, chat, me } = this.#session;
    this.#people.replaceChildren(
      ...world.people.map(({ openId, name }) => new Option(name, openId)),
    );
    this.#people.value = me?.openId ?? '';
    arrange(
      this.#chats,
      world.chats.map((one) => this.#row(one, one.chatId === chat?.chatId)),
    );
    const others = world.bots.filter(({ directChatId }) => directChatId === undefined);
    this.#bots.replaceChildren(
      ...others.map(({ appId, name }) =>
        button(`Chat with ${name}`, { class: 'plain', onClick: () => void this.#chatWith(appId) }),
      ),
    );
  }

  #row(chat: ChatSummary, isOpen: boolean): HTMLElement {
    const json = JSON.stringify({ chat, isOpen });
    const known = this.#rows.get(chat.chatId);
    if (known?.json === json) return known.row;
    const { title, unread, preview, atMs, isDissolved, mode, chatId } = chat;
    const count = unread > 99 ? '99+' : String(unread);
    const row = button('', {
      class: isOpen ? 'chat open' : 'chat',
      label: unread === 0 ? title : `${title}, ${unread} unread`,
      data: { chat: chatId },
      onClick: () => this.#open(chat),
    });
    if (isOpen) row.setAttribute('aria-current', 'true');
    const name = make('span', { class: 'chat-title' }, title);
    const time = make('span', { class: 'small' }, timeOf(atMs));
    const words = make('span', { class: 'chat-preview' }, isDissolved ? '[dissolved]' : preview);
    const mark = unread === 0 ? undefined : make('span', { class: 'unread' }, count);
    row.append(
      avatar(title, mode === 'p2p'),
      make(
        'span',
        { class: 'chat-lines' },
        make('span', { class: 'chat-line' }, name, time),
        make('span', { class: 'chat-line' }, words, mark),
      ),
    );
    if (known?.row === document.activeElement) queueMicrotask(() => row.focus());
    this.#rows.set(chatId, { json, row });
    return row;
  }

  /** The bot hears that a direct chat with it is opened. */
  #open({ chatId, mode, bots }: ChatSummary): void {
    const { me } = this.#session;
    const [app] = bots;
    this.#session.openChat(chatId);
    if (mode === 'p2p' && app !== undefined && me !== undefined) {
      void control('POST', '/open-direct-chat', { user: me.openId, app });
    }
  }

  async #chatWith(app: string): Promise<void> {
    const { me } = this.#session;
    if (me === undefined) return;
    const opened = await control<{ readonly chatId: string }>('POST', '/open-direct-chat', {
      user: me.openId,
      app,
    });
    if (opened !== undefined) this.#session.openChat(opened.chatId);
  }

  async #addPerson(): Promise<void> {
    const name = await askFor('New person', 'Name');
    if (name === undefined) return;
    const person = await control<{ readonly openId: string }>('POST', '/users', { name });
    if (person !== undefined) this.#session.become(person.openId);
  }
}

/** Tells a page at once what has changed for its person, as server-sent events. */
import type { ServerResponse } from 'node:http';
import type { Cloud } from '../cloud.ts';
import type { SimChat, SimMessage, SimUser } from '../world/model.ts';
import { messageSeen, personOf, shownIn, stateOf, worldSeen } from './seen.ts';
import type { MessagesSeen } from './view/wire.ts';

/** A stream of a card has ten updates a second. Each of them is seen. */
const GATHERED_MS = 30;
/** What changes without a notice, such as the end of a connection, is seen after this time. */
const LOOK_EVERY_MS = 1_000;
/** More than this waits for a page that does not read. It is ended then, and asks again. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;

interface Watched {
  /** An open id; null: the first person. */
  readonly as: string | null;
  readonly chatId: string | null;
  /** How many messages of the chat. */
  readonly count: number;
}

/** The response stays open until the page closes it. */
export function openEventStream(cloud: Cloud, response: ServerResponse, watched: Watched): void {
  const page = new PageState(cloud, watched);
  let timer: NodeJS.Timeout | undefined;
  const tell = () => {
    timer = undefined;
    if (response.writableLength > WAITING_BYTES_MAX) {
      response.destroy();
      return;
    }
    for (const { event, data } of page.news()) response.write(`event: ${event}\ndata: ${data}\n\n`);
  };
  const unwatch = cloud.changes.watch(() => {
    timer ??= setTimeout(tell, GATHERED_MS);
  });
  const looks = setInterval(tell, LOOK_EVERY_MS);
  response.once('close', () => {
    unwatch();
    clearTimeout(timer);
    clearInterval(looks);
  });
  tell();
}

interface News {
  readonly event: 'world' | 'messages';
  /** JSON. */
  readonly data: string;
}

interface Told {
  readonly json: string;
  readonly state: string;
}

/** What one page has been told. */
class PageState {
  readonly #cloud: Cloud;
  readonly #watched: Watched;
  #world = '';
  #order = '';
  #hasOlder: boolean | undefined;
  readonly #told = new Map<string, Told>();

  constructor(cloud: Cloud, watched: Watched) {
    this.#cloud = cloud;
    this.#watched = watched;
  }

  /** What has changed since the last call. */
  news(): readonly News[] {
    const { world } = this.#cloud;
    const me = personOf(world, this.#watched.as);
    const found: News[] = [];
    const data = JSON.stringify(worldSeen(this.#cloud, me));
    if (data !== this.#world) found.push({ event: 'world', data });
    this.#world = data;
    const chat = world.chats.get(this.#watched.chatId ?? '');
    if (me === undefined || chat?.members.has(me.openId) !== true) return found;
    const messages = this.#messages(chat, me);
    if (messages !== undefined) found.push({ event: 'messages', data: JSON.stringify(messages) });
    return found;
  }

  #messages(chat: SimChat, me: SimUser): MessagesSeen | undefined {
    const { world } = this.#cloud;
    const { count } = this.#watched;
    const { messages, hasOlder } = shownIn(world, chat, { me, count });
    const changed = messages.filter((message) => this.#isNew(message));
    const order = messages.map(({ messageId }) => messageId);
    const isSameOrder = order.join() === this.#order;
    const isSame = isSameOrder && changed.length === 0 && hasOlder === this.#hasOlder;
    this.#order = order.join();
    this.#hasOlder = hasOlder;
    if (isSame) return undefined;
    return {
      chatId: chat.chatId,
      ...(!isSameOrder && { order }),
      changed: changed.map((message) => messageSeen(world, message, me)),
      hasOlder,
    };
  }

  #isNew(message: SimMessage): boolean {
    const { world } = this.#cloud;
    const told = this.#told.get(message.messageId);
    const now = { json: world.cardOf(message), state: stateOf(world, message) };
    if (told?.json === now.json && told.state === now.state) return false;
    this.#told.set(message.messageId, now);
    return true;
  }
}

import { Misuse } from '../world/misuse.ts';
import type { SimApp, SimChat, SimMessage, SimUser } from '../world/model.ts';
import type { World } from '../world/world.ts';

/** Everything can be given as an object or by id; users, apps and groups also by name. */
export type ChatRef = SimChat | string;
export type UserRef = SimUser | string;
export type AppRef = SimApp | string;
export type MessageRef = SimMessage | string;

/** Finds what tests name. Throws `Misuse` if there is no such thing, or more than one. */
export class Finder {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  chat(ref: ChatRef): SimChat {
    if (typeof ref !== 'string') return ref;
    return this.#world.chats.get(ref) ?? byName(this.#world.chats.values(), ref, 'chat');
  }

  group(ref: ChatRef): SimChat {
    const chat = this.chat(ref);
    if (chat.mode === 'p2p') throw new Misuse(`${chat.chatId} is a direct chat, not a group`);
    return chat;
  }

  user(ref: UserRef): SimUser {
    if (typeof ref !== 'string') return ref;
    return this.#world.users.get(ref) ?? byName(this.#world.users.values(), ref, 'user');
  }

  app(ref: AppRef): SimApp {
    if (typeof ref !== 'string') return ref;
    return this.#world.apps.get(ref) ?? byName(this.#world.apps.values(), ref, 'app');
  }

  userOrApp(ref: UserRef | AppRef): SimUser | SimApp {
    if (typeof ref !== 'string') return ref;
    const { users, apps } = this.#world;
    const known = users.get(ref) ?? apps.get(ref);
    return known ?? byName([...users.values(), ...apps.values()], ref, 'user or app');
  }

  message(ref: MessageRef): SimMessage {
    const message = typeof ref === 'string' ? this.#world.messages.get(ref) : ref;
    if (message === undefined) throw new Misuse(`there is no message ${JSON.stringify(ref)}`);
    return message;
  }
}

function byName<T extends { readonly name: string }>(
  all: Iterable<T>,
  name: string,
  what: string,
): T {
  const [found, another] = [...all].filter((one) => one.name === name && name !== '');
  if (found === undefined) throw new Misuse(`there is no ${what} ${JSON.stringify(name)}`);
  if (another !== undefined) throw new Misuse(`more than one ${what} is named ${name}: use the id`);
  return found;
}

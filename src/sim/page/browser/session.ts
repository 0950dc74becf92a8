/** What the page knows: who the person is, the chats, and the messages of the open one. */
import type { CardPeople } from '../view/card.ts';
import type { ChatSummary, MessageSeen, MessagesSeen, Person, WorldSeen } from '../view/wire.ts';

/** How many more messages each press on "Older messages" shows. */
const MESSAGES_STEP = 200;

interface Listener {
  /** People, bots or chats have changed. */
  readonly onWorld: () => void;
  /** These messages are new or have changed; `isOther`: it is another chat, or another person. */
  readonly onMessages: (changed: readonly string[], isOther: boolean) => void;
  readonly onConnection: (isOpen: boolean) => void;
}

const NOTHING: WorldSeen = { me: undefined, people: [], bots: [], chats: [] };

export class Session {
  world: WorldSeen = NOTHING;
  readonly messages = new Map<string, MessageSeen>();
  order: readonly string[] = [];
  hasOlder = false;
  /** False until the messages of the chat are here. */
  isLoaded = false;
  #as: string | undefined;
  #chatId: string | undefined;
  #count = MESSAGES_STEP;
  #stream: EventSource | undefined;
  readonly #listener: Listener;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  get me(): Person | undefined {
    return this.world.me;
  }

  get chat(): ChatSummary | undefined {
    return this.world.chats.find(({ chatId }) => chatId === this.#chatId);
  }

  /** Who can be named and chosen in the open chat. */
  get people(): CardPeople {
    const { people, bots } = this.world;
    const names = new Map([...people, ...bots].map(({ openId, name }) => [openId, name] as const));
    return { nameOf: (id) => names.get(id), members: this.chat?.members ?? [] };
  }

  /** Begins with the person and the chat of the address, after its #. */
  start(): void {
    const place = new URLSearchParams(location.hash.slice(1));
    this.#as = place.get('as') ?? undefined;
    this.#chatId = place.get('chat') ?? undefined;
    this.#open();
  }

  become(openId: string): void {
    this.#as = openId;
    const isThere = this.chat?.members.some((member) => member.openId === openId) === true;
    if (!isThere) this.#chatId = undefined;
    this.#restart();
  }

  openChat(chatId: string): void {
    if (chatId === this.#chatId) return;
    this.#chatId = chatId;
    this.#count = MESSAGES_STEP;
    this.#restart();
  }

  showOlder(): void {
    this.#count += MESSAGES_STEP;
    this.#open();
  }

  #restart(): void {
    this.messages.clear();
    this.order = [];
    this.hasOlder = false;
    this.isLoaded = false;
    this.#listener.onMessages([], true);
    this.#open();
  }

  #open(): void {
    this.#stream?.close();
    const query = new URLSearchParams({ count: String(this.#count) });
    if (this.#as !== undefined) query.set('as', this.#as);
    if (this.#chatId !== undefined) query.set('chat', this.#chatId);
    history.replaceState(null, '', `#${this.#place()}`);
    const stream = new EventSource(`events?${query.toString()}`);
    this.#stream = stream;
    stream.addEventListener('open', () => this.#listener.onConnection(true));
    stream.addEventListener('error', () => this.#listener.onConnection(false));
    stream.addEventListener('world', ({ data }: MessageEvent<string>) =>
      this.#tookWorld(JSON.parse(data) as WorldSeen),
    );
    stream.addEventListener('messages', ({ data }: MessageEvent<string>) =>
      this.#tookMessages(JSON.parse(data) as MessagesSeen),
    );
  }

  #place(): string {
    const place = new URLSearchParams();
    if (this.#as !== undefined) place.set('as', this.#as);
    if (this.#chatId !== undefined) place.set('chat', this.#chatId);
    return place.toString();
  }

  #tookWorld(world: WorldSeen): void {
    this.world = world;
    const [first] = world.chats;
    if (this.chat === undefined && first !== undefined) this.openChat(first.chatId);
    this.#listener.onWorld();
  }

  #tookMessages({ chatId, order, changed, hasOlder }: MessagesSeen): void {
    if (chatId !== this.#chatId) return;
    this.order = order ?? this.order;
    this.hasOlder = hasOlder;
    this.isLoaded = true;
    for (const message of changed) this.messages.set(message.messageId, message);
    this.#listener.onMessages(
      changed.map(({ messageId }) => messageId),
      false,
    );
  }
}

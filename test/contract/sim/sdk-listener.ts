import type { EventDispatcher, WSClient } from '@larksuiteoapi/node-sdk';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp } from '../../../src/sim/world/model.ts';
import { sdk, silentLogger } from './sdk-client.ts';

/** What the SDK passes to a handler: envelope, header and event in one flat object. */
export interface Heard {
  readonly event_id: string;
  readonly event_type: string;
  readonly create_time: string;
  readonly message: {
    readonly message_id: string;
    readonly content: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

type Handler = (data: Heard) => unknown;

export interface ListenerOptions {
  /** What the handler of every event does, after the event was recorded. */
  readonly handle?: Handler;
  readonly pingTimeout?: number;
  readonly handshakeTimeoutMs?: number;
}

const EVENTS = [
  'im.message.receive_v1',
  'im.message.updated_v1',
  'im.message.recalled_v1',
  'im.message.message_read_v1',
  'im.message.reaction.created_v1',
  'im.message.reaction.deleted_v1',
  'im.chat.member.bot.added_v1',
  'im.chat.member.bot.deleted_v1',
  'im.chat.member.user.added_v1',
  'im.chat.member.user.deleted_v1',
  'im.chat.member.user.withdrawn_v1',
  'im.chat.updated_v1',
  'im.chat.disbanded_v1',
  'p2p_chat_create',
  'im.chat.access_event.bot_p2p_chat_entered_v1',
  'application.bot.menu_v6',
  'card.action.trigger',
];

/** The official long-connection client, unchanged, and all callbacks and events that it gave. */
export class Listener {
  readonly heard: Heard[] = [];
  /** Names of the callbacks that were called: ready, reconnecting, reconnected, error. */
  readonly news: string[] = [];
  readonly client: WSClient;
  readonly #lark: LarkCloud;
  readonly #dispatcher: EventDispatcher;

  constructor(lark: LarkCloud, app: SimApp, options: ListenerOptions = {}) {
    this.#lark = lark;
    const tell = (news: string) => {
      this.news.push(news);
      lark.cloud.changes.notify();
    };
    this.client = new sdk.WSClient({
      appId: app.appId,
      appSecret: app.appSecret,
      domain: lark.openBaseUrl,
      logger: silentLogger,
      onReady: () => tell('ready'),
      onReconnecting: () => tell('reconnecting'),
      onReconnected: () => tell('reconnected'),
      onError: (error) => tell(`error ${error.message}`),
      ...(options.handshakeTimeoutMs && { handshakeTimeoutMs: options.handshakeTimeoutMs }),
      ...(options.pingTimeout && { wsConfig: { pingTimeout: options.pingTimeout } }),
    });
    const handle = async (data: Heard) => {
      this.heard.push(data);
      lark.cloud.changes.notify();
      return options.handle?.(data);
    };
    this.#dispatcher = new sdk.EventDispatcher({ logger: silentLogger }).register(
      Object.fromEntries(EVENTS.map((type) => [type, handle])),
    );
  }

  start(): this {
    void this.client.start({ eventDispatcher: this.#dispatcher });
    return this;
  }

  /** Ids of the received messages, in the order of arrival. */
  messageIds(): string[] {
    return this.heard
      .filter(({ event_type: type }) => type === 'im.message.receive_v1')
      .map(({ message }) => message.message_id);
  }

  until<T>(look: () => T, timeoutMs?: number): Promise<NonNullable<T>> {
    return this.#lark.waitFor(look, timeoutMs);
  }

  close(): void {
    this.client.close({ force: true });
  }
}

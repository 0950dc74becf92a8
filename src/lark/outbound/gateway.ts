/** Lark as the bridge sees it: messages and reactions out, history and identity in. */
import { BridgeError } from '../../core/errors.ts';
import {
  type ChatId,
  chatId,
  isPerson,
  LARK_ID_PATTERN,
  type MessageId,
  messageId,
  type OpenId,
  openId,
} from '../../core/ids.ts';
import type { CallBroker } from './broker.ts';
import { Caller, type CallerOptions } from './calls.ts';
import { refusalError } from '../codes.ts';
import { createChatTypes } from './chat-types.ts';
import { createForwardedReader } from './forwarded.ts';
import { createResourceReader } from './resource.ts';
import { Members } from './members.ts';
import { createUploads } from './uploads.ts';
import { createGroupLookup } from './group-lookup.ts';
import { History } from './history.ts';
import { createLiveGateway } from './live.ts';
import { createMessageById } from './message-by-id.ts';
import { Names } from './names.ts';
import { PermittedCalls } from './permitted-calls.ts';
import { createSurroundings } from './said-before.ts';
import { idOf } from '../inbound/fields.ts';
import type { Self } from '../inbound/parsed.ts';
import type { FetchMessage } from '../inbound/reread.ts';
import { emojiNamed } from '../content/emojis.ts';
import { contentForm, rendered, type Rendered, toLarkContent } from '../content/rendered.ts';
import { sdkLogger } from '../sdk.ts';
import { NO_OBSERVER, type Observer } from '../../bridge/ports/observer.ts';
import type { CallPriority, DeliveryResult, Outgoing } from '../../bridge/ports/delivery.ts';
import type { GroupLookup } from '../../bridge/ports/access.ts';
import type { LarkGateway } from '../../bridge/ports/lark.ts';
import type { Log } from '../../core/log.ts';
import {
  type Undelivered,
  delivered,
  undelivered,
  notMade,
  plain,
  type Sending,
} from './outcomes.ts';
import { react, unreact } from './reactions.ts';

/** Lark's longest idempotency key. */
const LARK_UUID_CHARS_MAX = 50;

export interface BotInfo {
  readonly openId: OpenId;
  readonly name: string;
  /** False while the bot ability is off or the app's version is not published. */
  readonly active: boolean;
}

type PersonResult =
  | { readonly ok: true; readonly id: MessageId; readonly chatId: ChatId }
  | Undelivered;

/** A message from another part of this folder. It has Lark's form already. */
interface SendRendered {
  readonly kind: 'send';
  readonly chatId: ChatId;
  readonly content: Rendered;
}

export interface Gateway extends LarkGateway {
  deliver(
    out: Outgoing | SendRendered,
    key: string,
    priority: CallPriority,
  ): Promise<DeliveryResult>;
  /**
   * Writes to a person in their direct chat with the bot. Lark creates the chat if there is none. Does not reject
   * if Lark or the network fails. `key` makes repeats harmless.
   */
  writeTo(person: OpenId, content: Rendered, key: string): Promise<PersonResult>;
  /** Whether people of other tenants are in a group. Does not reject if Lark or the network fails. */
  group(chat: ChatId): Promise<GroupLookup>;
  /** Reads a message by its id if its event can't be parsed. Throws `BridgeError` for errors that pass. */
  readonly fetchMessage: FetchMessage;
  /** A name that an event says. */
  readonly noteName: (id: OpenId, name: string) => void;
  /** Throws `BridgeError` if Lark refuses or can't be reached. */
  botInfo(): Promise<BotInfo>;
  /** Lark's count of the app's long connections, ours included. It may be minutes old. */
  onlineInstances(): Promise<number>;
}

interface GatewayOptions extends Omit<CallerOptions, 'logger'> {
  readonly broker: CallBroker;
  readonly self: () => Self;
  readonly log: Log;
  readonly observer?: Observer;
}

export function createGateway(options: GatewayOptions): Gateway {
  const { observer = NO_OBSERVER } = options;
  const caller = new Caller({ ...options, logger: sdkLogger(options.log) });
  const chatTypeOf = createChatTypes(caller);
  const { self, log } = options;
  const history = new History({ caller, chatTypeOf, self, log });
  const permitted = new PermittedCalls({ caller, log });
  const members = new Members(permitted);
  const names = new Names(permitted, members);
  return {
    form: contentForm,
    async deliver(out, key, priority) {
      if (key.length === 0 || key.length > LARK_UUID_CHARS_MAX) {
        throw new Error(`an idempotency key has 1 to ${LARK_UUID_CHARS_MAX} characters`);
      }
      const sending = { key, priority, appId: options.appId };
      const result = await deliver(caller, out, sending);
      observer.sendEnded(out.kind, result);
      return result;
    },
    async writeTo(person, content, key) {
      const result = await writeTo(caller, { person, content, key });
      if (!result.ok) {
        const { action, code, detail } = result;
        options.log.warn('lark_call_failed', { kind: 'send', person, action, code, detail });
      }
      return result;
    },
    fetchMessage: createMessageById({ caller, chatTypeOf, self }),
    history: (...asked) => history.read(...asked),
    forwarded: createForwardedReader({ caller, log }),
    resource: createResourceReader({ caller, log }),
    upload: createUploads(caller),
    membersOf: (chat) => members.all(chat),
    emojiNamed,
    surroundings: createSurroundings({ caller, names, log }),
    noteName: (id, name) => names.note(id, name),
    async botInfo() {
      const info = await botInfo(caller);
      names.note(options.appId, info.name);
      return info;
    },
    live: createLiveGateway(caller),
    group: createGroupLookup({ caller, log }),
    onlineInstances: () => onlineInstances(caller),
  };
}

async function deliver(
  caller: Caller,
  out: Outgoing | SendRendered,
  sending: Sending,
): Promise<DeliveryResult> {
  const wrong = idsIn(out).find((id) => !LARK_ID_PATTERN.test(id) && !isAddress(out, id));
  // The SDK puts ids into paths as they are.
  if (wrong !== undefined) return notMade('give_up', 'an id has a form that Lark never gives');
  switch (out.kind) {
    case 'reply':
    case 'send':
      return sendMessage(caller, out, sending);
    case 'update':
      return updateCard(caller, out, sending);
    case 'react':
      return react(caller, out, sending);
    case 'unreact':
      return unreact(caller, out, sending);
  }
}

/** An address is no part of a path. */
function isAddress({ kind }: Outgoing | SendRendered, id: string): boolean {
  return kind === 'send' && receiverType(id) === 'email';
}

/** A message that answers nothing goes to a chat, a person or an email address. */
function receiverType(id: string): 'chat_id' | 'open_id' | 'email' {
  if (id.includes('@')) return 'email';
  return isPerson(id) ? 'open_id' : 'chat_id';
}

function idsIn(out: Outgoing | SendRendered): string[] {
  switch (out.kind) {
    case 'reply':
      return [out.chatId, out.replyTo];
    case 'send':
      return [out.chatId];
    case 'update':
    case 'react':
      return [out.chatId, out.messageId];
    case 'unreact':
      return [out.chatId, out.messageId, out.reactionId];
  }
}

async function sendMessage(
  caller: Caller,
  out: Extract<Outgoing, { kind: 'reply' | 'send' }> | SendRendered,
  { key, priority }: Sending,
): Promise<DeliveryResult> {
  const piece = isRendered(out) ? out.content : rendered(out.content, out.buttonValues);
  const content = toLarkContent(piece);
  if (content === undefined) return notMade('split', 'the text is longer than Lark takes');
  const message = { ...content, uuid: key };
  const tried = {
    kind: out.kind,
    inThread: out.kind === 'reply' && out.inThread,
    card: piece.kind === 'card' || piece.kind === 'post',
    said: wordsOf(piece),
  };
  const paced = { priority, lane: out.chatId, pacedBy: out.chatId };
  const result =
    out.kind === 'reply'
      ? await caller.call({ ...paced, api: 'message_reply' }, tried, (client, authorization) =>
          client.im.v1.message.reply(
            {
              path: { message_id: out.replyTo },
              data: { ...message, reply_in_thread: out.inThread },
            },
            authorization,
          ),
        )
      : await caller.call({ ...paced, api: 'message_create' }, tried, (client, authorization) =>
          client.im.v1.message.create(
            {
              params: { receive_id_type: receiverType(out.chatId) },
              data: { ...message, receive_id: out.chatId },
            },
            authorization,
          ),
        );
  return delivered(result, (body) => body.data?.message_id);
}

/** The same change twice does no harm, so it needs no key. */
async function updateCard(
  caller: Caller,
  out: Extract<Outgoing, { kind: 'update' }>,
  { priority }: Sending,
): Promise<DeliveryResult> {
  const piece = rendered(out.content);
  if (piece.kind !== 'card') return notMade('give_up', 'only a card can be changed');
  const spec = { api: 'message_patch', priority, lane: out.chatId };
  const tried = { kind: 'update', inThread: false, card: false, said: piece.card } as const;
  const result = await caller.call(spec, tried, (client, authorization) =>
    client.im.v1.message.patch(
      { path: { message_id: out.messageId }, data: { content: piece.card } },
      authorization,
    ),
  );
  return delivered(result, () => out.messageId);
}

function isRendered(
  out: Extract<Outgoing, { kind: 'reply' | 'send' }> | SendRendered,
): out is SendRendered {
  const { kind } = out.content;
  return kind === 'text' || kind === 'card' || kind === 'post';
}

function wordsOf(content: Rendered): string {
  switch (content.kind) {
    case 'text':
      return content.text;
    case 'card':
      return content.card;
    case 'post':
      return content.post;
    case 'file':
      return '';
  }
}

async function writeTo(
  caller: Caller,
  { person, content, key }: { person: OpenId; content: Rendered; key: string },
): Promise<PersonResult> {
  const message = toLarkContent(content);
  if (message === undefined) return notMade('split', 'the text is longer than Lark takes');
  const card = content.kind !== 'text';
  const tried = { kind: 'send', inThread: false, card, said: wordsOf(content) } as const;
  const spec = {
    api: 'message_create',
    priority: 'notice',
    lane: person,
    pacedBy: person,
  } as const;
  const result = await caller.call(spec, tried, (client, authorization) =>
    client.im.v1.message.create(
      {
        params: { receive_id_type: 'open_id' },
        data: { ...message, uuid: key, receive_id: person },
      },
      authorization,
    ),
  );
  if (!result.ok) return undelivered(result);
  const id = idOf(result.body.data?.message_id);
  const chat = idOf(result.body.data?.chat_id);
  if (id === undefined || chat === undefined) return notMade('unknown', 'Lark named no id');
  return { ok: true, id: messageId(id), chatId: chatId(chat) };
}

async function botInfo(caller: Caller): Promise<BotInfo> {
  const spec = { api: 'bot_info', priority: 'background' } as const;
  const result = await caller.call(spec, plain('read'), (client, authorization) =>
    client.request<{ bot?: { open_id?: unknown; app_name?: unknown; activate_status?: unknown } }>(
      { method: 'GET', url: '/open-apis/bot/v3/info' },
      authorization,
    ),
  );
  if (!result.ok) throw refusalError('Lark did not say who the bot is', result);
  const { open_id, app_name, activate_status } = result.body.bot ?? {};
  const id = idOf(open_id);
  if (id === undefined) {
    throw new BridgeError('failed', 'Lark did not say who the bot is', {
      next: 'Switch the bot ability of the app on, or set LARK_BOT_OPEN_ID.',
    });
  }
  const name = typeof app_name === 'string' ? app_name : '';
  return { openId: openId(id), name, active: activate_status === 2 };
}

async function onlineInstances(caller: Caller): Promise<number> {
  const spec = { api: 'event_connection', priority: 'background' } as const;
  const result = await caller.call(spec, plain('read'), (client, authorization) =>
    client.event.v1.connection.get({}, authorization),
  );
  if (!result.ok) throw refusalError('Lark did not count the connections of the app', result);
  return result.body.data?.online_instance_cnt ?? 0;
}

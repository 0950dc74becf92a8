import type { Cloud } from '../cloud.ts';
import { invalidParameter } from './content.ts';
import { refuse, type Answer } from './http.ts';
import type { SimApp, SimChat, SimMessage } from '../world/model.ts';
import { SCOPE_GROUP_MESSAGES } from '../world/scopes.ts';

export interface Found {
  readonly message: SimMessage;
  readonly chat: SimChat;
}

/** Why an app can't act in a chat; undefined if it can. */
export function chatRefusal(app: SimApp, chat: SimChat): Answer | undefined {
  if (!app.botEnabled) return refuse(230006, 'Bot ability is not activated.');
  if (chat.dissolved) {
    return refuse(232009, 'Your request specifies a chat which has already been dissolved.');
  }
  if (!chat.bots.has(app.appId)) return refuse(230002, 'The bot can not be outside the group.');
  return undefined;
}

/** The message of a call's path, if the app may use it; otherwise the refusal. */
export function findMessage(cloud: Cloud, app: SimApp, messageId: string): Found | Answer {
  if (!/^om_\w+$/.test(messageId)) return invalidParameter('invalid message_id');
  const message = cloud.world.messages.get(messageId);
  const chat = message && cloud.world.chats.get(message.chatId);
  if (message === undefined || chat === undefined) {
    return refuse(230110, 'Action unavailable as the message has been deleted.');
  }
  return chatRefusal(app, chat) ?? { message, chat };
}

/** The same, for operations that only the sender may do. The message must not be recalled. */
export function findOwnMessage(cloud: Cloud, app: SimApp, messageId: string): Found | Answer {
  const found = findMessage(cloud, app, messageId);
  if (isAnswer(found)) return found;
  if (found.message.recalled) return recalled();
  if (isOwn(app, found.message)) return found;
  return refuse(230071, 'The operator is not the sender of the message.');
}

export function isOwn(app: SimApp, message: SimMessage): boolean {
  return message.sender.kind === 'app' && message.sender.appId === app.appId;
}

/** To read the messages of others in a group, the app needs the sensitive scope. */
export function readRefusal(app: SimApp, chat: SimChat): Answer | undefined {
  if (chat.mode === 'p2p' || app.scopes.has(SCOPE_GROUP_MESSAGES)) return undefined;
  return refuse(230027, `Lack of necessary permissions, ext=need scope: ${SCOPE_GROUP_MESSAGES}`);
}

export function recalled(): Answer {
  return refuse(230011, 'The message is recalled.');
}

export function tooFrequent(): Answer {
  return refuse(230020, 'This operation triggers the frequency limit.');
}

export function isAnswer(value: object): value is Answer {
  return 'status' in value && 'body' in value;
}

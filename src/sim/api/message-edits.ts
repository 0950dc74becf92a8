import { configOf, isSchema2 } from '../cards/card-json.ts';
import type { Cloud } from '../cloud.ts';
import { invalidParameter, validateContent } from './content.ts';
import { callerOf, ok, refuse, refuseField, textField } from './http.ts';
import type { Answer, Call, Route } from './http.ts';
import { parseJsonObject } from '../world/json.ts';
import { findOwnMessage, isAnswer, tooFrequent } from './message-access.ts';
import { messageObject } from './message-object.ts';

const CARD_UPDATES_WITHIN_MS = 14 * 24 * 3_600_000;
const EDITS_MAX = 20;
/** Updates of one card message. */
const CARD_LIMIT = { hitsMax: 5, windowMs: 1_000 };
const EDITABLE: ReadonlySet<string> = new Set(['text', 'post']);

export function messageEditRoutes(cloud: Cloud): readonly Route[] {
  const common = {
    path: '/open-apis/im/v1/messages/:message_id',
    auth: 'tenant',
    scopes: ['im:message', 'im:message:send_as_bot', 'im:message:update'],
  } as const;
  return [
    { ...common, method: 'PUT', handle: (call) => editMessage(cloud, call) },
    { ...common, method: 'PATCH', handle: (call) => updateCard(cloud, call) },
  ];
}

function editMessage(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const msgType = textField(call.body, 'msg_type');
  const content = textField(call.body, 'content');
  if (!msgType) return refuseField('msg_type', 'msg_type is required');
  if (!content) return refuseField('content', 'content is required');
  const found = findOwnMessage(cloud, app, call.params['message_id'] ?? '');
  if (isAnswer(found)) return found;
  const { message, chat } = found;
  if (!EDITABLE.has(message.msgType) || !EDITABLE.has(msgType)) {
    return refuse(230054, 'This operation is not supported for this message type.');
  }
  if (message.edits >= EDITS_MAX) {
    return refuse(230072, 'The message has reached the number of times it can be edited.');
  }
  const validated = validateContent(cloud, { app, chat, msgType, content });
  if (!validated.ok) return validated.answer;
  cloud.world.edit(message, { msgType, ...validated.accepted });
  return ok(messageObject(cloud.world, message));
}

function updateCard(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const content = textField(call.body, 'content');
  if (!content) return refuseField('content', 'content is required');
  const found = findOwnMessage(cloud, app, call.params['message_id'] ?? '');
  if (isAnswer(found)) return found;
  const { message, chat } = found;
  if (message.msgType !== 'interactive') return invalidParameter('This message is NOT a card.');
  if (cloud.clock.nowMs() - message.createdAtMs > CARD_UPDATES_WITHIN_MS) {
    return refuse(230031, 'Message can only be modified within 14 days after sending.');
  }
  const validated = validateContent(cloud, { app, chat, msgType: 'interactive', content });
  if (!validated.ok) return validated.answer;
  if (!isShared(cloud.world.cardOf(message)) || !isShared(content)) {
    return invalidParameter('config.update_multi must be true before and after the update');
  }
  if (cloud.limits.take(`card ${message.messageId}`, CARD_LIMIT) > 0) return tooFrequent();
  cloud.world.edit(message, { content });
  message.cardId = undefined;
  return ok({});
}

/** Only a card that is the same for everybody can be updated. By default, cards 2.0 are, and cards 1.0 are not. */
function isShared(card: string): boolean {
  const node = parseJsonObject(card);
  if (node === undefined) return false;
  const updateMulti = configOf(node)['update_multi'];
  return updateMulti === true || (updateMulti === undefined && isSchema2(node));
}

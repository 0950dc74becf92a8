import { configOf, problemOf, isOverSize, isSchema2 } from './card-json.ts';
import { showCard } from './card-rules.ts';
import type { Cloud } from '../cloud.ts';
import { callerOf, refuse, textField, type Answer, type Call, type Route } from '../api/http.ts';
import { isJsonObject, parseJsonObject, type JsonObject } from '../world/json.ts';
import type { SimCardToken, SimMessage } from '../world/model.ts';

/** How long the token of a callback allows delayed updates. */
export const CARD_TOKEN_LIFE_MS = 30 * 60_000;
/** How many updates it allows. */
const CARD_TOKEN_USES_MAX = 2;

/** Creates the token for a card callback about `message`. It can be used after the callback is acked. */
export function issueCardToken(
  cloud: Cloud,
  options: { readonly appId: string; readonly messageId: string },
): SimCardToken {
  const { world, clock } = cloud;
  for (const old of world.cardTokens.values()) {
    if (old.expiresAtMs > clock.nowMs()) break;
    world.cardTokens.delete(old.token);
  }
  const token: SimCardToken = {
    token: world.ids.cardToken(),
    ...options,
    expiresAtMs: clock.nowMs() + CARD_TOKEN_LIFE_MS,
    usesLeft: CARD_TOKEN_USES_MAX,
    acked: false,
  };
  world.cardTokens.set(token.token, token);
  return token;
}

/** The delayed update of a card, after a press. */
export function cardTokenRoutes(cloud: Cloud): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/open-apis/interactive/v1/card/update',
      auth: 'tenant',
      scopes: ['im:message', 'im:message:send_as_bot', 'im:message:update'],
      handle: (call) => updateCard(cloud, call),
    },
  ];
}

function updateCard(cloud: Cloud, call: Call): Answer {
  const text = textField(call.body, 'token') ?? '';
  const { card } = call.body;
  if (!text.startsWith('c-')) return refuse(300020, 'The format of the token is wrong');
  if (!isJsonObject(card)) return refuse(10002, 'card is not an object');
  const token = cloud.world.cardTokens.get(text);
  if (token === undefined || token.expiresAtMs <= cloud.clock.nowMs()) {
    return refuse(300030, 'The token has expired');
  }
  if (token.appId !== callerOf(call).appId) return refuse(200310, 'Not a card of this app');
  if (token.usesLeft <= 0) return refuse(300040, 'The token was used too often');
  if (!token.acked) {
    return refuse(200810, 'The card is in an ongoing interaction and cannot be updated');
  }
  const message = cloud.world.messages.get(token.messageId);
  if (message === undefined || message.recalled) return refuse(200000, 'The card was recalled');
  const refusal = refusalOf(cloud, message, card);
  if (refusal !== undefined) return refusal;
  token.usesLeft -= 1;
  showInMessage(cloud, message, card);
  return { status: 200, body: { code: 0, msg: 'ok' } };
}

function refusalOf(cloud: Cloud, message: SimMessage, card: JsonObject): Answer | undefined {
  if (isOverSize(card)) return refuse(100000, 'The card is too large');
  const problem = problemOf(card);
  if (problem !== undefined) return refuse(11311, problem.msg);
  if (isSchema2(card)) return undefined;
  const shown = parseJsonObject(cloud.world.cardOf(message));
  if (shown !== undefined && isSchema2(shown)) {
    return refuse(200830, 'A card of schema 2.0 cannot be updated to schema 1.0');
  }
  // Without `update_multi`, each person has an own copy of a card 1.0.
  if (configOf(card)['update_multi'] === true) return undefined;
  return openIdsRefusal(cloud, message, card['open_ids']);
}

function openIdsRefusal(cloud: Cloud, message: SimMessage, openIds: unknown): Answer | undefined {
  if (!Array.isArray(openIds) || openIds.length === 0) {
    return refuse(300090, 'open_ids is required for a card that is not shared');
  }
  const members = cloud.world.chats.get(message.chatId)?.members;
  if (openIds.every((id) => typeof id === 'string' && members?.has(id) === true)) return undefined;
  return refuse(200320, 'open_ids names somebody who is not in the chat');
}

/** The message shows this card from now on. If it shows an entity, the entity is changed. */
export function showInMessage(cloud: Cloud, message: SimMessage, card: JsonObject): void {
  const { open_ids: _, ...shown } = card;
  const entity = cloud.world.cards.get(message.cardId ?? '');
  if (entity !== undefined) showCard(cloud, entity, shown);
  else cloud.world.edit(message, { content: JSON.stringify(shown) });
}

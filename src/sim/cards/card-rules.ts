import {
  CARD_TABLES_MAX,
  configOf,
  countTables,
  faultOf,
  isOverSize,
  isSchema2,
  type CardFault,
} from './card-json.ts';
import type { Cloud } from '../cloud.ts';
import { refuse, type Answer } from '../api/http.ts';
import { parseJsonObject, type JsonObject } from '../world/json.ts';
import type { SimApp, SimCard } from '../world/model.ts';

/** A card entity can't be used after this. */
const CARD_LIFE_MS = 14 * 24 * 3_600_000;

/** Streaming closes by itself after this long. */
const STREAMING_MAX_MS = 10 * 60_000;

/** The code of a fault that cardkit and messages report inside another one. */
const CONTENT_CODE = 11310;

/** Sending a card, or changing one in a message, failed in its content: the reason is in the text. */
export function refuseContent(fault: CardFault): Answer {
  return refuse(
    230099,
    `Failed to create card content, ext=ErrCode: ${fault.code}; ErrMsg: ${fault.msg}; `,
  );
}

/** A fault of a cardkit operation; too many tables come in the form that messages use. */
export function refuseFault(fault: CardFault): Answer {
  return fault.code === CONTENT_CODE ? refuseContent(fault) : refuse(fault.code, fault.msg);
}

/** What is wrong with a card that is sent as JSON in a message; undefined: nothing. Its size is the caller's. */
export function inlineCardFault(text: string): CardFault | undefined {
  const card = parseJsonObject(text);
  if (card === undefined) return { code: 200621, msg: 'parse card json err' };
  const fault = faultOf(card);
  if (fault?.code === 300305) return { code: CONTENT_CODE, msg: 'element exceeds the limit' };
  return fault ?? tableFault(card);
}

/** What keeps this app from sending this entity now: an entity goes out once, within its 14 days. */
export function entityFault(cloud: Cloud, app: SimApp, cardId: string): CardFault | undefined {
  const card = cloud.world.cards.get(cardId);
  if (card === undefined || card.appId !== app.appId) {
    return { code: CONTENT_CODE, msg: 'cardid is invalid' };
  }
  if (isExpired(cloud, card)) return { code: 200750, msg: 'The card entity has expired' };
  if (card.messageId !== undefined) {
    return { code: 200780, msg: 'card binding biz count over limit' };
  }
  return undefined;
}

/** Parses and judges the JSON text of an entity. */
export function parseEntity(
  text: string,
): { readonly ok: true; readonly card: JsonObject } | { readonly ok: false; fault: CardFault } {
  const card = parseJsonObject(text);
  if (card === undefined) {
    return { ok: false, fault: { code: 200220, msg: 'Failed to generate card content' } };
  }
  const fault = entityContentFault(card);
  return fault === undefined ? { ok: true, card } : { ok: false, fault };
}

/** What every state of an entity must hold to. A card may hold any number of tables while it streams. */
export function entityContentFault(card: JsonObject): CardFault | undefined {
  if (Object.keys(card).length === 0) return { code: 300307, msg: 'The card DSL is empty' };
  if (!isSchema2(card)) return { code: 300303, msg: 'Only schema 2.0 is supported' };
  const config = configOf(card);
  if (config['update_multi'] === false) {
    return { code: 300302, msg: 'update_multi property is false' };
  }
  if (isOverSize(card)) return { code: 200860, msg: 'Card content exceeds limit.' };
  return faultOf(card) ?? (config['streaming_mode'] === true ? undefined : tableFault(card));
}

export function isExpired(cloud: Cloud, card: SimCard): boolean {
  return cloud.clock.nowMs() - card.createdAtMs >= CARD_LIFE_MS;
}

/** Open so long that the platform closed it. */
export function isTimedOut(cloud: Cloud, card: SimCard): boolean {
  const sinceMs = card.streamingSinceMs;
  return sinceMs !== undefined && cloud.clock.nowMs() - sinceMs >= STREAMING_MAX_MS;
}

/** Puts the changed card where people see it, and opens or closes its stream as its config says. */
export function showCard(cloud: Cloud, card: SimCard, node: JsonObject): void {
  const isOpen = configOf(node)['streaming_mode'] === true;
  if (!isOpen) card.streamingSinceMs = undefined;
  else if (card.streamingSinceMs === undefined || isTimedOut(cloud, card)) {
    card.streamingSinceMs = cloud.clock.nowMs();
  }
  const message = cloud.world.messages.get(card.messageId ?? '');
  if (message?.cardId === card.cardId) cloud.world.rememberCard(message);
  card.json = JSON.stringify(node);
  // A message whose card was replaced shows this entity no more.
  if (message?.cardId === card.cardId) message.updatedAtMs = cloud.clock.nowMs();
}

function tableFault(card: JsonObject): CardFault | undefined {
  if (countTables(card) <= CARD_TABLES_MAX) return undefined;
  return { code: CONTENT_CODE, msg: 'card table number over limit; ErrorValue: table' };
}

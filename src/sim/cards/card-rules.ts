import {
  CARD_TABLES_MAX,
  configOf,
  countTables,
  problemOf,
  isOverSize,
  isSchema2,
  type CardProblem,
} from './card-json.ts';
import type { Cloud } from '../cloud.ts';
import { schemaProblem, type ImageCheck } from './card-schema.ts';
import { refuse, type Answer } from '../api/http.ts';
import { parseJsonObject, type JsonObject } from '../world/json.ts';
import type { SimApp, SimCard } from '../world/model.ts';

/** A card entity can't be used after this time. */
const CARD_LIFE_MS = 14 * 24 * 3_600_000;

/** The platform ends streaming after this time. */
const STREAMING_MAX_MS = 10 * 60_000;

/** The code of problems that are reported inside the text of another error. */
const CONTENT_CODE = 11310;

/** Schema 2.0 has shared cards only. */
const NOT_SHARED: CardProblem = { code: 300302, msg: 'update_multi property is false' };

/** The answer if a card in a message has a problem in its content. The reason is in the text. */
export function refuseContent(problem: CardProblem): Answer {
  return refuse(
    230099,
    `Failed to create card content, ext=ErrCode: ${problem.code}; ErrMsg: ${problem.msg}; `,
  );
}

/** The answer if a cardkit operation has a problem. Too many tables are reported as for messages. */
export function refuseProblem(problem: CardProblem): Answer {
  return problem.code === CONTENT_CODE ? refuseContent(problem) : refuse(problem.code, problem.msg);
}

/** The problem of a card that is sent as JSON in a message; undefined if it has none. The caller validates its size. */
export function inlineCardProblem(text: string, isImage: ImageCheck): CardProblem | undefined {
  const card = parseJsonObject(text);
  if (card === undefined) return { code: 200621, msg: 'parse card json err' };
  const problem = problemOf(card);
  if (problem?.code === 300305) return { code: CONTENT_CODE, msg: 'element exceeds the limit' };
  if (isSchema2(card) && configOf(card)['update_multi'] === false) return NOT_SHARED;
  return problem ?? schemaProblem(card, isImage) ?? tableProblem(card);
}

/** Whether a card of this app may show an image: it has to be the app's own. */
export function imageCheck(cloud: Cloud, app: SimApp): ImageCheck {
  return (key) => {
    const upload = cloud.world.uploads.get(key);
    return (
      upload?.kind === 'image' && upload.owner.kind === 'app' && upload.owner.appId === app.appId
    );
  };
}

/** Why the app can't send this entity now. An entity can be sent once, within 14 days. */
export function entityProblem(cloud: Cloud, app: SimApp, cardId: string): CardProblem | undefined {
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

/** Parses and validates the JSON text of an entity. */
export function parseEntity(
  text: string,
): { readonly ok: true; readonly card: JsonObject } | { readonly ok: false; problem: CardProblem } {
  const card = parseJsonObject(text);
  if (card === undefined) {
    return { ok: false, problem: { code: 200220, msg: 'Failed to generate card content' } };
  }
  const problem = entityContentProblem(card);
  return problem === undefined ? { ok: true, card } : { ok: false, problem };
}

/** The problem of a state of an entity; undefined if it has none. A card may have any number of tables while it streams. */
export function entityContentProblem(card: JsonObject): CardProblem | undefined {
  if (Object.keys(card).length === 0) return { code: 300307, msg: 'The card DSL is empty' };
  if (!isSchema2(card)) return { code: 300303, msg: 'Only schema 2.0 is supported' };
  const config = configOf(card);
  if (config['update_multi'] === false) return NOT_SHARED;
  if (isOverSize(card)) return { code: 200860, msg: 'Card content exceeds limit.' };
  return problemOf(card) ?? (config['streaming_mode'] === true ? undefined : tableProblem(card));
}

export function isExpired(cloud: Cloud, card: SimCard): boolean {
  return cloud.clock.nowMs() - card.createdAtMs >= CARD_LIFE_MS;
}

/** True if streaming was on for so long that the platform ended it. */
export function isTimedOut(cloud: Cloud, card: SimCard): boolean {
  const sinceMs = card.streamingSinceMs;
  return sinceMs !== undefined && cloud.clock.nowMs() - sinceMs >= STREAMING_MAX_MS;
}

/** Shows the changed card, and turns streaming on or off as its config says. */
export function showCard(cloud: Cloud, card: SimCard, node: JsonObject): void {
  const isOpen = configOf(node)['streaming_mode'] === true;
  if (!isOpen) card.streamingSinceMs = undefined;
  else if (card.streamingSinceMs === undefined || isTimedOut(cloud, card)) {
    card.streamingSinceMs = cloud.clock.nowMs();
  }
  const message = cloud.world.messages.get(card.messageId ?? '');
  if (message?.cardId === card.cardId) cloud.world.rememberCard(message);
  card.json = JSON.stringify(node);
  // If the message's card was replaced, it does not show this entity any more.
  if (message?.cardId === card.cardId) message.updatedAtMs = cloud.clock.nowMs();
}

function tableProblem(card: JsonObject): CardProblem | undefined {
  if (countTables(card) <= CARD_TABLES_MAX) return undefined;
  return { code: CONTENT_CODE, msg: 'card table number over limit; ErrorValue: table' };
}

import {
  addElements,
  applyBatch,
  deleteElements,
  mergeSettings,
  patchElement,
  replaceElement,
  setText,
  type CardEdit,
} from './card-edits.ts';
import { configOf, type CardProblem } from './card-json.ts';
import {
  entityContentProblem,
  isExpired,
  isTimedOut,
  parseEntity,
  refuseProblem,
  showCard,
} from './card-rules.ts';
import { CARD_TOKEN_LIFE_MS } from './card-tokens.ts';
import type { Cloud } from '../cloud.ts';
import {
  callerOf,
  ok,
  refuse,
  textField,
  type Answer,
  type Call,
  type Route,
} from '../api/http.ts';
import { isJsonObject, parseJsonObject, type JsonObject } from '../world/json.ts';
import type { SimApp, SimCard } from '../world/model.ts';

/** A press counts as an interaction until its callback is answered, but not longer than this. */
const INTERACTION_MAX_MS = 3_000;
const CARD_LIMIT = { hitsMax: 10, windowMs: 1_000 };
const SEQUENCE_MAX = 2 ** 31 - 1;
const CONTENT_CHARS_MAX = 100_000;
const UUID_CHARS_MAX = 64;

/** Routes of cardkit v1. */
export function cardRoutes(cloud: Cloud): readonly Route[] {
  const cards = new CardEntities(cloud);
  const operation = (
    method: Route['method'],
    path: string,
    editFor: (call: Call) => CardEdit,
  ): Route => route(method, path, (call) => cards.operate(call, editFor(call)));
  return [
    route('POST', '', (call) => cards.create(call)),
    route('POST', '/id_convert', (call) => cards.convertId(call)),
    route('PUT', '/:card_id/elements/:element_id/content', (call) => cards.stream(call)),
    operation('PUT', '/:card_id', (call) => replaceCard(call.body['card'])),
    operation('PATCH', '/:card_id/settings', (call) => mergeSettings(call.body['settings'])),
    operation('POST', '/:card_id/batch_update', (call) => applyBatch(call.body['actions'])),
    operation('POST', '/:card_id/elements', (call) => addElements(call.body)),
    operation('PUT', '/:card_id/elements/:element_id', (call) =>
      replaceElement(elementIdOf(call), call.body['element']),
    ),
    operation('PATCH', '/:card_id/elements/:element_id', (call) =>
      patchElement(elementIdOf(call), call.body['partial_element']),
    ),
    operation('DELETE', '/:card_id/elements/:element_id', (call) =>
      deleteElements([elementIdOf(call)]),
    ),
  ];
}

function route(method: Route['method'], path: string, handle: (call: Call) => Answer): Route {
  return {
    method,
    path: `/open-apis/cardkit/v1/cards${path}`,
    auth: 'tenant',
    scopes: ['cardkit:card:write'],
    handle,
  };
}

class CardEntities {
  readonly #cloud: Cloud;
  /** Uuids of accepted operations, by card. */
  readonly #uuids = new WeakMap<SimCard, Set<string>>();

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
  }

  create(call: Call): Answer {
    const { type, data } = call.body;
    if (type !== 'card_json' || typeof data !== 'string' || data === '') return badParameter();
    const parsed = parseEntity(data);
    if (!parsed.ok) return refuseProblem(parsed.problem);
    return ok({ card_id: this.#add(callerOf(call), parsed.card).cardId });
  }

  /** Makes an entity of a card that was sent as JSON 2.0. A second call returns the same one. */
  convertId(call: Call): Answer {
    const { world } = this.#cloud;
    const app = callerOf(call);
    const message = world.messages.get(textField(call.body, 'message_id') ?? '');
    if (message === undefined || message.msgType !== 'interactive') return badParameter();
    if (message.sender.kind !== 'app' || message.sender.appId !== app.appId) return wrongApp();
    if (message.cardId !== undefined) return ok({ card_id: message.cardId });
    const parsed = parseEntity(message.content);
    if (!parsed.ok) return refuseProblem(parsed.problem);
    const card = this.#add(app, parsed.card);
    card.messageId = message.messageId;
    message.cardId = card.cardId;
    return ok({ card_id: card.cardId });
  }

  /** Sets the text of one element. This is possible only while the card streams. */
  stream(call: Call): Answer {
    const content = textField(call.body, 'content') ?? '';
    if (content === '' || content.length > CONTENT_CHARS_MAX) return badParameter();
    const edit = setText(elementIdOf(call), content);
    return this.operate(call, edit, (card) => this.#streamingProblem(card));
  }

  /** One numbered operation on an entity. It is applied to a copy, validated, and then kept as a whole. */
  operate(
    call: Call,
    edit: CardEdit,
    problemOf: (card: SimCard) => CardProblem | undefined = () => undefined,
  ): Answer {
    const { sequence, uuid } = call.body;
    if (!isSequence(sequence) || !isUuid(uuid)) return badParameter();
    const card = this.#cloud.world.cards.get(call.params['card_id'] ?? '');
    if (card === undefined) return refuse(200740, 'The card entity does not exist');
    const refusal = this.#refusal(card, { app: callerOf(call), sequence, uuid });
    if (refusal !== undefined) return refusal;
    const problem = problemOf(card) ?? this.#apply(card, edit);
    if (problem !== undefined) return refuseProblem(problem);
    card.sequence = sequence;
    if (uuid !== undefined) this.#uuidsOf(card).add(uuid);
    return ok({});
  }

  #refusal(
    card: SimCard,
    by: { readonly app: SimApp; readonly sequence: number; readonly uuid: string | undefined },
  ): Answer | undefined {
    if (card.appId !== by.app.appId) return wrongApp();
    if (isExpired(this.#cloud, card)) return refuse(200750, 'The card entity has expired');
    if (this.#cloud.limits.take(`card ${card.cardId}`, CARD_LIMIT) > 0) {
      return refuse(230020, 'This operation triggers the frequency limit.');
    }
    if (by.uuid !== undefined && this.#uuidsOf(card).has(by.uuid)) {
      return refuse(200770, 'UUID conflict');
    }
    if (by.sequence <= card.sequence) {
      return refuse(
        300317,
        'The sequence number for operating on the card did not increment consecutively',
      );
    }
    if (card.streamingSinceMs !== undefined && this.#isInteracting(card)) {
      return refuse(200810, 'The card is in an ongoing interaction and cannot be updated');
    }
    return undefined;
  }

  #apply(card: SimCard, edit: CardEdit): CardProblem | undefined {
    const node = parseJsonObject(card.json);
    if (node === undefined) throw new Error(`card ${card.cardId} holds no JSON object`);
    // If streaming timed out, it is off. Only an edit can turn it on again.
    if (isTimedOut(this.#cloud, card)) {
      node['config'] = { ...configOf(node), streaming_mode: false };
    }
    const problem = edit(node) ?? entityContentProblem(node);
    if (problem === undefined) showCard(this.#cloud, card, node);
    return problem;
  }

  #add(app: SimApp, node: JsonObject): SimCard {
    const { world, clock } = this.#cloud;
    const card: SimCard = {
      cardId: world.ids.card(),
      appId: app.appId,
      json: JSON.stringify(node),
      sequence: 0,
      createdAtMs: clock.nowMs(),
      streamingSinceMs: configOf(node)['streaming_mode'] === true ? clock.nowMs() : undefined,
      messageId: undefined,
    };
    world.cards.set(card.cardId, card);
    return card;
  }

  #streamingProblem(card: SimCard): CardProblem | undefined {
    if (card.streamingSinceMs === undefined) return { code: 300309, msg: 'Card streaming closed' };
    if (isTimedOut(this.#cloud, card)) return { code: 200850, msg: 'Card streaming timeout' };
    return undefined;
  }

  #isInteracting(card: SimCard): boolean {
    const nowMs = this.#cloud.clock.nowMs();
    return [...this.#cloud.world.cardTokens.values()].some(
      (token) =>
        token.messageId === card.messageId &&
        !token.acked &&
        nowMs - (token.expiresAtMs - CARD_TOKEN_LIFE_MS) < INTERACTION_MAX_MS,
    );
  }

  #uuidsOf(card: SimCard): Set<string> {
    let uuids = this.#uuids.get(card);
    if (uuids === undefined) {
      uuids = new Set();
      this.#uuids.set(card, uuids);
    }
    return uuids;
  }
}

/** Replaces the whole card. `card` is `{type: 'card_json', data: JSON text}`. */
function replaceCard(card: unknown): CardEdit {
  return (node) => {
    if (!isJsonObject(card) || card['type'] !== 'card_json' || typeof card['data'] !== 'string') {
      return { code: 10002, msg: 'Your request contains an invalid request parameter. card' };
    }
    const parsed = parseEntity(card['data']);
    if (!parsed.ok) return parsed.problem;
    for (const key of Object.keys(node)) delete node[key];
    Object.assign(node, parsed.card);
    return undefined;
  };
}

function elementIdOf(call: Call): string {
  return call.params['element_id'] ?? '';
}

function isSequence(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= SEQUENCE_MAX;
}

/** It may be left out; otherwise it has 1 to 64 characters. */
function isUuid(value: unknown): value is string | undefined {
  if (value === undefined) return true;
  return typeof value === 'string' && value !== '' && value.length <= UUID_CHARS_MAX;
}

function badParameter(): Answer {
  return refuse(10002, 'Your request contains an invalid request parameter.');
}

function wrongApp(): Answer {
  return refuse(300311, 'The current application does not have permission to update/use this card');
}

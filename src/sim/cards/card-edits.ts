import type { CardProblem } from './card-json.ts';
import { isJsonObject, parseJson, parseJsonObject, type JsonObject } from '../world/json.ts';

/** An element and where it is: in a list of siblings, or under a key of its parent (`div.text`). */
type Place = { readonly node: JsonObject } & (
  | { readonly list: unknown[]; readonly at: number }
  | { readonly parent: JsonObject; readonly key: string }
);

/** Changes the card in place. If it returns a problem, the changed card must not be used. */
export type CardEdit = (card: JsonObject) => CardProblem | undefined;

/** Elements that can have children, and under which key. */
const CONTAINER_KEY: Readonly<Record<string, string>> = {
  column_set: 'columns',
  column: 'elements',
  form: 'elements',
  interactive_container: 'elements',
  collapsible_panel: 'elements',
};

const BAD_PARAMETER = 'Your request contains an invalid request parameter.';

/** Reads a parameter that is JSON text in single operations, and plain JSON in a batch. */
function nodeOf(value: unknown): JsonObject | undefined {
  return typeof value === 'string'
    ? parseJsonObject(value)
    : isJsonObject(value)
      ? value
      : undefined;
}

function nodesOf(value: unknown): JsonObject[] | undefined {
  const list = typeof value === 'string' ? parseJson(value) : value;
  return Array.isArray(list) && list.length > 0 && list.every(isJsonObject) ? list : undefined;
}

/** Sets the full text of a streaming element. */
export function setText(elementId: string, content: string): CardEdit {
  return (card) => {
    const place = find(card, elementId);
    if (place === undefined) return notFound(300313, elementId);
    const tag = place.node['tag'];
    if (tag !== 'markdown' && tag !== 'plain_text') {
      return { code: 300310, msg: 'Only update text' };
    }
    place.node['content'] = content;
    return undefined;
  };
}

/** The fields of `config` and `card_link` in the settings replace the card's fields of the same name. */
export function mergeSettings(settings: unknown): CardEdit {
  return (card) => {
    const given = nodeOf(settings);
    if (given === undefined || Object.keys(given).length === 0) {
      return {
        code: 300122,
        msg: 'Failed to update card configuration: settings is not an object',
      };
    }
    for (const key of Object.keys(given)) {
      const value = given[key];
      if ((key !== 'config' && key !== 'card_link') || !isJsonObject(value)) {
        return { code: 300122, msg: `Failed to update card configuration: ${key}` };
      }
      card[key] = { ...(isJsonObject(card[key]) ? card[key] : {}), ...value };
    }
    return undefined;
  };
}

export function addElements(params: JsonObject): CardEdit {
  return (card) => {
    const elements = nodesOf(params['elements']);
    if (elements === undefined) return { code: 300315, msg: 'Failed to add element: no elements' };
    const target = params['target_element_id'];
    const targetId = typeof target === 'string' ? target : '';
    switch (params['type']) {
      case 'append':
        return append(card, targetId, elements);
      case 'insert_before':
        return insert(card, { targetId, elements, offset: 0 });
      case 'insert_after':
        return insert(card, { targetId, elements, offset: 1 });
      default:
        return { code: 10002, msg: `${BAD_PARAMETER} type` };
    }
  };
}

/** Replaces the whole element. The new one may have another tag and id. */
export function replaceElement(elementId: string, element: unknown): CardEdit {
  return (card) => {
    const place = find(card, elementId);
    if (place === undefined) return notFound(300121, elementId);
    const node = nodeOf(element);
    if (node === undefined || typeof node['tag'] !== 'string') {
      return { code: 300121, msg: 'Failed to replace element: not an element' };
    }
    put(place, node);
    return undefined;
  };
}

/** Changes some properties of the element. Its tag can't change. */
export function patchElement(elementId: string, partial: unknown): CardEdit {
  return (card) => {
    const place = find(card, elementId);
    if (place === undefined) return notFound(300313, elementId);
    const fields = nodeOf(partial);
    if (fields === undefined) {
      return { code: 300313, msg: 'Failed to update element properties: not an object' };
    }
    if (fields['tag'] !== undefined && fields['tag'] !== place.node['tag']) {
      return { code: 300312, msg: 'Unable to update element tag' };
    }
    put(place, { ...place.node, ...fields });
    return undefined;
  };
}

export function deleteElements(ids: unknown): CardEdit {
  return (card) => {
    if (!Array.isArray(ids) || ids.length === 0) return { code: 10002, msg: BAD_PARAMETER };
    for (const id of ids) {
      const place = find(card, id);
      if (place === undefined) return notFound(300314, id);
      if ('list' in place) place.list.splice(place.at, 1);
      else delete place.parent[place.key];
    }
    return undefined;
  };
}

/** Carries out all actions in their order, or none. `actions` is JSON text. */
export function applyBatch(actions: unknown): CardEdit {
  return (card) => {
    const list = nodesOf(actions);
    if (list === undefined) return { code: 10002, msg: `${BAD_PARAMETER} actions` };
    for (const item of list) {
      const params = isJsonObject(item['params']) ? item['params'] : {};
      const problem = editOf(item['action'], params)(card);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
}

function editOf(action: unknown, params: JsonObject): CardEdit {
  const id = params['element_id'];
  const elementId = typeof id === 'string' ? id : '';
  switch (action) {
    case 'partial_update_setting':
      return mergeSettings(params['settings']);
    case 'add_elements':
      return addElements(params);
    case 'delete_elements':
      return deleteElements(params['element_ids']);
    case 'partial_update_element':
      return patchElement(elementId, params['partial_element']);
    case 'update_element':
      return replaceElement(elementId, params['element']);
    default:
      return () => ({ code: 10002, msg: `${BAD_PARAMETER} action` });
  }
}

function append(
  card: JsonObject,
  targetId: string,
  elements: readonly JsonObject[],
): CardProblem | undefined {
  const target = targetId === '' ? card['body'] : find(card, targetId)?.node;
  if (!isJsonObject(target)) return notFound(300315, targetId);
  const key = targetId === '' ? 'elements' : CONTAINER_KEY[String(target['tag'])];
  if (key === undefined) {
    return { code: 300315, msg: `Failed to add element: ${targetId} is not a container` };
  }
  const children = target[key];
  target[key] = [...(Array.isArray(children) ? children : []), ...elements];
  return undefined;
}

function insert(
  card: JsonObject,
  options: { readonly targetId: string; readonly elements: JsonObject[]; readonly offset: 0 | 1 },
): CardProblem | undefined {
  const place = find(card, options.targetId);
  if (place === undefined || !('list' in place)) return notFound(300315, options.targetId);
  place.list.splice(place.at + options.offset, 0, ...options.elements);
  return undefined;
}

function put(place: Place, node: JsonObject): void {
  if ('list' in place) place.list[place.at] = node;
  else place.parent[place.key] = node;
}

function notFound(code: number, elementId: unknown): CardProblem {
  return { code, msg: `no element has the element_id ${JSON.stringify(elementId)}` };
}

function find(card: JsonObject, elementId: unknown): Place | undefined {
  if (typeof elementId !== 'string' || elementId === '') return undefined;
  return findIn(card, elementId);
}

function findIn(holder: JsonObject | unknown[], elementId: string): Place | undefined {
  for (const [key, value] of Object.entries(holder)) {
    if (isJsonObject(value) && value['element_id'] === elementId) {
      return Array.isArray(holder)
        ? { node: value, list: holder, at: Number(key) }
        : { node: value, parent: holder, key };
    }
    const below =
      isJsonObject(value) || Array.isArray(value) ? findIn(value, elementId) : undefined;
    if (below !== undefined) return below;
  }
  return undefined;
}

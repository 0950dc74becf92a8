/** Reads how the app is set up in Lark. This needs a permission that most bots do not have. */
import { isObject, type Json } from '../../core/json-object.ts';
import type { AppFact, LarkResult } from '../facts.ts';
import type { AppId } from '../../core/ids.ts';

/** A GET with the app's token. The value is the `data` of the answer. */
export type Ask = (path: string) => Promise<LarkResult<unknown>>;

const VERSIONS_MAX = 10;
/** Status of a version that is published. */
const PUBLISHED = 1;

/**
 * Permissions, events and callbacks of the app: as granted, and as published. The parameter `lang` is required.
 * `application/v6/scopes` is not used: it reports granted permissions as missing.
 */
export async function readAppInfo(ask: Ask, app: AppId): Promise<LarkResult<AppFact>> {
  const path = `/open-apis/application/v6/applications/${app}`;
  const [info, versions] = await Promise.all([
    ask(`${path}?lang=en_us`),
    ask(`${path}/app_versions?lang=en_us&page_size=${VERSIONS_MAX}`),
  ]);
  if (info.kind !== 'ok') return info;
  const fields = fieldsIn(info.value, 'app');
  const callback = fieldsIn(fields, 'callback_info');
  return {
    kind: 'ok',
    value: {
      scopes: textsOf(fields['scopes'], 'scope'),
      callbacks: textsOf(callback['subscribed_callbacks']),
      callbacksElsewhere: callback['callback_type'] === 'webhook',
      events: versions.kind === 'ok' ? eventsOf(versions.value) : undefined,
    },
  };
}

/** The events of the newest published version. Versions come newest first. */
function eventsOf(data: unknown): readonly string[] | undefined {
  const items =
    isObject(data) && Array.isArray(data['items']) ? data['items'].filter(isObject) : [];
  const published = items.find(({ status }) => status === PUBLISHED);
  return published && textsOf(published['event_infos'], 'event_type');
}

function fieldsIn(value: unknown, name: string): Json {
  const inner = isObject(value) ? value[name] : undefined;
  return isObject(inner) ? inner : {};
}

/** Texts from a list of texts, or from a list of objects that hold a text under `name`. */
function textsOf(list: unknown, name?: string): readonly string[] | undefined {
  if (!Array.isArray(list)) return undefined;
  return list
    .map((item: unknown) => (name === undefined ? item : isObject(item) ? item[name] : undefined))
    .filter((text) => typeof text === 'string');
}

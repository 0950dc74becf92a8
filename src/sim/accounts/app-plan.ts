import { gunzipSync } from 'node:zlib';
import { isJsonObject, parseJsonObject, type JsonObject } from '../world/json.ts';

/** The app that a link asks the person to create or to extend. */
export interface AppPlan {
  readonly name: string | undefined;
  readonly description: string | undefined;
  /** The existing app to extend; undefined: a new one. */
  readonly appId: string | undefined;
  /** True: with the platform's usual scopes for agents, in addition to `scopes`. */
  readonly preset: boolean;
  readonly scopes: readonly string[];
  readonly subscriptions: readonly string[];
}

/** Reads the parameters that clients append to the verification link. Unreadable ones are ignored. */
export function appPlanOf(link: URLSearchParams): AppPlan {
  const addons = decodeAddons(link.get('addons') ?? '');
  const events = isJsonObject(addons['events']) ? addons['events']['items'] : undefined;
  const callbacks = isJsonObject(addons['callbacks']) ? addons['callbacks']['items'] : undefined;
  const createOnly = link.get('createOnly') === 'true';
  return {
    name: link.get('name') ?? undefined,
    description: link.get('desc') ?? undefined,
    appId: createOnly ? undefined : (link.get('clientID') ?? undefined),
    preset: addons['preset'] !== false,
    scopes: namesIn(addons['scopes']),
    subscriptions: [...namesIn(events), ...namesIn(callbacks)],
  };
}

/** The text is gzipped JSON as base64url. */
function decodeAddons(text: string): JsonObject {
  if (text === '') return {};
  try {
    return parseJsonObject(gunzipSync(Buffer.from(text, 'base64url')).toString()) ?? {};
  } catch (error) {
    // zlib throws plain errors with a code. Anything else is a bug.
    if (!(error instanceof Error && 'code' in error)) throw error;
    return {};
  }
}

/** `["a"]`, or lists by kind of identity: `{tenant: ["a"], user: ["b"]}`. */
function namesIn(value: unknown): string[] {
  const lists = isJsonObject(value) ? Object.values(value) : [value];
  return lists.flat().filter((name) => typeof name === 'string');
}

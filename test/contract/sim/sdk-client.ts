import { createRequire } from 'node:module';
import type * as Sdk from '@larksuiteoapi/node-sdk';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp } from '../../../src/sim/world/model.ts';

/** The official SDK, unchanged: the simulator has to work with it. */
export const sdk = createRequire(import.meta.url)('@larksuiteoapi/node-sdk') as typeof Sdk;

const silent = () => undefined;

export const silentLogger = {
  error: silent,
  warn: silent,
  info: silent,
  debug: silent,
  trace: silent,
};

/** A client with a token of its own. A client that is made after `advance` gets a new token. */
export function createClient(lark: LarkCloud, app: SimApp): Sdk.Client {
  const tokens = new Map<unknown, unknown>();
  return new sdk.Client({
    cache: {
      get: (key) => Promise.resolve(tokens.get(key)),
      set: (key, value) => Promise.resolve(Boolean(tokens.set(key, value))),
    },
    appId: app.appId,
    appSecret: app.appSecret,
    domain: lark.openBaseUrl,
    logger: silentLogger,
  });
}

/** The platform's code of a call for which the SDK throws. Fails if the call succeeds. */
export async function refusalOf(call: Promise<unknown>): Promise<{ code: number; msg: string }> {
  let answer: unknown;
  try {
    answer = await call;
  } catch (error) {
    const { data } = (error as { response: { data: unknown } }).response;
    return data as { code: number; msg: string };
  }
  throw new Error(`was not refused: ${JSON.stringify(answer)}`);
}

export async function codeOf(call: Promise<unknown>): Promise<number> {
  return (await refusalOf(call)).code;
}

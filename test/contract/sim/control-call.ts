import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';

type Json = Record<string, unknown>;

/** A control call as a test in any language makes it: a GET has its fields in the query, other calls in JSON. */
export async function callControl(lark: LarkCloud, method: string, path: string, fields: Json) {
  const isGet = method === 'GET';
  const query = isGet ? `?${new URLSearchParams(fields as Record<string, string>).toString()}` : '';
  const response = await fetch(lark.controlUrl + path + query, {
    method,
    ...(!isGet && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(fields),
    }),
  });
  return { status: response.status, body: (await response.json()) as Json };
}

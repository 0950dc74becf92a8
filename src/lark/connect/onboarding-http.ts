/** HTTP for the onboarding: single small posts that Ctrl-C does not have to wait for. */
import type { HttpRequest, LarkHttp } from '../outbound/http.ts';

export type HttpAnswer =
  /** `body`: the parsed JSON. Undefined if the body was no JSON. */
  | { readonly kind: 'answered'; readonly status: number; readonly body: unknown }
  /** No complete answer came. `detail` tells people why. */
  | { readonly kind: 'lost'; readonly detail: string };

type PostBody =
  | { readonly form: Readonly<Record<string, string>> }
  | { readonly json: Readonly<Record<string, string>> };

/** Posts once. Does not reject if the network or the server fails. */
export type Post = (url: string, body: PostBody, signal: AbortSignal) => Promise<HttpAnswer>;

export function createPost(http: LarkHttp): Post {
  return async (url, body, signal) => {
    if (signal.aborted) return INTERRUPTED;
    const outcome = await orAborted(http.call(toRequest(url, body)), signal);
    if (outcome === undefined) return INTERRUPTED;
    return outcome.kind === 'answered' ? outcome : { kind: 'lost', detail: outcome.detail };
  };
}

const INTERRUPTED = { kind: 'lost', detail: 'interrupted' } as const;

function toRequest(url: string, body: PostBody): HttpRequest {
  if ('json' in body) return { method: 'POST', url, json: body.json };
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    text: new URLSearchParams(body.form).toString(),
  };
}

/** Undefined if `signal` aborts first. The call then ends when the HTTP client is closed. */
function orAborted<T>(call: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const stop = () => resolve(undefined);
    signal.addEventListener('abort', stop);
    call.finally(() => signal.removeEventListener('abort', stop)).then(resolve, reject);
  });
}

/** Our HTTP client in the form that the SDK's `Client` needs. */
import { asObject } from '../../core/json-object.ts';
import type { FormPart } from '../../net/http.ts';
import type { HttpOutcome, HttpRequest, LarkHttp } from './http.ts';
import type { HttpInstance, HttpRequestOptions } from '../sdk.ts';

/** Carries the outcome of a failed call through the SDK, which can only return a body or throw. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
  readonly outcome: HttpOutcome;

  constructor(outcome: HttpOutcome) {
    super('the call to Lark failed');
    this.outcome = outcome;
  }
}

/** True for a success at Lark: HTTP 2xx and `code` 0. The SDK itself checks only the HTTP status. */
function succeeded(outcome: HttpOutcome, streamed: boolean): boolean {
  if (outcome.kind !== 'answered' || outcome.status < 200 || outcome.status > 299) return false;
  const { body } = outcome;
  if (streamed) return true;
  return asObject(body)?.['code'] === 0;
}

/** Returns the body of a success to the SDK. Everything else is thrown as `CallFailed`. */
export function createHttpInstance(http: LarkHttp): HttpInstance {
  async function request<R>(options: HttpRequestOptions<unknown>): Promise<R> {
    const call = toRequest(options);
    const outcome = await http.call(call);
    if (outcome.kind !== 'answered' || !succeeded(outcome, call.stream === true)) {
      throw new CallFailed(outcome);
    }
    const { body, headers } = outcome;
    return (options.$return_headers === true ? { data: body, headers } : body) as R;
  }
  const plain =
    (method: string) =>
    <R>(url: string, options?: HttpRequestOptions<unknown>) =>
      request<R>({ ...options, url, method });
  const withBody =
    (method: string) =>
    <R>(url: string, data?: unknown, options?: HttpRequestOptions<unknown>) =>
      request<R>({ ...options, url, method, data });
  return {
    request,
    get: plain('GET'),
    delete: plain('DELETE'),
    head: plain('HEAD'),
    options: plain('OPTIONS'),
    post: withBody('POST'),
    put: withBody('PUT'),
    patch: withBody('PATCH'),
  };
}

function toRequest(options: HttpRequestOptions<unknown>): HttpRequest {
  const method = (options.method ?? 'GET').toUpperCase() as HttpRequest['method'];
  const { 'content-type': contentType, ...headers } = lowerCase(options.headers ?? {});
  const base = {
    method,
    url: withQuery(options),
    headers,
    ...(options.responseType === 'stream' ? { stream: true } : {}),
  };
  if (contentType?.startsWith('multipart/form-data') === true) {
    return { ...base, form: toForm(options.data) };
  }
  // The SDK passes an empty object to every GET and DELETE, and undici refuses a GET with a body.
  const bodiless = method === 'GET' || (method === 'DELETE' && isEmpty(options.data));
  return bodiless || options.data === undefined ? base : { ...base, json: options.data };
}

function withQuery(options: HttpRequestOptions<unknown>): string {
  const url = options.url ?? '';
  const params = options.params ?? {};
  const serialize = options.paramsSerializer;
  const query =
    typeof serialize === 'function' ? serialize(params) : new URLSearchParams(params).toString();
  return query === '' ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`;
}

function lowerCase(headers: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
}

function isEmpty(data: unknown): boolean {
  return data === undefined || data === null || Object.keys(data).length === 0;
}

function toForm(data: unknown): FormPart[] {
  return Object.entries((data ?? {}) as Record<string, unknown>).map(([name, value]) =>
    Buffer.isBuffer(value)
      ? { name, value: new Uint8Array(value), fileName: name }
      : { name, value: String(value) },
  );
}

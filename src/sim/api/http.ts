import type { IncomingHttpHeaders } from 'node:http';
import type { SimApp } from '../world/model.ts';

/** One API call as a route gets it: parsed, and with its app. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The JSON object, or the fields of the form; empty if there is no body. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly raw: Buffer;
  /** All parts of a multipart body. */
  readonly parts: readonly UploadedPart[];
  /** The app whose bearer token was sent. Routes with auth `tenant` always have it. */
  readonly app: SimApp | undefined;
}

export interface UploadedPart {
  readonly field: string;
  readonly bytes: Buffer;
}

/** A body, parsed by its content type. */
export interface ParsedBody {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly parts: readonly UploadedPart[];
}

/** `cut`: half of it, then the socket is closed. `hang`: half of it, then nothing. `endless`: more and more bytes. */
export type DownloadEnding = 'cut' | 'hang' | 'endless';

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, a Buffer as it is, a string as HTML. */
  readonly body: unknown;
  /** For a Buffer: it is not sent as a whole. */
  readonly ending?: DownloadEnding;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `/open-apis/im/v1/messages/:message_id/reply`: a segment with a colon is a parameter. */
  readonly path: string;
  /** `tenant`: the call needs a valid tenant access token, and counts for the app's rate limits. */
  readonly auth: 'tenant' | 'none';
  /** The app needs at least one of these. Without this field it needs no scope. */
  readonly scopes?: readonly string[];
  /** Two calls with the same `uuid` in the body can't run at the same time: the second gets 230049. */
  readonly uuidGuarded?: boolean;
  handle(call: Call): Answer | Promise<Answer>;
}

export function ok(data: unknown): Answer {
  return { status: 200, body: { code: 0, msg: 'success', data } };
}

interface RefuseOptions {
  /** HTTP status; 400 by default, as for business errors. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** More fields for the `error` object; `log_id` is added when the answer is sent. */
  readonly error?: Readonly<Record<string, unknown>>;
}

/** A business error of the open platform. */
export function refuse(code: number, msg: string, options: RefuseOptions = {}): Answer {
  const troubleshooter = `Search for the error code: https://open.feishu.cn/search?q=${code}`;
  return {
    status: options.status ?? 400,
    ...(options.headers && { headers: options.headers }),
    body: { code, msg, error: { troubleshooter, ...options.error } },
  };
}

/** A required parameter is missing or malformed. `field` is its name. */
export function refuseField(field: string, description: string): Answer {
  return refuse(99992402, 'field validation failed', {
    error: { field_violations: [{ field, description }] },
  });
}

/** The app of a call to a route with auth `tenant`. */
export function callerOf(call: Call): SimApp {
  if (call.app === undefined) throw new Error(`${call.method} ${call.path} has no app`);
  return call.app;
}

/**
 * Scheme and host by which the client reached the server, for addresses in answers. A proxy that
 * ends TLS sends `X-Forwarded-Proto` and keeps `Host`. Without a proxy it is the server's own scheme.
 */
export function originOf(baseUrl: string, headers: IncomingHttpHeaders): string {
  const own = new URL(baseUrl);
  const forwarded = [headers['x-forwarded-proto']].flat()[0]?.split(',')[0]?.trim().toLowerCase();
  const scheme = forwarded === 'https' || forwarded === 'http' ? `${forwarded}:` : own.protocol;
  return `${scheme}//${headers.host ?? own.host}`;
}

export function textField(
  fields: Readonly<Record<string, unknown>>,
  name: string,
): string | undefined {
  const value = fields[name];
  return typeof value === 'string' ? value : undefined;
}

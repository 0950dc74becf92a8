/** `fetch` on our HTTP client, for SDKs that take one. It follows no redirect. */
import { ReadableStream } from 'node:stream/web';
import {
  type HttpCall,
  type HttpClient,
  type HttpFailure,
  type HttpStream,
  TOO_LARGE,
} from './http.ts';

/** A line of a stream of events. SDKs take no more. */
const EVENT_BYTES_MAX = 4 * 1024 * 1024;
const NEW_LINE = 10;

interface FetchOptions {
  /** The client for an address. */
  readonly clientFor: (url: URL) => HttpClient;
  /** Added to each request. Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The longest time without a byte. */
  readonly silenceMsMax: number;
  /** Of an answer that is not a stream of events. */
  readonly answerBytesMax: number;
}

/** The call failed, or its answer broke off. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
  readonly failure: Pick<HttpFailure, 'kind' | 'code' | 'detail'>;

  constructor(failure: Pick<HttpFailure, 'kind' | 'code' | 'detail'>) {
    super(failure.detail);
    this.failure = failure;
  }
}

/** The server did not take the request: it redirects, wants a login, or has trouble of its own. */
export class StatusRefused extends Error {
  override readonly name = 'StatusRefused';
  readonly status: number;

  constructor(status: number) {
    super(`the server answered with HTTP ${status}`);
    this.status = status;
  }
}

/** It rejects with `CallFailed` or `StatusRefused`. A refusal that an SDK can read, in JSON, is an answer. */
export function createFetch(options: FetchOptions): typeof fetch {
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const call: HttpCall = {
      method: (init.method ?? 'GET') as HttpCall['method'],
      url: url.href,
      headers: { ...Object.fromEntries(new Headers(init.headers)), ...options.headers },
      ...(typeof init.body === 'string' && { text: init.body }),
      timeoutMs: options.silenceMsMax,
      ...(init.signal != null && { signal: init.signal }),
    };
    const result = await options.clientFor(url).open(call, () => true);
    if (result.kind !== 'stream') {
      if (result.kind === 'answer') throw new Error('a client did not return a stream');
      throw new CallFailed(result);
    }
    return responseOf(result, options);
  };
}

function responseOf(result: HttpStream, { answerBytesMax }: FetchOptions): Response {
  const { status, headers } = result;
  const type = headers['content-type'] ?? '';
  if (status >= 300 && !isReadableRefusal(status, type)) {
    // What ends the reading is no error of the server.
    result.stream.on('error', () => {}).destroy();
    throw new StatusRefused(status);
  }
  if (status === 204) return new Response(null, { status });
  const isEvents = type.startsWith('text/event-stream');
  const pieces = isEvents ? linesOf(result) : chunksOf(result, answerBytesMax);
  const body = ReadableStream.from(pieces);
  return new Response(body, {
    status,
    headers,
  });
}

/** Of a server that understood the request. 401 and 403 say all by themselves. */
function isReadableRefusal(status: number, type: string): boolean {
  return status >= 400 && status < 500 && status !== 401 && status !== 403 && /json/.test(type);
}

async function* chunksOf({ stream }: HttpStream, bytesMax: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength;
      if (bytes > bytesMax) throw tooLarge(bytesMax);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof CallFailed) throw error;
    const { code = 'BROKEN_OFF', message } = error as NodeJS.ErrnoException;
    throw new CallFailed({ kind: 'no_answer', code, detail: message });
  }
}

/**
 * Whole lines. An SDK that gets a line in pieces looks through all of it for each piece, which takes seconds for a
 * file of a few MB.
 */
async function* linesOf(result: HttpStream): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(result, Infinity)) {
    held.push(chunk);
    bytes += chunk.byteLength;
    if (chunk.includes(NEW_LINE)) {
      yield Buffer.concat(held);
      held = [];
      bytes = 0;
    } else if (bytes > EVENT_BYTES_MAX) throw tooLarge(EVENT_BYTES_MAX);
  }
  yield Buffer.concat(held);
}

function tooLarge(bytesMax: number): CallFailed {
  const detail = `its answer is larger than ${bytesMax / 1024 ** 2} MB`;
  return new CallFailed({ kind: 'no_answer', code: TOO_LARGE, detail });
}

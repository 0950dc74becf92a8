/** A collector of traces on loopback: OTLP over HTTP with JSON bodies, written from the protocol's document. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, string | number>>;
}

export interface OtlpReceiver {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  readonly headers: Readonly<Record<string, unknown>>[];
  /** Attributes of what sent, of the latest request. */
  resource: Readonly<Record<string, string | number>>;
  /** Everything as it came. */
  text: string;
  /** Answers that are not 200, taken one by one. */
  readonly refusals: number[];
}

type Json = Readonly<Record<string, unknown>>;

export async function openOtlpReceiver(): Promise<OtlpReceiver> {
  const received: Omit<OtlpReceiver, 'url'> = {
    spans: [],
    headers: [],
    resource: {},
    text: '',
    refusals: [],
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const status = received.refusals.shift() ?? (request.url === '/v1/traces' ? 200 : 404);
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
      if (status !== 200) return;
      received.headers.push(request.headers);
      const text = Buffer.concat(chunks).toString();
      received.text += text;
      for (const resourceSpans of listOf(JSON.parse(text) as Json, 'resourceSpans')) {
        received.resource = attributesOf(resourceSpans['resource'] as Json);
        const scopes = listOf(resourceSpans, 'scopeSpans');
        received.spans.push(...scopes.flatMap((scope) => listOf(scope, 'spans')).map(spanOf));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return Object.assign(received, { url: `http://127.0.0.1:${port}` });
}

function spanOf(raw: Json): ReceivedSpan {
  const parent = raw['parentSpanId'];
  return {
    traceId: String(raw['traceId']),
    spanId: String(raw['spanId']),
    parentSpanId: typeof parent === 'string' && parent !== '' ? parent : undefined,
    name: String(raw['name']),
    kind: Number(raw['kind']),
    startMs: Number(BigInt(String(raw['startTimeUnixNano'])) / 1_000_000n),
    endMs: Number(BigInt(String(raw['endTimeUnixNano'])) / 1_000_000n),
    failed: (raw['status'] as Json | undefined)?.['code'] === 2,
    attributes: attributesOf(raw),
  };
}

function attributesOf(raw: Json): Record<string, string | number> {
  return Object.fromEntries(
    listOf(raw, 'attributes').map(({ key, value }) => {
      const { stringValue, intValue, doubleValue } = value as Json;
      const told = typeof stringValue === 'string' ? stringValue : Number(intValue ?? doubleValue);
      return [String(key), told];
    }),
  );
}

function listOf(raw: Json, name: string): Json[] {
  return (raw[name] ?? []) as Json[];
}

/** The HTTP server of the turn contract: parsing, refusals, headers. The routes are added elsewhere. */
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { Static, TSchema } from '@sinclair/typebox';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyTypeProvider,
  type RawServerDefault,
} from 'fastify';
import type { FastifySchemaControllerOptions } from 'fastify/types/schema.js';
import { BridgeError, errorText } from '../../../core/errors.ts';
import { A2A_BODY_BYTES_MAX } from '../../../core/limits.ts';
import { busy, Refusal } from './refusal.ts';
import type { Log } from '../../../core/log.ts';

interface TypeBoxProvider extends FastifyTypeProvider {
  readonly validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
  readonly serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
}

export type Server = FastifyInstance<
  RawServerDefault,
  FastifyRequest['raw'],
  FastifyReply['raw'],
  FastifyBaseLogger,
  TypeBoxProvider
>;

export interface ServerOptions {
  readonly tls: { readonly certPem: string; readonly keyPem: string } | undefined;
  /** `*`, or origins separated by commas. `undefined`: browsers of other origins are refused. */
  readonly corsOrigin: string | undefined;
  readonly log: Log;
}

/** A request must arrive within this time, so that slow senders can't keep connections open. */
const REQUEST_TIMEOUT_MS = 60_000;
const STORE_RETRY_AFTER_SECS = 5;
const SCHEMA_ERRORS = { body: 'invalid request body', querystring: 'invalid query' } as const;

/** Replaces the two compilers that Fastify would load. Its types know only those two. */
const COMPILERS = {
  buildValidator: () => createValidator,
  buildSerializer: () => () => JSON.stringify,
} as unknown as NonNullable<FastifySchemaControllerOptions['compilersFactory']>;

function createValidator({ schema, httpPart }: { schema: TSchema; httpPart?: string }) {
  const validator = TypeCompiler.Compile(schema);
  return (value: unknown) => {
    if (validator.Check(value)) return { value };
    const first = validator.Errors(value).First();
    const text = httpPart === 'body' ? SCHEMA_ERRORS.body : SCHEMA_ERRORS.querystring;
    return { error: new Refusal(400, text, { detail: `${first?.path}: ${first?.message}` }) };
  };
}

export function createServer({ tls, corsOrigin, log }: ServerOptions): Server {
  const server = Fastify({
    bodyLimit: A2A_BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    schemaController: { compilersFactory: COMPILERS },
    ...(tls === undefined ? {} : { https: { cert: tls.certPem, key: tls.keyPem } }),
  }).withTypeProvider<TypeBoxProvider>() as Server;

  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, JSON.parse(String(body)));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      done(new Refusal(400, 'invalid JSON'));
    }
  });

  server.addHook('onRequest', async (request, reply) => {
    // Some clients send a wrong content type. A body that is not JSON is refused in any case.
    const { headers } = request.raw;
    if (headers['content-type'] !== undefined) headers['content-type'] = 'application/json';
    reply.header('X-Content-Type-Options', 'nosniff').header('Cache-Control', 'no-store');
    if (corsOrigin === undefined) return;
    allowOrigin(corsOrigin, request, reply);
    if (request.method === 'OPTIONS') return reply.code(204).send();
  });
  server.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ error: `no such route: ${request.method} ${pathOf(request)}` }),
  );
  server.setErrorHandler((error, request, reply) => {
    const refusal = refusalOf(error);
    if (refusal === undefined) {
      log.error('hub_request_failed', {
        method: request.method,
        route: request.routeOptions.url,
        error: errorText(error),
        stack: error instanceof Error ? error.stack : undefined,
      });
      return reply.code(500).send({ error: 'internal error' });
    }
    if (refusal.retryAfterSecs !== undefined) {
      reply.header('Retry-After', String(refusal.retryAfterSecs));
    }
    return reply.code(refusal.status).send(refusal.body);
  });
  return server;
}

function allowOrigin(allowed: string, request: FastifyRequest, reply: FastifyReply): void {
  const { origin } = request.headers;
  const origins = allowed.split(',').map((one) => one.trim());
  reply.header('Vary', 'Origin');
  if (origin === undefined || !(origins.includes('*') || origins.includes(origin))) return;
  reply
    .header('Access-Control-Allow-Origin', origin)
    .header('Access-Control-Allow-Methods', 'GET, POST, PUT, PATCH, DELETE, OPTIONS')
    .header('Access-Control-Allow-Headers', 'Authorization, Content-Type, X-Workspace-ID')
    .header('Access-Control-Max-Age', '300');
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}

/** `undefined`: a bug. Its details are in the log only, not in the response. */
function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof BridgeError && error.code === 'store_unavailable') {
    return busy('the hub cannot store anything at the moment', STORE_RETRY_AFTER_SECS);
  }
  const { code, statusCode } = error as Partial<FastifyError>;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const more = { truncated: true, max_bytes: A2A_BODY_BYTES_MAX };
    return new Refusal(413, 'request body too large', more);
  }
  const isFromFastify = code?.startsWith('FST_') === true;
  if (!isFromFastify || statusCode === undefined || statusCode >= 500) return undefined;
  return new Refusal(statusCode, errorText(error));
}

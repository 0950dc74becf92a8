/** The HTTP server of the turn contract: parsing, refusals, headers. The routes are added elsewhere. */
import type { Clock } from '../../../time/clock.ts';
import { NEVER, pause } from '../../../time/wait.ts';
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
import {
  BodiesOnTheirWay,
  bodyBytesMaxOf,
  mustBeMeantForUs,
  mustBeReadable,
  tooLarge,
} from './admission.ts';
import { isAllowedOrigin, type Names } from '../../../net/host-names.ts';
import { beyondJsonBounds } from './json-bounds.ts';
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

export interface ServerOptions extends Names {
  readonly tls: { readonly certPem: string; readonly keyPem: string } | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Nobody is asked for a token here. */
    readonly isForAll?: true;
  }
}

/** A request must arrive within this time, so that slow senders can't keep connections open. */
const REQUEST_TIMEOUT_MS = 60_000;
/** An id has up to 256 characters. In a path each of them may take twelve: four bytes, each as `%XX`. */
const PATH_PART_CHARS_MAX = 256 * 12;
/**
 * The answer to a caller who asks for too much comes after this time. At once it would be asked for again at once,
 * and a thousand refusals a second cost half of the process.
 */
const TOO_MUCH_HELD_MS = 1_000;
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

export function createServer({ tls, clock, log, ...names }: ServerOptions): Server {
  const { corsOrigin } = names;
  const server = Fastify({
    routerOptions: { maxParamLength: PATH_PART_CHARS_MAX },
    requestTimeout: REQUEST_TIMEOUT_MS,
    schemaController: { compilersFactory: COMPILERS },
    ...(tls === undefined ? {} : { https: { cert: tls.certPem, key: tls.keyPem } }),
  }).withTypeProvider<TypeBoxProvider>() as Server;

  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    const json = String(body);
    const beyond = beyondJsonBounds(json);
    if (beyond !== undefined) return done(new Refusal(400, beyond));
    try {
      done(null, JSON.parse(json));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      done(new Refusal(400, 'invalid JSON'));
    }
  });

  server.addHook('onRoute', (route) => {
    // A route that forgot to ask who calls would read bodies of everybody.
    const isSafe = route.onRequest !== undefined || route.config?.isForAll === true;
    if (!isSafe) throw new Error(`nobody is asked for a token at ${route.url}`);
    route.bodyLimit = bodyBytesMaxOf(route.url);
  });
  server.addHook('onRequest', async (request, reply) => {
    reply.header('X-Content-Type-Options', 'nosniff').header('Cache-Control', 'no-store');
    mustBeMeantForUs(request, names);
    mustBeReadable(request);
    // Some clients send a wrong content type. A body that is not JSON is refused in any case.
    const { headers } = request.raw;
    if (headers['content-type'] !== undefined) headers['content-type'] = 'application/json';
    if (corsOrigin === undefined) return;
    allowOrigin(corsOrigin, request, reply);
    if (request.method === 'OPTIONS') return reply.code(204).send();
  });
  const bodies = new BodiesOnTheirWay();
  server.addHook('preParsing', async (request) => bodies.add(request));
  server.setNotFoundHandler(refuseUnknownRoute);
  server.setErrorHandler((error, request, reply) => refuse(error, { request, reply, clock, log }));
  return server;
}

interface Refused extends Pick<ServerOptions, 'clock' | 'log'> {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

async function refuse(
  error: unknown,
  { request, reply, clock, log }: Refused,
): Promise<FastifyReply> {
  if (isCutOff(request)) {
    // The caller has gone, so nobody reads the answer.
    log.debug('hub_request_cut_off', { method: request.method, route: request.routeOptions.url });
    return reply.code(400).send({ error: 'the body was cut off' });
  }
  const refusal = refusalOf(error, request);
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
    await pause(clock, NEVER, TOO_MUCH_HELD_MS);
  }
  return reply.code(refusal.status).send(refusal.body);
}

export function refuseUnknownRoute(request: FastifyRequest): never {
  throw new Refusal(404, `no such route: ${request.method} ${pathOf(request)}`);
}

function allowOrigin(allowed: string, request: FastifyRequest, reply: FastifyReply): void {
  const { origin } = request.headers;
  reply.header('Vary', 'Origin');
  if (origin === undefined || !isAllowedOrigin(origin, allowed)) return;
  reply
    .header('Access-Control-Allow-Origin', origin)
    .header('Access-Control-Allow-Methods', 'GET, POST, PUT, PATCH, DELETE, OPTIONS')
    .header('Access-Control-Allow-Headers', 'Authorization, Content-Type, X-Workspace-ID')
    .header('Access-Control-Max-Age', '300');
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}

function isCutOff({ raw }: FastifyRequest): boolean {
  return raw.destroyed && !raw.complete;
}

/** `undefined`: a bug. Its details are in the log only, not in the response. */
function refusalOf(error: unknown, request: FastifyRequest): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof BridgeError && error.code === 'store_unavailable') {
    return busy('the hub cannot store anything at the moment', STORE_RETRY_AFTER_SECS);
  }
  const { code, statusCode } = error as Partial<FastifyError>;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return tooLarge(request.routeOptions.url);
  }
  const isFromFastify = code?.startsWith('FST_') === true;
  if (!isFromFastify || statusCode === undefined || statusCode >= 500) return undefined;
  return new Refusal(statusCode, errorText(error));
}

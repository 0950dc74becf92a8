/** What is judged of every request before the first byte of its body is read. */
import type { FastifyRequest } from 'fastify';
import { isOwnHost, isWelcomeOrigin, type Names } from '../../../net/host-names.ts';
import { busy, Refusal } from './refusal.ts';

/** Far more than a report, a notice or an agent card needs. */
const BODY_BYTES_MAX = 64 * 1024;
const A2A_BODY_BYTES_MAX = 1024 * 1024;

/** Routes that take larger bodies, and why. */
const LARGER_BODY_BYTES_MAX: Readonly<Record<string, number>> = {
  // The text of a turn or of an answer, as long as an agent's output may be. The platform takes 16 MB (MOL-A2A-07),
  // but to read and store so much holds up everybody else for more than 50 ms.
  '/workspaces/:id/a2a': A2A_BODY_BYTES_MAX,
};

/** What a web page of any site can send without asking the browser for leave. */
const FORM_TYPE =
  /^(?:text\/plain|multipart\/form-data|application\/x-www-form-urlencoded)\s*(?:;|$)/i;

export function bodyBytesMaxOf(route: string | undefined): number {
  return LARGER_BODY_BYTES_MAX[route ?? ''] ?? BODY_BYTES_MAX;
}

/** The body is, or would be, larger than its route allows. */
export function tooLarge(route: string | undefined): Refusal {
  const more = { truncated: true, max_bytes: bodyBytesMaxOf(route) };
  return new Refusal(413, 'request body too large', more);
}

/** Is the request meant for this hub, and does it not come from a web page of somebody else? */
export function mustBeMeantForUs(request: FastifyRequest, { names, corsOrigin }: Names): void {
  const { host, origin } = request.headers;
  // The address in the first line counts more than `Host`. Only proxies are sent one.
  if (!request.raw.url?.startsWith('/') && request.raw.url !== '*') {
    throw new Refusal(400, 'the first line of the request must hold a path');
  }
  if (!isOwnHost(host, names)) {
    throw new Refusal(421, 'the hub is not known by this host name', {
      hint: 'call it by its address, or name the host in LARK_HUB_NAMES',
    });
  }
  if (isWelcomeOrigin({ origin, host }, { names, corsOrigin })) return;
  throw new Refusal(403, 'web pages of this origin may not call the hub', {
    hint: 'LARK_CORS_ORIGIN names those that may; LARK_HUB_NAMES names the hosts of the hub itself',
  });
}

/** Judges what the head says of the body. A body that is longer than its head says is cut off later. */
export function mustBeReadable({ headers, routeOptions }: FastifyRequest): void {
  if (FORM_TYPE.test(headers['content-type']?.trim() ?? '')) {
    throw new Refusal(415, 'a body must be sent with Content-Type: application/json');
  }
  if (Number(headers['content-length'] ?? 0) > bodyBytesMaxOf(routeOptions.url)) {
    throw tooLarge(routeOptions.url);
  }
}

/** The size of the body as its head tells it. One that tells none counts as the largest of its route. */
export function announcedBytes({ headers, routeOptions }: FastifyRequest): number {
  const isOpenEnded = headers['transfer-encoding'] !== undefined;
  return isOpenEnded ? bodyBytesMaxOf(routeOptions.url) : Number(headers['content-length'] ?? 0);
}

/** All bodies together that are on their way. */
const ON_THEIR_WAY_BYTES_MAX = 64 * A2A_BODY_BYTES_MAX;
/** Those of one caller, so that one that sends slowly keeps no other out. As much as it may send at once. */
const ON_THEIR_WAY_BYTES_MAX_OF_ONE = 2 * A2A_BODY_BYTES_MAX;
const RETRY_AFTER_SECS = 5;

/** Bounds the memory of bodies that wait for their rest. */
export class BodiesOnTheirWay {
  #bytes = 0;
  readonly #bytesOf = new Map<string, number>();

  /** Counts the body of a request until it is read or its caller has gone. Throws if it is too much. */
  add(request: FastifyRequest): void {
    const { headers, raw } = request;
    const bytes = announcedBytes(request);
    if (bytes === 0) return;
    // By now it is a token that somebody has. An address may be that of a proxy, with many behind it.
    const caller = headers.authorization ?? '';
    const ofCaller = this.#bytesOf.get(caller) ?? 0;
    if (
      ofCaller + bytes > ON_THEIR_WAY_BYTES_MAX_OF_ONE ||
      this.#bytes + bytes > ON_THEIR_WAY_BYTES_MAX
    ) {
      throw busy('too many request bodies are on their way', RETRY_AFTER_SECS);
    }
    this.#count(caller, bytes);
    let counted = true;
    const release = () => {
      if (counted) this.#count(caller, -bytes);
      counted = false;
    };
    raw.once('end', release).once('close', release);
  }

  #count(caller: string, bytes: number): void {
    this.#bytes += bytes;
    const now = (this.#bytesOf.get(caller) ?? 0) + bytes;
    if (now === 0) this.#bytesOf.delete(caller);
    else this.#bytesOf.set(caller, now);
  }
}

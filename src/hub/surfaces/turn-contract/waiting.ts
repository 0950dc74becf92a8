/** Requests that are held open until a turn is settled. */
import type { FastifyReply } from 'fastify';

/** Aborts when the caller has gone, or has its answer. */
export function untilGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return gone.signal;
}

import { randomUUID } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import {
  queueId,
  type HubStore,
  type QueueItem,
  type Sending,
  type Workspace,
} from '../../ports.ts';
import { laneOf, normalizeRequest, summaryOf } from './a2a-message.ts';
import { answerBodyOf, responseOf } from '../../domain/answers.ts';
import { idOf, type Callers } from './callers.ts';
import { busy, Refusal } from './refusal.ts';
import { A2aRequestBody, WorkspacePath, type A2aRequest } from './schemas.ts';
import type { Server } from './server.ts';
import { settledOrWaited, type WaitingParts } from './waiting.ts';
import type { Log } from '../../../core/log.ts';

const METHOD = 'message/send';
const METHOD_NOT_FOUND = -32_601;
const BUSY_RETRY_AFTER_SECS = 30;

export interface A2aParts extends WaitingParts {
  readonly store: HubStore;
  readonly callers: Callers;
  readonly log: Log;
  /** Tells whoever runs agents that there is work. */
  readonly wakeDispatcher: () => void;
}

/** `POST /workspaces/:id/a2a`: a turn for that workspace, or an answer to one of its own. */
export function addA2aRoute(server: Server, parts: A2aParts): void {
  const { store, callers, clock } = parts;
  server.post(
    '/workspaces/:id/a2a',
    {
      schema: { params: WorkspacePath, body: A2aRequestBody },
      // Before the body is read: strangers get no work out of the hub.
      onRequest: async (request) => {
        await callers.peer(request);
      },
      preValidation: async (request, reply) => {
        const body = normalizeRequest(request.body) as Partial<A2aRequest> | null;
        if (typeof body?.method === 'string' && body.method !== METHOD) {
          const error = { code: METHOD_NOT_FOUND, message: `method not found: ${body.method}` };
          return reply.send({ jsonrpc: '2.0', id: body.id ?? null, error });
        }
        mustHaveParts(body);
        request.body = body as A2aRequest; // What it really is, the schema finds out next.
      },
    },
    async (request, reply) => {
      const { workspace: source, named } = await callers.peer(request);
      const target = await store.workspace(idOf(request.params.id));
      if (target === undefined || target.removed) throw new Refusal(404, 'workspace not found');
      const from = { source, named, target, atMs: clock.nowMs() };
      const sending = sendingOf(request.body, from);
      const answer = await send(parts, sending, { requestId: request.body.id, reply });
      return reply.code(answer.status).send(answer.body);
    },
  );
}

interface Asking {
  readonly requestId: A2aRequest['id'];
  readonly reply: FastifyReply;
}

async function send(
  parts: A2aParts,
  sending: Sending,
  { requestId, reply }: Asking,
): Promise<{ readonly status: number; readonly body: object }> {
  const { store, settlements, log, wakeDispatcher } = parts;
  const { source, target, hubRun, method } = sending;
  const inInbox = { status: 'queued', delivery_mode: 'poll', method };
  const sent = await store.send(sending);
  if (sent.kind === 'full') {
    log.warn('hub_queue_filled', { target });
    throw busy('workspace agent busy — retry after a short backoff', BUSY_RETRY_AFTER_SECS);
  }
  if (sent.kind === 'answer') {
    for (const id of sent.completed) {
      log.info('hub_turn_answered', { turn: id, by: source });
      settlements.ring(id);
    }
    return { status: 200, body: inInbox };
  }
  const { item, fresh, depth } = sent;
  if (fresh) log.debug('hub_turn_queued', { turn: item.queueId, source, target });
  if (fresh && hubRun) wakeDispatcher();
  const settled = responseOf(hubRun ? await waited(parts, sent, reply) : item, requestId);
  if (settled !== undefined) return { status: 200, body: settled };
  if (!hubRun) return { status: 200, body: { ...inInbox, queue_id: item.queueId } };
  const body = {
    queued: true,
    queue_id: item.queueId,
    queue_depth: depth,
    message: 'workspace agent busy — request queued, will dispatch when capacity available',
  };
  return { status: 202, body };
}

function sendingOf(
  request: A2aRequest,
  from: { source: Workspace; named: boolean; target: Workspace; atMs: number },
): Sending {
  const { message, expires_in_seconds: ttlSecs = 0 } = request.params;
  const id = queueId(randomUUID());
  return {
    queueId: id,
    target: from.target.id,
    source: from.source.id,
    named: from.named,
    messageId: message.messageId,
    lane: laneOf(request, id),
    hubRun: from.target.hubRun,
    method: METHOD,
    summary: summaryOf(message),
    requestBody: JSON.stringify(request),
    expiresAtMs: ttlSecs > 0 ? expiryMs(from.atMs, ttlSecs) : undefined,
    answers: (message.referenceTaskIds ?? []).map(queueId),
    answerBody: answerBodyOf(message),
    atMs: from.atMs,
  };
}

/** `Prefer: wait=N` (RFC 7240): the answer in this response, if it comes within so many seconds. */
function waited(
  parts: A2aParts,
  { item, fresh }: { readonly item: QueueItem; readonly fresh: boolean },
  reply: FastifyReply,
): QueueItem | Promise<QueueItem> {
  const { queueId: id } = item;
  const prefer = String(reply.request.headers['prefer'] ?? '');
  const waitSecs = Number(/\bwait=(\d{1,9})\b/.exec(prefer)?.[1] ?? 0);
  if (waitSecs === 0) return item;
  const read = async () => (await parts.store.item(id)) ?? item;
  // It takes another commit to settle a fresh item.
  return settledOrWaited(parts, { id, read, waitSecs, reply, ...(fresh && { known: item }) });
}

function expiryMs(nowMs: number, ttlSecs: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.ceil(nowMs + ttlSecs * 1000));
}

/** The commonest mistake gets a hint; every other one is the schema's to find. */
function mustHaveParts(body: Partial<A2aRequest> | null): void {
  const params: { readonly message?: { readonly parts?: unknown } | null } | null | undefined =
    body?.params;
  const message = params?.message;
  if (typeof message !== 'object' || message === null || message.parts !== undefined) return;
  throw new Refusal(400, 'params.message needs parts, or content', {
    hint: 'send "parts": [{"kind": "text", "text": "…"}]',
  });
}

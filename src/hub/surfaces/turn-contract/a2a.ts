import type { FastifyReply } from 'fastify';
import type { Sent } from '../../ports/queue.ts';
import type { HubStore } from '../../ports/store.ts';
import type { HubMessage, QueueItem } from '../../ports/turns.ts';
import type { Workspace } from '../../ports/workspaces.ts';
import { contentFrom, type Bridges } from '../../domain/claims.ts';
import type { Turns } from '../../domain/turns.ts';
import { idOf, onlyPeers, type Callers } from './callers.ts';
import { mustBeSmall } from './json-bounds.ts';
import { METHOD, METHOD_NOT_FOUND, normalizeRequest, responseBody } from './json-rpc.ts';
import { busy, overQuota, Refusal } from './refusal.ts';
import { A2aRequestBody, WorkspacePath, type A2aRequest } from './schemas.ts';
import type { Server } from './server.ts';
import type { Log } from '../../../core/log.ts';
import { untilGone } from './waiting.ts';

const BUSY_RETRY_AFTER_SECS = 30;

interface A2aParts {
  readonly store: HubStore;
  readonly turns: Turns;
  readonly callers: Callers;
  readonly bridges: Bridges;
  readonly log: Log;
}

/** `POST /workspaces/:id/a2a`: a turn for that workspace, or an answer to one of its turns. */
export function addA2aRoute(
  server: Server,
  { store, turns, callers, bridges, log }: A2aParts,
): void {
  server.post(
    '/workspaces/:id/a2a',
    {
      schema: { params: WorkspacePath, body: A2aRequestBody },
      onRequest: onlyPeers(callers),
      preValidation: async (request, reply) => {
        const body = normalizeRequest(request.body) as Partial<A2aRequest> | null;
        if (typeof body?.method === 'string' && body.method !== METHOD) {
          const error = { code: METHOD_NOT_FOUND, message: `method not found: ${body.method}` };
          return reply.send({ jsonrpc: '2.0', id: body.id ?? null, error });
        }
        mustHaveParts(body);
        request.body = body as A2aRequest; // The schema checks it next.
      },
    },
    async (request, reply) => {
      const { workspace: source, named } = await callers.peer(request);
      const target = await store.workspace(idOf(request.params.id));
      if (target === undefined || target.removed) throw new Refusal(404, 'workspace not found');
      const { id: requestId, params: content } = request.body;
      mustBeSmall('params.metadata', content.metadata);
      mustBeSmall('params.message.metadata', (content.message as HubMessage)['metadata']);
      if (bridges.isNews(source, content)) {
        log.warn('lark_claim_not_believed', { source: source.id, setting: 'LARK_HUB_BRIDGES' });
      }
      const { expires_in_seconds: expiresInSecs = 0 } = content;
      const sent = await turns.send({
        source: source.id,
        named,
        target,
        requestId,
        content: contentFrom(content, { source, target }, bridges),
        ...(expiresInSecs > 0 && { expiresInMs: expiresInSecs * 1000 }),
      });
      const shown = await show(turns, sent, { target, requestId, reply });
      return reply.code(shown.status).send(shown.body);
    },
  );
}

const IN_INBOX = { status: 'queued', delivery_mode: 'poll', method: METHOD };

async function show(
  turns: Turns,
  sent: Sent,
  asked: {
    readonly target: Workspace;
    readonly requestId: A2aRequest['id'];
    readonly reply: FastifyReply;
  },
): Promise<{ readonly status: number; readonly body: object }> {
  if (sent.kind === 'full') {
    throw busy('workspace agent busy — retry after a short backoff', BUSY_RETRY_AFTER_SECS);
  }
  if (sent.kind === 'over_quota') throw overQuota(sent.quota);
  if (sent.kind === 'answer') return { status: 200, body: IN_INBOX };
  const { hubRun } = asked.target;
  const item = hubRun ? await waited(turns, sent, asked.reply) : sent.item;
  const settled = responseBody(item, asked.requestId);
  if (settled !== undefined) return { status: 200, body: settled };
  if (!hubRun) return { status: 200, body: { ...IN_INBOX, queue_id: item.queueId } };
  const body = {
    queued: true,
    queue_id: item.queueId,
    queue_depth: sent.depth,
    message: 'workspace agent busy — request queued, will dispatch when capacity available',
  };
  return { status: 202, body };
}

/** `Prefer: wait=N` (RFC 7240): this response holds the answer, if it comes within N seconds. */
function waited(
  turns: Turns,
  { item, fresh }: { readonly item: QueueItem; readonly fresh: boolean },
  reply: FastifyReply,
): QueueItem | Promise<QueueItem> {
  const { queueId: id } = item;
  const prefer = String(reply.request.headers['prefer'] ?? '');
  const waitSecs = Number(/\bwait=(\d{1,9})\b/.exec(prefer)?.[1] ?? 0);
  if (waitSecs === 0) return item;
  const read = async () => (await turns.item(id)) ?? item;
  // A new item can't be settled yet: that takes another commit.
  const known = fresh ? { known: item } : {};
  return turns.settled(id, { read, ...known, waitMs: waitSecs * 1000, signal: untilGone(reply) });
}

/** The most common mistake gets a hint. The schema finds the others. */
function mustHaveParts(body: Partial<A2aRequest> | null): void {
  const params: { readonly message?: { readonly parts?: unknown } | null } | null | undefined =
    body?.params;
  const message = params?.message;
  if (typeof message !== 'object' || message === null || message.parts !== undefined) return;
  throw new Refusal(400, 'params.message needs parts, or content', {
    hint: 'send "parts": [{"kind": "text", "text": "…"}]',
  });
}

import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Activity, HubStore, NewActivity, Workspace } from '../../ports.ts';
import { storable } from '../../../core/storable.ts';
import { requestBody } from './json-rpc.ts';
import { parseActivityQuery } from './activity-query.ts';
import { idOf, type Callers } from './callers.ts';
import { overQuota, Refusal } from './refusal.ts';
import {
  AckBody,
  ActivityBody,
  ActivityQueryString,
  NotifyBody,
  WorkspacePath,
  type ActivityReport,
} from './schemas.ts';
import type { Server } from './server.ts';
import type { Clock } from '../../../time/clock.ts';

/** What a workspace may report about itself. */
const TYPES = [
  'a2a_send',
  'a2a_receive',
  'task_update',
  'agent_log',
  'skill_promotion',
  'memory_write',
  'error',
];
const CURSOR_GONE =
  'since_id cursor not found (row may have been pruned or belongs to a different workspace); omit since_id to reset';

interface ActivityParts {
  readonly store: HubStore;
  readonly callers: Callers;
  readonly clock: Clock;
}

/** `/workspaces/:id/activity` and `/workspaces/:id/notify`: the inbox of a workspace that polls. */
export function addActivityRoutes(server: Server, { store, callers, clock }: ActivityParts): void {
  const asOwner = async (request: FastifyRequest<{ Params: { id: string } }>) => {
    await callers.owner(request, request.params.id);
  };
  const add = async (row: NewActivity) => {
    const quota = await store.addActivity(row);
    if (quota !== undefined) throw overQuota(quota);
  };

  server.get(
    '/workspaces/:id/activity',
    { schema: { params: WorkspacePath, querystring: ActivityQueryString }, onRequest: asOwner },
    async (request) => {
      const { id } = await callers.owner(request, request.params.id);
      const asked = parseActivityQuery(request.query, clock.nowMs());
      if (!asked.ok) throw new Refusal(400, asked.error);
      const rows = await store.activity(id, asked.query);
      if (rows === undefined) throw new Refusal(410, CURSOR_GONE);
      if (!asked.peerInfo) return rows.map(shown);
      const base = `${request.protocol}://${request.host}`;
      const peers = new Map((await store.workspaces()).map((peer) => [String(peer.id), peer]));
      return rows.map((row) => ({ ...shown(row), ...peerInfo(row, peers, base) }));
    },
  );

  server.post(
    '/workspaces/:id/activity',
    { schema: { params: WorkspacePath, body: ActivityBody }, onRequest: asOwner },
    async (request) => {
      const { id } = await callers.owner(request, request.params.id);
      await add(reportOf(request.body, id, clock.nowMs()));
      return { status: 'logged' };
    },
  );

  server.post(
    '/workspaces/:id/activity/ack',
    { schema: { params: WorkspacePath, body: AckBody }, onRequest: asOwner },
    async (request) => {
      const { id } = await callers.owner(request, request.params.id);
      const { acked_seq: seq } = request.body;
      if (seq < 0) throw new Refusal(400, 'acked_seq must be >= 0');
      return { last_acked_seq: await store.acknowledge(id, seq) };
    },
  );

  server.post(
    '/workspaces/:id/notify',
    { schema: { params: WorkspacePath, body: NotifyBody }, onRequest: asOwner },
    async (request) => {
      const { id } = await callers.owner(request, request.params.id);
      const { message, attachments } = request.body;
      await add({
        ...emptyRow(id, clock.nowMs()),
        activityType: 'a2a_receive',
        method: 'notify',
        summary: storable(message),
        responseBody: JSON.stringify({ result: message, attachments: attachments ?? [] }),
      });
      return { status: 'sent' };
    },
  );
}

function emptyRow(workspace: Workspace['id'], createdAtMs: number) {
  return {
    id: randomUUID(),
    workspace,
    source: undefined,
    target: undefined,
    method: undefined,
    summary: undefined,
    status: 'ok',
    errorDetail: undefined,
    durationMs: undefined,
    createdAtMs,
    requestBody: undefined,
    responseBody: undefined,
    toolTrace: undefined,
  } satisfies Omit<NewActivity, 'activityType'>;
}

function reportOf(report: ActivityReport, workspace: Workspace['id'], atMs: number): NewActivity {
  if (!TYPES.includes(report.activity_type)) {
    const error = `invalid activity_type, must be one of: ${TYPES.join(', ')}`;
    throw new Refusal(400, error);
  }
  const claimed = textOf(report.source_id);
  if (claimed !== undefined && idOf(claimed) !== workspace) {
    throw new Refusal(403, 'source_id must match authenticated workspace');
  }
  return {
    ...emptyRow(workspace, atMs),
    activityType: report.activity_type,
    source: workspace,
    target: textOf(report.target_id),
    method: textOf(report.method),
    summary: textOf(report.summary),
    status: textOf(report.status) ?? 'ok',
    errorDetail: textOf(report.error_detail),
    durationMs: report.duration_ms ?? undefined,
    requestBody: jsonOf(report.request_body ?? report.metadata),
    responseBody: jsonOf(report.response_body),
    toolTrace: jsonOf(report.tool_trace),
  };
}

function textOf(value: string | null | undefined): string | undefined {
  return value === null || value === undefined || value === '' ? undefined : storable(value);
}

function jsonOf(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : JSON.stringify(value);
}

function shown(row: Activity) {
  return {
    id: row.id,
    workspace_id: row.workspace,
    activity_type: row.activityType,
    source_id: row.source ?? null,
    target_id: row.target ?? null,
    method: row.method ?? null,
    summary: row.summary ?? null,
    duration_ms: row.durationMs ?? null,
    status: row.status,
    error_detail: row.errorDetail ?? null,
    created_at: new Date(row.createdAtMs).toISOString(),
    seq: row.seq,
    ...(row.received === undefined
      ? parsed('request_body', row.requestBody)
      : { request_body: requestBody(row.received.requestId, row.received.content) }),
    ...parsed('response_body', row.responseBody),
    ...parsed('tool_trace', row.toolTrace),
  };
}

function parsed(name: string, json: string | undefined) {
  return json === undefined ? {} : { [name]: JSON.parse(json) as unknown };
}

function peerInfo(row: Activity, peers: ReadonlyMap<string, Workspace>, base: string) {
  const peer = peers.get(row.source ?? '');
  const attachments = attachmentsOf(row);
  return {
    ...(peer === undefined ? {} : { peer_name: peer.name }),
    ...(peer?.hubRun === true ? { peer_role: 'agent' } : {}),
    ...(row.source === undefined
      ? {}
      : { agent_card_url: `${base}/registry/discover/${row.source}` }),
    ...(attachments.length === 0 ? {} : { attachments }),
  };
}

interface LoosePart {
  readonly kind?: unknown;
  readonly file?: Readonly<Record<string, unknown>> | null;
}

/** The files of a message. A report's body may be anything, so every field is checked. */
function attachmentsOf({ received, requestBody: reported }: Activity): object[] {
  const params = received?.content ?? paramsOf(reported);
  const parts = params?.message?.parts;
  if (!Array.isArray(parts)) return [];
  return (parts as readonly (LoosePart | null)[]).flatMap((part) => {
    const file = part?.file;
    if (typeof file !== 'object' || file === null) return [];
    const { uri, name, mimeType, mime_type: mimeTypeOld } = file;
    return [{ kind: part?.kind, uri, mime_type: mimeType ?? mimeTypeOld, name }];
  });
}

function paramsOf(reported: string | undefined) {
  if (reported === undefined) return undefined;
  const body = JSON.parse(reported) as {
    readonly params?: { readonly message?: { readonly parts?: unknown } };
  } | null;
  return body?.params;
}

import type { Activity, NewActivity } from '../../ports/activity.ts';
import type { LarkOutlet } from '../../ports/lark-sends.ts';
import type { HubStore } from '../../ports/store.ts';
import type { Workspace } from '../../ports/workspaces.ts';
import { asObject } from '../../../core/json-object.ts';
import { storable } from '../../../text/storable.ts';
import type { AgentWatch } from '../../domain/agent-watch.ts';
import { attachmentsOf } from '../../domain/attachments.ts';
import { requestText } from './json-rpc.ts';
import { objectText, sendJson } from './raw-json.ts';
import { parseActivityQuery } from './activity-query.ts';
import { idOf, onlyOwner, type Callers } from './callers.ts';
import { emptyRow } from './empty-row.ts';
import { idempotencyKeyOf, sendToLark, withOutcomes } from './lark-send.ts';
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
  readonly outlet?: LarkOutlet;
  readonly agentWatch: Pick<AgentWatch, 'asked'>;
  readonly clock: Clock;
}

/** `/workspaces/:id/activity`: the inbox of a workspace that polls. */
export function addActivityRoutes(server: Server, parts: ActivityParts): void {
  const { store, callers, outlet, agentWatch, clock } = parts;
  const onRequest = onlyOwner(callers);

  server.get(
    '/workspaces/:id/activity',
    { schema: { params: WorkspacePath, querystring: ActivityQueryString }, onRequest },
    async (request, reply) => {
      const { id } = await callers.owner(request, request.params.id);
      agentWatch.asked(id);
      const asked = parseActivityQuery(request.query, clock.nowMs());
      if (!asked.ok) throw new Refusal(400, asked.error);
      const stored = await store.activity(id, asked.query);
      if (stored === undefined) throw new Refusal(410, CURSOR_GONE);
      const rows = await withOutcomes(stored, outlet);
      if (!asked.peerInfo) return sendJson(reply, listText(rows));
      const base = `${request.protocol}://${request.host}`;
      const peers = new Map((await store.workspaces()).map((peer) => [String(peer.id), peer]));
      return sendJson(
        reply,
        listText(rows, (row) => peerInfo(row, peers, base)),
      );
    },
  );

  server.post(
    '/workspaces/:id/activity',
    { schema: { params: WorkspacePath, body: ActivityBody }, onRequest },
    async (request) => {
      const { id } = await callers.owner(request, request.params.id);
      await addRow(store, reportOf(request.body, id, clock.nowMs()));
      return { status: 'logged' };
    },
  );

  server.post(
    '/workspaces/:id/activity/ack',
    { schema: { params: WorkspacePath, body: AckBody }, onRequest },
    async (request) => {
      const { id } = await callers.owner(request, request.params.id);
      const { acked_seq: seq } = request.body;
      if (seq < 0) throw new Refusal(400, 'acked_seq must be >= 0');
      return { last_acked_seq: await store.acknowledge(id, seq) };
    },
  );
}

/** `/workspaces/:id/notify`: a notice for the inbox of the workspace itself, or for people of Lark. */
export function addNotifyRoute(server: Server, parts: ActivityParts): void {
  const { store, callers, clock } = parts;
  server.post(
    '/workspaces/:id/notify',
    { schema: { params: WorkspacePath, body: NotifyBody }, onRequest: onlyOwner(callers) },
    async (request, reply) => {
      const workspace = await callers.owner(request, request.params.id);
      const { message, attachments, lark } = request.body;
      if (lark !== undefined) {
        const key = idempotencyKeyOf(request);
        const id = await sendToLark(parts, workspace, { message, lark, key });
        return reply.code(202).send({ status: 'queued', id });
      }
      if (message === '') {
        throw new Refusal(400, 'invalid request body', { detail: '/message: it is empty' });
      }
      await addRow(store, {
        ...emptyRow(workspace.id, clock.nowMs()),
        activityType: 'a2a_receive',
        method: 'notify',
        summary: storable(message),
        responseBody: JSON.stringify({ result: message, attachments: attachments ?? [] }),
      });
      return { status: 'sent' };
    },
  );
}

async function addRow(store: HubStore, row: NewActivity): Promise<void> {
  const quota = await store.addActivity(row);
  if (quota !== undefined) throw overQuota(quota);
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
    attachments: JSON.stringify(attachmentsOf(partsOf(report.request_body ?? report.metadata))),
  };
}

function textOf(value: string | null | undefined): string | undefined {
  return value === null || value === undefined || value === '' ? undefined : storable(value);
}

function jsonOf(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : JSON.stringify(value);
}

function listText(rows: readonly Activity[], more: (row: Activity) => object = () => ({})): string {
  return `[${rows.map((row) => shown(row, more(row))).join(',')}]`;
}

function shown(row: Activity, more: object): string {
  const fields = {
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
    ...more,
  };
  return objectText(fields, {
    request_body: row.received === undefined ? row.requestBody : requestText(row.received),
    response_body: row.responseBody,
    tool_trace: row.toolTrace,
  });
}

function peerInfo(row: Activity, peers: ReadonlyMap<string, Workspace>, base: string) {
  const peer = peers.get(row.source ?? '');
  const attachments = storedAttachments(row);
  return {
    ...(peer === undefined ? {} : { peer_name: peer.name }),
    ...(peer?.hubRun === true ? { peer_role: 'agent' } : {}),
    ...(row.source === undefined
      ? {}
      : { agent_card_url: `${base}/registry/discover/${row.source}` }),
    ...(attachments.length === 0 ? {} : { attachments }),
  };
}

/** Rows of earlier versions have no list of their files. */
function storedAttachments({ attachments, received, requestBody }: Activity): unknown[] {
  if (attachments !== undefined) return JSON.parse(attachments) as unknown[];
  const request: unknown = JSON.parse(
    received === undefined ? (requestBody ?? 'null') : requestText(received),
  );
  return attachmentsOf(partsOf(request));
}

function partsOf(request: unknown): unknown {
  return asObject(asObject(asObject(request)?.['params'])?.['message'])?.['parts'];
}

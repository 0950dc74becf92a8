import { randomUUID } from 'node:crypto';
import type { NewActivity } from '../../ports/activity.ts';
import type { Workspace } from '../../ports/workspaces.ts';

/** A row of an inbox that says nothing yet. */
export function emptyRow(workspace: Workspace['id'], createdAtMs: number) {
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
    attachments: '[]',
  } satisfies Omit<NewActivity, 'activityType'>;
}

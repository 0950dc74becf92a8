import type { WorkspaceId } from '../core/ids.ts';
import { workspaceId } from '../core/ids.ts';
import type { LooseAnswer } from '../core/ports.ts';
import { messageTextOf } from './a2a.ts';
import type { HttpResult } from './http.ts';

/** One page of a workspace's inbox, judged. */
export type InboxPage =
  | {
      readonly kind: 'rows';
      readonly answers: readonly LooseAnswer[];
      readonly cursor: string | undefined;
    }
  /** The hub does not know the cursor (any more): begin again with the backlog (MOL-ACT-05). */
  | { readonly kind: 'cursor_lost' }
  | { readonly kind: 'trouble'; readonly detail: string };

type Json = Readonly<Record<string, unknown>>;

/** What to ask for: strictly after the cursor, or the last ten minutes (MOL-INB-01). */
export function inboxQuery(cursor: string | undefined): string {
  const query = new URLSearchParams({ type: 'a2a_receive', include: 'peer_info', limit: '100' });
  if (cursor === undefined) query.set('since_secs', '600');
  else query.set('since_id', cursor);
  return query.toString();
}

/** Rows without a cursor come newest first (MOL-ACT-03); the cursor passes skipped rows too (MOL-INB-02). */
export function parseInbox(
  result: HttpResult,
  { own, cursor }: { readonly own: WorkspaceId; readonly cursor: string | undefined },
): InboxPage {
  if (result.kind !== 'answer') return { kind: 'trouble', detail: result.detail };
  if (result.status === 410) return { kind: 'cursor_lost' };
  if (result.status !== 200 || !Array.isArray(result.body)) {
    return { kind: 'trouble', detail: `HTTP ${result.status}` };
  }
  const rows = (result.body as readonly unknown[]).filter(isRow);
  if (cursor === undefined) rows.reverse();
  return {
    kind: 'rows',
    answers: rows.map((row) => answerOf(row, own)).filter((answer) => answer !== undefined),
    cursor: rows.at(-1)?.id ?? cursor,
  };
}

interface Row extends Json {
  readonly id: string;
}

function isRow(value: unknown): value is Row {
  return typeof (value as { id?: unknown } | null)?.id === 'string';
}

function answerOf(row: Row, own: WorkspaceId): LooseAnswer | undefined {
  const { id, source_id: source, method, request_body: body, summary } = row;
  // Without a source it is a person at the platform, or our own notice (MOL-INB-05, MOL-INB-06).
  if (typeof source !== 'string' || method === 'notify' || method === 'delegate_result')
    return undefined;
  // What we said ourselves (MOL-INB-07).
  if (source === own) return undefined;
  const text = messageTextOf(body) || (typeof summary === 'string' ? summary : '');
  return { id, from: workspaceId(source), text: text === '' ? '(empty A2A message)' : text };
}

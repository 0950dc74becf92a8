/** Checks the rows of a workspace's inbox (rows MOL-ACT, MOL-INB). Pure. */
import { isSameWorkspace, workspaceId, type WorkspaceId } from '../core/ids.ts';
import { messageOf, outcomeOfMessage } from './a2a.ts';
import { fileNamesOf } from '../wire/files.ts';
import { withoutMark } from '../wire/reply-token.ts';
import { TOO_LARGE, type HttpAnswer, type HttpResult } from '../net/http.ts';
import { describe } from './answers.ts';
import { asObject, type Json } from '../core/json-object.ts';
import type { UnmatchedAnswer } from '../bridge/ports/target.ts';

/** One page of a workspace's inbox, checked. */
export type InboxPage =
  | {
      readonly kind: 'rows';
      readonly answers: readonly UnmatchedAnswer[];
      /** The cursor of the last row, also of one that was skipped. Undefined if there is no row. */
      readonly cursor: string | undefined;
      /** The highest number of a row. */
      readonly seq: number | undefined;
      /** How many rows there were, with the skipped ones. */
      readonly count: number;
    }
  /** The hub does not know the cursor. The reader begins again with the backlog (MOL-ACT-05). */
  | { readonly kind: 'cursor_lost' }
  | { readonly kind: 'too_large'; readonly detail: string }
  | { readonly kind: 'trouble'; readonly detail: string };

export interface InboxQuery {
  /** Rows after this one. Undefined: the newest ones. */
  readonly cursor: string | undefined;
  readonly sinceSecs: number;
  readonly limit: number;
}

export function inboxPath(
  workspace: WorkspaceId,
  { cursor, sinceSecs, limit }: InboxQuery,
): string {
  const query = new URLSearchParams({
    type: 'a2a_receive',
    include: 'peer_info',
    limit: String(limit),
    ...(cursor === undefined ? { since_secs: String(sinceSecs) } : { since_id: cursor }),
  });
  return `/workspaces/${workspace}/activity?${query.toString()}`;
}

interface Reader {
  readonly own: WorkspaceId;
  readonly query: InboxQuery;
  /** The hub gives answers by their turns, so the inbox need not be read for them. */
  readonly correlates: boolean;
  /** The inbox is only ours. Otherwise the results of what its owner delegated are for the owner. */
  readonly isOwn: boolean;
}

/**
 * Rows without a cursor come newest first (MOL-ACT-03). The cursor also moves past skipped rows (MOL-INB-02).
 */
export function parseInbox(result: HttpResult, reader: Reader): InboxPage {
  if (result.kind !== 'answer') {
    const isTooLarge = result.code === TOO_LARGE;
    return { kind: isTooLarge ? 'too_large' : 'trouble', detail: result.detail };
  }
  if (result.status === 410) return { kind: 'cursor_lost' };
  if (result.status !== 200 || !Array.isArray(result.body)) {
    return { kind: 'trouble', detail: describe(result) };
  }
  const rows = (result.body as readonly unknown[]).filter(isRow);
  const isBacklog = reader.query.cursor === undefined;
  if (isBacklog) rows.reverse();
  const fresh = isBacklog ? rows.filter(isAskedFor(result, reader.query)) : rows;
  const numbers = rows.map(({ seq }) => seq).filter((seq) => typeof seq === 'number');
  return {
    kind: 'rows',
    answers: fresh.map((row) => answerOf(row, reader)).filter((answer) => answer !== undefined),
    cursor: rows.at(-1)?.id,
    seq: numbers.length === 0 ? undefined : Math.max(...numbers),
    count: result.body.length,
  };
}

interface Row extends Json {
  readonly id: string;
}

function isRow(value: unknown): value is Row {
  const id = asObject(value)?.['id'];
  return typeof id === 'string' && id !== '';
}

/** A server that ignores `since_secs` gives old rows again. Both times are from the server's clock. */
function isAskedFor({ dateMs }: HttpAnswer, { sinceSecs }: InboxQuery) {
  const oldestMs = dateMs === undefined ? -Infinity : dateMs - 2 * sinceSecs * 1000;
  return (row: Row) => !(Date.parse(String(row['created_at'])) < oldestMs);
}

function answerOf(row: Row, reader: Reader): UnmatchedAnswer | undefined {
  const from = speakerOf(row, reader);
  if (from === undefined || (reader.correlates && namesTurn(row['request_body']))) return undefined;
  const { id, method, request_body: body, response_body: result, summary, attachments } = row;
  const said = messageOf(body);
  // The result of a delegated task is there.
  const delegated = method === 'delegate_result' ? messageOf(result).state : undefined;
  const state = said.state ?? delegated;
  // With the peer's names a row lists its files twice.
  const listed = Array.isArray(attachments) ? fileNamesOf(attachments) : [];
  const files = [...new Set([...said.files, ...listed])];
  const words = said.text || (typeof summary === 'string' ? summary : '');
  const { token, text: rest } = withoutMark(words);
  const text = words === '' && files.length === 0 ? '(empty A2A message)' : rest;
  const outcome = outcomeOfMessage({ state, text, files });
  const answer = {
    id,
    from,
    text,
    ...(token === undefined ? {} : { replyToken: token }),
    ...(files.length === 0 ? {} : { files }),
  };
  switch (outcome.kind) {
    case 'unfinished':
      return undefined;
    case 'question':
      return { ...answer, wants: outcome.wants };
    case 'failed':
      return { ...answer, failure: outcome.detail };
    case 'answered':
      return answer;
  }
}

/** The sender. Undefined for a row that is not for us (MOL-INB-05 to MOL-INB-07). */
function speakerOf(row: Row, { own, isOwn }: Reader): WorkspaceId | undefined {
  const { source_id: source, target_id: target, method } = row;
  // Without a source it is from a person at the platform, or our own notice.
  if (typeof source !== 'string' || source === '') return undefined;
  const from = workspaceId(source);
  if (!isSameWorkspace(from, own)) return from;
  // Our own messages are skipped. But the result of a task that we delegated also has us as its source.
  const isResult = isOwn && method === 'delegate_result' && typeof target === 'string';
  if (!isResult || target === '') return undefined;
  const asked = workspaceId(target);
  return isSameWorkspace(asked, own) ? undefined : asked;
}

function namesTurn(body: unknown): boolean {
  const message = asObject(asObject(asObject(body)?.['params'])?.['message']);
  const tasks = message?.['referenceTaskIds'];
  return Array.isArray(tasks) && tasks.length > 0;
}

/** The id of a row that can't exist. */
const NO_ROW = '00000000-0000-0000-0000-000000000000';

export function cursorProbePath(workspace: WorkspaceId): string {
  return inboxPath(workspace, { cursor: NO_ROW, sinceSecs: 0, limit: 1 });
}

/**
 * Whether the server knows cursors, by its answer about a row that can't exist (MOL-ACT-06). Undefined:
 * unknown.
 */
export function cursorsKnown(result: HttpResult): boolean | undefined {
  if (result.kind !== 'answer') return undefined;
  if (result.status === 410) return true;
  return result.status === 200 && Array.isArray(result.body) ? false : undefined;
}

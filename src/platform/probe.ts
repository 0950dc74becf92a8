import type { WorkspaceId } from '../core/ids.ts';
import { CLOCK_DIFFERENCE_MAX_MS } from '../core/limits.ts';
import { asObject } from '../core/json-object.ts';
import type { HttpAnswer, HttpResult } from '../net/http.ts';
import { describe, isFromElsewhere } from './answers.ts';
import { HUB_CALL_TIMEOUT_MS, HubCalls, type HubCallsOptions } from './hub-calls.ts';
import { cursorProbePath, cursorsKnown } from './inbox.ts';

type FindingKind =
  | 'unreachable'
  | 'not_a_hub'
  | 'edge_refused'
  | 'token_refused'
  | 'workspace_refused'
  | 'workspace_removed'
  | 'workspace_paused'
  | 'target_forbidden'
  | 'target_missing'
  | 'no_cursors'
  | 'clock_differs';

/** A problem between the bridge and its hub. */
interface PlatformFinding {
  readonly kind: FindingKind;
  /** error: no message gets through. */
  readonly level: 'error' | 'warn';
  /** What the problem is, in words. */
  readonly detail: string;
  /** What to do about it. */
  readonly next: string;
}

interface ProbeSubject {
  readonly url: string;
  readonly workspace: WorkspaceId;
  /** The workspace that gets the turns. Undefined if that is not known. */
  readonly target: WorkspaceId | undefined;
  readonly nowMs: number;
  /** The time for each of a few parallel calls. Without it the same as for other calls to a hub. */
  readonly timeoutMs?: number;
}

/** The problems on the way to the hub. Empty if there are none. Changes nothing there and never rejects. */
export async function probePlatform(
  options: HubCallsOptions & ProbeSubject,
): Promise<readonly PlatformFinding[]> {
  const calls = new HubCalls(options);
  try {
    return await probe(calls, options);
  } finally {
    await calls.close();
  }
}

/** Like `probePlatform`, with calls that exist already. */
export async function probe(
  calls: HubCalls,
  subject: ProbeSubject,
): Promise<readonly PlatformFinding[]> {
  const { workspace, target, timeoutMs = HUB_CALL_TIMEOUT_MS } = subject;
  const get = (path: string) => calls.ask({ method: 'GET', path, timeoutMs });
  const [inbox, state, discovery] = await Promise.all([
    get(cursorProbePath(workspace)),
    calls.call({ method: 'GET', path: `/workspaces/${workspace}/state`, timeoutMs }),
    target && calls.call({ method: 'GET', path: `/registry/discover/${target}`, timeoutMs }),
  ]);
  // A problem that prevents reading the inbox prevents everything else, too.
  const fatal = fatalOf(inbox, subject);
  if (fatal !== undefined) return [fatal];
  return [
    ofState(state, subject),
    discovery && ofDiscovery(discovery, subject),
    ofCursors(inbox),
    ofClock(inbox, subject),
  ].filter((finding) => finding !== undefined);
}

function fatalOf(inbox: HttpResult, { url, workspace }: ProbeSubject): PlatformFinding | undefined {
  const detail = describe(inbox);
  if (inbox.kind !== 'answer') {
    return error('unreachable', `${url} can't be reached: ${detail}`, [
      'Check PLATFORM_URL, and that the machine may connect there; behind a proxy set HTTPS_PROXY.',
    ]);
  }
  const { status, form } = inbox;
  if (status === 404 && form === 'empty') {
    return error(
      'edge_refused',
      `${url} gave an empty 404, as the edge in front of a platform does`,
      [
        'PLATFORM_URL must be exactly the address of the tenant (https://<tenant>.…), because it is sent as the Origin;',
        'where the platform has organisations, MOLECULE_ORG_ID must name yours.',
      ],
    );
  }
  if (isFromElsewhere(inbox)) {
    return error('not_a_hub', `${url} is not a hub: it answered with ${detail}`, [
      'Check PLATFORM_URL: it must be the address of the platform itself, without a path to a page.',
    ]);
  }
  if (status === 401) {
    return error('token_refused', `the hub refused the token of ${workspace} (${detail})`, [
      'Check WORKSPACE_ID and MOLECULE_WORKSPACE_TOKEN: a token is that of one workspace.',
    ]);
  }
  if (status === 403) {
    return error('workspace_refused', `the hub refused the workspace ${workspace} (${detail})`, [
      'Check WORKSPACE_ID and MOLECULE_ORG_ID.',
    ]);
  }
  return undefined;
}

function ofState(result: HttpResult, { workspace }: ProbeSubject): PlatformFinding | undefined {
  const body = bodyOf(result, [200, 404]);
  if (body?.['deleted'] === true) {
    return error('workspace_removed', `the workspace ${workspace} was removed from the hub`, [
      'Create another one, and put its id and token into WORKSPACE_ID and MOLECULE_WORKSPACE_TOKEN.',
    ]);
  }
  if (body?.['paused'] !== true) return undefined;
  return {
    kind: 'workspace_paused',
    level: 'warn',
    detail: `the workspace ${workspace} is paused`,
    next: 'Resume it on the platform.',
  };
}

function ofDiscovery(result: HttpResult, { workspace, target }: ProbeSubject) {
  if (result.kind !== 'answer') return undefined;
  if (result.status === 403) {
    return error(
      'target_forbidden',
      `${workspace} may not talk to ${target} (${describe(result)})`,
      [
        'Let the two workspaces talk: put them into one organisation, one under the other or side by side in its hierarchy,',
        'or name another workspace in MOLECULE_TARGET_WORKSPACE_ID.',
      ],
    );
  }
  const said = bodyOf(result, [404])?.['error'];
  if (typeof said !== 'string' || !said.includes('workspace not found')) return undefined;
  return error('target_missing', `there is no workspace ${target} on the hub`, [
    'Check MOLECULE_TARGET_WORKSPACE_ID.',
  ]);
}

function ofCursors(inbox: HttpResult): PlatformFinding | undefined {
  if (cursorsKnown(inbox) !== false) return undefined;
  return {
    kind: 'no_cursors',
    level: 'warn',
    detail:
      'the hub is an old version: its inbox has no cursors, so the newest rows are read every time',
    next: 'Nothing is lost or shown twice while fewer than 500 rows come in a minute. Update the platform when you can.',
  };
}

function ofClock(inbox: HttpResult, { nowMs }: ProbeSubject): PlatformFinding | undefined {
  const dateMs = inbox.kind === 'answer' ? inbox.dateMs : undefined;
  const offMs = dateMs === undefined ? 0 : nowMs - dateMs;
  if (Math.abs(offMs) <= CLOCK_DIFFERENCE_MAX_MS) return undefined;
  const minutes = Math.round(Math.abs(offMs) / 60_000);
  return {
    kind: 'clock_differs',
    level: 'warn',
    detail: `this machine's clock is ${minutes} minutes ${offMs > 0 ? 'ahead of' : 'behind'} the hub's`,
    next: 'Set the clock (NTP). Certificates and the age of messages depend on it.',
  };
}

function bodyOf(result: HttpResult, statuses: readonly HttpAnswer['status'][]) {
  const isMeant = result.kind === 'answer' && statuses.includes(result.status);
  return isMeant ? asObject(result.body) : undefined;
}

function error(kind: FindingKind, detail: string, next: readonly string[]): PlatformFinding {
  return { kind, level: 'error', detail, next: next.join(' ') };
}

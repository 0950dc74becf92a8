/** Checks the inbox's query parameters. The texts of the refusals are those of the platform. */
import type { ActivityQuery } from '../../ports/activity.ts';
import { isUuid, type ActivityQueryStrings } from './schemas.ts';
import { HUB_ACTIVITY_KEEP_MS } from '../../domain/upkeep.ts';

/** Rows of one inbox answer: the platform's own default and maximum (MOL-ACT-04). */
const HUB_ACTIVITY_ROWS_DEFAULT = 100;
const HUB_ACTIVITY_ROWS_MAX = 500;

type ParsedActivityQuery =
  | { readonly ok: true; readonly query: ActivityQuery; readonly peerInfo: boolean }
  | { readonly ok: false; readonly error: string };

/** A date with a time and a zone, as in RFC 3339. `Date.parse` accepts much more. */
const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/** An empty parameter counts as absent, as on the platform. */
export function parseActivityQuery(raw: ActivityQueryStrings, nowMs: number): ParsedActivityQuery {
  const given = (name: keyof ActivityQueryStrings) =>
    raw[name] === undefined || raw[name] === '' ? undefined : raw[name];

  const limit = positive(given('limit') ?? String(HUB_ACTIVITY_ROWS_DEFAULT));
  if (limit === undefined) return refused('limit must be a positive integer');
  const sinceSecs = given('since_secs');
  const since = sinceSecs === undefined ? undefined : positive(sinceSecs);
  if (sinceSecs !== undefined && since === undefined) {
    return refused('since_secs must be a positive integer');
  }
  const beforeTs = given('before_ts');
  const beforeMs = beforeTs !== undefined && RFC3339.test(beforeTs) ? Date.parse(beforeTs) : NaN;
  if (beforeTs !== undefined && Number.isNaN(beforeMs)) {
    return refused('before_ts must be an RFC3339 timestamp (e.g. 2026-05-01T00:00:00Z)');
  }
  const peer = given('peer_id');
  if (peer !== undefined && !isUuid(peer)) return refused('peer_id must be a UUID');
  const source = given('source');
  if (source !== undefined && source !== 'canvas' && source !== 'agent') {
    return refused("source must be 'canvas' or 'agent'");
  }
  const type = given('type');
  const sinceId = given('since_id');
  return {
    ok: true,
    peerInfo: (given('include') ?? '').split(',').includes('peer_info'),
    query: {
      limit: Math.min(limit, HUB_ACTIVITY_ROWS_MAX),
      ...(type === undefined ? {} : { type }),
      ...(source === undefined ? {} : { source }),
      ...(peer === undefined ? {} : { peer: peer.toLowerCase() }),
      ...(sinceId === undefined ? {} : { sinceId }),
      ...(beforeTs === undefined ? {} : { beforeMs }),
      ...(since === undefined
        ? {}
        : { sinceMs: nowMs - Math.min(since * 1000, HUB_ACTIVITY_KEEP_MS) }),
    },
  };
}

function refused(error: string): ParsedActivityQuery {
  return { ok: false, error };
}

function positive(text: string): number | undefined {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  return number > 0 ? number : undefined;
}

/** What is told at the start, in words, about the way to the platform. */
import { beforeEach, describe, expect, test } from 'vitest';
import { randomUUID } from 'node:crypto';
import { workspaceId } from '../../../src/core/ids.ts';
import { Secret } from '../../../src/core/secret.ts';
import { probePlatform } from '../../../src/platform/probe.ts';
import { recordingLog } from '../../kit/log.ts';
import { error, type PlatformDouble } from './double.ts';
import { clientOf, NO_PROXIES, openDouble, quickClock, eventually } from './rig.ts';

let platform: PlatformDouble;

beforeEach(async () => {
  platform = await openDouble();
});

interface LarkResult {
  readonly url?: string;
  readonly token?: string;
  readonly target?: string;
  readonly orgId?: string;
  readonly nowMs?: number;
}

async function probed({ url, token, target, orgId, nowMs }: LarkResult = {}) {
  const log = recordingLog();
  const findings = await probePlatform({
    url: url ?? platform.url,
    workspace: workspaceId(platform.own),
    target: workspaceId(target ?? platform.target),
    token: () => new Secret(token ?? 'wst-first'),
    orgId,
    nowMs: nowMs ?? Date.now(),
    proxies: NO_PROXIES,
    log,
  });
  for (const { detail, next } of findings) {
    expect(detail).not.toBe('');
    expect(next).toMatch(/\.$/);
    expect(detail + next).not.toContain('wst-');
  }
  return findings.map(({ kind, level }) => `${level} ${kind}`);
}

test('where all is well there is nothing to say, and nothing was changed', async () => {
  expect(await probed()).toEqual([]);
  expect(platform.calls.map(({ route }) => route).toSorted()).toEqual([
    'activity',
    'discover',
    'state',
  ]);
});

describe('it finds', () => {
  test('MOL-HDR-02: the edge, which answers an empty 404', async () => {
    platform.script('activity', { status: 404, text: '' });
    expect(await probed()).toEqual(['error edge_refused']);
  });

  test('MOL-HDR-07: that the organisation is missing', async () => {
    platform.orgId = 'org-1';
    expect(await probed()).toEqual(['error edge_refused']);
    expect(await probed({ orgId: 'org-1' })).toEqual([]);
  });

  test('MOL-HDR-01: a token that is refused', async () => {
    expect(await probed({ token: 'wst-wrong' })).toEqual(['error token_refused']);
  });

  test('MOL-RES-09, MOL-REG-10: a target that the workspace may not talk to', async () => {
    platform.mayTalk = false;
    expect(await probed()).toEqual(['error target_forbidden']);
  });

  test('MOL-REG-10: a target that does not exist', async () => {
    expect(await probed({ target: randomUUID() })).toEqual(['error target_missing']);
  });

  test('MOL-REG-10: a workspace that was removed, or is paused', async () => {
    platform.state = { deleted: true };
    expect(await probed()).toEqual(['error workspace_removed']);
    platform.state = { paused: true };
    expect(await probed()).toEqual(['warn workspace_paused']);
  });

  test('MOL-ACT-06: a server without cursors', async () => {
    platform.knowsCursors = false;
    expect(await probed()).toEqual(['warn no_cursors']);
  });

  test('MOL-HDR-06: a workspace that is refused as such', async () => {
    platform.script('activity', error(403, 'invalid caller ID'));
    expect(await probed()).toEqual(['error workspace_refused']);
  });

  test.each([
    ['a web page', { text: '<!doctype html>' }],
    ['a redirect', { status: 302, headers: { location: '/login' }, text: '' }],
  ])('%s in place of a hub', async (_name, answer) => {
    platform.script('activity', answer);
    expect(await probed()).toEqual(['error not_a_hub']);
  });

  test('an address where nobody answers', async () => {
    expect(await probed({ url: 'http://127.0.0.1:1' })).toEqual(['error unreachable']);
  });

  test.each([-1, 1])('a clock that is wrong (%i h)', async (hours) => {
    const nowMs = Date.now() + hours * 3_600_000;
    expect(await probed({ nowMs })).toEqual(['warn clock_differs']);
  });

  test('nothing wrong in an old server that knows neither the state nor whom one may talk to', async () => {
    const old = { status: 404, text: '404 page not found' };
    platform.script('state', old);
    platform.script('discover', old);
    expect(await probed()).toEqual([]);
  });
});

test('MOL-RES-09: the client tells its findings when it has registered, each with the way out', async () => {
  platform.mayTalk = false;
  platform.script('register', error(500, 'registration failed'));
  const { client, log } = clientOf(platform, { clock: quickClock });
  await client.start();
  expect(log.lines.map(({ event }) => event)).toEqual(['register_failed']);
  await eventually(() => log.lines.find(({ event }) => event === 'platform_found_wanting')).toEqual(
    {
      level: 'error',
      event: 'platform_found_wanting',
      finding: 'target_forbidden',
      detail: expect.stringContaining(platform.target),
      next: expect.stringContaining('MOLECULE_TARGET_WORKSPACE_ID'),
    },
  );
});

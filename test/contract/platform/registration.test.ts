/** Headers, the token, registration and heartbeat, against the platform double. */
import { renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { workspaceId } from '../../../src/core/ids.ts';
import { Secret } from '../../../src/core/secret.ts';
import { createSecretReader } from '../../../src/host/secret-files.ts';
import { workspaceTokenFile } from '../../../src/host/workspace-token.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { recordingLog } from '../../kit/log.ts';
import { error, type PlatformDouble } from './double.ts';
import { clientOf, eventually, NEVER, openDouble, quickClock, turnFor } from './rig.ts';
import type { Clock } from '../../../src/time/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';

let platform: PlatformDouble;

beforeEach(async () => {
  platform = await openDouble();
});

function folder(): string {
  const path = temporaryFolder();
  return path;
}

/** A round over every route that the client uses. */
async function callAll(options: Parameters<typeof clientOf>[1] = {}) {
  platform.mode = 'busy';
  platform.say('a row to mark as read');
  const made = clientOf(platform, { clock: quickClock, ...options });
  await made.client.start();
  const sent = await made.client.send(turnFor(platform), NEVER);
  const ticket = sent.kind === 'accepted' ? sent.ticket : '';
  platform.settle(ticket, { status: 'failed', last_error: 'x' });
  await made.client.wait(turnFor(platform).target, ticket, NEVER);
  const routes = ['register', 'state', 'discover', 'a2a', 'queue', 'activity', 'ack', 'heartbeat'];
  await eventually(() =>
    routes.filter((route) => platform.calls.every((call) => call.route !== route)),
  ).toEqual([]);
  return made;
}

describe('every call', () => {
  test('MOL-HDR-01, MOL-HDR-02, MOL-HDR-04: carries the token, the origin and who calls', async () => {
    await callAll();
    for (const { headers, path } of platform.calls) {
      expect(headers, path).toMatchObject({
        authorization: `Bearer ${platform.token}`,
        origin: platform.url,
        'x-workspace-id': platform.own,
      });
    }
  });

  test('MOL-HDR-03: says that its body is JSON', async () => {
    await callAll();
    const posts = platform.calls.filter(({ body }) => Object.keys(body).length > 0);
    expect(posts.length).toBeGreaterThan(3);
    expect(posts.map(({ headers }) => headers['content-type'])).toEqual(
      posts.map(() => 'application/json'),
    );
  });

  test('MOL-HDR-07: names the organisation, if there is one', async () => {
    platform.orgId = 'org-1';
    const { client } = await callAll({ orgId: 'org-1' });
    expect(platform.calls.every(({ headers }) => headers['x-molecule-org-id'] === 'org-1')).toBe(
      true,
    );
    expect(client.status().reachable).toBe(true);
  });

  test('MOL-HDR-08: a turn has the time that the bridge has', async () => {
    await callAll({ turnTimeoutMs: 600_000 });
    expect(platform.callsOf('a2a')[0]?.headers['x-timeout']).toBe('600');
  });

  test('MOL-HDR-06: a workspace id of a reserved form is refused, and that ends the start', async () => {
    const { client } = clientOf(platform, { workspace: workspaceId('channel:lark') });
    await expect(client.start()).rejects.toMatchObject({ code: 'platform_refused' });
  });
});

describe('the token', () => {
  test('MOL-HDR-10: one that is changed counts from the next call on, without a restart', async () => {
    const path = join(folder(), 'token');
    writeFileSync(path, 'wst-first\n');
    const log = recordingLog();
    const token = createSecretReader({ path, first: new Secret('wst-first'), log });
    const { client } = clientOf(platform, { token, clock: quickClock });
    await client.start();
    platform.token = 'wst-second';
    expect(await client.send(turnFor(platform), NEVER)).toMatchObject({ kind: 'busy' });
    writeFileSync(`${path}.new`, 'wst-second\n');
    renameSync(`${path}.new`, path);
    expect(await client.send(turnFor(platform), NEVER)).toEqual({ kind: 'accepted_uncorrelated' });
    expect(log.lines.map(({ event }) => event)).toEqual(['secret_changed']);
  });

  test('a file that is away or empty while it is changed leaves the last good one', () => {
    const path = join(folder(), 'token');
    writeFileSync(path, 'one');
    const log = recordingLog();
    const token = createSecretReader({ path, first: new Secret('one'), log });
    unlinkSync(path);
    expect([token().reveal(), token().reveal()]).toEqual(['one', 'one']);
    writeFileSync(path, '');
    expect(token().reveal()).toBe('one');
    writeFileSync(path, 'two');
    expect(token().reveal()).toBe('two');
    expect(log.lines.map(({ event }) => event)).toEqual([
      'secret_file_not_used',
      'secret_file_not_used',
      'secret_changed',
    ]);
    expect(JSON.stringify(log.lines)).not.toContain('two');
  });

  test('MOL-RES-08: a token that is refused in the middle is told once, and the turn goes out when it is right', async () => {
    let token = 'wst-first';
    const { client, log } = clientOf(platform, { token: () => new Secret(token) });
    await client.start();
    platform.token = 'wst-second';
    const turn = turnFor(platform);
    for (const _ of [1, 2]) {
      expect(await client.send(turn, NEVER)).toMatchObject({
        kind: 'busy',
        retryAfterMs: 30_000,
        detail: expect.stringContaining('invalid caller auth token'),
      });
    }
    expect(client.status()).toMatchObject({ reachable: false });
    token = 'wst-second';
    expect(await client.send(turn, NEVER)).toEqual({ kind: 'accepted_uncorrelated' });
    expect(platform.turns).toHaveLength(1);
    const told = log.lines.filter(({ event }) => event.startsWith('token_'));
    expect(told.map(({ level, event }) => [level, event])).toEqual([
      ['error', 'token_refused'],
      ['info', 'token_accepted'],
    ]);
    expect(told[0]?.['next']).toContain('MOLECULE_WORKSPACE_TOKEN_FILE');
    expect(JSON.stringify(log.lines)).not.toContain('wst-');
  });

  test('MOL-REG-02: one that the hub gives out is used and kept, for its owner alone; what is set beats it', async () => {
    platform.token = undefined;
    const path = join(folder(), 'workspace-token.json');
    const owner = { url: platform.url, workspace: platform.own };
    const options = () => ({
      tokenKeeper: workspaceTokenFile(path, owner),
      token: () => new Secret('wst-not-alive'),
    });
    const first = clientOf(platform, options());
    await first.client.start();
    expect(platform.callsOf('a2a')).toEqual([]);
    expect(await first.client.send(turnFor(platform), NEVER)).toMatchObject({
      kind: 'accepted_uncorrelated',
    });
    expect(platform.callsOf('a2a')).toHaveLength(1);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(JSON.stringify(first.log.lines)).not.toContain('wst-');

    const second = clientOf(platform, options());
    await second.client.start();
    expect(await second.client.send(turnFor(platform), NEVER)).toMatchObject({
      kind: 'accepted_uncorrelated',
    });

    platform.token = 'wst-set';
    const third = clientOf(platform, { ...options(), token: () => new Secret('wst-set') });
    platform.calls.length = 0;
    await third.client.start();
    expect(platform.calls[0]?.headers.authorization).toBe('Bearer wst-set');
  });

  test('MOL-REG-02: one that is changed where it is set beats one that the hub gave out', async () => {
    platform.token = undefined;
    let set = 'wst-not-alive';
    const { client } = clientOf(platform, { token: () => new Secret(set) });
    await client.start();
    set = 'wst-set';
    platform.token = 'wst-set';
    await client.send(turnFor(platform), NEVER);
    expect(platform.callsOf('a2a').map(({ headers }) => headers.authorization)).toEqual([
      'Bearer wst-set',
    ]);
  });

  test.each([
    ['another hub', { url: 'http://elsewhere', workspace: 'w' }],
    ['another workspace', { url: 'http://hub', workspace: 'other' }],
  ])('a kept one is not used for %s', (_name, owner) => {
    const path = join(folder(), 'workspace-token.json');
    workspaceTokenFile(path, { url: 'http://hub', workspace: 'w' }).save(new Secret('t'));
    expect(workspaceTokenFile(path, { url: 'http://hub', workspace: 'w' }).load()?.reveal()).toBe(
      't',
    );
    expect(workspaceTokenFile(path, owner).load()).toBeUndefined();
  });

  test('a kept one that is broken is told with the way out, and not quoted', () => {
    const path = join(folder(), 'workspace-token.json');
    writeFileSync(path, '{"auth_token": "wst-half');
    const load = () => workspaceTokenFile(path, { url: 'u', workspace: 'w' }).load();
    expect(load).toThrow(/it is not JSON/);
    expect(load).not.toThrow(/wst-half/);
  });
});

describe('registration', () => {
  test('MOL-REG-01: says who it is, and that it polls', async () => {
    const { client } = clientOf(platform);
    await client.start();
    expect(platform.callsOf('register')[0]?.body).toEqual({
      id: platform.own,
      url: '',
      agent_card: { name: 'lark-bridge', skills: [] },
      delivery_mode: 'poll',
    });
  });

  test.each([401, 403])('MOL-REG-04, MOL-REG-06: HTTP %i ends the start', async (status) => {
    platform.script('register', error(status, 'no'));
    const { client } = clientOf(platform);
    await expect(client.start()).rejects.toMatchObject({
      code: 'platform_refused',
      message: expect.stringContaining('no'),
      next: expect.stringContaining('MOLECULE_WORKSPACE_TOKEN'),
    });
  });

  test.each([
    ['MOL-REG-03: HTTP 400', error(400, 'invalid request body')],
    ['MOL-REG-04: HTTP 409', error(409, 'conflict')],
    ['MOL-REG-04: HTTP 500', error(500, 'registration failed')],
    ['an empty 404', { status: 404, text: '' }],
    ['a web page', { text: '<html>Sign in</html>' }],
    [
      'a broken connection',
      { act: (request: { socket: { destroy(): void } }) => request.socket.destroy() },
    ],
  ])('MOL-REG-06: after %s it goes on, warns, and tries again', async (_name, answer) => {
    platform.script('register', answer);
    const { client, log } = clientOf(platform, { clock: quickClock });
    await client.start();
    expect(log.lines.map(({ level, event }) => [level, event])).toEqual([
      ['warn', 'register_failed'],
    ]);
    expect(client.status().reachable).toBe(false);
    await eventually(() => client.status().reachable).toBe(true);
    expect(log.lines.map(({ event }) => event)).toContain('registered');
  });

  test('MOL-REG-06: a refusal later on does not end what runs, and is told as an error', async () => {
    platform.script('register', error(500, 'registration failed'), error(401, 'no'));
    const { client, log } = clientOf(platform, { clock: quickClock });
    await client.start();
    await eventually(() => log.lines.map(({ event }) => event)).toContain('registered');
    expect(log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', event: 'register_refused' }),
    );
  });
});

describe('heartbeat', () => {
  /** One that counts how long it was asked to wait. */
  function countingClock(): Clock & { readonly delaysMs: number[] } {
    const delaysMs: number[] = [];
    return {
      delaysMs,
      nowMs: () => Date.now(),
      after: (delayMs, run) => {
        delaysMs.push(delayMs);
        return quickClock.after(delayMs, run);
      },
    };
  }

  test('MOL-REG-07, MOL-REG-08, MOL-CC-01: tells every 20 to 30 s that the workspace lives, and what it does', async () => {
    const clock = countingClock();
    const { client } = clientOf(platform, { clock });
    await client.start();
    const beats = () => platform.callsOf('heartbeat');
    await eventually(() => beats().length).toBeGreaterThan(1);
    expect(beats()[0]?.body).toEqual({
      workspace_id: platform.own,
      error_rate: 0,
      sample_error: '',
      active_tasks: 0,
      uptime_seconds: expect.any(Number),
    });
    const beatDelays = clock.delaysMs.filter((delayMs) => delayMs >= 20_000);
    expect(beatDelays.length).toBeGreaterThan(1);
    expect(Math.max(...beatDelays)).toBeLessThanOrEqual(30_000);
  });

  test('MOL-REG-07: counts the turns that are at work', async () => {
    let answer = () => {};
    platform.script('a2a', {
      act: (_request, response) => {
        answer = () => void response.end('{"result":{"parts":[]}}');
      },
    });
    const { client } = clientOf(platform, { clock: quickClock });
    await client.start();
    const sent = client.send(turnFor(platform), NEVER);
    await eventually(() => platform.callsOf('heartbeat').at(-1)?.body['active_tasks']).toBe(1);
    answer();
    await sent;
    await eventually(() => platform.callsOf('heartbeat').at(-1)?.body['active_tasks']).toBe(0);
  });

  test('MOL-REG-09: the third refusal in a row is an error, and every 20th; other failures are warnings', async () => {
    const clock = new VirtualClock(Date.UTC(2026, 0, 5));
    const { client, log } = clientOf(platform, { clock });
    await client.start();
    log.lines.length = 0;
    const levels: string[] = [];
    const beat = async (answer: ReturnType<typeof error>) => {
      platform.script('heartbeat', answer);
      const told = () => log.lines.filter(({ event }) => event.startsWith('heartbeat_')).length;
      const before = told();
      while (platform.callsOf('heartbeat').length === levels.length) {
        clock.step(clock.nowMs() + 5_000);
        await new Promise(setImmediate);
      }
      await eventually(told).toBe(before + 1);
      levels.push(log.lines.findLast(({ event }) => event.startsWith('heartbeat_'))?.level ?? '');
    };
    await beat(error(500, 'x'));
    for (let count = 1; count <= 40; count += 1) await beat(error(count % 2 ? 401 : 403, 'x'));
    const errors = levels.flatMap((level, at) => (level === 'error' ? [at] : []));
    expect(errors).toEqual([3, 20, 40]);
    const refused = log.lines.find(({ event }) => event === 'heartbeat_refused');
    expect(refused?.['next']).toContain('MOLECULE_WORKSPACE_TOKEN');
  });

  test('MOL-REG-05: a hub that does not know the workspace any more is told of it again', async () => {
    const { client } = clientOf(platform, { clock: quickClock });
    await client.start();
    platform.script('heartbeat', error(404, 'workspace not found'));
    await eventually(() => platform.callsOf('register').length).toBe(2);
  });

  test('LCM-MODE-02: in the name of a host there is neither registration nor heartbeat', async () => {
    const { client } = clientOf(platform, {
      clock: quickClock,
      inherited: { readsInbox: true },
    });
    await client.start();
    await eventually(() => platform.callsOf('activity').length).toBeGreaterThan(5);
    expect([...platform.callsOf('register'), ...platform.callsOf('heartbeat')]).toEqual([]);
    expect(client.status().reachable).toBe(true);
  });
});

import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { tokenHash } from '../../../src/hub/domain/tokens.ts';
import { PROVISION_TOKEN, Rig, type Account } from './rig.ts';
import { clockWithoutTimers } from '../../kit/clock.ts';

const card = { name: 'reporter', skills: [], description: 'reports' };

function register(rig: Rig, token: string | undefined, body: unknown) {
  return rig.call('POST', '/registry/register', {
    body,
    ...(token === undefined ? {} : { token }),
  });
}

async function registered(rig: Rig): Promise<Account> {
  const id = randomUUID();
  const body = { id, url: '', agent_card: card, delivery_mode: 'poll' };
  const answer = await register(rig, PROVISION_TOKEN, body);
  return { id, token: answer.body.auth_token as string };
}

test('MOL-REG-01, MOL-REG-02: a new workspace gets its token once, and what the hub can do', async () => {
  const rig = await Rig.start();
  const id = randomUUID();
  const body = { id, url: '', agent_card: card, delivery_mode: 'poll' };
  const first = await register(rig, PROVISION_TOKEN, body);
  expect(first.status).toBe(200);
  expect(first.body).toEqual({
    status: 'registered',
    delivery_mode: 'poll',
    auth_token: expect.stringMatching(/^lw_[0-9a-f]{64}$/),
    capabilities: {
      correlated_answers: true,
      idempotent_messages: true,
      queue_wait_secs: 30,
      cancel: true,
    },
  });
  const again = await register(rig, first.body.auth_token as string, body);
  expect([again.status, again.body.auth_token]).toEqual([200, undefined]);
});

test('a token is stored as a hash only', async () => {
  const rig = await Rig.start();
  const { token } = await registered(rig);
  const agent = await rig.addAgent('helper');
  const tables = ['hub_workspaces', 'hub_agents'].map((name) =>
    rig.db.all(`SELECT * FROM ${name}`),
  );
  const everything = JSON.stringify([tables, rig.log.lines]);
  expect(everything).not.toContain(token);
  expect(everything).not.toContain(agent.token);
});

test.each([
  [{ delivery_mode: undefined, url: '' }, 'url is required for push-mode workspaces'],
  [{ delivery_mode: 'push' }, 'url is required for push-mode workspaces'],
  [{ delivery_mode: 'carrier' }, "delivery_mode must be 'push' or 'poll'"],
  [
    { delivery_mode: 'push', url: 'https://example.com' },
    "this hub does not push: register with delivery_mode 'poll'",
  ],
  [{ id: undefined }, 'invalid request body'],
  [{ id: 'not-a-uuid' }, 'invalid request body'],
  [{ id: 7 }, 'invalid request body'],
  [{ agent_card: undefined }, 'invalid request body'],
  [{ agent_card: 'card' }, 'invalid request body'],
])('MOL-REG-03: %j is refused with %j', async (change, error) => {
  const rig = await Rig.start();
  const body = { id: randomUUID(), agent_card: card, delivery_mode: 'poll', ...change };
  const answer = await register(rig, PROVISION_TOKEN, body);
  expect(answer.status).toBe(400);
  expect(answer.body.error).toBe(error);
});

test('MOL-REG-04: nobody registers without the right token', async () => {
  const rig = await Rig.start();
  const bridge = await rig.bridge();
  const other = await registered(rig);
  const fresh = { id: randomUUID(), agent_card: card, delivery_mode: 'poll' };
  const known = { ...fresh, id: bridge.id };
  const refusals = await Promise.all([
    register(rig, undefined, fresh),
    register(rig, 'wrong', fresh),
    register(rig, bridge.token, fresh),
    register(rig, undefined, known),
    register(rig, 'wrong', known),
    register(rig, other.token, known),
    // Else whoever may make workspaces could take over every existing one.
    register(rig, PROVISION_TOKEN, known),
  ]);
  expect(refusals.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 401, 401]);
  expect(refusals.map(({ body }) => body.error)).toEqual([
    'missing workspace auth token',
    'invalid workspace auth token',
    'invalid workspace auth token',
    'missing workspace auth token',
    'invalid workspace auth token',
    'invalid workspace auth token',
    'invalid workspace auth token',
  ]);
});

test('MOL-REG-05: registering puts a workspace online; a removed one is not brought back', async () => {
  const rig = await Rig.start();
  const agent = await rig.addAgent('far-away', 'external');
  const state = () => rig.call('GET', `/workspaces/${agent.id}/state`, { token: agent.token });
  expect((await state()).body).toEqual({
    workspace_id: agent.id,
    status: 'awaiting_agent',
    paused: false,
    deleted: false,
  });
  const body = { id: agent.id, agent_card: card, delivery_mode: 'poll' };
  expect((await register(rig, agent.token, body)).status).toBe(200);
  expect((await state()).body.status).toBe('online');

  await rig.directory.removeAgent('far-away');
  expect((await register(rig, agent.token, body)).status).toBe(409);
  expect((await register(rig, PROVISION_TOKEN, body)).status).toBe(401);
  const gone = await state();
  expect(gone.status).toBe(404);
  expect(gone.body).toMatchObject({ status: 'removed', deleted: true });
});

test('a workspace whose agent the hub runs can not be registered from outside', async () => {
  const rig = await Rig.start();
  const agent = await rig.addAgent('helper', 'exec');
  const body = { id: agent.id, agent_card: card, delivery_mode: 'poll' };
  expect((await register(rig, agent.token, body)).status).toBe(409);
});

test('MOL-REG-07: a heartbeat is answered, keeps the card and needs the own token', async () => {
  const rig = await Rig.start();
  const bridge = await rig.bridge();
  const other = await registered(rig);
  const beat = {
    workspace_id: bridge.id,
    error_rate: 0,
    sample_error: '',
    active_tasks: 2,
    uptime_seconds: 60,
    current_task: '',
    agent_card: { name: 'bridge of the office', skills: [] },
  };
  const path = '/registry/heartbeat';
  const answer = await rig.call('POST', path, { token: bridge.token, body: beat });
  expect([answer.status, answer.body]).toEqual([200, { status: 'ok' }]);
  const found = await rig.call('GET', `/registry/discover/${bridge.id}`, { token: other.token });
  expect(found.body).toMatchObject({ name: 'bridge of the office', status: 'online' });

  const refusals = await Promise.all([
    rig.call('POST', path, { body: beat }),
    rig.call('POST', path, { token: other.token, body: beat }),
    rig.call('POST', path, { token: bridge.token, body: {} }),
  ]);
  expect(refusals.map(({ status }) => status)).toEqual([401, 401, 400]);
});

test('MOL-REG-08: a workspace that has been silent for 90 s waits for its agent', async () => {
  let nowMs = Date.now();
  const clock = clockWithoutTimers(() => nowMs);
  const rig = await Rig.start({ clock });
  const bridge = await rig.bridge();
  const { token } = bridge;
  await rig.call('POST', '/registry/heartbeat', { token, body: { workspace_id: bridge.id } });
  const status = async () =>
    (await rig.call('GET', `/workspaces/${bridge.id}/state`, { token })).body.status as string;
  nowMs += 89_000;
  expect(await status()).toBe('online');
  nowMs += 2_000;
  expect(await status()).toBe('awaiting_agent');
});

test('MOL-REG-10: update-card, peers and discover', async () => {
  const rig = await Rig.start();
  const bridge = await rig.bridge();
  const one = await registered(rig);
  const body = { workspace_id: one.id, agent_card: { name: 'renamed', skills: ['x'] } };
  const updated = await rig.call('POST', '/registry/update-card', { token: one.token, body });
  expect([updated.status, updated.body]).toEqual([200, { status: 'updated' }]);

  const peers = await rig.call('GET', `/registry/${bridge.id}/peers`, bridgeAuth(bridge));
  expect(peers.status).toBe(200);
  const names = (peers.body as { name: string }[]).map(({ name }) => name);
  expect(names).toEqual(['echo', 'renamed']);
  const found = await rig.call('GET', `/registry/discover/${one.id}`, bridgeAuth(bridge));
  expect(found.body).toEqual({
    id: one.id,
    name: 'renamed',
    role: null,
    url: '',
    status: 'online',
    delivery_mode: 'poll',
    agent_card: { name: 'renamed', skills: ['x'] },
  });
  const refusals = await Promise.all([
    rig.call('GET', `/registry/discover/${one.id}`),
    rig.call('GET', `/registry/discover/${randomUUID()}`, bridgeAuth(bridge)),
    rig.call('GET', `/registry/${one.id}/peers`, bridgeAuth(bridge)),
    rig.call('GET', `/workspaces/${one.id}/state`, bridgeAuth(bridge)),
  ]);
  expect(refusals.map(({ status }) => status)).toEqual([401, 404, 401, 401]);
});

test("the program's own workspace is always the same, and nobody has a token for it", async () => {
  const rig = await Rig.start();
  const own = await rig.directory.provisionWorkspace('lark-bridge');
  // As a version left it that called itself over HTTP.
  rig.db.run('UPDATE hub_workspaces SET token_hash = ? WHERE id = ?', tokenHash('lw_old'), own);
  const state = () => rig.call('GET', `/workspaces/${own}/state`, { token: 'lw_old' });
  expect((await state()).status).toBe(200);
  expect(await rig.directory.provisionWorkspace('lark-bridge')).toBe(own);
  expect((await state()).status).toBe(401);
});

function bridgeAuth(account: Account) {
  return { token: account.token, as: account.id };
}

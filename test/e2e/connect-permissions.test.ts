/** `connect --permissions`: a person confirms a link that gives the bot what it lacks. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LarkCloud } from '../../src/sim/control/lark-cloud.ts';
import type { SimApp } from '../../src/sim/world/model.ts';
import { ConnectRig } from './connect-rig.ts';

let rig: ConnectRig;
let cloud: LarkCloud;
let app: SimApp;

beforeEach(async () => {
  rig = new ConnectRig();
  cloud = await rig.startCloud();
  app = cloud.addApp({ scopes: [], subscriptions: [] });
  const args = ['--app-id', app.appId, '--app-secret-stdin', '--json'];
  expect(await rig.connect(args, { stdin: app.appSecret }).code).toBe(0);
});
afterEach(() => rig.close());

const credentials = () => readFileSync(join(rig.stateDir, 'credentials.json'), 'utf8');

test('what is named, by its kind, and the bot is the same', async () => {
  const before = credentials();
  const names = 'im:resource, im.message.receive_v1,card.action.trigger';
  const run = rig.connect(['--permissions', names, '--json', '--no-qr']);
  const link = await run.link();
  expect(new URL(link).searchParams.get('clientID')).toBe(app.appId);
  expect(new URL(link).searchParams.has('createOnly')).toBe(false);
  cloud.scan({ url: link, approve: true });
  expect(await run.code, run.err).toBe(0);
  expect([...app.scopes]).toEqual(['im:resource']);
  expect([...app.subscriptions].toSorted()).toEqual([
    'card.action.trigger',
    'im.message.receive_v1',
  ]);
  expect(run.events().at(-1)).toEqual({
    event: 'done',
    app_id: app.appId,
    tenant_brand: 'feishu',
    scopes: ['im:resource'],
    events: ['im.message.receive_v1'],
    callbacks: ['card.action.trigger'],
  });
  expect(credentials()).toBe(before);
  expect(readdirSync(rig.stateDir)).not.toContain('connect.json');
  expect(cloud.world.apps.size).toBe(1);
});

test('without names: what a new bot is asked for', async () => {
  const run = rig.connect(['--permissions', '--json']);
  const link = await run.link();
  const addons = new URL(link).searchParams.get('addons') ?? '';
  const asked = gunzipSync(Buffer.from(addons, 'base64url')).toString();
  cloud.scan({ url: link, approve: true });
  expect(await run.code, run.err).toBe(0);
  for (const scope of app.scopes) expect(asked).toContain(scope);
  expect([...app.scopes]).toContain('im:message:send_as_bot');
});

test('a person who makes another app instead is told so, and the bot stays', async () => {
  const before = credentials();
  const run = rig.connect(['--permissions', '--json']);
  const userCode = new URL(await run.link()).searchParams.get('user_code') ?? '';
  const other = cloud.scan({ userCode, approve: true });
  expect(await run.code).toBe(1);
  expect(run.events().at(-1)).toMatchObject({
    event: 'error',
    message: expect.stringContaining(other?.appId ?? 'none'),
  });
  expect(credentials()).toBe(before);
});

test('a name that is of no use: exit 2, those that are, and nobody is asked', async () => {
  const run = rig.connect(['--permissions', 'im:resource,im:everything']);
  expect(await run.code).toBe(2);
  expect(run.err).toContain('next: These are of use: im:message.p2p_msg:readonly,');
  expect(cloud.calls({ path: 'registration' })).toEqual([]);
});

/** `connect` is killed at each of its steps, and called again: it goes on, and there is never a second app. */
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LarkCloud } from '../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimUser } from '../../src/sim/world/model.ts';
import { pressButtonOf } from '../contract/lark/card-press.ts';
import { linkIn } from '../kit/rendered-terminal.ts';
import { ConnectRig, EVENTUALLY, type Run } from './connect-rig.ts';

let rig: ConnectRig;
let cloud: LarkCloud;
let mei: SimUser;

beforeEach(async () => {
  rig = new ConnectRig();
});
afterEach(() => rig.close());

/** `interval`: seconds until the program hears of a confirmation. */
async function startCloud(interval: number): Promise<void> {
  cloud = await rig.startCloud({ interval });
  mei = cloud.addUser({ name: 'Mei' });
}

function scan(url: string): SimApp {
  const app = cloud.scan({ url, approve: true, as: mei });
  if (app === undefined) throw new Error('no app was made');
  return app;
}

async function kill(run: Run): Promise<void> {
  run.stop('SIGKILL');
  expect(await run.code).toBeNull();
}

const saw = (run: Run, words: string) =>
  expect.poll(() => run.out + run.err, EVENTUALLY).toContain(words);

const record = () => join(rig.stateDir, 'connect.json');

test('killed while the link is shown: the same link is shown again, and still counts', async () => {
  await startCloud(0.1);
  const first = rig.program(['connect', '--json']);
  const link = await first.link();
  await saw(first, '"waiting"');
  await kill(first);
  expect(statSync(record()).mode & 0o777).toBe(0o600);

  const second = rig.connect(['--json']);
  expect(await second.link()).toBe(link);
  const app = scan(link);
  expect(await second.code, second.err).toBe(0);
  expect(rig.credentials()).toMatchObject({ app_id: app.appId });
  expect(cloud.world.apps.size).toBe(1);
  expect(existsSync(record())).toBe(false);
});

test.each(['feishu', 'lark'] as const)(
  'killed after the confirmation, before it heard of it (%s): the bot is fetched, and nobody is asked',
  async (brand) => {
    await startCloud(30);
    const first = rig.program(['connect', '--json']);
    const link = await first.link();
    await saw(first, '"waiting"');
    const app = cloud.scan({ url: link, approve: true, as: mei, brand });
    await kill(first);

    const second = rig.connect(['--json']);
    expect(await second.code, second.err).toBe(0);
    expect(rig.credentials()).toMatchObject({ app_id: app?.appId, tenant_brand: brand });
    expect(second.events().map(({ event }) => event)).not.toContain('verification');
    expect(cloud.world.apps.size).toBe(1);
  },
);

test('declined after it was killed: the next one begins anew', async () => {
  await startCloud(30);
  const first = rig.program(['connect', '--json']);
  const link = await first.link();
  await saw(first, '"waiting"');
  await kill(first);
  cloud.scan({ url: link, approve: false });

  const second = rig.connect(['--json']);
  const fresh = await second.link();
  expect(fresh).not.toBe(link);
  second.stop();
  expect(await second.code).toBe(130);
});

test('killed before the proof: the next one proves the same bot', async () => {
  await startCloud(0.1);
  const first = rig.program(['connect', '--verify', '--json']);
  const app = scan(await first.link());
  await saw(first, '"asked"');
  await kill(first);
  expect(JSON.parse(readFileSync(record(), 'utf8'))).toEqual({
    app_id: app.appId,
    next_step: 'prove',
  });

  const second = rig.connect(['--verify', '--json']);
  const chat = cloud.directChat(mei, app);
  await saw(second, '"asked"');
  cloud.say({ chat, from: mei, text: 'hi' });
  await saw(second, '"press"');
  const card = cloud.shows(chat).findLast(({ type }) => type === 'interactive');
  await pressButtonOf(cloud, card?.messageId ?? '', mei);
  expect(await second.code, second.err).toBe(0);
  expect(second.events().at(-1)).toMatchObject({ event: 'done', app_id: app.appId });
  expect(cloud.world.apps.size).toBe(1);
  expect(existsSync(record())).toBe(false);
});

test('killed between the credentials and the note about them: the next one takes the bot', async () => {
  await startCloud(0.1);
  const first = rig.program(['connect', '--json']);
  const link = await first.link();
  await saw(first, '"waiting"');
  await kill(first);
  const pending = readFileSync(record(), 'utf8');
  const second = rig.connect(['--json']);
  const app = scan(link);
  expect(await second.code, second.err).toBe(0);
  writeFileSync(record(), pending, { mode: 0o600 });

  const third = rig.connect(['--json']);
  expect(await third.code, third.err).toBe(0);
  expect(third.events()).toMatchObject([{ event: 'done', app_id: app.appId }]);
  // That one came to its end, so another bot is not made by mistake.
  const fourth = rig.connect(['--json']);
  expect(await fourth.code).toBe(2);
  expect(cloud.world.apps.size).toBe(1);
});

test('killed while it asks about agents: the next one asks again', async () => {
  await startCloud(0.1);
  const bin = join(rig.root, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'gemini'), '#!/bin/sh\necho 1.2.3\n');
  chmodSync(join(bin, 'gemini'), 0o755);
  const preload = join(import.meta.dirname, 'terminal-preload.js');
  const env = { PATH: `${bin}:/nowhere`, NODE_OPTIONS: `--import ${preload}` };
  const words = ['connect', '--no-verify', '--no-qr'];
  const first = rig.program(words, { env, stdin: { open: true } });
  await saw(first, 'Waiting …');
  scan(linkIn(first.out) ?? '');
  await saw(first, 'Which one shall answer?');
  await kill(first);

  const second = rig.program(words, { env, stdin: '1\n' });
  expect(await second.code, second.err).toBe(0);
  expect(second.err).toContain('Going on with the bot');
  expect(second.err).toContain('gemini answers from now on');
  expect(cloud.world.apps.size).toBe(1);
  expect(existsSync(record())).toBe(false);
});

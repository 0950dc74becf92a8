/** Lark refuses credentials that worked: a daemon at work asks again, and ends only when there is no doubt. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type BridgeProcess, Rig } from './rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});

afterEach(() => rig.close());

const file = (name: string) => join(rig.home, name);

/** An agent that has begun and goes on when it is told. */
async function withBusyAgent(env: Record<string, string> = {}): Promise<BridgeProcess> {
  await rig.addAgent(
    'busy',
    `touch ${file('begun')}; while [ ! -e ${file('gate')} ]; do sleep 0.05; done; echo done`,
  );
  return rig.run({ env: { ...env, LARK_BRIDGE_AGENT: 'busy' } });
}

const refuse = (times: number) =>
  rig.cloud.faults.inject({ kind: 'bootstrap_refused', code: 514, msg: 'auth failed', times });

async function askAndCutOff() {
  const { user, chat } = rig.direct('Mei');
  rig.cloud.say({ chat, from: user, text: 'hello' });
  await expect.poll(() => existsSync(file('begun'))).toBe(true);
  rig.cloud.kick();
  return chat;
}

test('one refusal on a reconnect: health says why, the agent goes on, and its answer is shown', async () => {
  const bridge = await withBusyAgent();
  refuse(3);
  const chat = await askAndCutOff();
  await bridge.saw(() => bridge.logged('lark_connect_refused'));
  const { stdout } = await rig.command(['status', '--json']);
  expect(stdout).toContain('514 auth failed');
  await rig.cloud.waitFor(() => rig.cloud.online(rig.app) === 1);
  writeFileSync(file('gate'), '');
  expect(await rig.repliesIn(chat, 1)).toMatchObject([{ text: 'done' }]);
  expect(bridge.child.exitCode).toBeNull();
});

test('a refusal that lasts, with no token either, ends it with 3 after the turn at work', async () => {
  const preload = pathToFileURL(join(import.meta.dirname, 'clock-preload.js')).href;
  const offset = file('offset');
  const bridge = await withBusyAgent({
    NODE_OPTIONS: `--import=${preload}`,
    CLOCK_OFFSET_FILE: offset,
    LARK_LOG_LEVEL: 'debug',
  });
  refuse(1_000);
  await askAndCutOff();
  await bridge.saw(() => bridge.logged('lark_connect_refused'));
  rig.cloud.faults.inject({
    kind: 'business_error',
    code: 10014,
    msg: 'app secret invalid',
    path: '/tenant_access_token/',
    times: 1_000,
  });
  writeFileSync(offset, String(6 * 60_000));
  bridge.child.kill('SIGUSR2');
  await bridge.saw(() => bridge.logged('lark_connection_refused'));
  expect(bridge.child.exitCode).toBeNull();
  writeFileSync(file('gate'), '');
  expect(await bridge.exited).toBe(3);
  expect(bridge.logged('turn_answered')).toBe(true);
  const { stdout } = await rig.command(['turns', 'list', '--json']);
  expect(stdout).toContain('answered');
});

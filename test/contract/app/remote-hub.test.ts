/** The program at a hub elsewhere: what it was told about that hub counts on the wire. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../kit/folder.ts';
import { openProxy } from '../../kit/proxy.ts';
import { startWatchedBridge } from '../observe/rig.ts';
import { openDouble } from '../platform/rig.ts';
import { messageResult, type PlatformDouble } from '../platform/double.ts';

const modeOf = (path: string) => statSync(path).mode & 0o777;

const TOKEN = 'wst-as-it-is-set';

/** A hub with one target, which answers at once. */
async function openHub(): Promise<PlatformDouble> {
  const hub = await openDouble();
  hub.mode = 'sync';
  hub.token = TOKEN;
  return hub;
}

function start(hub: PlatformDouble, env: Readonly<Record<string, string>> = {}) {
  return startWatchedBridge({
    PLATFORM_URL: hub.url,
    WORKSPACE_ID: hub.own,
    MOLECULE_WORKSPACE_TOKEN: TOKEN,
    MOLECULE_TARGET_WORKSPACE_ID: hub.target,
    ...env,
  });
}

test('MOL-HDR-07: every call carries the organisation that is set, and none without', async () => {
  const guarded = await openHub();
  guarded.orgId = 'org-1';
  const bridge = await start(guarded, { MOLECULE_ORG_ID: 'org-1' });
  await bridge.talk('hello');
  expect(guarded.turns).toHaveLength(1);
  const sent = (hub: PlatformDouble) =>
    new Set(hub.calls.map(({ headers }) => headers['x-molecule-org-id']));
  expect(sent(guarded)).toEqual(new Set(['org-1']));
  const open = await openHub();
  await (await start(open)).talk('hello');
  expect(sent(open)).toEqual(new Set([undefined]));
});

test('MOL-REG-02: a token that the hub gave out is kept, and counts at the next start', async () => {
  const hub = await openHub();
  hub.token = undefined;
  const state = { LARK_CHANNEL_STATE_DIR: temporaryFolder() };
  const first = await start(hub, state);
  await first.talk('hello');
  await first.stop();
  expect(hub.token).not.toBe(TOKEN);
  const before = hub.calls.length;
  const second = await start(hub, state);
  await second.talk('hello again');
  expect(hub.turns).toHaveLength(2);
  const used = hub.calls.slice(before).map(({ headers }) => headers.authorization);
  expect(used).toContain(`Bearer ${hub.token}`);
});

describe('LCM-OUT-03: an answer on the same request', () => {
  test('is shown at once as the reply to its question, and the next question needs nothing else', async () => {
    const hub = await openHub();
    const bridge = await start(hub);
    const shown = () =>
      bridge.cloud.shows(bridge.chat).filter(({ from }) => from.startsWith('app:'));
    const asked: string[] = [];
    for (const text of ['one', 'two']) {
      asked.push(bridge.cloud.say({ chat: bridge.chat, from: bridge.user, text }).messageId);
      await bridge.cloud.waitFor(() => shown().length === asked.length);
    }
    expect(shown()).toMatchObject([
      { text: 'answer to one', replyTo: asked[0] },
      { text: 'answer to two', replyTo: asked[1] },
    ]);
    // Nobody looked for it elsewhere, and none was left over.
    expect(hub.callsOf('queue')).toEqual([]);
    expect(bridge.health().ready).toBe(true);
  });

  test('that says what went wrong is told as that', async () => {
    const hub = await openHub();
    hub.answer = () => ({ status: { state: 'failed', message: messageResult('no model') } });
    const bridge = await start(hub);
    await bridge.talk('hello');
    const [told] = bridge.cloud.shows(bridge.chat).filter(({ from }) => from.startsWith('app:'));
    expect(told?.text).toContain('no model');
    expect(told?.text).not.toBe('no model');
  });
});

test('MOL-CC-01: what is kept is for its owner alone, and one state has one bridge', async () => {
  const hub = await openHub();
  hub.token = undefined;
  const stateDir = join(temporaryFolder(), 'state');
  const bridge = await start(hub, { LARK_CHANNEL_STATE_DIR: stateDir });
  await bridge.talk('hello');
  expect(modeOf(stateDir)).toBe(0o700);
  // The place in the inbox is in the database.
  for (const name of ['bridge.db', 'bridge.db-wal', 'workspace-token.json']) {
    expect([name, modeOf(join(stateDir, name))]).toEqual([name, 0o600]);
  }
  await expect(start(hub, { LARK_CHANNEL_STATE_DIR: stateDir })).rejects.toMatchObject({
    code: 'already_running',
  });
  await bridge.talk('still there?');
});

describe('the proxies that are set', () => {
  test('lead to the hub', async () => {
    const hub = await openHub();
    const proxy = await openProxy({ 'hub.example:80': Number(new URL(hub.url).port) });
    const bridge = await start(hub, {
      PLATFORM_URL: 'http://hub.example',
      HTTP_PROXY: proxy.url,
      NO_PROXY: '127.0.0.1',
    });
    await bridge.talk('hello');
    expect(hub.turns).toHaveLength(1);
    expect(new Set(proxy.asked)).toEqual(new Set(['hub.example:80']));
  });

  test('are passed by where NO_PROXY says so', async () => {
    const hub = await openHub();
    const proxy = await openProxy();
    const bridge = await start(hub, { HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' });
    await bridge.talk('hello');
    expect(hub.turns).toHaveLength(1);
    expect(proxy.asked).toEqual([]);
  });
});

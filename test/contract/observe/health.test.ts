/** How a running bridge and a hub tell how they are, while their parts come and go. */
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startHub } from '../../../src/app/start.ts';
import { readStatus } from '../../../src/app/status.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { connect } from '../../../src/store/sqlite/driver.ts';
import { startWatchedBridge } from './rig.ts';
import { silentLog } from '../../kit/log.ts';
import { temporaryFolder } from '../../kit/folder.ts';

interface Told {
  readonly status: number;
  readonly body: {
    readonly status: string;
    readonly live: boolean;
    readonly ready: boolean;
    readonly problems: readonly { code: string; since: string; text: string }[];
  };
}

async function healthAt(url: string, path = '/health'): Promise<Told> {
  const answer = await fetch(url + path);
  return { status: answer.status, body: (await answer.json()) as Told['body'] };
}

const fine = { status: 'ok', live: true, ready: true, problems: [], notes: [] };

test('LD-PUB-01: a bridge that works answers 200 on all three paths', async () => {
  const bridge = await startWatchedBridge();
  for (const path of ['/health', '/health/live', '/health/ready']) {
    expect(await healthAt(bridge.hubUrl, path)).toEqual({ status: 200, body: fine });
  }
  expect(bridge.health()).toEqual({ live: true, ready: true, problems: [], notes: [] });
});

test('without Lark it is live and not ready, says so in the log, and recovers by itself', async () => {
  const bridge = await startWatchedBridge();
  bridge.cloud.faults.setPlan({ rates: { bootstrap_http: 1 } });
  bridge.cloud.kick();
  await expect
    .poll(() => healthAt(bridge.hubUrl))
    .toMatchObject({
      status: 503,
      body: { status: 'error', ready: false, problems: [{ code: 'lark_connection' }] },
    });
  expect((await healthAt(bridge.hubUrl, '/health/ready')).status).toBe(503);
  expect(await healthAt(bridge.hubUrl, '/health/live')).toMatchObject({
    status: 200,
    body: { status: 'ok', live: true, ready: false },
  });
  const changes = () => bridge.lines.filter(({ event }) => event === 'health_changed');
  await expect
    .poll(() => changes().at(-1))
    .toMatchObject({ ready: false, problems: 'lark_connection' });
  bridge.cloud.faults.calm();
  await expect.poll(() => healthAt(bridge.hubUrl)).toEqual({ status: 200, body: fine });
});

test('a database that another program locks is in trouble, and well when that has ended', async () => {
  const bridge = await startWatchedBridge();
  const other = connect(bridge.databasePath);
  other.exec('BEGIN IMMEDIATE');
  // The next write is its status.
  await expect
    .poll(() => healthAt(bridge.hubUrl))
    .toMatchObject({ status: 503, body: { problems: [{ code: 'storage' }] } });
  other.exec('ROLLBACK');
  other.close();
  await expect.poll(() => healthAt(bridge.hubUrl)).toEqual({ status: 200, body: fine });
});

test('F25: a database that loses its place: not ready from the next question on, with the reason', async () => {
  const bridge = await startWatchedBridge();
  const moved = `${bridge.databasePath}.old`;
  renameSync(bridge.databasePath, moved);
  const told = await healthAt(bridge.hubUrl);
  expect(told).toMatchObject({
    status: 503,
    body: { status: 'error', live: true, ready: false, problems: [{ code: 'storage' }] },
  });
  const text = told.body.problems[0]?.text ?? '';
  expect(text).toContain(`the database is now ${moved}`);
  expect(text).toMatch(/process ends.*start lark-bridge again/);
  expect(text).not.toMatch(/continues by itself/);
  // The same after the loss was told, until the process has ended.
  await expect.poll(() => bridge.lines.some(({ event }) => event === 'database_lost')).toBe(true);
  expect((await healthAt(bridge.hubUrl)).body).toMatchObject({
    ready: false,
    problems: [{ code: 'storage', text: expect.stringContaining(moved) as string }],
  });
});

test('a hub alone answers for itself; `status` says that no bot has spoken', async () => {
  const folder = temporaryFolder();
  const config = await loadConfig({
    env: { HOME: folder, LARK_CHANNEL_STATE_DIR: join(folder, 'state'), LARK_PORT: '0' },
    flags: {},
  });
  const hub = await startHub({ config, env: {}, log: silentLog });
  onTestFinished(async () => {
    await hub.stop();
  });
  expect(await healthAt(hub.hubUrl)).toEqual({ status: 200, body: fine });
  const text = await (await fetch(`${hub.hubUrl}/metrics`)).text();
  expect(text).toContain('lark_bridge_ready 1\n');
  expect(text).toContain('lark_bridge_database_size_bytes ');
  const { pid, health } = await readStatus(config);
  expect({ pid, health }).toMatchObject({
    pid: process.pid,
    health: { ready: false, problems: [{ code: 'process' }] },
  });
});

test('a database that was set aside keeps it from being ready until somebody has put it elsewhere', async () => {
  const folder = temporaryFolder();
  const stateDir = join(folder, 'state');
  mkdirSync(stateDir, { mode: 0o700 });
  writeFileSync(join(stateDir, 'bridge.db'), 'this is no database, and was one once', {
    mode: 0o600,
  });
  const config = await loadConfig({
    env: { HOME: folder, LARK_CHANNEL_STATE_DIR: stateDir, LARK_PORT: '0' },
    flags: {},
  });
  const hub = await startHub({ config, env: {}, log: silentLog });
  onTestFinished(async () => {
    await hub.stop();
  });
  const kept = readdirSync(stateDir).find((name) => name.startsWith('bridge.db.corrupt-')) ?? '';
  const told = await healthAt(hub.hubUrl);
  expect(told).toMatchObject({ status: 503, body: { problems: [{ code: 'lost_data' }] } });
  expect(told.body.problems[0]?.text).toContain(join(stateDir, kept));
  expect(told.body.problems[0]?.text).toMatch(/lark-bridge restore.*[Mm]ove that file/);
  renameSync(join(stateDir, kept), join(folder, kept));
  expect(await healthAt(hub.hubUrl)).toEqual({ status: 200, body: fine });
});

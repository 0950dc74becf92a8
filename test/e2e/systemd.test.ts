/** The daemon under a service manager: what it tells systemd, and when. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StandIns } from '../unit/host/stand-in.ts';
import { Rig } from './rig.ts';

let rig: Rig;
let folder: string;
let systemd: StandIns;

beforeEach(async () => {
  rig = await Rig.open();
  folder = mkdtempSync(join(tmpdir(), 'lark-bridge-notify-'));
  systemd = new StandIns(folder);
  systemd.add('systemd-notify');
});
afterEach(async () => {
  await rig.close();
  rmSync(folder, { recursive: true, force: true });
});

const words = () => systemd.calls.map(({ args }) => args[0]);

/** As systemd starts it; a watchdog of 3 s is beaten once a second. */
const env = () => ({
  PATH: `${systemd.path}:${process.env['PATH']}`,
  NOTIFY_SOCKET: join(folder, 'notify'),
  WATCHDOG_USEC: '3000000',
});

test('LCM-CLI-07: systemd hears that it is ready, that it lives, how it is, and that it stops', async () => {
  const daemon = await rig.run({ env: env() });
  expect(words()[0]).toBe('READY=1');
  await expect.poll(() => words().slice(0, 3)).toEqual(['READY=1', 'WATCHDOG=1', 'WATCHDOG=1']);
  const said = () => systemd.calls.flatMap(({ args }) => args);
  await expect.poll(said).toContain('STATUS=Takes and answers messages.');
  expect(await daemon.stop()).toBe(0);
  expect(words().at(-1)).toBe('STOPPING=1');
  for (const call of systemd.calls) {
    expect(call.env['NOTIFY_SOCKET']).toBe(join(folder, 'notify'));
    expect(JSON.stringify(call)).not.toContain(rig.app.appSecret);
  }
});

test('a configuration that is incomplete is found before the start: ExecStartPre ends with 2', async () => {
  const good = await rig.command(['config', 'check']);
  expect(good).toMatchObject({ code: 0, stderr: '' });
  const bad = await rig.command(['config', 'check'], {
    env: { LARK_APP_SECRET: '', LARK_PORT: 'x', LARK_BRAND: 'y' },
  });
  expect(bad.code).toBe(2);
  for (const name of ['LARK_APP_SECRET', 'LARK_PORT', 'LARK_BRAND']) {
    expect(bad.stderr).toContain(name);
  }
});

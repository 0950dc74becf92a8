/** The app secret in the system's keyring: the built program, with a keyring that the test can look into. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Rig } from './rig.ts';

let rig: Rig;
let env: Record<string, string>;

beforeEach(async () => {
  rig = await Rig.open();
  env = {
    LARK_APP_ID: '',
    LARK_APP_SECRET: '',
    LARK_BRIDGE_SECRETS: 'keyring',
    KEYRING_FILE: join(rig.home, 'keyring'),
    NODE_OPTIONS: `--import ${join(import.meta.dirname, 'keyring-preload.js')}`,
  };
});

afterEach(() => rig.close());

const ADOPT = ['connect', '--json', '--no-verify', '--app-secret-stdin', '--app-id'];

function connect(more: Record<string, string> = {}) {
  const input = rig.app.appSecret;
  return rig.program([...ADOPT, rig.app.appId], { env: { ...env, ...more }, input });
}

test('connect keeps it there, out of the file; run, status and doctor find it', async () => {
  const { code, stderr } = await connect();
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('its secret is in the keyring');
  const kept = readFileSync(join(rig.stateDir, 'credentials.json'), 'utf8');
  expect(JSON.parse(kept)).toEqual({ app_id: rig.app.appId, tenant_brand: 'feishu' });
  // On Linux the keyring of the desktop is meant: the kernel's would forget it at a reboot.
  expect(JSON.parse(readFileSync(join(rig.home, 'keyring'), 'utf8'))).toEqual({
    [`lark-bridge ${rig.app.appId} secret-service`]: rig.app.appSecret,
  });

  await rig.run({ env });
  const { user, chat } = rig.direct('Mei');
  rig.cloud.say({ chat, from: user, text: 'hello' });
  expect(await rig.repliesIn(chat, 1)).toMatchObject([{ text: 'hello' }]);
  expect((await rig.program(['status', '--json'], { env })).code).toBe(0);
  const doctor = await rig.program(['doctor', '--json'], { env });
  expect(doctor).toMatchObject({ code: 0 });
  expect(doctor.stdout).toContain('its secret from the keyring');
});

test('disconnect takes it out of the keyring, and touches nothing while that is locked', async () => {
  await connect();
  const locked = await rig.program(['disconnect'], { env: { ...env, KEYRING_LOCKED: 'yes' } });
  expect(locked.code).toBe(1);
  expect(existsSync(join(rig.stateDir, 'credentials.json'))).toBe(true);
  const { code, stdout } = await rig.program(['disconnect', '--json'], { env });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ app_id: rig.app.appId, removed_from_keyring: true });
  expect(JSON.parse(readFileSync(join(rig.home, 'keyring'), 'utf8'))).toEqual({});
  expect(existsSync(join(rig.stateDir, 'credentials.json'))).toBe(false);
});

test('without the setting, run says where the secret may be', async () => {
  await connect();
  const { code, stderr } = await rig.program(['run'], { env: { ...env, LARK_BRIDGE_SECRETS: '' } });
  expect(code).toBe(2);
  expect(stderr).toContain('LARK_BRIDGE_SECRETS=keyring');
  const set = { ...env, LARK_BRIDGE_SECRETS: '' };
  expect((await rig.program(['config', 'set', 'secrets', 'keyring'], { env: set })).code).toBe(0);
  expect((await rig.program(['config', 'check'], { env: set })).code).toBe(0);
});

test('a locked keyring: connect ends before it asks anybody, run says why', async () => {
  const refused = await connect({ KEYRING_LOCKED: 'yes' });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/error: the keyring can't be used.*locked\nnext: Unlock it/);
  expect(rig.cloud.calls({})).toEqual([]);
  expect(existsSync(join(rig.stateDir, 'credentials.json'))).toBe(false);
  await connect();
  const run = await rig.program(['run'], { env: { ...env, KEYRING_LOCKED: 'yes' } });
  expect(run.code).toBe(2);
  expect(run.stderr).toContain('locked');
});

test('without the package: what to install', async () => {
  const { code, stderr } = await connect({ NODE_OPTIONS: '' });
  expect(code).toBe(2);
  expect(stderr).toContain('npm install --global @napi-rs/keyring');
  expect(rig.cloud.calls({})).toEqual([]);
});

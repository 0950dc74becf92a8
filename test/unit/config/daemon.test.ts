/** The settings of a bridge that a workspace runs: its environment is all that it gets. */
import { join } from 'node:path';
import { inspect } from 'node:util';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Flags, loadConfig } from '../../../src/config/load.ts';
import { temporaryFolder } from '../../kit/folder.ts';

const HOST = '11111111-1111-4111-8111-111111111111';
const inherited = {
  WORKSPACE_ID: HOST,
  PLATFORM_URL: 'https://tenant.example',
  MOLECULE_WORKSPACE_TOKEN: 't-secret',
  LARK_APP_ID: 'cli_0123456789abcdef',
  LARK_APP_SECRET: 's-secret',
};
const channel = {
  MOLECULE_CHANNEL_API_VERSION: '1',
  MOLECULE_CHANNEL_A2A_SOCKET: '/run/molecule/a2a.sock',
  MOLECULE_CHANNEL_A2A_TOKEN: 'cap-secret',
  MOLECULE_CHANNEL_PLUGIN_ID: 'lark-bridge',
};

let home: string;
beforeEach(() => {
  home = temporaryFolder();
});

const load = (env: Record<string, string>, flags: Flags = { mode: 'daemon' }) =>
  loadConfig({ env: { HOME: home, ...env }, flags, needs: ['lark', 'platform'] });

const complaint = (env: Record<string, string>) =>
  load(env).then(
    () => '',
    (error: Error) => error.message,
  );

test('LCM-CLI-01: the mode is poll or daemon', async () => {
  expect((await load({ ...inherited, MOLECULE_TARGET_WORKSPACE_ID: 'other' }, {})).mode).toBe(
    'poll',
  );
  expect((await load(inherited)).mode).toBe('daemon');
  await expect(load(inherited, { mode: 'push' })).rejects.toThrow(
    '--mode must be one of poll, daemon, not "push"',
  );
});

test('LCM-ENV-04: only as a workspace of its own does it need a target', async () => {
  expect((await load(inherited)).targetWorkspaceId).toBeUndefined();
  await expect(load(inherited, {})).rejects.toThrow('MOLECULE_TARGET_WORKSPACE_ID is not set');
});

test.each(['poll', 'daemon'])(
  'LCM-ENV-01, LCM-ENV-02, LCM-ENV-03: as %s each of the three is needed, and missed by itself',
  async (mode) => {
    const all = { ...inherited, MOLECULE_TARGET_WORKSPACE_ID: 'other' };
    const config = await load(all, { mode });
    expect(config).toMatchObject({ workspaceId: HOST, platformUrl: 'https://tenant.example' });
    expect(config.workspaceToken?.reveal()).toBe('t-secret');
    for (const name of ['WORKSPACE_ID', 'PLATFORM_URL', 'MOLECULE_WORKSPACE_TOKEN']) {
      const rest = Object.fromEntries(Object.entries(all).filter(([one]) => one !== name));
      const message = await load(rest, { mode }).then(
        () => 'it was taken',
        (error: Error) => error.message,
      );
      expect(message.match(/\w+ is not set/g)).toEqual([`${name} is not set`]);
    }
  },
);

test('LCM-CLI-05, LCM-ENV-01, LCM-ENV-02, LCM-ENV-03, LCM-ENV-05: all that is missing is said at once', async () => {
  const message = await complaint({ MOLECULE_CHANNEL_A2A_TOKEN: 'cap-secret' });
  for (const name of [
    ...Object.keys(inherited),
    'MOLECULE_CHANNEL_API_VERSION',
    'MOLECULE_CHANNEL_A2A_SOCKET',
  ]) {
    expect(message).toContain(`${name} is not set`);
  }
  expect(message).not.toContain('MOLECULE_TARGET_WORKSPACE_ID');
});

describe('the channel socket', () => {
  test('MOL-SOCK-01: it is taken from the environment, and its capability shows nowhere', async () => {
    const config = await load({ ...inherited, ...channel });
    expect(config.channelSocket).toBe('/run/molecule/a2a.sock');
    expect(config.channelToken?.reveal()).toBe('cap-secret');
    expect(`${inspect(config)}${JSON.stringify(config)}`).not.toContain('cap-secret');
  });

  test('MOL-SOCK-02: an address that a socket can not have is refused', async () => {
    const long = `/${'x'.repeat(100)}`;
    expect(
      await complaint({ ...inherited, ...channel, MOLECULE_CHANNEL_A2A_SOCKET: long }),
    ).toContain('MOLECULE_CHANNEL_A2A_SOCKET must be a path of at most 100 bytes');
  });

  test('MOL-SOCK-08: another version is refused, beside whatever else is wrong', async () => {
    const message = await complaint({ ...channel, MOLECULE_CHANNEL_API_VERSION: '2' });
    expect(message).toContain(
      'MOLECULE_CHANNEL_API_VERSION must be 1, the only version that this lark-bridge speaks, not "2"',
    );
    expect(message).toContain('PLATFORM_URL is not set');
  });

  test('it is of no account to a bridge that is not run by a host', async () => {
    const env = { ...inherited, MOLECULE_TARGET_WORKSPACE_ID: 'other' };
    expect((await load({ ...env, MOLECULE_CHANNEL_API_VERSION: '2' }, {})).mode).toBe('poll');
  });
});

test('MOL-DAE-08, LCM-ENV-09: the state is where the host keeps that of its plugins, unless it is named', async () => {
  const pluginState = join(home, 'plugin');
  const env = { ...inherited, MOLECULE_PLUGIN_STATE_DIR: pluginState };
  expect((await load(env)).stateDir).toBe(pluginState);
  expect((await load({ ...env, LARK_CHANNEL_STATE_DIR: home })).stateDir).toBe(home);
});

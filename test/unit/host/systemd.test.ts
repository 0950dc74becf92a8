import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, test } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { Systemd, unitFolder } from '../../../src/host/service/systemd.ts';
import { renderSystemd, type Scope } from '../../../src/host/service/units.ts';
import { StandIns } from './stand-in.ts';
import { temporaryFolder } from '../../kit/folder.ts';

const UNIT = renderSystemd('system', {
  node: '/usr/bin/node',
  program: '/usr/local/bin/lark-bridge',
  stateDir: '/x',
  path: undefined,
  secretFile: undefined,
});

let home: string;
let folder: string;
let programs: StandIns;

beforeEach(() => {
  home = temporaryFolder();
  folder = join(home, 'units');
  programs = new StandIns(home);
  programs.add('systemctl');
  programs.add('journalctl');
  programs.add('loginctl');
});

function systemd(scope: Scope = 'system', path = programs.path): Systemd {
  return new Systemd({ scope, folder, env: { PATH: path, HOME: home, LARK_APP_SECRET: 'secret' } });
}

async function problemOf(work: Promise<unknown>): Promise<BridgeError> {
  const error = await work.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(BridgeError);
  return error as BridgeError;
}

test('install writes the unit, then has it read, enabled and started, in this order', async () => {
  await systemd().install(UNIT);
  expect(readFileSync(join(folder, 'lark-bridge.service'), 'utf8')).toBe(UNIT);
  // Whatever the umask, never writable for others.
  expect(statSync(join(folder, 'lark-bridge.service')).mode & 0o733).toBe(0o600);
  expect(programs.lines).toEqual([
    'systemctl --no-ask-password show --property=Version',
    'systemctl --no-ask-password daemon-reload',
    'systemctl --no-ask-password enable lark-bridge.service',
    'systemctl --no-ask-password restart lark-bridge.service',
  ]);
});

test('the service of a user is asked for with --user', async () => {
  await systemd('user').install(UNIT);
  for (const line of programs.lines) expect(line).toMatch(/^systemctl --user /);
});

test('systemd’s programs get what they need of the environment, and no secret', async () => {
  await systemd().install(UNIT);
  expect(programs.calls[0]?.env).toMatchObject({ HOME: home, LC_ALL: 'C' });
  expect(JSON.stringify(programs.calls)).not.toContain('secret');
});

test('install again replaces the unit and restarts', async () => {
  await systemd().install(UNIT);
  await systemd().install(`${UNIT}# newer\n`);
  expect(readFileSync(join(folder, 'lark-bridge.service'), 'utf8')).toContain('# newer');
  expect(programs.lines.filter((line) => line.includes(' restart '))).toHaveLength(2);
});

test('a unit that somebody else wrote is neither replaced nor removed', async () => {
  mkdirSync(folder);
  writeFileSync(join(folder, 'lark-bridge.service'), '[Service]\n');
  for (const work of [() => systemd().install(UNIT), () => systemd().uninstall()]) {
    const { code, message, next } = await problemOf(work());
    expect(code).toBe('failed');
    expect(message).toContain('was not written by lark-bridge');
    expect(next).toContain('systemctl edit');
  }
  expect(readFileSync(join(folder, 'lark-bridge.service'), 'utf8')).toBe('[Service]\n');
});

test('uninstall stops and disables it before its file goes; a second time it is nothing', async () => {
  await systemd().install(UNIT);
  programs.add('systemctl', `echo "$2" '${folder}'/* >>'${home}/seen'`);
  expect(await systemd().uninstall()).toBe(true);
  expect(readFileSync(join(home, 'seen'), 'utf8').split('\n')).toEqual([
    `disable ${folder}/lark-bridge.service`,
    `daemon-reload ${folder}/*`,
    '',
  ]);
  expect(programs.lines.slice(4)).toEqual([
    'systemctl --no-ask-password disable --now lark-bridge.service',
    'systemctl --no-ask-password daemon-reload',
  ]);
  expect(existsSync(join(folder, 'lark-bridge.service'))).toBe(false);
  expect(await systemd().uninstall()).toBe(false);
});

test.each(['start', 'stop', 'restart'] as const)('%s is systemctl’s', async (verb) => {
  await systemd().install(UNIT);
  await systemd()[verb]();
  expect(programs.lines.at(-1)).toBe(`systemctl --no-ask-password ${verb} lark-bridge.service`);
});

test.each(['start', 'stop', 'restart'] as const)(
  '%s of what is not installed says so',
  async (verb) => {
    const { code, message, next } = await problemOf(systemd('user')[verb]());
    expect(code).toBe('failed');
    expect(message).toContain('not installed');
    expect(next).toContain('lark-bridge service install --user');
    expect(programs.lines).toEqual([]);
  },
);

test('status reads what systemd shows', async () => {
  await systemd().install(UNIT);
  programs.add(
    'systemctl',
    `printf '%s\\n' UnitFileState=enabled ActiveState=active MainPID=42 NRestarts=3 \\
      ExecMainCode=1 ExecMainStatus=4 'StatusText=a=b c'`,
  );
  expect(await systemd().status()).toEqual({
    installed: true,
    enabled: true,
    state: 'active',
    pid: 42,
    restarts: 3,
    exit_code: 4,
    status: 'a=b c',
  });
});

test('status of what is not installed', async () => {
  programs.add('systemctl', `printf '%s\\n' UnitFileState= ActiveState=inactive MainPID=0`);
  expect(await systemd().status()).toEqual({
    installed: false,
    enabled: false,
    state: 'inactive',
    pid: undefined,
    restarts: 0,
    exit_code: undefined,
    status: '',
  });
});

describe('logs', () => {
  /** Somebody who follows them has seen enough after the first line. */
  async function logs(request: { follow?: boolean; json?: boolean } = {}) {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const stop = new AbortController();
    if (request.follow === true) stdout.once('data', () => stop.abort());
    await systemd('user').logs({
      lines: 7,
      follow: false,
      json: false,
      signal: stop.signal,
      stdout,
      stderr,
      ...request,
    });
    return String(stdout.read() ?? '');
  }

  test('are journalctl’s', async () => {
    await systemd('user').install(UNIT);
    programs.add('journalctl', 'echo one line');
    expect(await logs()).toBe('one line\n');
    await logs({ json: true });
    expect(programs.lines.slice(4)).toEqual([
      'journalctl --user --unit=lark-bridge.service --lines=7 --no-pager',
      'journalctl --user --unit=lark-bridge.service --lines=7 --no-pager --output=json',
    ]);
  });

  test('are followed until somebody wants to stop', async () => {
    await systemd('user').install(UNIT);
    programs.add('journalctl', 'echo first; exec /bin/sleep 60');
    await logs({ follow: true });
    expect(programs.lines.at(-1)).toContain('--follow');
  });

  test('a failure of journalctl is one', async () => {
    await systemd('user').install(UNIT);
    programs.add('journalctl', 'exit 1');
    expect(await problemOf(logs())).toMatchObject({ code: 'failed' });
  });
});

describe('no luck', () => {
  test('a system without systemd: words that help, and no file left behind', async () => {
    const { code, exitCode, message, next } = await problemOf(
      systemd('system', join(home, 'nothing')).install(UNIT),
    );
    expect([code, exitCode]).toEqual(['failed', 1]);
    expect(message).toContain('no systemd');
    expect(next).toContain('service print');
    expect(existsSync(folder)).toBe(false);
  });

  test.each<[Scope, string, string, string]>([
    ['system', 'Failed to enable unit: Access denied', 'no permission', 'sudo'],
    ['system', 'Interactive authentication required.', 'no permission', 'sudo'],
    [
      'system',
      'System has not been booted with systemd as init system (PID 1). Can’t operate.',
      'systemd does not answer',
      'containers',
    ],
    ['user', 'Failed to connect to bus: No medium found', 'does not answer', 'not with su or sudo'],
    ['user', 'Failed to connect to bus: Permission denied', 'does not answer', 'Log in'],
    ['user', 'Job for lark-bridge.service failed.', 'Job for', 'service logs --user'],
  ])('%s: %s', async (scope, said, message, next) => {
    programs.add('systemctl', `echo '${said}' >&2; exit 1`);
    const problem = await problemOf(systemd(scope).install(UNIT));
    expect(problem.exitCode).toBe(1);
    expect(problem.message).toContain(message);
    expect(problem.next).toContain(next);
    expect(existsSync(folder)).toBe(false);
  });

  test('a folder that can’t be made', async () => {
    writeFileSync(folder, 'a file');
    const { code, message } = await problemOf(systemd().install(UNIT));
    expect(code).toBe('failed');
    expect(message).toContain(folder);
  });

  test.skipIf(process.getuid?.() === 0)('a folder of somebody else (not for root)', async () => {
    mkdirSync(folder, { mode: 0o500 });
    const { message, next } = await problemOf(systemd().install(UNIT));
    expect(message).toContain('no permission');
    expect(next).toContain('sudo');
  });
});

test('a user whose services may go on without a login, and one who may not', async () => {
  expect(await systemd('user').linger()).toBe(true);
  expect(programs.lines).toEqual(['loginctl --no-ask-password enable-linger']);
  programs.add('loginctl', 'exit 1');
  expect(await systemd('user').linger()).toBe(false);
});

test('units are where systemd looks for them', () => {
  expect(unitFolder('system', { env: {}, home: '/h' })).toBe('/etc/systemd/system');
  expect(unitFolder('user', { env: {}, home: '/h' })).toBe('/h/.config/systemd/user');
  const env = { XDG_CONFIG_HOME: '/c' };
  expect(unitFolder('user', { env, home: '/h' })).toBe('/c/systemd/user');
});

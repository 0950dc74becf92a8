/** `lark-bridge service`, with stand-ins for systemd's programs. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StandIns } from '../host/stand-in.ts';
import { runProgram } from './program.ts';

/** Two programs that are at steady places everywhere, in the parts of Node and of the bridge. */
const STARTED = { execPath: '/bin/sh', argv: ['/bin/sh', '/usr/bin/env'] };

let home: string;
let programs: StandIns;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lark-bridge-service-'));
  programs = new StandIns(home);
  for (const name of ['systemctl', 'journalctl', 'loginctl']) programs.add(name);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const unitPath = () => join(home, '.config/systemd/user/lark-bridge.service');
const unit = () => readFileSync(unitPath(), 'utf8');

function service(words: string, env: Readonly<Record<string, string>> = {}, started = STARTED) {
  const around = { HOME: home, PATH: programs.path, ...env };
  return runProgram(['service', ...words.split(' ')], around, started);
}

describe('install --user', () => {
  test('writes the unit for this user, has it started, and says where it is', async () => {
    const { code, stdout, stderr } = await service('install --user');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(unitPath());
    expect(unit()).toContain(`LARK_CHANNEL_STATE_DIR=${home}/.lark-bridge\n`);
    expect(unit()).toMatch(/^ExecStart=\/\S+ \/\S+ run$/m);
    expect(programs.lines).toEqual([
      'systemctl --version',
      'systemctl --user --no-ask-password show --property=Version',
      'systemctl --user --no-ask-password daemon-reload',
      'systemctl --user --no-ask-password enable lark-bridge.service',
      'systemctl --user --no-ask-password restart lark-bridge.service',
      'loginctl --no-ask-password enable-linger',
    ]);
  });

  test('R8, R9: records the PATH and HOME that agents need, and shows them', async () => {
    const { stdout } = await service('install --user', { PATH: `${programs.path}:/opt/tools/bin` });
    expect(unit()).toMatch(/^Environment=PATH=\S*\/opt\/tools\/bin$/m);
    expect(unit()).toContain(`\nEnvironment=HOME=${home}\n`);
    expect(stdout).toMatch(/^Agents find their programs in PATH=\S*\/opt\/tools\/bin$/m);
    expect(stdout).toContain(`and their logins in HOME=${home}\n`);
  });

  test('F30: a systemd that can hand over its socket listens to the main process alone', async () => {
    programs.add('systemctl', `[ "$1" != --version ] || echo 'systemd 254 (254.1)'`);
    const env = { XDG_RUNTIME_DIR: '/run/user/1000' };
    expect(await service('install --user', env)).toMatchObject({ code: 0 });
    expect(unit()).toContain(
      '\nNotifyAccess=main\nOpenFile=/run/user/1000/systemd/notify:notify\n',
    );
    expect(unit()).toContain('\nRestartMaxDelaySec=');
    const { stdout } = await service('print --system', env);
    expect(stdout).toContain('\nOpenFile=/run/systemd/notify:notify\n');
    programs.add('systemctl', `[ "$1" != --version ] || echo 'systemd 252 (252.38)'`);
    expect(await service('install --user', env)).toMatchObject({ code: 0 });
    expect(unit()).toContain('\nNotifyAccess=all\n');
    expect(unit()).not.toContain('OpenFile');
  });

  test('no secret gets into the unit, an argument or the output; what is not passed on is named', async () => {
    const env = {
      LARK_APP_ID: 'cli_0123456789abcdef',
      LARK_APP_SECRET: 'secret-one',
      MOLECULE_WORKSPACE_TOKEN: 'secret-two',
      HTTPS_PROXY: 'http://me:secret-three@proxy:3128',
    };
    const { code, stdout, stderr } = await service('install --user --json', env);
    expect(code).toBe(0);
    const result = JSON.parse(stdout) as { variables_not_passed: string[] };
    expect(result.variables_not_passed.toSorted()).toEqual(Object.keys(env).toSorted());
    expect(stderr).toMatch(/LARK_APP_SECRET.*\.config\/lark-bridge\/env \(chmod 600\)/);
    const everything = [unit(), stdout, stderr, JSON.stringify(programs.calls)].join('\n');
    expect(everything).not.toMatch(/secret-(?:one|two|three)/);
  });

  test('takes the state directory and the folders of the PATH that stay along', async () => {
    const state = join(home, 'my state');
    const env = { PATH: `${programs.path}:/opt/agents/bin:/tmp/x`, XDG_CONFIG_HOME: `${home}/cfg` };
    const { code, stdout } = await runProgram(
      ['service', 'install', '--user', '--json', '--state-dir', state],
      { HOME: home, ...env },
      STARTED,
    );
    expect(code).toBe(0);
    const path = join(home, 'cfg/systemd/user/lark-bridge.service');
    expect(JSON.parse(stdout)).toMatchObject({ installed: true, scope: 'user', unit: path });
    const text = readFileSync(path, 'utf8');
    expect(text).toContain(`Environment="LARK_CHANNEL_STATE_DIR=${state}"\n`);
    expect(text).toMatch(/^Environment=PATH=.*\/opt\/agents\/bin$/m);
  });

  test('says so when it would end with the login', async () => {
    programs.add('loginctl', 'exit 1');
    const { code, stdout, stderr } = await service('install --user --json');
    expect(code).toBe(0);
    expect(stderr).toContain('loginctl enable-linger');
    expect(JSON.parse(stdout)).toMatchObject({ lingers: false });
  });

  test('a program that npx has fetched for one run is refused, and nothing is written', async () => {
    const program = join(home, '_npx/5a/bin/lark-bridge.js');
    mkdirSync(dirname(program), { recursive: true });
    writeFileSync(program, '');
    const started = { execPath: '/bin/sh', argv: ['/bin/sh', program] };
    const { code, stderr } = await service('install --user', {}, started);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /_npx.*\nnext: .*npm pack.*npm install --global \.\/lark-bridge-\*\.tgz/,
    );
    expect([existsSync(unitPath()), programs.lines]).toEqual([false, []]);
  });

  test('no systemd: 1, and what to do instead', async () => {
    const { code, stderr } = await service('install --user', { PATH: join(home, 'nothing') });
    expect(code).toBe(1);
    expect(stderr).toMatch(/no systemd[\s\S]*next: .*service print --for launchd/);
    expect(existsSync(unitPath())).toBe(false);
  });

  test('it did not start: 1, and where to look', async () => {
    programs.add('systemctl', '[ "$3" != restart ] || { echo it failed >&2; exit 1; }');
    const { code, stderr } = await service('install --user');
    expect(code).toBe(1);
    expect(stderr).toMatch(/it failed\nnext: .*service logs --user/);
  });
});

describe('after install', () => {
  beforeEach(async () => {
    expect(await service('install --user')).toMatchObject({ code: 0 });
  });

  test.each([
    ['start', 'Started.'],
    ['stop', 'Stopped.'],
    ['restart', 'Restarted.'],
  ])('%s', async (verb, said) => {
    expect(await service(`${verb} --user`)).toEqual({ code: 0, stdout: `${said}\n`, stderr: '' });
    expect(programs.lines.at(-1)).toBe(
      `systemctl --user --no-ask-password ${verb} lark-bridge.service`,
    );
    const { stdout } = await service(`${verb} --user --json`);
    expect(JSON.parse(stdout)).toEqual({ done: verb, unit: unitPath() });
  });

  test('status tells how it is, to people and to programs', async () => {
    programs.add(
      'systemctl',
      `printf '%s\\n' UnitFileState=disabled ActiveState=active MainPID=42 NRestarts=3 \\
        ExecMainCode=1 ExecMainStatus=4 'StatusText=All is well.'`,
    );
    const { stdout } = await service('status --user');
    expect(stdout.split('\n')).toEqual([
      `The service is active, process 42. Unit: ${unitPath()}`,
      'All is well.',
      'systemd restarted it 3 times.',
      'Its last run ended with exit code 4.',
      'It does not start by itself.',
      '',
    ]);
    const { stdout: json } = await service('status --user --json');
    expect(JSON.parse(json)).toEqual({
      scope: 'user',
      unit: unitPath(),
      installed: true,
      enabled: false,
      state: 'active',
      pid: 42,
      restarts: 3,
      exit_code: 4,
      status: 'All is well.',
    });
  });

  test('logs are journalctl’s', async () => {
    programs.add('journalctl', 'echo a line; echo a warning >&2');
    const said = await service('logs --user -n 5');
    expect(said).toEqual({ code: 0, stdout: 'a line\n', stderr: 'a warning\n' });
    expect(programs.lines.at(-1)).toBe(
      'journalctl --user --unit=lark-bridge.service --lines=5 --no-pager',
    );
  });

  test('`logs` alone is the same, for the service that is installed', async () => {
    programs.add('journalctl', 'echo a line');
    const env = { HOME: home, PATH: programs.path };
    const said = await runProgram(['logs', '-f', '--since', '2020-01-31T00:00:00Z'], env);
    expect(said).toMatchObject({ code: 0, stdout: 'a line\n' });
    expect(programs.lines.at(-1)).toBe(
      'journalctl --user --unit=lark-bridge.service --lines=100 --no-pager --since=@1580428800 --follow',
    );
  });

  test('uninstall takes it away and leaves the state', async () => {
    expect(await service('uninstall --user --json')).toMatchObject({ code: 0 });
    expect(existsSync(unitPath())).toBe(false);
    const { code, stdout } = await service('uninstall --user --json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ removed: false, unit: unitPath() });
  });
});

describe('not installed', () => {
  test.each(['start', 'stop', 'restart', 'logs'])('%s: 1, and how to install it', async (verb) => {
    const { code, stderr } = await service(`${verb} --user`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/not installed.*\nnext: .*service install --user/);
  });

  test('`logs` alone says where else the log is', async () => {
    const env = { HOME: home, PATH: programs.path };
    const none = await runProgram(['logs'], env);
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toMatch(
      /not installed as a service.*\nnext: .*`lark-bridge run` was started/,
    );
    mkdirSync(join(home, '.lark-bridge'), { mode: 0o700 });
    writeFileSync(join(home, '.lark-bridge/service.log'), '');
    expect((await runProgram(['logs'], env)).stderr).toContain(`${home}/.lark-bridge/service.log`);
  });

  test('status is an answer all the same', async () => {
    programs.add('systemctl', `printf '%s\\n' UnitFileState= ActiveState=inactive MainPID=0`);
    const { code, stdout } = await service('status --user');
    expect([code, stdout]).toEqual([0, `Not installed: there is no ${unitPath()}.\n`]);
  });
});

describe('print', () => {
  test.each([
    ['--user', 'Environment=LARK_CHANNEL_STATE_DIR='],
    ['--system', 'DynamicUser=yes'],
    ['--user --for launchd', '<key>ProgramArguments</key>'],
    ['--user --for windows', '<Exec><Command>'],
  ])('%s touches nothing', async (words, part) => {
    const { code, stdout, stderr } = await service(`print ${words}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(part);
    const asked = words.includes('--for') ? [] : ['systemctl --version'];
    expect([existsSync(unitPath()), programs.lines]).toEqual([false, asked]);
    const { stdout: json } = await service(`print ${words} --json`);
    expect(JSON.parse(json)).toMatchObject({ text: stdout });
  });

  test('of the user is what install writes', async () => {
    const { stdout } = await service('print --user');
    await service('install --user');
    expect(unit()).toBe(stdout);
  });

  test('with the name of a file with the secret, and not with the secret', async () => {
    const file = join(home, 'app-secret');
    writeFileSync(file, 'secret-one', { mode: 0o600 });
    const { code, stdout } = await service(`print --system --secret-file ${file}`);
    expect(code).toBe(0);
    expect(stdout).toContain(`LoadCredential=app-secret:${file}\n`);
    expect(stdout).not.toContain('secret-one');
    chmodSync(file, 0o644);
    const open = await service(`print --system --secret-file ${file}`);
    expect(open.code).toBe(2);
    expect(open.stderr).toContain(`chmod 600 ${file}`);
  });
});

test.each([
  ['status --user --system', 'exclude each other'],
  ['print --system --state-dir /x', "--state-dir can't be used with the system service"],
  ['print --user --secret-file /x', '--secret-file is for the system service only'],
  ['print --system --secret-file app-secret', 'must be the full path of a file'],
  ['print --for upstart', 'upstart'],
  ['logs --user --lines 0', '--lines must be'],
  ['frob', 'frob'],
])('service %s: 2', async (words, message) => {
  const { code, stderr } = await service(words);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});

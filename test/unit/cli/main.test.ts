import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { settingKey, settingRows } from '../../../src/config/setting-rows.ts';
import { runProgram } from './program.ts';

const VERSION = (
  JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8')) as {
    version: string;
  }
).version;
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lark-bridge-cli-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const run = (...words: string[]) => runProgram(words, { HOME: home });

describe('help and version', () => {
  test('--version prints the version alone', async () => {
    expect(await run('--version')).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
  });

  test('--help lists every command of the contract that exists, and only those', async () => {
    const { code, stdout, stderr } = await run('--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [commands = ''] = stdout.split('\n\nOptions of');
    const names = [...commands.matchAll(/^ {2}([\w-]+) /gm)].map(([, name = '']) => name);
    expect(names.toSorted()).toEqual(
      'agents backup chats completion config connect dead-letters demo disconnect doctor folders hub logs pairing restore run send service simulate status trace turns webhooks'.split(
        ' ',
      ),
    );
    for (const flag of ['state-dir', 'log-level', 'log-format', 'json', 'no-color', 'quiet']) {
      expect(stdout).toMatch(new RegExp(`^ +--${flag} `, 'm'));
    }
  });

  test.each(
    'run hub connect setup agents status doctor turns dead-letters trace config backup restore service simulate demo'.split(
      ' ',
    ),
  )('%s has help', async (name) => {
    const { code, stdout } = await run(name, '--help');
    expect(code).toBe(0);
    expect(stdout).toContain(`lark-bridge ${name === 'setup' ? 'connect' : name}`);
  });

  test('LCM-CLI-01, LCM-CLI-02: bare `lark-bridge` takes the flags of run', async () => {
    const { stdout } = await run('--help');
    expect(stdout).toMatch(/--mode .*poll/);
    expect(stdout).toMatch(/--turn-timeout-secs/);
    const bare = await run('--mode', 'push');
    expect(bare).toMatchObject({ code: 2 });
    expect(bare.stderr).toContain('--mode must be');
  });
});

describe('words that make no sense', () => {
  test.each([
    [['config', 'get', 'frob'], 'frob'],
    [['config', 'set', 'app_secret', 'x'], 'LARK_APP_SECRET'],
  ])('%j: exit code 2, one line and a hint', async (words, named) => {
    const { code, stdout, stderr } = await run(...words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: [^\n]+\nnext: [^\n]+\n$/);
    expect(stderr).toContain(named);
  });

  test('with --json the error is an event on stdout', async () => {
    const { code, stdout, stderr } = await run('run', '--json', '--frob');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toEqual({
      event: 'error',
      code: 'usage',
      message: expect.stringContaining('frob') as string,
      next: expect.stringContaining('--help') as string,
    });
    expect(stderr).toMatch(/^error: /);
  });

  test.each([
    ['poll', [], { PLATFORM_URL: 'https://hub.example' }, ['MOLECULE_TARGET_WORKSPACE_ID']],
    ['daemon', ['--mode', 'daemon'], {}, ['PLATFORM_URL']],
  ] as const)(
    'LCM-CLI-05, LCM-ENV-01: as %s one message lists every missing name, each once, and the exit code is 2',
    async (_mode, words, env, more) => {
      const ended = await runProgram(['run', ...words], { HOME: home, ...env });
      expect([ended.code, ended.stdout]).toEqual([2, '']);
      const named = [...ended.stderr.matchAll(/(\w+) is not set/g)].map(([, name = '']) => name);
      expect(named.toSorted()).toEqual(
        [
          'LARK_APP_ID',
          'LARK_APP_SECRET',
          'MOLECULE_WORKSPACE_TOKEN',
          'WORKSPACE_ID',
          ...more,
        ].toSorted(),
      );
      expect(ended.stderr.match(/^error: /gm)).toHaveLength(1);
    },
  );

  test('LCM-CLI-05: run without settings says all that is missing, and exits 2', async () => {
    const { code, stdout, stderr } = await run('run');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('LARK_APP_ID is not set');
    expect(stderr).toContain('LARK_APP_SECRET is not set');
    expect(stderr).toContain('next: Run `lark-bridge connect`');
  });
});

describe('a state directory that can not be used', () => {
  const env = () => ({ HOME: home, LARK_APP_ID: 'cli_0123456789abcdef', LARK_APP_SECRET: 'x' });

  test('its place is taken by a file: exit 1, and what to do', async () => {
    writeFileSync(join(home, 'file'), '');
    const ended = await runProgram(['run', '--state-dir', join(home, 'file', 'state')], env());
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toMatch(/^error: can't use the state directory: [^\n]+\nnext: Choose /);
  });

  test('nothing can be written into it: exit 1, and what to do', async () => {
    const stateDir = join(home, 'state');
    // A folder in the lock's place refuses the superuser too.
    mkdirSync(join(stateDir, 'instance.lock'), { recursive: true, mode: 0o700 });
    const ended = await runProgram(['run', '--state-dir', stateDir], env());
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toMatch(
      /^error: can't lock [^\n]+\nnext: Check what it is, and move it away: mv /,
    );
  });
});

describe('config', () => {
  const SECRET = 'very-secret-value';

  test('lists every setting once, with its source, secrets masked', async () => {
    const env = { HOME: home, LARK_APP_SECRET: SECRET, LARK_PORT: '5001' };
    const text = await runProgram(['config'], env);
    expect(text.code).toBe(0);
    const names = text.stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ')[0]);
    expect(names.shift()).toBe('NAME');
    expect(names).toEqual(settingRows().map(([name]) => settingKey(name)));
    expect(text.stdout).toMatch(/^hub_port +5001 +LARK_PORT$/m);
    expect(text.stdout).toMatch(/^app_secret +\[secret\] +LARK_APP_SECRET$/m);
    const json = await runProgram(['config', '--json'], env);
    const { settings } = JSON.parse(json.stdout) as { settings: Record<string, unknown>[] };
    expect(settings).toContainEqual(
      expect.objectContaining({ name: 'hub_port', value: 5001, source: 'LARK_PORT' }),
    );
    const one = await runProgram(['config', 'get', 'app_secret'], env);
    expect(text.stdout + json.stdout + one.stdout).not.toContain(SECRET);
  });

  test('lists what is wrong too, and exits 2', async () => {
    const { code, stdout, stderr } = await runProgram(['config'], { HOME: home, LARK_PORT: 'x' });
    expect(code).toBe(2);
    expect(stdout).toMatch(/^hub_port +x +LARK_PORT$/m);
    expect(stderr).toContain('LARK_PORT must be a whole number');
  });

  test('check says whether run could start', async () => {
    expect(await run('config', 'check')).toMatchObject({ code: 2, stdout: '' });
    const env = { HOME: home, LARK_APP_ID: 'cli_0123456789abcdef', LARK_APP_SECRET: SECRET };
    expect(await runProgram(['config', 'check'], env)).toMatchObject({ code: 0, stderr: '' });
  });

  test('check warns of an id that can hardly be right, and ends 0', async () => {
    const env = {
      HOME: home,
      LARK_APP_ID: 'cli_0123456789abcdef',
      LARK_APP_SECRET: SECRET,
      PLATFORM_URL: 'https://hub.example',
      WORKSPACE_ID: 'w',
      MOLECULE_WORKSPACE_TOKEN: 't',
      MOLECULE_TARGET_WORKSPACE_ID: '22222222-2222-4222-8222-222222222222',
    };
    const { code, stderr } = await runProgram(['config', 'check', '--quiet'], env);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: WORKSPACE_ID is "w"[^\n]+\n$/);
    const { stdout } = await runProgram(['config', 'check', '--json'], env);
    expect(JSON.parse(stdout)).toEqual({
      ok: true,
      warnings: [expect.stringContaining('WORKSPACE_ID')],
    });
  });

  test('with a typo in config.json every command that needs it ends 2, and the file stays', async () => {
    const folder = join(home, '.lark-bridge');
    const path = join(folder, 'config.json');
    const text = '{\n  "agent": "claude"\n"lang": "zh"\n}\n';
    mkdirSync(folder);
    writeFileSync(path, text);
    const env = { HOME: home, LARK_APP_ID: 'cli_0123456789abcdef', LARK_APP_SECRET: SECRET };
    const all = [
      ['config', 'check'],
      ['config'],
      ['config', 'get', 'agent'],
      ['config', 'set', 'agent', 'other'],
      ['run'],
      ['hub'],
      ['connect', '--no-qr'],
      ['agents', 'list'],
      ['status'],
      ['turns'],
      ['dead-letters'],
      ['trace', 'om_1'],
      ['doctor', '--offline'],
      // As a service that is tried again: nothing but the file's owner changes what it says.
      ['config', 'check'],
      ['run'],
    ];
    for (const words of all) {
      const { code, stdout, stderr } = await runProgram(words, env);
      expect({ words, code }).toEqual({ words, code: 2 });
      expect(stdout + stderr).toContain('line 3, column 1');
      expect(readdirSync(folder)).toEqual(['config.json']);
      expect(readFileSync(path, 'utf8')).toBe(text);
    }
    expect(await runProgram(['config', 'path'], env)).toMatchObject({ code: 0 });
  });

  test('set, get and path', async () => {
    const path = join(home, '.lark-bridge/config.json');
    expect(await run('config', 'path')).toEqual({ code: 0, stdout: `${path}\n`, stderr: '' });
    expect(await run('config', 'set', 'hub_port', '5001')).toMatchObject({ code: 0 });
    expect(await run('config', 'get', 'hub_port')).toMatchObject({ stdout: '5001\n' });
    expect(await run('config', 'set', 'hub_port', 'many')).toMatchObject({ code: 2 });
    const beaten = await runProgram(['config', 'set', 'hub_port', '5002'], {
      HOME: home,
      LARK_PORT: '1',
    });
    expect(beaten.stderr).toContain('LARK_PORT is set too');
    expect(await run('config', 'set', 'hub_port', '')).toMatchObject({ code: 0 });
    expect(await run('config', 'get', 'hub_port')).toMatchObject({ stdout: '4001\n' });
  });

  test('a flag is a source like any other', async () => {
    const { stdout } = await run('config', '--log-level', 'DEBUG', '--no-color');
    expect(stdout).toMatch(/^log_level +debug +--log-level$/m);
    expect(stdout).toMatch(/^no_color +true +--no-color$/m);
  });
});

describe('R35: the program of an agent', () => {
  const asAgent = (...words: string[]) => runProgram(words, { HOME: home, LARK_RUN_ID: 'a1b2' });

  test.each([
    ['agents', 'add', 'shout', '--exec', 'cat'],
    ['agents', 'remove', 'shout'],
    ['folders', 'add', '/'],
    ['pairing', 'approve', 'ABCDEFGH'],
    ['chats', 'allow', 'oc_1'],
    ['config', 'set', 'access', 'open'],
    ['service', 'uninstall'],
    ['webhooks', 'add', 'https://example.com'],
    ['turns', 'retry', 'om_1'],
    ['dead-letters', 'drop', 'a'],
    ['connect'],
  ])('does not change its own bridge: %s %s', async (...words) => {
    const { code, stderr } = await asAgent(...words);
    expect(code).toBe(2);
    expect(stderr).toContain('the program of an agent may not change its own bridge');
    expect(readdirSync(home)).toEqual([]);
  });

  test('may look', async () => {
    expect((await asAgent('agents', 'list')).code).toBe(0);
  });
});

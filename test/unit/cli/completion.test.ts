/** What a shell gets when somebody presses Tab. */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settingKey, settingRows } from '../../../src/config/setting-rows.ts';
import { connect } from '../../../src/store/sqlite/driver.ts';
import { runProgram } from './program.ts';

const BIN = join(import.meta.dirname, '../../../bin/lark-bridge.js');
let home: string;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'lark-bridge-tab-'));
  const env = { HOME: home };
  expect(await runProgram(['agents', 'add', 'shout', '--exec', 'tr a-z A-Z'], env)).toMatchObject({
    code: 0,
  });
  const db = connect(join(home, '.lark-bridge/bridge.db'));
  db.exec(`INSERT INTO turns (app_id, message_id, chat_id, phase, state, message, received_at_ms, admitted_at_ms)
      VALUES ('cli_1', 'om_first', 'oc_1', 'answered', '{}', '{}', 1, 1), ('cli_1', 'om_last', 'oc_1', 'failed', '{}', '{}', 2, 2);
    INSERT INTO access_groups VALUES ('cli_1', 'oc_1', '{"name":"Sales\\u001b[31m\\nteam"}');
    INSERT INTO access_people (app_id, open_id, state, record) VALUES ('cli_1', 'ou_1', 'allowed', '{"name":"Mia"}')`);
  db.close();
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

async function tab(...typed: string[]) {
  const { code, stdout, stderr } = await runProgram(['__complete', ...typed], { HOME: home });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [kind = '', ...lines] = stdout.trimEnd().split('\n');
  return { kind, words: lines.map((line) => line.split('\t')[0]), lines };
}

describe('the answer', () => {
  test.each([
    [['st'], ['status']],
    [
      ['agents', ''],
      ['list', 'known', 'add', 'use', 'remove', 'test'],
    ],
    [['agents', 're'], ['remove']],
    [['turns', 'sh'], ['show']],
    [['help', 'sim'], ['simulate']],
    [['help', 'agents', 'te'], ['test']],
    [['turns', '--ph'], ['--phase']],
    [['turns', '--phase', 'f'], ['failed']],
    [
      ['run', '--mode', ''],
      ['poll', 'daemon'],
    ],
    [['--mode', 'p'], ['poll']],
    [
      ['status', '--log-level', ''],
      ['debug', 'info', 'warn', 'error'],
    ],
    [['status', '--log-level=wa'], ['--log-level=warn']],
    [['status', '--log-level', '=', 'wa'], ['warn']],
    [
      ['status', '--log-level', '='],
      ['debug', 'info', 'warn', 'error'],
    ],
    [['run', '--on-interrupted', 'r'], ['rerun']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['config', 'get', 'hub_p'], ['hub_port']],
    [
      ['agents', 'test', ''],
      ['shout', 'echo'],
    ],
    [['agents', 'remove', '--json', 's'], ['shout']],
    [['agents', 'add', 'cla'], ['claude']],
    [
      ['turns', 'show', ''],
      ['om_last', 'om_first'],
    ],
    [['trace', 'om_f'], ['om_first']],
    [['chats', 'allow', ''], ['oc_1']],
    [['send', '--user', 'ou'], ['ou_1']],
    [['statsu', ''], []],
    [['agents', 'lst', ''], []],
    [['turns', '--limit', ''], []],
    [['send', 'some text', 'x'], []],
  ])('to %j is %j', async (typed, words) => {
    expect(await tab(...typed)).toMatchObject({ kind: 'words', words });
  });

  test('is every command at the beginning, and every setting after `config set`', async () => {
    expect((await tab('')).words).toEqual(
      expect.arrayContaining(['demo', 'connect', 'completion']),
    );
    expect((await tab('config', 'set', '')).words).toEqual(
      settingRows().map(([name]) => settingKey(name)),
    );
  });

  test('is the options where nothing else can follow, without those that are there', async () => {
    const { words } = await tab('run', '--json', '--lang', 'zh', '');
    expect(words).toEqual(expect.arrayContaining(['--mode', '--state-dir', '--help']));
    expect(words).not.toEqual(expect.arrayContaining(['--json']));
    expect(words).not.toEqual(expect.arrayContaining(['--lang']));
  });

  test.each([
    [['--state-dir', ''], 'folders'],
    [['connect', '--qr-image', 'x'], 'files'],
    [['agents', 'add', 'x', '--env-file', ''], 'files'],
    [['folders', 'add', ''], 'folders'],
  ])('to %j is left to the shell: %s', async (typed, kind) => {
    expect(await tab(...typed)).toMatchObject({ kind, words: [] });
  });

  test('says what each means in one line, and nothing that acts on the terminal', async () => {
    expect((await tab('status', '--js')).lines).toEqual([expect.stringMatching(/^--json\t\w/)]);
    expect((await tab('chats', 'deny', '')).lines).toEqual([
      String.raw`oc_1	Sales\u001b[31m team`,
    ]);
  });

  test('names come from the state directory that is typed, and none is made', async () => {
    const other = join(home, 'other');
    expect(await tab('agents', 'test', '--state-dir', other, '')).toMatchObject({ words: [] });
    expect(readdirSync(home)).not.toContain('other');
    const files = readdirSync(join(home, '.lark-bridge'));
    await tab('turns', 'show', '');
    expect(readdirSync(join(home, '.lark-bridge'))).toEqual(files);
  });

  test('a file that is none of ours is no error', async () => {
    const broken = join(home, 'broken');
    mkdirSync(broken, { mode: 0o700 });
    writeFileSync(join(broken, 'bridge.db'), 'no database');
    expect(await tab('agents', 'test', '--state-dir', broken, '')).toMatchObject({ words: [] });
    writeFileSync(join(broken, 'config.json'), '{');
    expect(await tab('agents', 'test', '--state-dir', broken, '')).toMatchObject({ words: [] });
  });
});

describe('the script', () => {
  test.each(['bash', 'zsh', 'fish'])('of %s is the one for $SHELL too', async (shell) => {
    const named = await runProgram(['completion', shell], {});
    expect(named).toMatchObject({ code: 0, stderr: '' });
    expect(named.stdout).toContain(`lark-bridge completion ${shell}`);
    expect(named.stdout).not.toContain('@{');
    expect(await runProgram(['completion'], { SHELL: `/usr/bin/${shell}` })).toEqual(named);
    const { stdout } = await runProgram(['completion', shell, '--json'], {});
    expect(JSON.parse(stdout)).toEqual({ shell, script: named.stdout });
  });

  test.each<Readonly<Record<string, string>>>([{}, { SHELL: '/bin/tcsh' }])(
    'for another shell there is none: %j',
    async (env) => {
      const { code, stderr } = await runProgram(['completion'], env);
      expect(code).toBe(2);
      expect(stderr).toContain('next: Name the shell, as in `lark-bridge completion bash`.');
    },
  );

  test('in a real bash the Tab key gives commands, values, names and files', async () => {
    const programs = join(home, 'programs');
    mkdirSync(programs);
    writeFileSync(
      join(programs, 'lark-bridge'),
      `#!/bin/sh\nexec "${process.execPath}" "${BIN}" "$@"\n`,
    );
    chmodSync(join(programs, 'lark-bridge'), 0o755);
    mkdirSync(join(home, 'my folder'));
    writeFileSync(join(home, 'my file'), '');
    const script = `
      source <(lark-bridge completion bash)
      press() { COMP_WORDS=(lark-bridge "$@"); COMP_CWORD=$#; _lark_bridge; (IFS='|'; echo "$*: \${COMPREPLY[*]}"); }
      complete -p lark-bridge
      press ag
      press status --log-level = ''
      press agents test ''
      press connect --qr-image my
      press --state-dir my`;
    const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-c', script], {
      cwd: home,
      env: { HOME: home, PATH: `${programs}:${process.env['PATH']}` },
    });
    expect(stderr).toBe('');
    expect(stdout.trimEnd().split('\n')).toEqual([
      'complete -F _lark_bridge lark-bridge',
      'ag: agents',
      'status|--log-level|=|: debug|info|warn|error',
      'agents|test|: shout|echo',
      'connect|--qr-image|my: my file|my folder',
      '--state-dir|my: my folder',
    ]);
  });
});

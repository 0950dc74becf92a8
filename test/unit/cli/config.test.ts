/** `lark-bridge config`: changes of config.json, in one value or in an editor. */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../kit/folder.ts';
import { runProgram } from './program.ts';

let home: string;
let file: string;
beforeEach(() => {
  home = temporaryFolder();
  const stateDir = join(home, '.lark-bridge');
  mkdirSync(stateDir, { mode: 0o700 });
  file = join(stateDir, 'config.json');
});

const config = (words: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runProgram(['config', ...words], { HOME: home, PATH: process.env['PATH'] ?? '', ...env });
/** An editor that does this with the file `$1`. */
const edit = (script: string) => {
  const path = join(home, 'editor.sh');
  writeFileSync(path, script);
  return config(['edit'], { EDITOR: `sh ${path}` });
};
const drafts = () =>
  readdirSync(join(home, '.lark-bridge')).filter((name) => name.includes('draft'));

describe('set', () => {
  test('keeps comments, and says from when on it counts', async () => {
    writeFileSync(file, '{\n  // ours\n  "hub_port": 5000\n}\n', { mode: 0o600 });
    const { code, stdout } = await config(['set', 'lang', 'zh']);
    expect(code).toBe(0);
    expect(stdout).toContain('from the next start');
    expect(readFileSync(file, 'utf8')).toBe(
      '{\n  // ours\n  "hub_port": 5000,\n  "lang": "zh"\n}\n',
    );
    await config(['set', 'hub_port', '']);
    expect(readFileSync(file, 'utf8')).toBe('{\n  // ours\n  "lang": "zh"\n}\n');
  });
});

describe('a file with a mistake', () => {
  test('is refused with its place by whoever reads or changes it, and stays as it is', async () => {
    const text = '{\n  "agent": "claude"\n  "lang": "zh"\n}\n';
    writeFileSync(file, text, { mode: 0o600 });
    for (const words of [['check'], ['check'], ['list'], ['set', 'lang', 'en']]) {
      const { code, stderr } = await config(words);
      expect({ words, code }).toEqual({ words, code: 2 });
      expect(stderr).toContain('line 3, column 3');
    }
    expect(readdirSync(join(home, '.lark-bridge'))).toEqual(['config.json']);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });
});

describe('list', () => {
  test('--changed leaves out what is at its default', async () => {
    expect((await config(['list', '--changed'])).stdout).toBe(
      'All settings are at their defaults.\n',
    );
    await config(['set', 'lang', 'zh']);
    const { stdout } = await config(['list', '--changed'], { LARK_PORT: '5000' });
    expect(stdout.split('\n')).toEqual([
      'NAME      VALUE  FROM',
      'lang      zh     lang in config.json',
      'hub_port  5000   LARK_PORT',
      '',
    ]);
  });

  test('--describe says what each is and how else it is set', async () => {
    const { stdout } = await config(['list', '--describe']);
    expect(stdout).toMatch(/^hub_port +4001 +default\n {4}TCP port of .*\(LARK_PORT\)$/m);
  });
});

describe('edit', () => {
  test('without a file begins with a template in which a line is made to count', async () => {
    const { code, stdout } = await edit(`sed -i 's|// "hub_port": 4001|"hub_port": 5000|' "$1"`);
    expect(code).toBe(0);
    expect(stdout).toContain('from the next start');
    expect(readFileSync(file, 'utf8')).toContain('// TCP port of the embedded hub');
    expect((await config(['get', 'hub_port'])).stdout).toBe('5000\n');
    expect(drafts()).toEqual([]);
  });

  test.each([
    ['a value', `echo '{ "hub_port": "many" }' > "$1"`, 'hub_port'],
    ['a key', `echo '{ "hub_prt": 1 }' > "$1"`, '"hub_prt"'],
    ['the JSON', `printf '{\\n "hub_port" 1 }' > "$1"`, 'line 2, column 13'],
  ])('what is wrong in %s is not saved, and opened again', async (_what, script, named) => {
    writeFileSync(file, '{ "hub_port": 5000 }', { mode: 0o600 });
    const { code, stdout, stderr } = await edit(script);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(named);
    expect(stderr).toContain('next: config.json is as it was');
    expect(readFileSync(file, 'utf8')).toBe('{ "hub_port": 5000 }');
    const again = await edit(`grep -q hub_p "$1" && echo '{ "hub_port": 6000 }' > "$1"`);
    expect(again.code).toBe(0);
    expect((await config(['get', 'hub_port'])).stdout).toBe('6000\n');
    expect(drafts()).toEqual([]);
  });

  test('what was set while the editor was open is not undone, and the text is kept', async () => {
    writeFileSync(file, '{}', { mode: 0o600 });
    const { code, stderr } = await edit(
      `echo '{ "hub_port": 6000 }' > "$1"; echo '{ "agent_idle_secs": 7 }' > '${file}'`,
    );
    expect(code).toBe(1);
    expect(stderr).toContain('was changed while you edited it');
    expect(readFileSync(file, 'utf8')).toContain('agent_idle_secs');
    expect(drafts().join(' ')).toContain('.kept-');
  });

  test('a draft that nobody has changed is not taken for a change later', async () => {
    writeFileSync(file, '{ "hub_port": 5000 }', { mode: 0o600 });
    await edit('exit 3');
    writeFileSync(file, '{ "hub_port": 6000 }', { mode: 0o600 });
    expect((await edit('true')).stdout).toBe('Nothing was changed.\n');
    expect((await config(['get', 'hub_port'])).stdout).toBe('6000\n');
  });

  test('an editor that fails, or changes nothing, changes nothing', async () => {
    writeFileSync(file, '{}', { mode: 0o600 });
    expect(await edit('exit 3')).toMatchObject({ code: 1 });
    expect((await edit('true')).stdout).toBe('Nothing was changed.\n');
    expect(readFileSync(file, 'utf8')).toBe('{}');
  });
});

test('each line of the template can be made to count, and then says what was so before', async () => {
  const { stdout } = await config(['template']);
  const lines = stdout.replaceAll(/^ {2}\/\/ (".*": (?!"").*)$/gm, '  $1');
  writeFileSync(file, lines, { mode: 0o600 });
  const settings = async () =>
    (
      JSON.parse((await config(['list', '--json'])).stdout) as {
        settings: { name: string; value: unknown; source: string }[];
      }
    ).settings;
  const set = (await settings()).filter(({ source }) => source.endsWith('config.json'));
  expect(set.length).toBeGreaterThan(20);
  expect(existsSync(file)).toBe(true);
  writeFileSync(file, stdout, { mode: 0o600 });
  const plain = await settings();
  for (const { name, value } of set) {
    expect(plain.find((one) => one.name === name)).toMatchObject({ value, source: 'default' });
  }
});

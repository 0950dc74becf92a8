/** `lark-bridge agents add --env, --env-file, --user`: what is taken, what is refused, and what is shown of it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../kit/folder.ts';
import { runProgram } from './program.ts';

let home: string;
let file: string;
beforeEach(() => {
  home = temporaryFolder();
  file = join(home, 'variables');
  writeFileSync(file, 'IN_FILE=value-in-file\n', { mode: 0o600 });
});

const KEYS = { MY_KEY: 'value-of-my-key', OTHER: 'value-of-other', THIRD: 'value-of-third' };
const agents = (...words: string[]) =>
  runProgram(['agents', ...words], { HOME: home, PATH: process.env['PATH'] ?? '', ...KEYS });
const add = (...more: string[]) => agents('add', 'mine', '--exec', 'env', ...more);

test('F5: `agents test` gives the program what was named, however it was typed', async () => {
  const typed = ['--env', 'MY_KEY', '--env', 'OTHER,THIRD', '--env-file', file];
  expect(await add(...typed)).toMatchObject({ code: 0 });
  const { stdout } = await agents('test', 'mine');
  const lines = stdout.split('\n');
  for (const [name, value] of Object.entries(KEYS)) expect(lines).toContain(`${name}=${value}`);
  expect(lines).toContain('IN_FILE=value-in-file');
});

test('F5: `agents list` shows the names, never the values', async () => {
  await add('--env', 'MY_KEY', 'OTHER', '--env-file', file);
  const { stdout } = await agents('list');
  expect(stdout).toContain(`--exec env --env MY_KEY,OTHER --env-file ${file}`);
  const json = await agents('list', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({
    agents: [{}, { name: 'mine', env: ['MY_KEY', 'OTHER'], env_file: file }],
  });
  expect(stdout + json.stdout).not.toContain('value-');
});

describe('F5: refused with a next step:', () => {
  test.each([
    ['a secret of the bridge', ['--env', 'LARK_APP_SECRET'], 'LARK_APP_SECRET belongs to'],
    ['a setting of a host', ['--env', 'molecule_anything'], 'molecule_anything belongs to'],
    ["the bridge's collector", ['--env', 'OTEL_EXPORTER_OTLP_HEADERS'], 'belongs to lark-bridge'],
    ['one among others', ['--env', 'MY_KEY,LARK_APP_SECRET'], 'LARK_APP_SECRET belongs to'],
    ['a value', ['--env', 'MY_KEY=hidden-value'], '--env takes the name MY_KEY alone'],
    ['no name', ['--env', 'MY-KEY'], 'is not the name of a variable'],
    ['a file that is not there', ['--env-file', '/no/such/file'], "can't use the file"],
    ['a user that does not exist', ['--user', 'no-such-user'], 'no-such-user'],
  ])('%s', async (_, words, said) => {
    const { code, stderr } = await add(...words);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: [^\n]+\nnext: [^\n]+/);
    expect(stderr).toContain(said);
    expect(stderr).not.toContain('hidden-value');
    expect((await agents('list')).stdout).not.toContain('mine');
  });

  test('variables without a program', async () => {
    const { code, stderr } = await agents('add', 'far', '--env', 'MY_KEY');
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--exec') as string,
    });
  });
});

test('of an option that is typed twice the last one counts', async () => {
  await agents('add', 'mine', '--exec', 'cat', '--exec', 'env');
  expect((await agents('list')).stdout).toContain('exec env');
});

/** `backup` and `restore`: what is in the file, what is refused, and what is kept. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { RUN_MARK } from '../../../src/agents/runtime.ts';
import { beginReplacement } from '../../../src/files/replacement.ts';
import { seal, unseal } from '../../../src/files/seal.ts';
import { acquireInstanceLock } from '../../../src/host/instance-lock.ts';
import { connect } from '../../../src/store/sqlite/driver.ts';
import { tryFileLock } from '../../../src/store/sqlite/file-lock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { runProgram } from './program.ts';

const SECRET = 'not-for-anybody-4711';
const CREDENTIALS = { app_id: 'cli_0123456789abcdef', app_secret: SECRET, tenant_brand: 'feishu' };

let home: string;
let file: string;

beforeEach(() => {
  home = temporaryFolder();
  file = join(home, 'bot.backup');
});

function run(words: readonly string[], { state = 'state', env = {} } = {}) {
  return runProgram(words, { HOME: home, LARK_CHANNEL_STATE_DIR: join(home, state), ...env });
}

const at = (...names: string[]) => join(home, 'state', ...names);

/** A state directory as a bot leaves it. */
async function prepare(): Promise<void> {
  await run(['agents', 'add', 'worker', '--exec', 'cat']);
  writeFileSync(at('config.json'), '{"hub_port":4321}', { mode: 0o600 });
  writeFileSync(at('owner.json'), '{"app_id":"cli_0123456789abcdef"}', { mode: 0o600 });
  writeFileSync(at('credentials.json'), JSON.stringify(CREDENTIALS), { mode: 0o600 });
  writeFileSync(at('webhook-secret'), SECRET, { mode: 0o600 });
  mkdirSync(at('agents', 'worker'), { recursive: true });
  writeFileSync(at('agents', 'worker', 'run.sh'), 'echo', { mode: 0o700 });
}

describe('backup', () => {
  test('is one private file without secrets, which says what is not in it', async () => {
    await prepare();
    const { code, stdout } = await run(['backup', file, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      file,
      with_secrets: false,
      left_out: ['credentials.json', 'webhook-secret'],
      skipped: [],
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file).includes(SECRET)).toBe(false);
    expect(readdirSync(home).toSorted()).toEqual(['bot.backup', 'state']);
  });

  test('names itself in a folder, and replaces no file', async () => {
    await prepare();
    const folder = join(home, 'kept');
    mkdirSync(folder);
    expect(await run(['backup', folder])).toMatchObject({ code: 0 });
    expect(readdirSync(folder)).toEqual([
      expect.stringMatching(/^lark-bridge-\d{8}T\d{6}Z\.backup$/),
    ]);
    writeFileSync(file, 'mine');
    const { code, stderr } = await run(['backup', file]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('is there already')]);
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  test('of nothing is refused, and an agent may make none and put none back', async () => {
    const { code, stderr } = await run(['backup', file]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('nothing to back up')]);
    expect(existsSync(file)).toBe(false);
    for (const words of [
      ['backup', file],
      ['restore', file],
    ]) {
      const asAgent = await run(words, { env: { [RUN_MARK]: '1' } });
      expect(asAgent).toMatchObject({ code: 2, stderr: expect.stringContaining('agent may not') });
    }
  });
});

describe('restore', () => {
  test('on another machine: all is there, and what is missing is named', async () => {
    await prepare();
    await run(['backup', file]);
    const { code, stdout } = await run(['restore', file], { state: 'new' });
    expect(code).toBe(0);
    expect(stdout).toMatch(/Still missing:[^]*LARK_APP_ID/);
    const listed = await run(['agents', 'list', '--json'], { state: 'new' });
    expect(listed.stdout).toContain('worker');
    expect(readFileSync(join(home, 'new', 'config.json'), 'utf8')).toBe('{"hub_port":4321}');
    expect(statSync(join(home, 'new', 'agents', 'worker', 'run.sh')).mode & 0o777).toBe(0o700);
    expect(existsSync(join(home, 'new', 'credentials.json'))).toBe(false);
  });

  test('with secrets: nothing is missing, and they are private', async () => {
    await prepare();
    await run(['backup', file, '--with-secrets']);
    const { stdout } = await run(['restore', file], { state: 'new' });
    expect(stdout).not.toContain('Still missing');
    const path = join(home, 'new', 'credentials.json');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(CREDENTIALS);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('keeps what was there, the credentials in their place', async () => {
    await prepare();
    await run(['backup', file]);
    await run(['agents', 'add', 'later', '--exec', 'cat']);
    writeFileSync(at('config.json'), '{"hub_port":1}', { mode: 0o600 });
    const { code, stdout } = await run(['restore', file, '--json']);
    expect(code).toBe(0);
    const { set_aside: aside, missing } = JSON.parse(stdout) as Record<string, string[]>;
    expect(missing).toEqual([]);
    const kept = (name: string) =>
      aside?.find((path) => path.startsWith(at(`${name}.replaced-`)) && path.endsWith('Z'));
    expect(readFileSync(kept('config.json') ?? '', 'utf8')).toBe('{"hub_port":1}');
    expect(readFileSync(at('config.json'), 'utf8')).toBe('{"hub_port":4321}');
    expect((await run(['agents', 'list'])).stdout).not.toContain('later');
    const env = { LARK_DB_PATH: kept('bridge.db') ?? '' };
    expect((await run(['agents', 'list'], { env })).stdout).toContain('later');
    expect(readdirSync(at()).filter((name) => /^restoring|^replacement/.test(name))).toEqual([]);
  });

  test('puts the database where the restored settings say', async () => {
    const env = { LARK_DB_PATH: join(home, 'elsewhere', 'b.db') };
    await run(['agents', 'add', 'worker', '--exec', 'cat'], { env });
    await run(['backup', file], { env });
    await run(['agents', 'remove', 'worker'], { env });
    expect(await run(['restore', file], { env })).toMatchObject({ code: 0 });
    expect((await run(['agents', 'list'], { env })).stdout).toContain('worker');
  });

  test('beside a process that runs there it ends with 5', async () => {
    await prepare();
    await run(['backup', file]);
    const lock = acquireInstanceLock({ stateDir: at(), home, tryLock: tryFileLock });
    onTestFinished(() => lock.release());
    expect(await run(['restore', file])).toMatchObject({ code: 5 });
  });

  test.each([
    ['a file that is not there', () => rmSync(file), 2, /can't read the backup/],
    ['a text', () => writeFileSync(file, 'x'.repeat(1000)), 1, /no backup of lark-bridge/],
    ['an empty file', () => writeFileSync(file, ''), 1, /no backup of lark-bridge/],
    ['one that was cut', () => truncateSync(file, statSync(file).size - 5000), 1, /not all of it/],
    ['one with more at its end', () => appendFileSync(file, 'x'), 1, /not all of it/],
    ['one with a changed byte', () => change(file), 1, /not all of it/],
    ['a database of another program', () => sealed('CREATE TABLE t (a)'), 2, /is no backup/],
    ['one of a newer version', () => sealed('PRAGMA user_version = 9999'), 1, /newer lark-bridge/],
    ['one with a file outside', () => sealed(withFile('../evil')), 1, /a file that no backup has/],
    [
      'one with a file in place of the database',
      () => sealed(withFile('./bridge.db')),
      1,
      /no backup has/,
    ],
    ['one with a file of the lock', () => sealed(withFile('instance.lock')), 1, /no backup has/],
    ['one with a plan of its own', () => sealed(withFile('replacement.json')), 1, /no backup has/],
  ])('%s is refused in words, and nothing is changed', async (_, spoil, code, words) => {
    await prepare();
    await run(['backup', file]);
    spoil();
    const names = () => readdirSync(at()).filter((name) => name !== 'instance.lock');
    const before = names().toSorted();
    const refused = await run(['restore', file]);
    expect(refused).toMatchObject({ code, stderr: expect.stringMatching(words) });
    expect(refused.stderr).toMatch(/^next: /m);
    expect(names().toSorted()).toEqual(before);
    expect((await run(['agents', 'list'])).stdout).toContain('worker');
  });

  function withFile(name: string): string {
    return `INSERT INTO backup_files VALUES ('${name}', 384, x'00')`;
  }

  function change(path: string): void {
    const bytes = readFileSync(path);
    bytes[5000] = (bytes[5000] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  }

  /** The backup, changed by somebody who knows how to seal it. */
  function sealed(sql: string): void {
    const open = join(home, 'open.db');
    if (sql.startsWith('CREATE')) writeFileSync(open, '');
    else unseal(file, open);
    const database = connect(open);
    database.exec(sql);
    database.close();
    seal(open);
    writeFileSync(file, readFileSync(open));
  }

  /** New settings wait to be put in place, and a kill came then. */
  function cutOff(): void {
    const staged = at('restoring-x');
    mkdirSync(staged);
    writeFileSync(join(staged, 'config.json'), '{"hub_port":0}');
    beginReplacement(at(), {
      folder: staged,
      moves: [
        {
          to: at('config.json'),
          aside: at('config.json.replaced-1'),
          from: join(staged, 'config.json'),
        },
      ],
    });
  }

  test('one that was cut off is finished by the next start, which then wants another', async () => {
    await prepare();
    cutOff();
    const { code, stderr } = await run(['hub']);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/cut off[^]*Start lark-bridge again/),
    ]);
    expect(readFileSync(at('config.json'), 'utf8')).toBe('{"hub_port":0}');
    expect(readFileSync(at('config.json.replaced-1'), 'utf8')).toBe('{"hub_port":4321}');
    expect(existsSync(at('restoring-x'))).toBe(false);
  });

  test('one that was cut off is finished before another one begins', async () => {
    await prepare();
    await run(['backup', file]);
    cutOff();
    const { stdout } = await run(['restore', file, '--json']);
    const { set_aside: aside = [] } = JSON.parse(stdout) as Record<string, string[]>;
    const kept = aside.find((path) => path.startsWith(at('config.json.'))) ?? '';
    expect(readFileSync(kept, 'utf8')).toBe('{"hub_port":0}');
    expect(readFileSync(at('config.json'), 'utf8')).toBe('{"hub_port":4321}');
  });
});

/** Files that the program writes beside others' traps: real links, in a real folder. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { openState } from '../../../src/app/state.ts';
import { writeQrImage } from '../../../src/cli/qr-code.ts';
import { createCredentialStore } from '../../../src/config/credentials.ts';
import { loadConfig, saveSetting } from '../../../src/config/load.ts';
import { appId, openId } from '../../../src/core/ids.ts';
import { type Service, stopAll } from '../../../src/time/service.ts';
import { Secret } from '../../../src/core/secret.ts';
import { acquireInstanceLock } from '../../../src/host/instance-lock.ts';
import { ownerFile } from '../../../src/host/owner-file.ts';
import { loadOrCreateSecret } from '../../../src/host/secret-files.ts';
import { workspaceTokenFile } from '../../../src/host/workspace-token.ts';
import { writePrivateFile } from '../../../src/files/private-file.ts';
import { tryFileLock } from '../../../src/store/sqlite/file-lock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { recordingLog } from '../../kit/log.ts';

let home: string;
let folder: string;
let victim: string;

beforeEach(() => {
  home = temporaryFolder();
  folder = join(home, 'state');
  mkdirSync(folder, { mode: 0o700 });
  victim = join(home, 'victim');
  writeFileSync(victim, 'precious');
});

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const secret = () => new Secret('made');

describe.each([
  ['provision-token', () => loadOrCreateSecret(join(folder, 'provision-token'), secret)],
  [
    'workspace-token.json',
    () =>
      workspaceTokenFile(join(folder, 'workspace-token.json'), { url: 'u', workspace: 'w' }).save(
        secret(),
      ),
  ],
  ['owner.json', () => ownerFile(folder, appId('cli_00000000000000aa')).save(openId('ou_1'))],
  [
    'instance.lock.owner',
    () => acquireInstanceLock({ stateDir: folder, tryLock: tryFileLock, home }).release,
  ],
] as const)('F9: %s', (name, write) => {
  test('is not written through a link with the name of its temporary file', () => {
    symlinkSync(victim, join(folder, `${name}.new`));
    const release = write();
    expect(readFileSync(victim, 'utf8')).toBe('precious');
    expect(modeOf(join(folder, name))).toBe('600');
    if (typeof release === 'function') release();
  });

  test('is not readable because a file with that name was', () => {
    writeFileSync(join(folder, `${name}.new`), '');
    chmodSync(join(folder, `${name}.new`), 0o666);
    const release = write();
    expect(modeOf(join(folder, name))).toBe('600');
    if (typeof release === 'function') release();
  });
});

test('F9: a link in the place of the file is replaced, not followed', () => {
  const path = join(folder, 'file');
  symlinkSync(victim, path);
  writePrivateFile(path, 'new');
  expect(readFileSync(victim, 'utf8')).toBe('precious');
  expect(readFileSync(path, 'utf8')).toBe('new');
});

describe.each([
  [
    'credentials.json',
    '{"app_id":"cli_00000000000000aa","app_secret":"old"}',
    () =>
      createCredentialStore(folder, { force: true }).save({
        appId: appId('cli_00000000000000bb'),
        appSecret: secret(),
        brand: 'lark',
      }),
  ],
  [
    'config.json',
    '{"hub_port": 5001}',
    () => saveSetting('hubPort', '5002', { env: { HOME: home }, flags: { stateDir: folder } }),
  ],
] as const)('F9: %s', (name, text, write) => {
  test('is put in the place of a link, and the file behind it stays as it is', async () => {
    const path = join(folder, name);
    writeFileSync(victim, text, { mode: 0o600 });
    symlinkSync(victim, path);
    await write();
    expect(readFileSync(victim, 'utf8')).toBe(text);
    expect(lstatSync(path).isFile()).toBe(true);
    expect(modeOf(path)).toBe('600');
    expect(readdirSync(folder)).toEqual([name]);
  });

  test('is not made behind a link that leads nowhere', async () => {
    const path = join(folder, name);
    symlinkSync(join(home, 'nowhere'), path);
    await write();
    expect(existsSync(join(home, 'nowhere'))).toBe(false);
    expect(lstatSync(path).isFile()).toBe(true);
  });
});

describe('F9: what a killed process left unfinished', () => {
  const FORM = '0123456789abcdef.new';
  const minutesAgo = (path: string, minutes: number) => {
    const at = new Date(Date.now() - minutes * 60_000);
    lutimesSync(path, at, at);
  };
  const put = (name: string) => {
    writeFileSync(join(folder, name), 'the secret', { mode: 0o600 });
    minutesAgo(join(folder, name), 2);
  };
  /** As a start does it. */
  const start = () => {
    const log = recordingLog();
    const flags = { stateDir: folder };
    return loadConfig({ env: { HOME: home }, flags }).then((config) => {
      const opened: Service[] = [];
      openState(config, log, { opened });
      return stopAll(opened, log).then(() => log);
    });
  };

  test('is removed at the next start, beside each file that is written that way', async () => {
    const names = [
      'bridge.db.last',
      'bridge.db.suspect',
      'config.json',
      'credentials.json',
      'instance.lock.owner',
      'owner.json',
      'provision-token',
      'workspace-token.json',
    ].map((name) => `${name}.${FORM}`);
    names.forEach(put);
    const log = await start();
    expect(readdirSync(folder).filter((name) => name.endsWith('.new'))).toEqual([]);
    expect(log.lines).toContainEqual({
      level: 'info',
      event: 'unfinished_files_removed',
      names: names.join(' '),
    });
  });

  test('other names, links, folders, new ones and those of other users stay', async () => {
    const stay = [
      'notes.txt.0123456789abcdef.new',
      'credentials.json.new',
      'credentials.json.0123456789ABCDEF.new',
      'credentials.json.0123456789abcde.new',
      'credentials.json.0123456789abcdef0.new',
      'credentials.json.0123456789abcdef.new.bak',
      'my-credentials.json.0123456789abcdef.new',
    ];
    stay.forEach(put);
    const at = (name: string) => join(folder, name);
    symlinkSync(victim, at(`config.json.${FORM}`));
    minutesAgo(at(`config.json.${FORM}`), 2);
    mkdirSync(at(`owner.json.${FORM}`));
    minutesAgo(at(`owner.json.${FORM}`), 2);
    put(`provision-token.${FORM}`);
    minutesAgo(at(`provision-token.${FORM}`), 0.5);
    const others = [`config.json.${FORM}`, `owner.json.${FORM}`, `provision-token.${FORM}`];
    if (process.getuid?.() === 0) {
      put(`workspace-token.json.${FORM}`);
      chownSync(at(`workspace-token.json.${FORM}`), 6666, 6666);
      others.push(`workspace-token.json.${FORM}`);
    }
    put(`credentials.json.${FORM}`);
    await start();
    const left = readdirSync(folder).filter((name) => name.includes('.new'));
    expect(left).toEqual([...stay, ...others].toSorted());
    expect(readFileSync(victim, 'utf8')).toBe('precious');
  });
});

test('the mode is as wanted, whatever the process masks', () => {
  const before = process.umask(0o777);
  try {
    writePrivateFile(join(folder, 'a'), 'x');
    writePrivateFile(join(folder, 'b'), 'x', 0o644);
  } finally {
    process.umask(before);
  }
  expect([modeOf(join(folder, 'a')), modeOf(join(folder, 'b'))]).toEqual(['600', '644']);
});

test('what can not be moved into place leaves nothing behind', () => {
  mkdirSync(join(folder, 'taken/inside'), { recursive: true });
  expect(() => writePrivateFile(join(folder, 'taken'), 'x')).toThrow();
  expect(readdirSync(folder)).toEqual(['taken']);
});

test('F9: a picture of the QR code is for its owner only, and not written through a link', async () => {
  const path = join(folder, 'qr.png');
  symlinkSync(victim, path);
  await writeQrImage('https://a.example', path);
  expect(readFileSync(victim, 'utf8')).toBe('precious');
  const old = join(folder, 'old.svg');
  writeFileSync(old, '');
  chmodSync(old, 0o644);
  await writeQrImage('https://a.example', old);
  expect([modeOf(path), modeOf(old)]).toEqual(['600', '600']);
});

test('a picture goes into a pipe as it is', async () => {
  const pipe = join(folder, 'pipe.svg');
  execFileSync('mkfifo', [pipe]);
  const reader = openSync(pipe, 'r+');
  try {
    await writeQrImage('https://a.example', pipe);
    const bytes = Buffer.alloc(65_536);
    expect(bytes.toString('utf8', 0, readSync(reader, bytes))).toContain('<svg');
  } finally {
    closeSync(reader);
  }
});

/** Which files an agent can have sent. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readGivenFile } from '../../../../src/agents/mcp/given-file.ts';
import { temporaryFolder } from '../../../kit/folder.ts';

let folder: string;
let elsewhere: string;
let privateFolder: string;

beforeEach(() => {
  folder = temporaryFolder();
  elsewhere = temporaryFolder();
  privateFolder = temporaryFolder();
  writeFileSync(join(folder, 'report.txt'), 'all is well');
  writeFileSync(join(elsewhere, 'secret.txt'), 'secret');
});

const read = (path: string, from = folder) => readGivenFile(path, { folder: from, privateFolder });

const refused = (why: RegExp) => ({ ok: false, refused: expect.stringMatching(why) });

describe('a file is read', () => {
  test.each([
    ['by a path from the folder of the session', () => 'report.txt'],
    ['by an absolute path', () => join(folder, 'report.txt')],
    ['with steps back that stay inside', () => 'sub/../report.txt'],
  ])('%s', async (_how, path) => {
    mkdirSync(join(folder, 'sub'));
    const given = await read(path());
    expect(given).toMatchObject({ ok: true, file: { name: 'report.txt' } });
    expect(given.ok && Buffer.from(given.file.bytes).toString()).toBe('all is well');
  });

  test('through a link that stays inside', async () => {
    symlinkSync('report.txt', join(folder, 'latest.txt'));
    expect(await read('latest.txt')).toMatchObject({ ok: true, file: { name: 'latest.txt' } });
  });

  test('from a folder of the bridge, also if its own folder is named by a link', async () => {
    const link = join(elsewhere, 'state');
    symlinkSync(privateFolder, link);
    mkdirSync(join(privateFolder, 'work'));
    writeFileSync(join(privateFolder, 'work', 'report.txt'), 'all is well');
    expect(await read('report.txt', join(link, 'work'))).toMatchObject({ ok: true });
  });

  test('under a name that fits on one line', async () => {
    writeFileSync(join(folder, 'a\nb\u202e.txt'), 'x');
    expect(await read('a\nb\u202e.txt')).toMatchObject({ ok: true, file: { name: 'a b .txt' } });
  });
});

describe('nothing outside of the folders is given away', () => {
  test.each([
    ['an absolute path', () => join(elsewhere, 'secret.txt')],
    ['steps back', () => join('..', elsewhere.split('/').at(-1) ?? '', 'secret.txt')],
    ['a system file', () => '/etc/passwd'],
    ['a folder whose name begins with that of ours', () => `${folder}-other/secret.txt`],
    ['a descriptor', () => '/proc/self/environ'],
  ])('%s', async (_what, path) => {
    mkdirSync(`${folder}-other`, { recursive: true });
    writeFileSync(`${folder}-other/secret.txt`, 'secret');
    expect(await read(path())).toEqual(refused(/outside of the folder/));
    execFileSync('rm', ['-r', `${folder}-other`]);
  });

  test('through a link to a file, or to a folder', async () => {
    symlinkSync(join(elsewhere, 'secret.txt'), join(folder, 'link.txt'));
    symlinkSync(elsewhere, join(folder, 'sub'));
    expect(await read('link.txt')).toEqual(refused(/outside/));
    expect(await read('sub/secret.txt')).toEqual(refused(/outside/));
  });

  test('after the agent has put a link in the place of its folder', async () => {
    renameSync(folder, `${folder}.away`);
    symlinkSync(elsewhere, folder);
    expect(await read('secret.txt')).toEqual(refused(/outside/));
    expect(await read(join(elsewhere, 'secret.txt'))).toEqual(refused(/outside/));
  });

  test('a hard link to the file of somebody else', async () => {
    linkSync(join(elsewhere, 'secret.txt'), join(folder, 'hard.txt'));
    expect(await read('hard.txt')).toEqual(refused(/hard links/));
  });

  test.runIf(process.platform === 'linux')(
    'a folder that becomes a link between the look and the reading',
    async () => {
      const real = join(folder, 'sub');
      mkdirSync(real);
      writeFileSync(join(real, 'secret.txt'), 'harmless');
      const contents = new Set<string>();
      const reading = { isOver: false };
      const swapped = async () => {
        for (let round = 0; round < 100 || !reading.isOver; round += 1) {
          renameSync(real, `${real}-away`);
          symlinkSync(elsewhere, real);
          await new Promise(setImmediate);
          unlinkSync(real);
          renameSync(`${real}-away`, real);
          await new Promise(setImmediate);
        }
      };
      const readAgain = async () => {
        for (let round = 0; round < 60; round += 1) {
          const given = await read('sub/secret.txt');
          if (given.ok) contents.add(Buffer.from(given.file.bytes).toString());
        }
        reading.isOver = true;
      };
      await Promise.all([swapped(), readAgain()]);
      expect(contents).not.toContain('secret');
    },
  );

  test('what the bridge keeps for itself, also if it lies in the folder of the session', async () => {
    const state = join(folder, '.lark-bridge');
    const work = join(state, 'agents', 'claude');
    mkdirSync(work, { recursive: true });
    privateFolder = state;
    writeFileSync(join(state, 'credentials.json'), '{}');
    writeFileSync(join(work, 'notes.txt'), 'x');
    expect(await read('.lark-bridge/credentials.json')).toEqual(refused(/outside/));
    // A folder for agents may lie in it.
    expect(await read('notes.txt', work)).toMatchObject({ ok: true });
    expect(await read('../../credentials.json', work)).toEqual(refused(/outside/));
  });
});

describe('what can not be sent is refused in words', () => {
  test.runIf(process.platform === 'linux')(
    'what the agent itself could not read: --user, and a folder that is the root of the machine',
    async () => {
      const user = { uid: 4_242, gid: 4_242 };
      const of = (path: string) => readGivenFile(path, { folder: '/', privateFolder, user });
      for (const path of [folder, join(folder, 'closed'), join(folder, 'open')]) {
        mkdirSync(path, { recursive: true });
        chmodSync(path, path.endsWith('closed') ? 0o700 : 0o755);
        writeFileSync(join(path, 'all.txt'), 'x');
        writeFileSync(join(path, 'own.txt'), 'x', { mode: 0o600 });
      }
      const given = (path: string) => of(path).then(({ ok }) => ok);
      expect(await given(join(folder, 'open', 'all.txt'))).toBe(true);
      expect(await of(join(folder, 'open', 'own.txt'))).toEqual(refused(/EACCES/));
      expect(await of(join(folder, 'closed', 'all.txt'))).toEqual(refused(/EACCES/));
      expect(await of('/etc/shadow')).toEqual(refused(/EACCES/));
    },
  );

  test('what is not there', async () => {
    expect(await read('no.txt')).toEqual(refused(/there is no such file/));
    expect(await read('report.txt/x')).toEqual(refused(/there is no such file/));
    expect(await read('a\0b')).toEqual(refused(/no path/));
    expect(await read('report.txt', join(folder, 'gone'))).toEqual(refused(/no such file/));
  });

  test('a folder, a pipe, an empty file', async () => {
    mkdirSync(join(folder, 'sub'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    writeFileSync(join(folder, 'empty'), '');
    expect(await read('sub')).toEqual(refused(/no plain file/));
    expect(await read('.')).toEqual(refused(/outside/));
    expect(await read('pipe')).toEqual(refused(/no plain file/));
    expect(await read('empty')).toEqual(refused(/empty/));
  });

  test('more than 30 MB, without reading it', async () => {
    writeFileSync(join(folder, 'large'), '');
    truncateSync(join(folder, 'large'), 30 * 1024 ** 2 + 1);
    expect(await read('large')).toEqual(refused(/larger than 30 MB/));
  });
});

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { inEveryLanguage } from '../../../src/core/language.ts';
import { inEnglish } from '../../../src/doctor/finding.ts';
import {
  checkNode,
  checkStateDirectory,
  readStateDirectory,
  type StateDirectory,
} from '../../../src/doctor/machine.ts';
import { temporaryFolder } from '../../kit/folder.ts';

describe('Node.js', () => {
  test.each([
    ['20.19.0', 'ok'],
    ['20.20.2', 'ok'],
    ['22.0.0', 'ok'],
    ['20.18.9', 'problem'],
    ['18.99.99', 'problem'],
  ])('%s is %s', (version, level) => {
    expect(checkNode(version, '>=20.19.0').level).toBe(level);
  });
});

const MB = 1024 ** 2;
const SOUND: StateDirectory = {
  kind: 'there',
  isWritable: true,
  isOurs: true,
  isOpen: false,
  openFiles: [],
  freeBytes: 5000 * MB,
};

const checked = (fact: Partial<Extract<StateDirectory, { kind: 'there' }>>) =>
  checkStateDirectory('/state', { ...SOUND, ...fact }).map(inEnglish);

describe('the check of the state directory', () => {
  test.each<[string, StateDirectory, string]>([
    ['sound', SOUND, 'ok'],
    ['not there yet', { kind: 'missing', canBeMade: true }, 'note'],
    ['impossible to make', { kind: 'missing', canBeMade: false }, 'problem'],
    ['a file', { kind: 'unusable', detail: inEveryLanguage('it is not a folder') }, 'problem'],
    ['read-only', { ...SOUND, isWritable: false }, 'problem'],
    ["another user's", { ...SOUND, isOurs: false }, 'warning'],
    ['open to others', { ...SOUND, isOpen: true }, 'warning'],
    ['short of room', { ...SOUND, freeBytes: 100 * MB }, 'warning'],
    ['out of room', { ...SOUND, freeBytes: 5 * MB }, 'problem'],
  ])('%s', (_what, fact, level) => {
    expect(checkStateDirectory('/state', fact).map((finding) => finding.level)).toEqual([level]);
  });

  test('what others may read is named, with the command that ends it', () => {
    const [found] = checked({ openFiles: ['credentials.json', 'bridge.db'] });
    expect(found?.next).toMatch(/: chmod go= \/state\/credentials\.json \/state\/bridge\.db$/);
  });

  test('several things that are wrong are told one by one', () => {
    expect(checked({ isWritable: false, isOpen: true, freeBytes: 0 })).toHaveLength(3);
  });
});

describe('the state directory as it is read', () => {
  let root: string;
  beforeEach(() => {
    root = temporaryFolder();
  });

  test('a sound one', () => {
    const found = readStateDirectory(root);
    expect(found).toMatchObject({ ...SOUND, freeBytes: expect.any(Number) as number });
  });

  test('one that is open, with a secret that is', () => {
    chmodSync(root, 0o755);
    writeFileSync(join(root, 'credentials.json'), '{}');
    chmodSync(join(root, 'credentials.json'), 0o644);
    writeFileSync(join(root, 'qr.png'), '', { mode: 0o644 });
    expect(readStateDirectory(root)).toMatchObject({
      isOpen: true,
      openFiles: ['credentials.json'],
    });
  });

  test('a file, and what can be made or not', () => {
    writeFileSync(join(root, 'file'), '');
    expect(readStateDirectory(join(root, 'file'))).toMatchObject({ kind: 'unusable' });
    const missing = join(root, 'not/yet');
    expect(readStateDirectory(missing)).toEqual({ kind: 'missing', canBeMade: true });
    mkdirSync(join(root, 'not'));
    expect(readStateDirectory(missing)).toEqual({ kind: 'missing', canBeMade: true });
  });
});

import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { appId, openId } from '../../../src/core/ids.ts';
import { ownerFile } from '../../../src/host/owner-file.ts';
import { temporaryFolder } from '../../kit/folder.ts';

const APP = appId('cli_00000000000000aa');
const OTHER = appId('cli_00000000000000bb');
const OWNER = openId('ou_1');

let folder: string;
let path: string;

beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, 'owner.json');
});

test('who made the bot is known again, for their own eyes only, and for this app only', () => {
  expect(ownerFile(folder, APP).load()).toBeUndefined();
  ownerFile(folder, APP).save(OWNER);
  expect(ownerFile(folder, APP).load()).toBe(OWNER);
  expect(ownerFile(folder, OTHER).load()).toBeUndefined();
  expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
});

test.each(['', 'null', '[]', '{"app_id":', JSON.stringify({ app_id: APP, open_id: '../x' })])(
  'a file that holds %j says nothing',
  (text) => {
    writeFileSync(path, text);
    expect(ownerFile(folder, APP).load()).toBeUndefined();
  },
);

test('a byte order mark is taken', () => {
  writeFileSync(path, `\uFEFF${JSON.stringify({ app_id: APP, open_id: OWNER })}`);
  expect(ownerFile(folder, APP).load()).toBe(OWNER);
});

test('where nothing can be read or written, nothing is known, and nothing fails', () => {
  mkdirSync(path);
  expect(ownerFile(folder, APP).load()).toBeUndefined();
  expect(() => ownerFile(folder, APP).save(OWNER)).not.toThrow();
  expect(() => ownerFile(join(folder, 'none'), APP).save(OWNER)).not.toThrow();
});

import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AnswerFilesOnDisk } from '../../../src/files/answer-files.ts';
import { temporaryFolder } from '../../kit/folder.ts';

test('a file goes when it is sent and its folder with the last one; nothing outside is touched', () => {
  const outside = temporaryFolder();
  const folder = join(outside, 'out');
  mkdirSync(join(folder, 'a'), { recursive: true });
  writeFileSync(join(folder, 'a', '1'), 'x');
  writeFileSync(join(folder, 'a', '2'), 'x');
  writeFileSync(join(outside, 'kept'), 'x');
  const files = new AnswerFilesOnDisk(folder);
  files.remove(join(folder, 'a', '1'));
  files.remove(join(folder, 'a', '1'));
  expect(readdirSync(join(folder, 'a'))).toEqual(['2']);
  files.remove(join(folder, 'a', '2'));
  files.remove(join(outside, 'kept'));
  files.remove(join(folder, 'a', '..', '..', 'kept'));
  expect([readdirSync(folder), readdirSync(outside)]).toEqual([[], ['kept', 'out']]);
});

test('what nobody sends any more is removed by its age, and a run at work keeps its folder', () => {
  const folder = temporaryFolder();
  for (const name of ['old', 'new', 'run-0123456789abcdef']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'old', '1'), 'x');
  for (const name of ['old', 'run-0123456789abcdef']) utimesSync(join(folder, name), 1, 1);
  new AnswerFilesOnDisk(folder).removeBefore(1_000_000);
  expect(readdirSync(folder)).toEqual(['new', 'run-0123456789abcdef']);
});

/** Files that a program leaves for its answer. */
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { ExecRuntime } from '../../../src/agents/exec.ts';
import { OutputFolders } from '../../../src/agents/output-folders.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';
import { execOptions } from './exec-options.ts';

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

function outputs() {
  const folder = join(temporaryFolder(), 'attachments', 'out');
  return { folder, outputs: new OutputFolders({ folder, log: silentLog }) };
}

async function resultOf(script: string, given = outputs()) {
  const runtime = new ExecRuntime(
    execOptions(['sh', '-c', script], { outputs: given.outputs, timeoutMs: 5_000 }),
  );
  await runtime.start();
  const result = await runtime.prompt(
    { turnId: 't', text: 'hi', lark: undefined },
    { onUpdate: () => {} },
  ).result;
  await runtime.stop();
  return { ...given, result };
}

test('LARK_OUTPUT_DIR is an empty private folder, and what lies in it after exit 0 belongs to the answer', async () => {
  const { folder, result } = await resultOf(
    `ls -A "$LARK_OUTPUT_DIR" | wc -l | tr -d ' \\n'; stat -c ' %a' "$LARK_OUTPUT_DIR"
     printf 'words' > "$LARK_OUTPUT_DIR/notes.txt"; echo done`,
  );
  expect(result).toMatchObject({ ok: true, text: '0 700\ndone' });
  const [file] = (result.ok && result.attached?.files) || [];
  expect(file).toMatchObject({ kind: 'file', name: 'notes.txt' });
  expect(readFileSync(file?.path ?? '', 'utf8')).toBe('words');
  expect(dirname(dirname(file?.path ?? ''))).toBe(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  // The folder of the run is gone.
  expect(readdirSync(folder)).toEqual([
    dirname(file?.path ?? '')
      .split('/')
      .at(-1),
  ]);
});

test('a program that fails leaves no files', async () => {
  const { folder, result } = await resultOf('echo x > "$LARK_OUTPUT_DIR/a"; exit 1');
  expect(result.ok).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
});

test('only plain files are taken, of a bounded number and size, and the others are named with the reason', async () => {
  const { outputs: folders } = outputs();
  const run = folders.create();
  const secret = join(temporaryFolder(), 'secret');
  writeFileSync(secret, 'secret');
  symlinkSync(secret, join(run.path, 'a-link'));
  linkSync(secret, join(run.path, 'b-second-name'));
  mkdirSync(join(run.path, 'c-folder'));
  writeFileSync(join(run.path, 'd-empty'), '');
  writeFileSync(join(run.path, 'e-large'), 'x');
  truncateSync(join(run.path, 'e-large'), 31 * 1024 * 1024);
  for (let at = 0; at < 22; at += 1) {
    writeFileSync(join(run.path, `file-${String(at).padStart(2, '0')}`), 'x');
  }
  const { files, leftOut } = await run.take();
  run.remove();
  expect(files).toHaveLength(20);
  expect(leftOut).toEqual([
    { name: 'a-link', why: 'not_a_file' },
    { name: 'b-second-name', why: 'not_a_file' },
    { name: 'c-folder', why: 'not_a_file' },
    { name: 'd-empty', why: 'empty' },
    { name: 'e-large', why: 'too_large' },
    { name: 'file-20', why: 'too_many' },
    { name: 'file-21', why: 'too_many' },
  ]);
  expect(readFileSync(secret, 'utf8')).toBe('secret');
  expect(existsSync(run.path)).toBe(false);
});

test('what a file is comes from its bytes, and its name can start no new line', async () => {
  const { outputs: folders } = outputs();
  const run = folders.create();
  writeFileSync(join(run.path, 'a\nb.txt'), PNG);
  writeFileSync(join(run.path, 'c.png'), 'no picture');
  writeFileSync(
    join(run.path, 'd'),
    'OggS\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0OpusHead',
  );
  writeFileSync(join(run.path, 'e'), '\0\0\0\x18ftypisom');
  writeFileSync(join(run.path, 'f'), PNG);
  truncateSync(join(run.path, 'f'), 11 * 1024 * 1024);
  const { files } = await run.take();
  expect(files.map(({ name, kind }) => [name, kind])).toEqual([
    ['a b.txt', 'image'],
    ['c.png', 'file'],
    ['d', 'audio'],
    ['e', 'video'],
    ['f', 'file'],
  ]);
});

test('the folders of runs that a killed process left are removed, and the files of answers stay', async () => {
  const { folder, outputs: folders } = outputs();
  const left = folders.create();
  const run = folders.create();
  writeFileSync(join(run.path, 'a'), 'kept');
  const { files } = await run.take();
  folders.removeUnfinished();
  expect(existsSync(left.path)).toBe(false);
  expect(lstatSync(files[0]?.path ?? '').isFile()).toBe(true);
  expect(readdirSync(folder)).toHaveLength(1);
});

test.runIf(process.getuid?.() === 0)(
  'with --user the folder can be written by that user, and the files can no longer be reached by them',
  async () => {
    const { folder, outputs: folders } = outputs();
    const run = folders.create({ uid: 65_534, gid: 65_534 });
    expect(statSync(run.path)).toMatchObject({ uid: 65_534 });
    expect(statSync(run.path).mode & 0o777).toBe(0o700);
    expect(run.path.startsWith(folder)).toBe(false);
    writeFileSync(join(run.path, 'a'), 'x');
    const { files } = await run.take();
    run.remove();
    expect(files[0]?.path.startsWith(folder)).toBe(true);
  },
);

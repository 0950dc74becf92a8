import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { Output } from '../../../src/cli/output.ts';
import { inWords, meaningOf } from '../../../src/files/system-errors.ts';
import { temporaryFolder } from '../../kit/folder.ts';

function failureOf(error: unknown) {
  const stderr = new PassThrough();
  const stdout = new PassThrough();
  const output = new Output({ stdout, stderr }, { version: '1', json: true, quiet: false });
  const code = output.failure(error);
  return {
    code,
    stderr: String(stderr.read()),
    event: JSON.parse(String(stdout.read())) as object,
  };
}

const systemError = (code: string) =>
  Object.assign(new Error(`${code}: some words, open '/x'`), { code, syscall: 'open', path: '/x' });

test.each([
  ['EMFILE', 1, 'failed', 'ulimit -n'],
  ['ENFILE', 1, 'failed', 'fs.file-max'],
  ['ENOSPC', 1, 'store_unavailable', 'Make room'],
  ['EDQUOT', 1, 'store_unavailable', 'quota'],
  ['EROFS', 1, 'store_unavailable', '--state-dir'],
  ['EIO', 1, 'store_unavailable', 'journalctl'],
  ['EACCES', 2, 'config_invalid', 'rights'],
  ['EPERM', 2, 'config_invalid', 'rights'],
] as const)('F26: %s is told in words, wherever it comes from', (code, exit, kind, next) => {
  const failure = failureOf(systemError(code));
  expect(failure.code).toBe(exit);
  expect(failure.stderr).toContain(code);
  expect(failure.stderr).toMatch(new RegExp(`\nnext: .*${next}`));
  expect(failure.stderr).not.toMatch(/bug|Please report/);
  expect(failure.event).toMatchObject({ event: 'error', code: kind });
});

test.each([
  ['EAGAIN', 'may start no more processes', 'ulimit -u'],
  ['EACCES', 'has no right to run that file', 'chmod'],
  ['ENOMEM', 'no memory', 'memory'],
  ['ENFILE', 'open files', 'fs.file-max'],
])('F26: %s at the start of a program has words of its own', (code, what, next) => {
  const error = Object.assign(new Error(`spawn x ${code}`), { code, syscall: 'spawn x' });
  expect(meaningOf(error)?.what).toContain(what);
  expect(meaningOf(error)?.next).toContain(next);
  expect(inWords(error)?.message).toMatch(new RegExp(`${what}.*spawn x ${code}`));
});

test('F26: a folder of work that is gone is told, too', () => {
  const error = Object.assign(new Error('ENOENT: no such file or directory, uv_cwd'), {
    code: 'ENOENT',
    syscall: 'uv_cwd',
  });
  expect(failureOf(error).stderr).toMatch(/no longer exists .*\nnext: .*`cd`/);
});

test('what no person can mend stays a bug', () => {
  const missing = (): unknown => {
    try {
      return readFileSync(join(temporaryFolder(), 'missing'));
    } catch (error) {
      return error;
    }
  };
  for (const error of [
    missing(),
    new TypeError('x'),
    'a text',
    systemError('EBADF'),
    systemError('EAGAIN'),
  ]) {
    expect(inWords(error)).toBeUndefined();
    expect(failureOf(error).stderr).toContain('this is a bug');
  }
});

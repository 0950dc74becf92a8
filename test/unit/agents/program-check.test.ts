/** Whether a program could start, as the system would see it, without starting it. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { checkProgram } from '../../../src/agents/program-check.ts';
import { temporaryFolder } from '../../kit/folder.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

function file(name: string, text: string, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const PATH = '/usr/local/bin:/usr/bin:/bin';
const check = (program: string, path = PATH) => checkProgram(program, { PATH: path });

test.each(['sh', '/bin/sh', process.execPath])('%s can start', (program) => {
  expect(check(program)).toBeUndefined();
});

test.each([
  ['a script', '#!/bin/sh\necho\n'],
  ['one whose interpreter has an argument', '#! /bin/sh -e\n'],
  ['one of env', '#!/usr/bin/env sh\n'],
  ['one of env with words', '#!/usr/bin/env -S A=1 -i sh -e\n'],
  ['one without a first line, which the shell runs', 'echo hi\n'],
  ['an empty file', ''],
])('%s can start', (_name, text) => {
  expect(check(file('agent', text))).toBeUndefined();
});

test('a program that is not there: on the PATH, or as a file', () => {
  expect(check('no-such-program')?.what).toBe('there is no program no-such-program on the PATH');
  const path = join(folder, 'none');
  expect(check(path)?.what).toBe(`there is no file ${path}`);
  expect(check(join(file('plain', ''), 'below'))?.what).toContain('there is no file');
});

test('a file that may not be executed, and what to do', () => {
  const path = file('agent.py', '#!/bin/sh\n', 0o644);
  expect(check(path)).toEqual({
    what: `${path} may not be executed`,
    next: expect.stringContaining(`chmod +x ${path}`),
  });
  expect(check('agent.py', `${PATH}:${folder}`)?.what).toBe(`${path} may not be executed`);
  // A folder of that name on the PATH hides nothing.
  const other = join(folder, 'bin');
  mkdirSync(join(other, 'sh'), { recursive: true });
  expect(check('sh', `${other}:${PATH}`)).toBeUndefined();
});

test('a folder', () => {
  expect(check(folder)?.what).toBe(`${folder} is a folder`);
});

test.each([
  ['a first line of Windows', '#!/bin/sh\r\necho\r\n', 'carriage return'],
  ['a byte order mark', '\uFEFF#!/bin/sh\n', 'byte order mark'],
  ['an interpreter that is not there', '#!/no/such/python\n', '/no/such/python is not there'],
  ['an interpreter that is not on the PATH', '#!/usr/bin/env python9\n', 'python9 is not there'],
  ['the same with words', '#!/usr/bin/env -S A=1 python9 -u\n', 'python9 is not there'],
])('%s', (_name, text, words) => {
  const path = file('agent', text);
  const found = check(path);
  expect(found?.what).toContain(path);
  expect(found?.what).toContain(words);
  expect(found?.next).not.toBe('');
});

test('a program on the PATH is checked in the same way', () => {
  file('my-agent', '#!/no/such/python\n');
  expect(check('my-agent', `${PATH}:${folder}`)?.what).toContain('/no/such/python');
});

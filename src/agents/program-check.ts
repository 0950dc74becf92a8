/** Checks whether a program could start, without starting it. */
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isSystemError } from '../core/errors.ts';
import type { Environment } from './environment.ts';

/** Linux reads only this much of the line that names an interpreter. */
const FIRST_LINE_BYTES_MAX = 256;
/** Where the system looks for programs if there is no PATH. */
export const STANDARD_PATH = '/usr/local/bin:/bin:/usr/bin';

interface StartProblem {
  /** Part of a sentence, with the name of the file. */
  readonly what: string;
  /** What to do about it, as a sentence. */
  readonly next: string;
}

/** Undefined if the program can be started. `program`: the first word of the command. */
export function checkProgram(program: string, env: Environment): StartProblem | undefined {
  // On Windows the ending of a file's name decides how it starts, not its first line or its rights.
  if (process.platform === 'win32') return undefined;
  const found = find(program, env);
  switch (found.kind) {
    case 'missing':
      return program.includes('/')
        ? { what: `there is no file ${program}`, next: 'Check the path.' }
        : {
            what: `there is no program ${program} on the PATH`,
            next: 'Install it, or give its full path.',
          };
    case 'folder':
      return { what: `${found.path} is a folder`, next: 'Name the program in it.' };
    case 'not_executable':
      return {
        what: `${found.path} may not be executed`,
        next: `Run chmod +x ${found.path}, or put its interpreter before it, as in --exec "python3 ${found.path}".`,
      };
    case 'executable':
      return checkFirstLine(found.path, env);
  }
}

/** The path of a program that may be executed. Undefined if there is none. */
export function findProgram(program: string, env: Environment): string | undefined {
  const found = find(program, env);
  return found.kind === 'executable' ? found.path : undefined;
}

/** What the first line of a script gives to the Node of the PATH. Undefined if it does not ask for that. */
export function nodeOptionsOf(path: string): readonly string[] | undefined {
  const [line = ''] = beginningOf(path).split('\n');
  const [interpreter = '', ...words] = line
    .replace(/^#!/, '')
    .trim()
    .split(/[ \t]+/);
  if (!line.startsWith('#!') || basename(interpreter) !== 'env') return undefined;
  if (programOfEnv(words) !== 'node') return undefined;
  return words.slice(words.findIndex((word) => word.endsWith('node')) + 1);
}

type Place =
  | { readonly kind: 'executable' | 'not_executable' | 'folder'; readonly path: string }
  | { readonly kind: 'missing' };

/** The first file on the PATH that may be executed counts, as for the system. */
function find(program: string, env: Environment): Place {
  if (program.includes('/')) return placeAt(program);
  let found: Place = { kind: 'missing' };
  for (const folder of (env['PATH'] ?? STANDARD_PATH).split(':')) {
    const place = placeAt(join(folder === '' ? '.' : folder, program));
    if (place.kind === 'executable') return place;
    if (place.kind === 'not_executable' && found.kind === 'missing') found = place;
  }
  return found;
}

function placeAt(path: string): Place {
  try {
    if (statSync(path).isDirectory()) return { kind: 'folder', path };
  } catch (error) {
    if (isSystemError(error)) return { kind: 'missing' };
    throw error;
  }
  try {
    accessSync(path, constants.X_OK);
    return { kind: 'executable', path };
  } catch (error) {
    if (isSystemError(error)) return { kind: 'not_executable', path };
    throw error;
  }
}

function checkFirstLine(path: string, env: Environment): StartProblem | undefined {
  const [line = '', ...more] = beginningOf(path).split('\n');
  if (line.startsWith('\uFEFF#!')) {
    return {
      what: `${path} begins with a byte order mark, so the system does not see its first line`,
      next: 'Save it as UTF-8 without a byte order mark.',
    };
  }
  if (!line.startsWith('#!')) return undefined;
  if (line.endsWith('\r') && more.length > 0) {
    return {
      what: `the first line of ${path} ends with a carriage return, as on Windows, so the system looks for an interpreter of another name`,
      next: `Save it with line ends of Unix (LF): sed -i 's/\\r$//' ${path}`,
    };
  }
  const missing = missingInterpreter(line.slice(2), env);
  if (missing === undefined) return undefined;
  return {
    what: `the first line of ${path} names an interpreter, and ${missing} is not there`,
    next: 'Install it, or correct that line.',
  };
}

/** Undefined if the interpreter exists, or if that is not known. */
function missingInterpreter(line: string, env: Environment): string | undefined {
  const [interpreter = '', ...words] = line.trim().split(/[ \t]+/);
  if (interpreter === '') return undefined;
  if (placeAt(interpreter).kind !== 'executable') return interpreter;
  if (basename(interpreter) !== 'env') return undefined;
  const program = programOfEnv(words);
  return program === undefined || find(program, env).kind === 'executable' ? undefined : program;
}

/** What `env` has to start. Linux passes all words as one; only -S splits them again. */
function programOfEnv(words: readonly string[]): string | undefined {
  const [first = ''] = words;
  if (!first.startsWith('-')) {
    return process.platform === 'linux' ? words.join(' ') || undefined : words[0];
  }
  if (!first.startsWith('-S')) return undefined;
  const split = [first.slice(2), ...words.slice(1)].filter((word) => word !== '');
  return split.find((word) => !word.startsWith('-') && !word.includes('='));
}

/** Empty if the file may be executed but not read. */
function beginningOf(path: string): string {
  const bytes = Buffer.alloc(FIRST_LINE_BYTES_MAX);
  try {
    const file = openSync(path, 'r');
    try {
      return bytes.subarray(0, readSync(file, bytes)).toString('utf8');
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (isSystemError(error)) return '';
    throw error;
  }
}

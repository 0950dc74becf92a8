/**
 * Takes variables out of the environment of this process. On Linux every program of the same user can read the
 * environment that a process was started with, in `/proc/PID/environ`, whatever the process changed in its own
 * copy since. So the place in memory that is shown there is overwritten.
 */
import { closeSync, existsSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { errorText, isSystemError } from '../core/errors.ts';

/** Where the environment begins and ends, counted after the name of the process: fields 50 and 51 of all. */
const START_FIELD = 47;
const END_FIELD = 48;
const SHOWN = '/proc/self/environ';

/** Removes these variables. Returns why they can still be seen from outside, if they can. */
export function clearVariables(
  env: Record<string, string | undefined>,
  names: readonly string[],
): string | undefined {
  for (const name of names) delete env[name];
  if (names.length === 0 || !existsSync(SHOWN)) return undefined;
  try {
    const wanted = new Set(names);
    overwrite(wanted);
    const left = readFileSync(SHOWN, 'latin1').split('\0');
    const seen = left.some((entry) => isValueOf(entry, wanted));
    return seen ? 'the memory still shows them' : undefined;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return errorText(error);
  }
}

function overwrite(names: ReadonlySet<string>): void {
  const [start, end] = placeOfEnvironment();
  const memory = openSync('/proc/self/mem', 'r+');
  try {
    const block = Buffer.alloc(end - start);
    readSync(memory, block, 0, block.length, start);
    let at = 0;
    for (const entry of block.toString('latin1').split('\0')) {
      if (isValueOf(entry, names)) {
        const from = entry.indexOf('=') + 1;
        // As long as the value was. The name stays, so that the entries after it are found.
        writeSync(
          memory,
          Buffer.alloc(entry.length - from),
          0,
          entry.length - from,
          start + at + from,
        );
      }
      at += entry.length + 1;
    }
  } finally {
    closeSync(memory);
  }
}

/** True for `NAME=value`, false for `NAME=`. */
function isValueOf(entry: string, names: ReadonlySet<string>): boolean {
  const equals = entry.indexOf('=');
  return equals > 0 && equals < entry.length - 1 && names.has(entry.slice(0, equals));
}

function placeOfEnvironment(): readonly [start: number, end: number] {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  return [fields[START_FIELD] ?? 0, fields[END_FIELD] ?? 0];
}

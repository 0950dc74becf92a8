/**
 * Puts several files in the place of others, all or none: what is to be done is written down first, and whoever comes
 * after a process that was killed in the middle finishes it. Nothing that was there is deleted.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writePrivateFile } from './private-file.ts';

export const REPLACEMENT_FILE = 'replacement.json';

export interface Move {
  readonly to: string;
  /** The name that gets what is there now. */
  readonly aside: string;
  /** What comes in its place. Undefined: nothing does. */
  readonly from?: string;
}

interface Replacement {
  readonly moves: readonly Move[];
  /** Where the new files wait. It is removed at the end. */
  readonly folder: string;
}

/** From here on the new files count. To be called while nobody else uses the folder, and followed by `finishReplacement`. */
export function beginReplacement(folder: string, replacement: Replacement): void {
  writePrivateFile(join(folder, REPLACEMENT_FILE), `${JSON.stringify(replacement)}\n`);
}

/** The names of what was set aside. Undefined: nothing was begun. */
export function finishReplacement(folder: string): string[] | undefined {
  const begun = join(folder, REPLACEMENT_FILE);
  if (!existsSync(begun)) return undefined;
  const replacement = JSON.parse(readFileSync(begun, 'utf8')) as Replacement;
  for (const move of replacement.moves) carryOut(move);
  rmSync(replacement.folder, { recursive: true, force: true });
  rmSync(begun);
  return replacement.moves.flatMap(({ aside }) => (existsSync(aside) ? [aside] : []));
}

/** Done again it changes nothing. */
function carryOut({ to, aside, from }: Move): void {
  const isDone = from !== undefined && !existsSync(from);
  if (isDone) return;
  if (existsSync(to) && !existsSync(aside)) renameSync(to, aside);
  if (from === undefined) return;
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  renameSync(from, to);
}

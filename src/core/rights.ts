/**
 * Whether a folder or a file can be trusted, by its owner and its rights. Only judges: whoever asks has looked
 * at the file. On Windows they say nothing, so there everything is trusted.
 */

import { BridgeError } from './errors.ts';

/** The part of a file's facts that is judged here. */
interface Rights {
  readonly uid: number;
  readonly mode: number;
}

/** `kind` says whose fault it is. `what` follows the path in a sentence; `next` is the command that mends it. */
interface RightsTrouble {
  readonly kind: 'foreign' | 'open';
  readonly what: string;
  readonly next: string;
}

const ROOT = 0;
const WRITABLE_BY_OTHERS = 0o022;

/** The user of this process; undefined on Windows. */
export function ownUser(): number | undefined {
  return process.getuid?.();
}

/** Somebody else could put files and links into this folder, or owns it. */
export function folderTrouble(path: string, { uid, mode }: Rights): RightsTrouble | undefined {
  const user = ownUser();
  if (user === undefined) return undefined;
  if (uid !== user && uid !== ROOT) {
    return foreign(uid, `If all that is in it is yours, take it over: ${takeOver(user, path)}`);
  }
  if ((mode & WRITABLE_BY_OTHERS) === 0) return undefined;
  return {
    kind: 'open',
    what: `other users may write to it (${octal(mode)})`,
    next: `If all that is in it is yours, close it: chmod 700 ${quoted(path)}`,
  };
}

/** The error for a folder that can't be trusted. `name` is what people call it. */
export function folderRefusal(name: string, path: string, rights: Rights): BridgeError | undefined {
  const trouble = folderTrouble(path, rights);
  if (trouble === undefined) return undefined;
  return new BridgeError('config_invalid', `can't use ${name} ${path}: ${trouble.what}`, {
    next: trouble.next,
  });
}

function foreign(uid: number, next: string): RightsTrouble {
  return { kind: 'foreign', what: `it belongs to another user (uid ${uid})`, next };
}

function takeOver(user: number, path: string): string {
  return `sudo chown -R ${user} ${quoted(path)} && chmod -R go= ${quoted(path)}`;
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8);
}

/** As a shell reads it as one word. */
export function quoted(path: string): string {
  return /^[\w./@:+,-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * Whether a folder or a file can be trusted, by its owner and its rights. Only judges: whoever asks has looked
 * at the file. On Windows they say nothing, so there everything is trusted.
 */

import { BridgeError } from '../core/errors.ts';

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

/** A secret in a file that other users may read. It is used, and told with the command that mends it. */
export interface OpenSecret {
  readonly path: string;
  readonly detail: string;
  readonly next: string;
}

const ROOT = 0;
const WRITABLE_BY_OTHERS = 0o022;
const OPEN_TO_OTHERS = 0o077;
/** All may use it, or its group may write to it. */
const OPEN_BEYOND_GROUP = 0o027;

/** The user of this process; undefined on Windows. */
export function ownUser(): number | undefined {
  return process.getuid?.();
}

/** Somebody else could put files and links into this folder, or owns it. */
export function folderTrouble(path: string, { uid, mode }: Rights): RightsTrouble | undefined {
  const user = ownUser();
  if (user === undefined) return undefined;
  if (uid !== user && uid !== ROOT) {
    const own = `If all that is in it is yours, take it over: ${takeOver(user, path)}`;
    return foreign(uid, user === ROOT ? `Run this as that user: sudo -u '#${uid}'. ${own}` : own);
  }
  if ((mode & WRITABLE_BY_OTHERS) === 0) return undefined;
  return {
    kind: 'open',
    what: `other users may write to it (${octal(mode)})`,
    next: `If all that is in it is yours, close it: chmod 700 ${quoted(path)}`,
  };
}

/** `name` is what people call the folder. `rootMayLook`: at a folder of another user, such as a service's. */
interface FolderRole {
  readonly name: string;
  readonly rootMayLook?: boolean;
}

/** The error for a folder that can't be trusted. */
export function folderRefusal(
  path: string,
  rights: Rights,
  { name, rootMayLook = false }: FolderRole,
): BridgeError | undefined {
  const trouble = folderTrouble(path, rights);
  if (trouble === undefined) return undefined;
  if (rootMayLook && trouble.kind === 'foreign' && ownUser() === ROOT) return undefined;
  return new BridgeError('config_invalid', `can't use ${name} ${path}: ${trouble.what}`, {
    next: trouble.next,
  });
}

/** Somebody else made this secret, or may read it. `folderUid`: the owner of its folder, who is trusted already. */
export function secretTrouble(
  path: string,
  { uid, mode }: Rights,
  folderUid: number,
): RightsTrouble | undefined {
  const user = ownUser();
  if (user === undefined) return undefined;
  // A link leads to a file elsewhere, so the owner of the folder alone does not say whose it is.
  if (uid !== user && uid !== ROOT && uid !== folderUid) {
    return foreign(uid, `If you know what it holds, take it over: ${takeOver(user, path)}`);
  }
  if ((mode & OPEN_TO_OTHERS) === 0) return undefined;
  return {
    kind: 'open',
    what: `other users may read or write it (${octal(mode)})`,
    next: `Run chmod 600 ${quoted(path)}`,
  };
}

/**
 * The same for a secret in a file that a person has named, somewhere on the machine. `handedOver`: by systemd,
 * which closes the folder and gives the file to the group of the service.
 */
export function namedSecretTrouble(
  path: string,
  { uid, mode }: Rights,
  { handedOver }: { readonly handedOver: boolean },
): RightsTrouble | undefined {
  const user = ownUser();
  if (user === undefined) return undefined;
  if (uid !== user && uid !== ROOT) {
    const own = `If you know what it holds, take it over: ${takeOver(user, path)}`;
    return foreign(uid, user === ROOT ? `Run this as that user: sudo -u '#${uid}'. ${own}` : own);
  }
  if (handedOver) return undefined;
  // Root lets a service read a key by a group of its own. That group is not everybody.
  const isOfRoot = uid !== user;
  if ((mode & (isOfRoot ? OPEN_BEYOND_GROUP : OPEN_TO_OTHERS)) === 0) return undefined;
  const close = `chmod 600 ${quoted(path)}`;
  return {
    kind: 'open',
    what: `other users may read or write it (${octal(mode)})`,
    next: `Run ${isOfRoot ? `sudo chown ${user} ${quoted(path)} && sudo ${close}` : close}`,
  };
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
export function quoted(word: string): string {
  if (/^[\w./@:+,%=-]+$/.test(word)) return word;
  if (word.includes("'") && !/["$`\\!]/.test(word)) return `"${word}"`;
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

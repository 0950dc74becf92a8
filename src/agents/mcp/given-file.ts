/** Reads a file that an agent wants to be shown. The bridge may read more than the agent, so it looks where it lies. */
import { constants, promises, type Stats } from 'node:fs';
import { basename, dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { isSystemError } from '../../core/errors.ts';
import { shownName, whyNot } from '../output-folders.ts';
import type { ProgramUser } from '../program-user.ts';
import type { ChatFile } from '../runtime.ts';

const { open, readlink, realpath, stat } = promises;

export interface FilesOfSession {
  /** Where the agent works, without links in it. Other paths than absolute ones begin in it. */
  readonly folder: string;
  /** Nothing in it is given away, unless the folder of the agent is inside of it. */
  readonly privateFolder: string;
  /** Who has to be able to read a file, if that is not the user of the bridge. Only root works for others. */
  readonly user?: Pick<ProgramUser, 'uid' | 'gid'> | undefined;
}

type GivenFile =
  | { readonly ok: true; readonly file: ChatFile }
  /** In words for the agent. */
  | { readonly ok: false; readonly refused: string };

const OUTSIDE =
  'it lies outside of the folder that you work in. Copy it there first, and links are not followed out of it';
const NOT_READABLE = "it can't be read (EACCES)";
const REFUSALS = {
  too_large: 'it is larger than 30 MB, and Lark takes no larger file',
  empty: 'it is empty, and Lark takes no empty file',
  not_a_file: 'it is no plain file with one name. Folders, pipes and hard links are not sent',
} as const;

export async function readGivenFile(path: string, from: FilesOfSession): Promise<GivenFile> {
  if (path.includes('\0')) return refused('that is no path');
  try {
    const real = await realpath(resolve(from.folder, path));
    if (!(await mayGive(real, from))) return refused(OUTSIDE);
    return await readOpened(real, { from, name: shownName(basename(path)) });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
      return refused('there is no such file');
    return refused(`it can't be read (${error.code})`);
  }
}

async function readOpened(
  real: string,
  { from, name }: { readonly from: FilesOfSession; readonly name: string },
): Promise<GivenFile> {
  // A pipe would be waited for.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const opened = await open(real, flags);
  try {
    const found = await opened.stat();
    const why = whyNot(found);
    if (why !== undefined) return refused(REFUSALS[why]);
    // A folder of its path may have become a link since it was looked at.
    const place = await placeOf(opened.fd, { real, found });
    if (place === undefined || !(await mayGive(place, from))) return refused(OUTSIDE);
    if (!(await mayRead(from.user, place, found))) return refused(NOT_READABLE);
    // Not one byte more than was judged: the file may grow meanwhile.
    const bytes = Buffer.alloc(found.size);
    const { bytesRead } = await opened.read(bytes, 0, bytes.length, 0);
    return { ok: true, file: { name, bytes: bytes.subarray(0, bytesRead) } };
  } finally {
    await opened.close();
  }
}

/** Where an open file really lies. Undefined if nobody can say. */
async function placeOf(
  descriptor: number,
  { real, found }: { readonly real: string; readonly found: Stats },
): Promise<string | undefined> {
  try {
    return await readlink(`/proc/self/fd/${descriptor}`);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
  // Only Linux tells it. Elsewhere the file at the path must still be the one that is open.
  const now = await stat(await realpath(real));
  return now.dev === found.dev && now.ino === found.ino ? realpath(real) : undefined;
}

async function mayGive(place: string, { folder, privateFolder }: FilesOfSession): Promise<boolean> {
  const own = await realOrSame(folder);
  const hidden = await realOrSame(privateFolder);
  const isOfBridge = isInside(own, hidden);
  // An agent of another user can put a link in the place of its folder. One of the bridge only the bridge can replace.
  if (own !== folder && !isOfBridge) return false;
  return isInside(place, own) && (!isInside(place, hidden) || isOfBridge);
}

/** By the rights of the file and of each folder above it. Rights that an access list adds do not count. */
async function mayRead(user: FilesOfSession['user'], place: string, file: Stats): Promise<boolean> {
  if (user === undefined) return true;
  if (!hasRight(user, file, READ)) return false;
  for (let folder = dirname(place); ; folder = dirname(folder)) {
    if (!hasRight(user, await stat(folder), ENTER)) return false;
    if (folder === dirname(folder)) return true;
  }
}

const READ = 0o4;
const ENTER = 0o1;

/** The first of owner, group and others that fits decides, as in the system. */
function hasRight(
  { uid, gid }: NonNullable<FilesOfSession['user']>,
  of: Pick<Stats, 'uid' | 'gid' | 'mode'>,
  right: number,
): boolean {
  if (of.uid === uid) return (of.mode & (right << 6)) !== 0;
  return (of.mode & (of.gid === gid ? right << 3 : right)) !== 0;
}

/** A folder that does not exist holds nothing. */
async function realOrSame(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return folder;
  }
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function refused(why: string): GivenFile {
  return { ok: false, refused: `The file was not sent: ${why}.` };
}

/**
 * Where programs leave the files of their answers. Each run gets an empty folder of its own. What lies in it after
 * a success is moved to a place that only the bridge can reach, so nobody changes it before it is sent.
 */
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  promises,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { AnswerFile, AnswerFiles, FileLeftOut } from '../core/content.ts';
import { errorText, isSystemError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { KIND_BYTES, kindOf } from '../files/file-kind.ts';
import type { NamedFile } from './exec/talk.ts';

const { open } = promises;

/** More messages under one question would bury the chat. */
const FILES_MAX = 20;
/** What Lark takes as a file ("Upload a file"). */
const FILE_BYTES_MAX = 30 * 1024 * 1024;
/** What Lark takes as an image ("Upload an image"). A larger one is sent as a file. */
const IMAGE_BYTES_MAX = 10 * 1024 * 1024;
/** Names of files that are listed. The rest of a folder with thousands of files helps nobody. */
const LEFT_OUT_MAX = 50;
/** The longest name that the usual file systems allow, and that a message shows. */
const NAME_CHARS_MAX = 255;

/** The folder of a run that has not ended, so that the next process can tell it. */
const OF_RUN = /^run-[0-9a-f]{16}$/;

export interface OutputFolder {
  /** Absolute. */
  readonly path: string;
  /**
   * Moves what lies in it to its lasting place. To be called when nothing of the program runs any more. `named`: what
   * the program itself calls its files. Files elsewhere are not taken: the bridge may read what the program may not.
   */
  take(named?: readonly NamedFile[]): Promise<AnswerFiles>;
  /** Removes it with all that is left in it. */
  remove(): void;
}

interface OutputFoldersOptions {
  /** In the state directory. It is made when the first run begins. */
  readonly folder: string;
  readonly log: Log;
}

export class OutputFolders {
  readonly #folder: string;
  readonly #log: Log;

  constructor({ folder, log }: OutputFoldersOptions) {
    this.#folder = folder;
    this.#log = log;
  }

  /** A new empty folder that only this user can use. Throws an error of the system if there can't be one. */
  create(user?: { readonly uid: number; readonly gid: number }): OutputFolder {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const id = randomBytes(8).toString('hex');
    const path = user === undefined ? join(this.#folder, `run-${id}`) : folderFor(user);
    if (user === undefined) mkdirSync(path, { mode: 0o700 });
    return {
      path,
      take: (named = []) => takeFiles(path, join(this.#folder, id), named),
      remove: () => this.#remove(path),
    };
  }

  /** Removes the folders of runs that an earlier process did not end. Their turns run again. */
  removeUnfinished(): void {
    try {
      for (const name of readdirSync(this.#folder)) {
        if (OF_RUN.test(name)) this.#remove(join(this.#folder, name));
      }
    } catch (error) {
      if (!isSystemError(error) || error.code !== 'ENOENT') throw error;
    }
  }

  #remove(path: string): void {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.#log.warn('agent_output_not_removed', { folder: path, error: errorText(error) });
    }
  }
}

/** Another user can't reach the state directory. */
function folderFor({ uid, gid }: { readonly uid: number; readonly gid: number }): string {
  const path = mkdtempSync(join(tmpdir(), 'lark-bridge-output-'));
  chownSync(path, uid, gid);
  return path;
}

async function takeFiles(
  from: string,
  to: string,
  named: readonly NamedFile[],
): Promise<AnswerFiles> {
  const leftOut: FileLeftOut[] = [];
  const names = new Map(
    readdirSync(from)
      .toSorted()
      .map((raw) => [raw, raw]),
  );
  for (const { path, name } of named) {
    const raw = basename(path);
    if (resolve(from, path) === join(from, raw)) names.set(raw, name ?? raw);
    else leftOut.push({ name: shownName(name ?? raw), why: 'elsewhere' });
  }
  if (names.size === 0) return { files: [], leftOut };
  mkdirSync(to, { mode: 0o700 });
  const files: AnswerFile[] = [];
  for (const [raw, called] of names) {
    const name = shownName(called);
    const path = join(to, String(files.length + 1));
    const why = files.length >= FILES_MAX ? 'too_many' : await taken(join(from, raw), path);
    if (why === undefined) files.push({ kind: kindAt(path), name, path, from: join(from, raw) });
    else if (leftOut.length < LEFT_OUT_MAX) leftOut.push({ name, why });
  }
  return { files, leftOut };
}

/** Why a file can't be sent. Undefined if it is at its new place, where it was looked at: nobody else can change it. */
async function taken(from: string, to: string): Promise<FileLeftOut['why'] | undefined> {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    // On another file system. Anything else, such as a name that can't be written, is a file that can't be read.
    return error.code === 'EXDEV' ? copied(from, to) : 'not_a_file';
  }
  const why = whyNot(lstatSync(to));
  if (why !== undefined) rmSync(to, { recursive: true, force: true });
  return why;
}

/** Reads through one open file, so it is a copy of what was looked at. */
async function copied(from: string, to: string): Promise<FileLeftOut['why'] | undefined> {
  let source;
  try {
    // A pipe would be waited for.
    source = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const why = whyNot(await source.stat());
    if (why !== undefined) return why;
    const bytes = await source.readFile();
    if (bytes.length > FILE_BYTES_MAX) return 'too_large';
    writeFileSync(to, bytes, { flag: 'wx', mode: 0o600 });
    return undefined;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return 'not_a_file';
  } finally {
    await source?.close();
  }
}

/** A file with a second name may belong to somebody else, who did not give it. */
export function whyNot(stat: Stats): 'empty' | 'not_a_file' | 'too_large' | undefined {
  if (!stat.isFile() || stat.nlink !== 1) return 'not_a_file';
  if (stat.size === 0) return 'empty';
  return stat.size > FILE_BYTES_MAX ? 'too_large' : undefined;
}

/** Large images are files for Lark. */
function kindAt(path: string): AnswerFile['kind'] {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const head = Buffer.alloc(KIND_BYTES);
    const read = readSync(file, head, 0, KIND_BYTES, 0);
    const kind = kindOf(head.subarray(0, read));
    return kind === 'image' && fstatSync(file).size > IMAGE_BYTES_MAX ? 'file' : kind;
  } finally {
    closeSync(file);
  }
}

/** A name must not start a new line, or change how a message is read. */
export function shownName(raw: string): string {
  const name = raw.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
  return Array.from(name === '' ? 'file' : name)
    .slice(0, NAME_CHARS_MAX)
    .join('');
}

/**
 * One process per state directory, and one per app of the same user: of two bots on one app each would get half
 * of the messages. A file with a process id would stay after a `kill -9`, and the system uses ids again. So the
 * kernel holds the lock, and releases it when the process ends. `tryLock` takes such a lock.
 */
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { BridgeError, isSystemError } from '../core/errors.ts';
import { folderRefusal, quoted } from '../files/rights.ts';
import { inWords } from '../files/system-errors.ts';
import { writePrivateFile } from '../files/private-file.ts';

/** Takes the lock of a file and returns the function that releases it; undefined if another process has it. Creates the file. */
type TryLock = (path: string) => (() => void) | undefined;

interface InstanceLockOptions {
  readonly stateDir: string;
  /** Not set for a process without an app, such as the hub alone. */
  readonly app?: { readonly openBaseUrl: string; readonly appId: string };
  readonly tryLock: TryLock;
  /** The folder of `.lark-bridge/locks`; the user's home unless it is given. */
  readonly home?: string;
}

export interface InstanceLock {
  release(): void;
}

export interface InstanceOwner {
  readonly pid: number;
  readonly stateDir: string;
}

/** Throws `already_running`, with the other process if it is known. Creates the state directory. */
export function acquireInstanceLock(options: InstanceLockOptions): InstanceLock {
  const { stateDir, app, tryLock } = options;
  makeFolder(stateDir);
  const wanted = [{ what: 'this state directory', path: stateLockPath(stateDir) }];
  if (app !== undefined) {
    // Not in the state directory: a process on another state directory may run the same app.
    const path = join(lockFolder(options.home), appLockName(app));
    wanted.push({ what: `the app ${app.appId}`, path });
  }
  const undo: (() => void)[] = [];
  const release = () => {
    for (const one of undo.splice(0).toReversed()) one();
  };
  for (const { what, path } of wanted) {
    const unlock = tryLock(path);
    if (unlock === undefined) {
      release();
      throw alreadyRunning(what, readOwner(path));
    }
    undo.push(unlock, () => forgetOwner(path));
    noteOwner(path, { pid: process.pid, stateDir });
  }
  return { release };
}

/**
 * The process that runs on a state directory. To find it, the lock is taken for a moment, but only if a process
 * that is alive has written its id there. So this never prevents a start.
 */
export function findInstance(stateDir: string, tryLock: TryLock): InstanceOwner | undefined {
  return holderOf(stateLockPath(stateDir), tryLock);
}

/** The process of this user that runs an app, on any state directory. Works like `findInstance`. */
export function findInstanceOfApp({
  app,
  home,
  tryLock,
}: Required<Omit<InstanceLockOptions, 'stateDir'>>): InstanceOwner | undefined {
  const folders = [homeLockFolder(home), fallbackLockFolder()];
  return folders
    .filter((folder) => lockFolderRefusal(folder) === undefined)
    .map((folder) => holderOf(join(folder, appLockName(app)), tryLock))
    .find((owner) => owner !== undefined);
}

function holderOf(path: string, tryLock: TryLock): InstanceOwner | undefined {
  const owner = readOwner(path);
  const unlock = owner && tryLock(path);
  unlock?.();
  return unlock === undefined ? owner : undefined;
}

function appLockName({ openBaseUrl, appId }: NonNullable<InstanceLockOptions['app']>): string {
  const key = createHash('sha256').update(`${openBaseUrl} ${appId}`).digest('hex');
  return `${key.slice(0, 32)}.lock`;
}

function stateLockPath(stateDir: string): string {
  return join(stateDir, 'instance.lock');
}

function makeFolder(stateDir: string): void {
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    const refusal = folderRefusal(stateDir, statSync(stateDir), {
      name: 'the state directory',
    });
    if (refusal !== undefined) throw refusal;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const {
      code,
      message,
      next = '',
    } = inWords(error) ?? {
      code: 'store_unavailable' as const,
      message: error.message,
      next: 'Choose another one with --state-dir, or correct its rights.',
    };
    throw new BridgeError(code, `can't use the state directory: ${message}`, {
      next,
      cause: error,
    });
  }
}

function alreadyRunning(what: string, owner: InstanceOwner | undefined): BridgeError {
  const who =
    owner === undefined ? '' : ` (process ${owner.pid}, state directory ${owner.stateDir})`;
  return new BridgeError('already_running', `another lark-bridge runs on ${what}${who}`, {
    next: 'Stop that process first: with two processes each would get a part of the messages.',
  });
}

/** The same for all state directories of one user. */
function lockFolder(home: string | undefined): string {
  const folder = writableHomeFolder(home) ?? fallbackLockFolder();
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    // Somebody's file or a link to nowhere has the name.
    throw lockFolderRefusal(folder) ?? error;
  }
  const refusal = lockFolderRefusal(folder);
  if (refusal !== undefined) throw refusal;
  return folder;
}

/** Undefined if the user has no home that can be written to, as users of services often have. */
function writableHomeFolder(home: string | undefined): string | undefined {
  try {
    const folder = homeLockFolder(home ?? homedir());
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
    return folder;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return undefined;
  }
}

/** Why locks must not be kept in a folder: another user could hold them, or lead what is written elsewhere. */
function lockFolderRefusal(folder: string): BridgeError | undefined {
  const name = 'the folder for locks';
  const stat = linkStat(folder);
  if (stat === undefined || stat.isDirectory()) {
    return stat && folderRefusal(folder, stat, { name });
  }
  return new BridgeError('config_invalid', `can't use ${name} ${folder}: it is a link or a file`, {
    next: `Remove it, if it is not in use: sudo rm ${quoted(folder)}`,
  });
}

function linkStat(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return undefined;
  }
}

function homeLockFolder(home: string): string {
  return join(home, '.lark-bridge', 'locks');
}

function fallbackLockFolder(): string {
  return join(tmpdir(), `lark-bridge-locks-${process.getuid?.() ?? 'user'}`);
}

/** A file next to the lock: opening and closing the locked file itself would release the lock. */
function ownerPath(lockPath: string): string {
  return `${lockPath}.owner`;
}

function noteOwner(lockPath: string, owner: InstanceOwner): void {
  try {
    writePrivateFile(ownerPath(lockPath), JSON.stringify(owner));
  } catch (error) {
    // The lock works without it. It only helps the error text of a second process.
    if (!isSystemError(error)) throw error;
  }
}

function forgetOwner(lockPath: string): void {
  try {
    rmSync(ownerPath(lockPath), { force: true });
  } catch (error) {
    // Somebody's folder has the name, or the folder is gone or read-only. The lock counts without it.
    if (!isSystemError(error)) throw error;
  }
}

/** The process that wrote its id last, if it is alive. A lock can be taken before the id is written. */
function readOwner(lockPath: string): InstanceOwner | undefined {
  let owner: Partial<InstanceOwner>;
  try {
    owner = JSON.parse(readFileSync(ownerPath(lockPath), 'utf8')) as Partial<InstanceOwner>;
  } catch (error) {
    if (error instanceof SyntaxError || isSystemError(error)) return undefined;
    throw error;
  }
  const { pid, stateDir } = owner;
  if (typeof pid !== 'number' || typeof stateDir !== 'string' || !isAlive(pid)) return undefined;
  return { pid, stateDir };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return error.code === 'EPERM';
  }
}

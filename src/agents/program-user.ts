/** Another user of this machine, as which an agent's program runs. Only root can start such a program. */
import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { BridgeError, isSystemError } from '../core/errors.ts';
import { ownUser } from '../files/rights.ts';
import type { Environment } from './environment.ts';

export interface ProgramUser {
  readonly uid: number;
  readonly gid: number;
  /** Where the program starts: the user's home, or `/` if there is none. */
  readonly folder: string;
  readonly variables: Environment;
}

/** Users of a directory service come over the network, and its outage must not hold up the start. */
const GETENT_MS_MAX = 5_000;

/** Throws `usage` if programs can't be run as this user. */
export async function findUser(name: string): Promise<ProgramUser> {
  if (ownUser() !== 0) {
    throw new BridgeError('usage', `only root can run a program as another user (${name})`, {
      next: 'Run lark-bridge as root, or leave out --user and see "Keep an agent away from the bridge" in docs/agents.md.',
    });
  }
  const entry = entryIn(passwdFile(), name) ?? entryIn(await getent(name), name);
  if (entry === undefined) {
    throw new BridgeError('usage', `there is no user ${JSON.stringify(name)} on this machine`, {
      next: 'Create one, for example: useradd --system --create-home NAME',
    });
  }
  if (entry.uid === 0) {
    throw new BridgeError('usage', `the user ${name} is root itself, who may read everything`, {
      next: 'Name a user who has no rights on the files of lark-bridge.',
    });
  }
  const { uid, gid, home, shell } = entry;
  return {
    uid,
    gid,
    folder: isFolder(home) ? home : '/',
    variables: { HOME: home, USER: name, LOGNAME: name, SHELL: shell },
  };
}

/** As whom a program runs. A user who can't be found fails a turn, and each one looks again for the next one. */
export class UserOfProgram {
  readonly #name: string | undefined;
  #found: ProgramUser | BridgeError | undefined;

  constructor(name: string | undefined) {
    this.#name = name;
  }

  async find(): Promise<void> {
    if (this.#name === undefined) return;
    try {
      this.#found = await findUser(this.#name);
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      this.#found = error;
    }
  }

  /** Undefined: the user of the bridge, or nobody who can be found. */
  get found(): ProgramUser | undefined {
    return this.#found instanceof BridgeError ? undefined : this.#found;
  }

  /** Throws a `BridgeError` if the user can't be found. */
  get(): ProgramUser | undefined {
    if (!(this.#found instanceof BridgeError)) return this.#found;
    const error = this.#found;
    void this.find();
    throw error;
  }
}

function entryIn(passwd: string, wanted: string) {
  for (const line of passwd.split('\n')) {
    const [name, , uid = '', gid = '', , home = '', shell = ''] = line.split(':');
    if (name !== wanted || !/^\d+$/.test(uid) || !/^\d+$/.test(gid)) continue;
    return { uid: Number(uid), gid: Number(gid), home: home || '/', shell: shell || '/bin/sh' };
  }
  return undefined;
}

function passwdFile(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8');
  } catch (error) {
    if (isSystemError(error)) return '';
    throw error;
  }
}

/** Also knows the users of directory services. Empty if it knows none, or is not there. */
function getent(name: string): Promise<string> {
  const options = { timeout: GETENT_MS_MAX, env: { PATH: '/usr/bin:/bin' } };
  return new Promise((resolve) => {
    execFile('getent', ['passwd', '--', name], options, (error, stdout) => {
      resolve(error === null ? stdout : '');
    });
  });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

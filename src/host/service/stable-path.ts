/** Paths that will still be there when a service starts from them, after the next upgrade or reboot. */
import { realpathSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, sep } from 'node:path';
import { BridgeError, isSystemError } from '../../core/errors.ts';
import { HOW_TO_INSTALL } from '../package.ts';

/** Folders of runners that install for one run (npx, pnpm, yarn, bunx), and of shims for one shell (fnm). */
const PASSING_FOLDER = /^(?:_npx|dlx|dlx-\d+|bunx-\d+-.*|fnm_multishells)$/;
const PASSING_ROOTS = [
  '/tmp',
  '/var/tmp',
  '/private/tmp',
  '/private/var/folders',
  '/run/user',
  '/dev/shm',
];

/** Why a path may be gone soon; undefined if it will stay. */
export function whyPassing(path: string): string | undefined {
  const folder = path.split(/[\\/]/).find((part) => PASSING_FOLDER.test(part));
  if (folder !== undefined) return `${folder} holds what was installed for one run`;
  const root = [...PASSING_ROOTS, tmpdir()].find((one) => path.startsWith(`${one}${sep}`));
  return root === undefined ? undefined : `${root} is emptied from time to time`;
}

/** How the program was started: by these paths, which may be links. */
interface Started {
  readonly node: string;
  readonly program: string;
  /** PATH of the environment. */
  readonly path: string;
}

/** The steadiest names of Node and of the program. Throws `failed` if either is in a passing place. */
export function stablePaths(
  { node, program, path }: Started,
  why: (path: string) => string | undefined = whyPassing,
): { node: string; program: string } {
  return {
    node: steadiest(node, {
      path,
      why,
      next: 'Install Node.js for good, as from https://nodejs.org, and run this with that one.',
    }),
    program: steadiest(program, {
      path,
      why,
      next: `Install it for good, and run this with that one: ${HOW_TO_INSTALL}.`,
    }),
  };
}

interface Search {
  readonly path: string;
  readonly why: (path: string) => string | undefined;
  readonly next: string;
}

/** A link on the PATH is kept by upgrades; the folder that it leads to often has the version in its name. */
function steadiest(started: string, { path, why, next }: Search): string {
  const real = realpathSync(started);
  const reason = why(real);
  if (reason !== undefined) {
    throw new BridgeError('failed', `a service can't start from ${real}: ${reason}`, { next });
  }
  const names = new Set([basename(started), basename(started, '.js')]);
  const links = path
    .split(delimiter)
    .filter((folder) => folder.startsWith(sep))
    .flatMap((folder) => [...names].map((name) => join(folder, name)))
    .filter((link) => leadsTo(link, real));
  return [...links, started].find((one) => why(one) === undefined) ?? real;
}

function leadsTo(link: string, real: string): boolean {
  try {
    return realpathSync(link) === real;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false;
  }
}

/** The folders of a PATH that will stay, in their order. */
export function stablePath(path: string): string {
  return path
    .split(delimiter)
    .filter((folder) => folder.startsWith(sep) && whyPassing(`${folder}${sep}`) === undefined)
    .join(delimiter);
}

/** Whether any user of the machine may read a file: all folders on the way to it let them pass. */
export function isOpenToAll(path: string): boolean {
  const real = realpathSync(path);
  if ((statSync(real).mode & 0o004) === 0) return false;
  for (let folder = dirname(real); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/** Paths that still exist after the next upgrade or reboot, so that a service can start from them. */
import { realpathSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, sep } from 'node:path';
import { BridgeError, isSystemError } from '../../core/errors.ts';
import { HOW_TO_INSTALL } from '../package.ts';

/** Folders of tools that install for one run (npx, pnpm, yarn, bunx), or for one shell (fnm). */
const TEMPORARY_FOLDER = /^(?:_npx|dlx|dlx-\d+|bunx-\d+-.*|fnm_multishells)$/;
const TEMPORARY_ROOTS = [
  '/tmp',
  '/var/tmp',
  '/private/tmp',
  '/private/var/folders',
  '/run/user',
  '/dev/shm',
];

/** Why a path may not exist for long; undefined if it stays. */
export function whyTemporary(path: string): string | undefined {
  const folder = path.split(/[\\/]/).find((part) => TEMPORARY_FOLDER.test(part));
  if (folder !== undefined) return `${folder} contains what was installed for one run`;
  const root = [...TEMPORARY_ROOTS, tmpdir()].find((one) => path.startsWith(`${one}${sep}`));
  return root === undefined ? undefined : `${root} is emptied from time to time`;
}

/** The paths with which the program was started. They may be links. */
interface Started {
  readonly node: string;
  readonly program: string;
  /** PATH of the environment. */
  readonly path: string;
}

/** The most stable paths of Node and of the program. Throws `failed` if one of them is in a temporary folder. */
export function stablePaths(
  { node, program, path }: Started,
  why: (path: string) => string | undefined = whyTemporary,
): { node: string; program: string } {
  return {
    node: mostStable(node, {
      path,
      why,
      next: 'Install Node.js permanently, for example from https://nodejs.org, and run this command with it.',
    }),
    program: mostStable(program, {
      path,
      why,
      next: `Install it permanently, and run this command with that installation: ${HOW_TO_INSTALL}.`,
    }),
  };
}

interface Search {
  readonly path: string;
  readonly why: (path: string) => string | undefined;
  readonly next: string;
}

/** An upgrade keeps a link on the PATH. The folder behind the link often has the version in its name. */
function mostStable(started: string, { path, why, next }: Search): string {
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
    .filter((link) => isLinkTo(link, real));
  return [...links, started].find((one) => why(one) === undefined) ?? real;
}

function isLinkTo(link: string, real: string): boolean {
  try {
    return realpathSync(link) === real;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false;
  }
}

/** The folders of a PATH that are not temporary, in their order. */
export function stablePath(path: string): string {
  return path
    .split(delimiter)
    .filter((folder) => folder.startsWith(sep) && whyTemporary(`${folder}${sep}`) === undefined)
    .join(delimiter);
}

/** True if every user of the machine may read a file: the file and all folders above it allow that. */
export function isReadableByAll(path: string): boolean {
  const real = realpathSync(path);
  if ((statSync(real).mode & 0o004) === 0) return false;
  for (let folder = dirname(real); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

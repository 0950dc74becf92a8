import { readFileSync } from 'node:fs';
import { isSystemError } from '../core/errors.ts';

interface PackageFacts {
  readonly version: string;
  /** The versions of Node that it runs on, such as `>=20.19.0`. */
  readonly engines: { readonly node: string };
}

/** How to install it permanently. It is not published, so a package with this name belongs to somebody else. */
export const HOW_TO_INSTALL =
  '`npm pack` in the folder of lark-bridge makes a tarball, `npm install --global ./lark-bridge-*.tgz` installs it';

let running: PackageFacts | undefined;

/** The package.json of the program that runs, as it was at the start. An upgrade replaces the file. */
export function packageFacts(): PackageFacts {
  running ??= readFacts();
  return running;
}

/** The version on the disk, which a new start would run. Undefined if there is none, as in the middle of an upgrade. */
export function installedVersion(): string | undefined {
  try {
    return readFacts().version;
  } catch (error) {
    if (!isSystemError(error) && !(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

function readFacts(): PackageFacts {
  // Two folders above src/host, and above dist/host as well.
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return JSON.parse(text) as PackageFacts;
}

import { readFileSync } from 'node:fs';

interface PackageFacts {
  readonly version: string;
  /** The versions of Node that it runs on, such as `>=20.19.0`. */
  readonly engines: { readonly node: string };
}

/** How to install it permanently. It is not published, so a package with this name belongs to somebody else. */
export const HOW_TO_INSTALL =
  '`npm pack` in the folder of lark-bridge makes a tarball, `npm install --global ./lark-bridge-*.tgz` installs it';

/** The program's own package.json. */
export function packageFacts(): PackageFacts {
  // Two folders above src/host, and above dist/host as well.
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return JSON.parse(text) as PackageFacts;
}

import { readFileSync } from 'node:fs';

interface PackageFacts {
  readonly version: string;
  /** The versions of Node that it runs on, such as `>=20.19.0`. */
  readonly engines: { readonly node: string };
}

/** How to install it where it stays. Nobody has published it: a package of its name would be somebody else's. */
export const HOW_TO_INSTALL =
  '`npm pack` in the folder of lark-bridge makes a tarball, `npm install --global ./lark-bridge-*.tgz` installs it';

/** What the program's own package.json says. */
export function packageFacts(): PackageFacts {
  // Two folders up from src/host and from dist/host alike.
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return JSON.parse(text) as PackageFacts;
}

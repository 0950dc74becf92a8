import { readFileSync } from 'node:fs';

export interface PackageFacts {
  readonly version: string;
  /** The versions of Node that it runs on, such as `>=20.19.0`. */
  readonly engines: { readonly node: string };
}

/** What the program's own package.json says. */
export function packageFacts(): PackageFacts {
  // Two folders up from src/host and from dist/host alike.
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return JSON.parse(text) as PackageFacts;
}

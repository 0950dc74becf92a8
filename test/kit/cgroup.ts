/** Real cgroups for tests, where this user may make them. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { cgroupOf, type OwnCgroup } from '../../src/agents/cgroups/own-cgroup.ts';

export type UsableCgroup = Extract<OwnCgroup, { readonly kind: 'usable' }>;

/** Why there can be none here; undefined if there can. */
export function whyNoCgroups(): string | undefined {
  const own = cgroupOf(process.pid);
  if (own.kind === 'unusable') return own.why;
  try {
    rmdirSync(mkdtempSync(join(own.folder, 'lark-bridge-test-')));
    return undefined;
  } catch (error) {
    return String(error);
  }
}

/** A cgroup of its own for a test, empty, and gone with it. */
export function temporaryCgroup(): UsableCgroup {
  const folder = createCgroup();
  onTestFinished(() => removeCgroups(folder));
  return { kind: 'usable', folder, mountPoint: folder };
}

export function createCgroup(): string {
  const own = cgroupOf(process.pid);
  if (own.kind === 'unusable') throw new Error(own.why);
  const folder = mkdtempSync(join(own.folder, 'lark-bridge-test-'));
  // As all cgroups are: anybody may look.
  chmodSync(folder, 0o755);
  return folder;
}

export function innerCgroups(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

export function makeCgroup(folder: string, name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

/** With those in it. No process may be left in them. */
export function removeCgroups(folder: string): void {
  for (const name of innerCgroups(folder)) removeCgroups(join(folder, name));
  rmdirSync(folder);
}

/** The cgroup (version 2) of a process, and whether the process may make others below it. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from '../../core/errors.ts';

export type OwnCgroup =
  | {
      readonly kind: 'usable';
      readonly folder: string;
      /** Where all cgroups are that can be seen from here. */
      readonly mountPoint: string;
    }
  /** `why`: a part of a sentence. */
  | { readonly kind: 'unusable'; readonly why: string };

interface Mount {
  /** The cgroup that is mounted, as a path. */
  readonly root: string;
  readonly point: string;
  readonly isReadOnly: boolean;
}

/** Only looks. `proc` is where the system shows its processes. */
export function cgroupOf(pid: number, proc = '/proc'): OwnCgroup {
  try {
    const path = /^0::(\/.*)$/m.exec(textOf(proc, pid, 'cgroup'))?.[1];
    const mounts = mountsIn(textOf(proc, pid, 'mountinfo'));
    if (path === undefined || mounts.length === 0) return unusable('there is no cgroup v2');
    const place = mounts
      .map((mount) => ({ mount, folder: folderIn(mount, path) }))
      .find(({ folder }) => folder !== undefined && holds(folder, pid));
    if (place?.folder === undefined) return unusable('its own cgroup can not be seen');
    const { mount, folder } = place;
    if (mount.isReadOnly) return unusable('cgroups can only be read here');
    if (!mayChange(folder, userOf(textOf(proc, pid, 'status')))) {
      return unusable('its cgroup belongs to another user');
    }
    return { kind: 'usable', folder, mountPoint: mount.point };
  } catch (error) {
    // Not Linux, or a process that this user may not look at.
    if (!isSystemError(error)) throw error;
    return unusable('the system does not show its cgroup');
  }
}

function unusable(why: string): OwnCgroup {
  return { kind: 'unusable', why };
}

function textOf(proc: string, pid: number, name: string): string {
  return readFileSync(join(proc, String(pid), name), 'utf8');
}

/** `ID PARENT DEVICE ROOT POINT OPTIONS … - TYPE SOURCE OPTIONS` */
function mountsIn(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root, point, options = ''] = before.split(' ');
    const [type, , more = ''] = after.split(' ');
    if (type !== 'cgroup2' || root === undefined || point === undefined) return [];
    const isReadOnly = [options, more].some((words) => words.split(',').includes('ro'));
    return [{ root: unescaped(root), point: unescaped(point), isReadOnly }];
  });
}

/** True if something is mounted on this folder or below it: what is seen there may be anybody's. */
export function isMountedOn(folder: string): boolean {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => unescaped(line.split(' ')[4] ?? ''));
  return points.some((point) => point === folder || point.startsWith(`${folder}/`));
}

/** Spaces, line ends and backslashes in paths are written as octal numbers. */
function unescaped(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

/** Undefined if the cgroup is not below what is mounted. */
function folderIn({ root, point }: Mount, path: string): string | undefined {
  const above = root === '/' ? '' : root;
  if (path !== above && !path.startsWith(`${above}/`)) return undefined;
  const rest = path.slice(above.length);
  // A process outside of its namespace of cgroups has a path with `..`.
  return rest.split('/').includes('..') ? undefined : join(point, rest);
}

function holds(folder: string, pid: number): boolean {
  try {
    const pids = readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n');
    return pids.includes(String(pid));
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

/** To move a process into a cgroup takes the right to write to the list of the one above, too. */
function mayChange(folder: string, uid: number): boolean {
  if (uid === 0) return true;
  return [folder, join(folder, 'cgroup.procs')].every((path) => {
    const stat = statSync(path);
    return stat.uid === uid && (stat.mode & 0o200) !== 0;
  });
}

/** The user whose rights count. */
function userOf(status: string): number {
  return Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN);
}

/** Where a process is among the cgroups, read from files as the system shows them. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { cgroupOf } from '../../../src/agents/cgroups/own-cgroup.ts';
import { temporaryFolder } from '../../kit/folder.ts';

const PID = 41;
/** The owner of the folders of this test. */
const UID = process.getuid?.() ?? 0;
let folder: string;
let proc: string;
let point: string;

beforeEach(() => {
  folder = temporaryFolder();
  proc = join(folder, 'proc');
  point = join(folder, 'cgroup');
  mkdirSync(join(proc, String(PID)), { recursive: true });
});

interface Shown {
  /** The lines of `/proc/PID/cgroup`. */
  readonly cgroup?: string;
  readonly root?: string;
  readonly options?: string;
  readonly uid?: number;
  /** The path of its cgroup below the mount point. */
  readonly place?: string;
  readonly pids?: string;
}

function show({
  cgroup = '0::/a/b',
  root = '/',
  options = 'rw,nosuid',
  uid = UID,
  place = '/a/b',
  pids = `7\n${PID}\n`,
}: Shown = {}) {
  const files = join(proc, String(PID));
  writeFileSync(join(files, 'cgroup'), `${cgroup}\n`);
  const escaped = point.replaceAll(' ', String.raw`\040`);
  const mounts = [
    '22 28 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw',
    `31 22 0:26 ${root} ${escaped} ${options} shared:9 - cgroup2 cgroup2 rw,nsdelegate`,
  ];
  writeFileSync(join(files, 'mountinfo'), mounts.join('\n'));
  writeFileSync(join(files, 'status'), `Name:\tnode\nUid:\t${uid + 1}\t${uid}\t0\t0\n`);
  mkdirSync(join(point, place), { recursive: true });
  writeFileSync(join(point, place, 'cgroup.procs'), pids);
}

const find = () => cgroupOf(PID, proc);
const usable = (place: string) => ({
  kind: 'usable',
  folder: join(point, place),
  mountPoint: point,
});

test('its cgroup is found', () => {
  show();
  expect(find()).toEqual(usable('/a/b'));
});

test('beside cgroups of version 1', () => {
  show({ cgroup: '9:name=systemd:/x\n1:cpu:/0::/y\n0::/a/b' });
  expect(find()).toEqual(usable('/a/b'));
});

test('in a container that sees a part of all cgroups', () => {
  show({ cgroup: '0::/docker/abc/x', root: '/docker/abc', place: '/x' });
  expect(find()).toEqual(usable('/x'));
});

test('at the root, and with signs that are hard to read', () => {
  point = join(folder, 'c group');
  show({ cgroup: '0::/', place: '/' });
  expect(find()).toEqual(usable('/'));
  show({
    cgroup: String.raw`0::/a b\x2d \040 - cgroup2`,
    place: String.raw`/a b\x2d \040 - cgroup2`,
  });
  expect(find()).toEqual(usable(String.raw`/a b\x2d \040 - cgroup2`));
});

test.each<[string, Shown, string]>([
  ['only version 1', { cgroup: '4:memory:/a/b' }, 'there is no cgroup v2'],
  ['it is outside of the namespace', { cgroup: '0::/../../a/b' }, 'can not be seen'],
  [
    'it is beside what is mounted',
    { cgroup: '0::/docker/abcd', root: '/docker/abc' },
    'can not be seen',
  ],
  ['the folder is not its own', { pids: '1\n410\n' }, 'can not be seen'],
  ['it was removed', { cgroup: '0::/a/b (deleted)' }, 'can not be seen'],
  ['the mount is read-only', { options: 'ro,nosuid' }, 'can only be read'],
  ['it was not given to this user', { uid: 4_000_000 }, 'belongs to another user'],
])('there is none to use where %s', (_, shown, why) => {
  show(shown);
  expect(find()).toEqual({ kind: 'unusable', why: expect.stringContaining(why) as string });
});

test('where the system shows no processes', () => {
  rmSync(proc, { recursive: true });
  expect(find()).toEqual({
    kind: 'unusable',
    why: expect.stringContaining('does not show') as string,
  });
});

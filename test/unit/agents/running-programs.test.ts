/** What a killed process left running: real processes, and files of a real folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ExecRuntime } from '../../../src/agents/exec.ts';
import { RunningPrograms } from '../../../src/agents/running-programs.ts';
import { begin, turnOf } from '../../contract/agents/agent-contract.ts';
import { execOptions } from './exec-options.ts';
import { isProcessAlive } from '../../kit/processes.ts';
import { type Clock, systemClock } from '../../../src/time/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { type RecordingLog, recordingLog } from '../../kit/log.ts';

let home: string;
let folder: string;
let children: ChildProcess[];
let log: RecordingLog;

beforeEach(() => {
  home = temporaryFolder();
  folder = join(home, 'programs');
  children = [];
  log = recordingLog();
});
afterEach(() => {
  for (const { pid } of children) {
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
});

/** Its seconds are short: nobody here needs a long grace. */
const clock: Clock = { nowMs: () => Date.now() * 4, after: systemClock.after };

const running = (platform: NodeJS.Platform = process.platform) => {
  return new RunningPrograms({ folder, clock, log, platform });
};

/** Also true of a program that has ended while nobody has looked yet. */
function hasNumber(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** A shell in a process group of its own, once it says that it is up. */
async function program(script: string): Promise<number> {
  const child = spawn('sh', ['-c', script], {
    cwd: home,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  if (child.pid === undefined) throw new Error('it did not start');
  await once(child.stdout, 'data');
  return child.pid;
}

function madeFolder({ mode = 0o700, uid }: { mode?: number; uid?: number }): void {
  mkdirSync(folder);
  chmodSync(folder, mode);
  if (uid !== undefined) chownSync(folder, uid, uid);
}

const SLEEPER = 'echo up; sleep 60';
const noted = () => readdirSync(folder);

test('a program is noted while it runs, and its note is removed at its end', async () => {
  const wait = 'while ! test -e go; do sleep 0.01; done';
  const options = execOptions(['sh', '-c', `cd ${home}; ${wait}; echo fine`], { log });
  const run = await begin(new ExecRuntime({ ...options, programs: running() }), turnOf('text'));
  expect(noted()).toHaveLength(1);
  expect(isProcessAlive(Number(noted()[0]?.split('.')[0]))).toBe(true);
  writeFileSync(join(home, 'go'), '');
  expect(await run.result).toEqual({ ok: true, text: 'fine' });
  expect(noted()).toEqual([]);
});

test('the note of one that is cancelled is removed too, and one that never started is not noted', async () => {
  const start = (...argv: string[]) =>
    begin(new ExecRuntime({ ...execOptions(argv, { log }), programs: running() }), turnOf('text'));
  const run = await start('sleep', '60');
  run.cancel();
  await run.result;
  await (
    await start('/no/such/program')
  ).result;
  expect(noted()).toEqual([]);
});

test("if the folder can't be written, there is a warning and the program runs", async () => {
  writeFileSync(folder, 'a file');
  const options = execOptions(['echo', 'fine'], { log });
  const run = await begin(new ExecRuntime({ ...options, programs: running() }), turnOf('text'));
  expect(await run.result).toEqual({ ok: true, text: 'fine' });
  expect(log.events()).toContain('agent_program_not_noted');
});

const onLinux = process.platform === 'linux';
const platforms: readonly NodeJS.Platform[] = onLinux ? ['linux', 'darwin'] : ['darwin'];

describe.each(platforms)('as on %s', (platform) => {
  const ended = () => running(platform).endLeftovers();

  test('a program that was left over is ended, with all its processes, before the start goes on', async () => {
    const pid = await program(`sh -c 'echo $$ > child; echo up; sleep 60' & wait`);
    const child = Number(readFileSync(join(home, 'child'), 'utf8'));
    running(platform).note(pid);
    await ended();
    expect([isProcessAlive(pid), isProcessAlive(child)]).toEqual([false, false]);
    expect(noted()).toEqual([]);
    expect(log.events()[0]).toBe('agent_program_left_over');
  });

  test('a program that ignores SIGTERM is killed', async () => {
    const pid = await program(`trap '' TERM; echo up; while :; do sleep 0.2; done`);
    running(platform).note(pid);
    await ended();
    expect(isProcessAlive(pid)).toBe(false);
  });

  test('the processes of a program are ended although the program itself has ended', async () => {
    const pid = await program(`sh -c 'echo $$ > child; echo up; sleep 60' & sleep 0.3`);
    running(platform).note(pid);
    const child = Number(readFileSync(join(home, 'child'), 'utf8'));
    await expect.poll(() => isProcessAlive(pid)).toBe(false);
    expect(isProcessAlive(child)).toBe(true);
    await ended();
    expect(isProcessAlive(child)).toBe(false);
  });

  test('another process that now has the same number is left alone', async () => {
    const pid = await program(SLEEPER);
    running(platform).note(pid);
    const [name = ''] = noted();
    const [, start = ''] = name.split('.');
    rmSync(join(folder, name));
    writeFileSync(join(folder, name.replace(start, String(Number(start) - 5_000))), '');
    await ended();
    expect(isProcessAlive(pid)).toBe(true);
    expect(noted()).toEqual([]);
  });

  test('the note of a program that has ended is removed', async () => {
    const pid = await program('echo up; sleep 0.2');
    running(platform).note(pid);
    await expect.poll(() => hasNumber(pid)).toBe(false);
    await ended();
    expect(noted()).toEqual([]);
    expect(log.lines).toEqual([]);
  });

  test('F1: what is no note of ours is left in the folder, and named once', async () => {
    const pid = await program('echo up; sleep 0.2');
    running(platform).note(pid);
    await expect.poll(() => hasNumber(pid)).toBe(false);
    const [note = ''] = noted();
    const away = join(home, 'away');
    writeFileSync(away, '');
    // The last ones look like notes, but they hold something, are no files, or name no group of one program.
    const others = ['.env', '0.1', '12345.txt', '12345.1.old', 'main.c'];
    for (const name of others) writeFileSync(join(folder, name), '');
    const looking = [1, 2, 3].map((digit) => note.replace(/^\d+/, `99999${digit}`));
    writeFileSync(join(folder, looking[0] ?? ''), 'a text');
    mkdirSync(join(folder, looking[1] ?? ''));
    symlinkSync(away, join(folder, looking[2] ?? ''));
    const all = note.replace(/^\d+/, '1');
    writeFileSync(join(folder, all), '');
    await ended();
    expect(noted().toSorted()).toEqual([...others, ...looking, all].toSorted());
    expect(log.lines).toEqual([
      expect.objectContaining({ level: 'warn', event: 'agent_programs_folder_shared', count: 9 }),
    ]);
  });

  test.each([
    ['is a link', () => symlinkSync(join(home, 'docs'), folder), 'link'],
    ['may be written by others', () => madeFolder({ mode: 0o777 }), 'chmod 700'],
    ...(process.getuid?.() === 0
      ? [['is of another user', () => madeFolder({ uid: 6666 }), 'uid 6666'] as const]
      : []),
  ] as const)(
    'F1: in a folder that %s nothing is read, written or removed',
    async (_, make, word) => {
      const pid = await program(SLEEPER);
      running(platform).note(pid);
      const [note = ''] = noted();
      rmSync(folder, { recursive: true });
      mkdirSync(join(home, 'docs'));
      writeFileSync(join(home, 'docs', note), '');
      make();
      if (noted().length === 0) writeFileSync(join(folder, note), '');
      await ended();
      running(platform).note(pid)();
      expect(isProcessAlive(pid)).toBe(true);
      expect(noted()).toEqual([note]);
      expect(log.events()).toEqual(['agent_programs_not_checked', 'agent_program_not_noted']);
      expect(JSON.stringify(log.lines)).toContain(word);
    },
  );

  test('without notes nothing happens', async () => {
    await ended();
    expect(log.lines).toEqual([]);
  });
});

test.runIf(onLinux)('a process group of an earlier boot is left alone', async () => {
  const pid = await program(`sh -c 'echo $$ > child; echo up; sleep 60' & sleep 0.3`);
  running('linux').note(pid);
  const [name = ''] = noted();
  rmSync(join(folder, name));
  const earlier = '00000000-0000-4000-8000-000000000000';
  writeFileSync(join(folder, `${name.split('.').slice(0, 2).join('.')}.${earlier}`), '');
  await expect.poll(() => isProcessAlive(pid)).toBe(false);
  await running('linux').endLeftovers();
  expect(isProcessAlive(Number(readFileSync(join(home, 'child'), 'utf8')))).toBe(true);
  expect(noted()).toEqual([]);
});

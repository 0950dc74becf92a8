/** A program's processes end with its turn, well or badly: real processes. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ExecRuntime } from '../../../src/agents/exec.ts';
import { RunningPrograms } from '../../../src/agents/running-programs.ts';
import { type Clock, systemClock } from '../../../src/time/clock.ts';
import { begin, turnOf } from '../../contract/agents/agent-contract.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { recordingLog } from '../../kit/log.ts';
import { isProcessAlive, pidIn } from '../../kit/processes.ts';
import { execOptions } from './exec-options.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

const onLinux = process.platform === 'linux';
const start = (script: string, more?: Parameters<typeof execOptions>[1]) =>
  begin(
    new ExecRuntime(execOptions(['sh', '-c', `cd ${folder}; ${script}`], more)),
    turnOf('text'),
  );
const isAlive = (file: string) => isProcessAlive(Number(readFileSync(join(folder, file), 'utf8')));

/** Its seconds are short: nobody here needs a long grace. */
const hasty: Clock = {
  nowMs: () => Date.now() * 10,
  after: (delayMs, run) => systemClock.after(delayMs / 10, run),
};

/** A child that holds no output, once it has written its number. */
const child = (work = 'sleep 60') =>
  `sh -c 'echo $$ > child; ${work}' > /dev/null 2>&1 < /dev/null & while ! test -s child; do sleep 0.01; done`;
/** The same in a session of its own, as a daemon begins. */
const daemon = (work?: string) => `setsid ${child(work)}`;

const ways = onLinux
  ? ([
      ['in its group', child],
      ['that left its group', daemon],
    ] as const)
  : ([['in its group', child]] as const);

describe.each(ways)('F18: a child in the background, %s', (_, background) => {
  test('is gone before the answer of a program that ends well is given', async () => {
    const run = await start(`${background()}; echo fine`);
    expect(await run.result).toEqual({ ok: true, text: 'fine' });
    expect(isAlive('child')).toBe(false);
  });

  test('is gone before a failure is told', async () => {
    const run = await start(`${background()}; exit 3`);
    expect(await run.result).toMatchObject({ ok: false, reason: 'failed' });
    expect(isAlive('child')).toBe(false);
  });

  test('is gone when a turn is cancelled, although it ignores SIGTERM', async () => {
    const run = await start(`${background(`trap "" TERM; sleep 60 & wait; sleep 60`)}; wait`);
    await pidIn(join(folder, 'child'));
    run.cancel();
    expect(await run.result).toMatchObject({ ok: false, reason: 'cancelled' });
    expect(isAlive('child')).toBe(false);
  });

  test('may tidy up: it gets SIGTERM first', async () => {
    const work = 'trap "echo tidy > tidied; exit" TERM; while :; do sleep 0.05; done';
    const run = await start(`${background(work)}; echo fine`);
    expect(await run.result).toEqual({ ok: true, text: 'fine' });
    expect(existsSync(join(folder, 'tidied'))).toBe(true);
  });

  test('is killed after the grace if it ignores SIGTERM, and is noted until then', async () => {
    const log = recordingLog();
    const notes = join(folder, 'programs');
    const programs = new RunningPrograms({ folder: notes, clock: hasty, log });
    const work = 'trap "touch asked" TERM; while :; do sleep 0.05; done';
    const run = await start(`${background(work)}; echo fine`, { clock: hasty, programs, log });
    await expect.poll(() => existsSync(join(folder, 'asked'))).toBe(true);
    expect(readdirSync(notes)).toHaveLength(1);
    expect(await run.result).toEqual({ ok: true, text: 'fine' });
    expect(isAlive('child')).toBe(false);
    expect(readdirSync(notes)).toEqual([]);
    expect(log.events()).toContain('agent_left_processes');
  });
});

test.runIf(onLinux)(
  'F18: a child that left its group is found by the next process too',
  async () => {
    const log = recordingLog();
    const programs = () =>
      new RunningPrograms({ folder: join(folder, 'programs'), clock: systemClock, log });
    // Its turn goes on here, as that of a process that was killed would not.
    const run = await start(`${daemon()}; sleep 60`, { programs: programs() });
    await pidIn(join(folder, 'child'));
    await programs().endLeftovers();
    expect(isAlive('child')).toBe(false);
    expect(readdirSync(join(folder, 'programs'))).toEqual([]);
    await run.result;
  },
);

test('F18: the processes of another run are left alone', async () => {
  const other = await start(`${child()}; wait`);
  await pidIn(join(folder, 'child'));
  const run = await start('echo fine');
  expect(await run.result).toEqual({ ok: true, text: 'fine' });
  expect(isAlive('child')).toBe(true);
  other.cancel();
  await other.result;
});

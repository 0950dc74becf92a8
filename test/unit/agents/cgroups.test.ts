/** The cgroup of a run holds what its group and its mark do not: real cgroups, real processes. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ProgramCgroups } from '../../../src/agents/cgroups/program-cgroups.ts';
import { RunCgroup } from '../../../src/agents/cgroups/run-cgroup.ts';
import { ExecRuntime } from '../../../src/agents/exec.ts';
import type { ExecOptions } from '../../../src/agents/exec/run.ts';
import { ProgramGroup } from '../../../src/agents/program-group.ts';
import { type Clock, systemClock } from '../../../src/time/clock.ts';
import { begin, turnOf } from '../../contract/agents/agent-contract.ts';
import {
  innerCgroups,
  makeCgroup,
  temporaryCgroup,
  type UsableCgroup,
  whyNoCgroups,
} from '../../kit/cgroup.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { recordingLog } from '../../kit/log.ts';
import { isProcessAlive, pidIn } from '../../kit/processes.ts';
import { execOptions } from './exec-options.ts';

const why = whyNoCgroups();
const isRoot = process.getuid?.() === 0;

/** Its seconds are short: nobody here needs a long grace. */
const hasty: Clock = {
  nowMs: () => Date.now() * 10,
  after: (delayMs, run) => systemClock.after(delayMs / 10, run),
};

/** A child that nothing but the cgroup holds, once it has written its number. */
const fugitive = (work = 'exec sleep 20') =>
  `env -i setsid sh -c 'echo $$ > child; ${work}' > /dev/null 2>&1 < /dev/null & while ! test -s child; do sleep 0.01; done`;

describe.skipIf(why !== undefined)(
  `in a real cgroup${why === undefined ? '' : ` (${why})`}`,
  () => {
    let folder: string;
    let own: UsableCgroup;
    let log: ReturnType<typeof recordingLog>;
    beforeEach(() => {
      folder = temporaryFolder();
      own = temporaryCgroup();
      log = recordingLog();
    });

    const openCgroups = async () => {
      const cgroups = new ProgramCgroups({
        stateDir: folder,
        clock: hasty,
        log,
        find: () => own,
      });
      await cgroups.start();
      return cgroups;
    };
    const run = async (argv: readonly string[], more: Partial<ExecOptions> = {}) => {
      const cgroups = await openCgroups();
      const options = execOptions(argv, { cgroups, clock: hasty, log, ...more });
      return begin(new ExecRuntime(options), turnOf('text'));
    };
    const runScript = (script: string) => run(['sh', '-c', `cd ${folder}; ${script}`]);
    const isAlive = () => isProcessAlive(Number(readFileSync(join(folder, 'child'), 'utf8')));

    describe('a child that left its group and cleared its environment', () => {
      test('is gone before the answer of a program that ends well is given', async () => {
        const { result } = await runScript(`${fugitive()}; echo fine`);
        expect(await result).toEqual({ ok: true, text: 'fine' });
        expect(isAlive()).toBe(false);
        expect(innerCgroups(own.folder)).toEqual([]);
        expect(log.warnings()).toEqual([]);
        expect(log.events()).toContain('agent_left_processes');
      });

      test('is gone before a failure is told', async () => {
        const { result } = await runScript(`${fugitive()}; exit 3`);
        expect(await result).toMatchObject({ ok: false, reason: 'failed' });
        expect(isAlive()).toBe(false);
      });

      test('is gone when a turn is cancelled, although it ignores SIGTERM', async () => {
        const started = await runScript(`${fugitive('trap "" TERM; sleep 20 & wait')}; sleep 20`);
        await pidIn(join(folder, 'child'));
        started.cancel();
        expect(await started.result).toMatchObject({ ok: false, reason: 'cancelled' });
        expect(isAlive()).toBe(false);
        expect(innerCgroups(own.folder)).toEqual([]);
      });

      test('may tidy up: it gets SIGTERM first', async () => {
        const work =
          'trap "echo tidy > tidied; exit" TERM; for i in $(seq 900); do sleep 0.01; done';
        const { result } = await runScript(`${fugitive(work)}; echo fine`);
        await result;
        expect(existsSync(join(folder, 'tidied'))).toBe(true);
      });

      test('is killed after the grace, with what it starts meanwhile', async () => {
        const work = 'trap "" TERM; for i in $(seq 300); do sleep 9 & sleep 0.01; done; sleep 9';
        const { result } = await runScript(`${fugitive(work)}; echo fine`);
        expect(await result).toEqual({ ok: true, text: 'fine' });
        expect(isAlive()).toBe(false);
        expect(innerCgroups(own.folder)).toEqual([]);
      });
    });

    test('the program is in its cgroup before it does anything, and its answer is its own', async () => {
      const { result } = await run(['sh', '-c', 'cat /proc/self/cgroup; ls /proc/self/fd']);
      const answer = await result;
      if (!answer.ok) throw new Error(answer.detail);
      const [path = '', ...descriptors] = answer.text.slice(answer.text.indexOf('0::')).split('\n');
      expect(path).toMatch(/\/lark-bridge-[0-9a-f]{16}-[0-9a-f]{16}$/);
      // 3 is the folder that `ls` reads.
      expect(descriptors.filter((one) => Number(one) < 10).join(' ')).toBe('0 1 2 3');
    });

    test('a program has the same environment and the same arguments with a cgroup as without', async () => {
      const argv = [
        'sh',
        '-c',
        'tr "\\0" "\\n" < /proc/$$/environ; printf "<%s>" "$@"',
        'a b',
        "'",
        '',
      ];
      const answers = await Promise.all([
        run(argv),
        run(argv, { cgroups: new ProgramCgroups({ stateDir: folder, clock: hasty, log }) }),
      ]);
      const texts = await Promise.all(
        answers.map(async ({ result }) => {
          const answer = await result;
          if (!answer.ok) throw new Error(answer.detail);
          return answer.text
            .split('\n')
            .toSorted()
            .map((line) => line.replace(/^(LARK_RUN_ID)=.*/, '$1'));
        }),
      );
      expect(texts[0]).toEqual(texts[1]);
    });

    test.each([
      ['is not there', '/no/such/program'],
      ['is not on the PATH', 'no-such-program'],
      ['may not be executed', '/etc/passwd'],
    ])('a program that %s is told as without a cgroup', async (_, program) => {
      const inCgroup = await (await run([program])).result;
      const without = new ExecRuntime(execOptions([program]));
      expect(inCgroup).toEqual(await (await begin(without, turnOf('text'))).result);
      expect(log.warnings()).toEqual(['agent_program_not_started']);
      expect(innerCgroups(own.folder)).toEqual([]);
    });

    test('a program that ends with 127 itself has started', async () => {
      const { result } = await run(['sh', '-c', 'exec /no/such/program']);
      expect(await result).toMatchObject({
        ok: false,
        detail: expect.stringContaining('127') as string,
      });
    });

    test('cgroups that the program makes are ended and removed too', async () => {
      const inner = `lower=${own.folder}/$(basename $(sed -n s/^0:://p /proc/self/cgroup))/a/b; mkdir -p $lower; echo $$ > $lower/cgroup.procs`;
      const { result } = await runScript(
        `(${inner}; ${fugitive('trap "" TERM; sleep 20 & wait')}); echo fine`,
      );
      expect(await result).toEqual({ ok: true, text: 'fine' });
      expect(isAlive()).toBe(false);
      expect(innerCgroups(own.folder)).toEqual([]);
      expect(log.warnings()).toEqual([]);
    });

    test('without `cgroup.kill` (Linux before 5.14) each process is killed', async () => {
      class OldCgroup extends RunCgroup {
        override kill(): void {}
      }
      const cgroup = new OldCgroup(join(own.folder, 'old'), hasty);
      const child = spawn('sh', ['-c', 'trap "" TERM; sleep 20 & echo on; wait; wait'], {
        env: {},
        detached: true,
      });
      await cgroup.enter(child.pid ?? 0);
      await new Promise((resolve) => {
        child.stdout.once('data', resolve);
      });
      const group = new ProgramGroup({ pid: undefined, mark: undefined, cgroup, clock: hasty });
      expect(await group.end()).toEqual({ ended: true });
      await cgroup.remove(log);
      expect(innerCgroups(own.folder)).toEqual([]);
    });

    test('a full limit is told, and the turn goes on', async () => {
      const cgroups = await openCgroups();
      writeFileSync(join(own.folder, 'cgroup.max.descendants'), '0');
      const { result } = await run(['echo', 'fine'], { cgroups });
      expect(await result).toEqual({ ok: true, text: 'fine' });
      expect(log.lines.filter(({ level }) => level === 'warn')).toMatchObject([
        {
          event: 'agent_cgroup_not_entered',
          error: expect.stringContaining('EAGAIN') as string,
          effect: expect.stringContaining('goes on after the turn') as string,
          next: expect.stringContaining('cgroup.max.descendants') as string,
        },
      ]);
    });

    test.runIf(isRoot)(
      'F1: a cgroup on which a program has mounted a folder of others is told, and nothing there is touched',
      async () => {
        mkdirSync(join(folder, 'theirs/empty'), { recursive: true });
        const mounted = `d=${own.folder}/$(basename $(sed -n s/^0:://p /proc/self/cgroup)); mount --bind theirs $d; echo $d > mounted`;
        const { result } = await runScript(`${mounted}; echo fine`);
        expect(await result).toEqual({ ok: true, text: 'fine' });
        const path = readFileSync(join(folder, 'mounted'), 'utf8').trim();
        spawnSync('umount', [path]);
        expect(readdirSync(join(folder, 'theirs'))).toEqual(['empty']);
        expect(log.lines).toContainEqual(
          expect.objectContaining({
            event: 'agent_cgroup_not_removed',
            folder: path,
            error: expect.stringContaining('EBUSY') as string,
          }),
        );
        // The next start does it.
        await openCgroups();
        expect(innerCgroups(own.folder)).toEqual([]);
      },
    );

    test.runIf(isRoot)(
      'a program of another user is in a cgroup too, and can not leave it',
      async () => {
        const out = `echo $$ > ${own.folder}/cgroup.procs`;
        const argv = ['sh', '-c', `${out} 2> /dev/null && echo out; id -un; cat /proc/self/cgroup`];
        const { result } = await run(argv, { spec: { kind: 'exec', argv, user: 'nobody' } });
        const answer = await result;
        expect(answer).toMatchObject({
          ok: true,
          text: expect.stringMatching(/^nobody[^]*0::.*lark-bridge-/) as string,
        });
        expect(innerCgroups(own.folder)).toEqual([]);
      },
    );

    describe('what a dead process left over', () => {
      const start = async (cgroup: string) => {
        const child = spawn('sleep', ['20'], { env: {}, detached: true, stdio: 'ignore' });
        writeFileSync(join(cgroup, 'cgroup.procs'), String(child.pid));
        return child;
      };

      test('is ended and removed at the next start, wherever it is', async () => {
        const earlier = (await openCgroups()).create();
        if (earlier === undefined) throw new Error('there are no cgroups');
        const place = makeCgroup(makeCgroup(own.folder, 'elsewhere'), basename(earlier.folder));
        const child = await start(place);
        await openCgroups();
        expect(child.signalCode ?? (isProcessAlive(child.pid ?? 0) ? 'alive' : 'SIGTERM')).toBe(
          'SIGTERM',
        );
        expect(existsSync(place)).toBe(false);
        expect(log.events()).toContain('agent_cgroup_left_over');
      });

      test('stays if it is of another state directory, or has another form', async () => {
        const other = new ProgramCgroups({
          stateDir: temporaryFolder(),
          clock: hasty,
          log,
          find: () => own,
        });
        await other.start();
        const theirs = basename(other.create()?.folder ?? '');
        const ours = basename((await openCgroups()).create()?.folder ?? '');
        const names = [
          theirs,
          `${ours}0`,
          `${ours} `,
          ours.slice(0, -1),
          ours.toUpperCase(),
          'lark-bridge-',
          `${ours.slice(0, -1)}%`,
        ];
        const children = await Promise.all(
          names.map((name) => start(makeCgroup(own.folder, name))),
        );
        await openCgroups();
        expect(innerCgroups(own.folder).toSorted()).toEqual(names.toSorted());
        expect(children.every(({ pid }) => isProcessAlive(pid ?? 0))).toBe(true);
        const ended = children.map(
          (child) =>
            new Promise((resolve) => {
              child.once('exit', resolve);
            }),
        );
        for (const child of children) child.kill('SIGKILL');
        await Promise.all(ended);
      });
    });
  },
);

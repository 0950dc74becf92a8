/** Which programs of agents run, on disk: a process that is killed can't end them, but the next one can. */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorText } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';
import { NEVER, pause } from '../time/wait.ts';

/** SIGTERM to SIGKILL. Shorter than the hub's own stop. */
export const AGENT_KILL_GRACE_MS = 2_000;

export interface ProgramBook {
  /** Notes a program that leads a process group of its own. What is returned crosses it out. */
  note(pid: number): () => void;
  /** Ends what a process before this one left running. Resolves when it is gone; never rejects. */
  endLeftovers(): Promise<void>;
}

export interface ProgramBookOptions {
  /** For this alone; made when it is needed. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly platform?: NodeJS.Platform;
}

/** A number of a process is given to another one some day: only together with its start it is a name. */
interface Program {
  readonly pid: number;
  /** Linux: ticks since the boot, and which boot. Elsewhere: the wall clock's milliseconds. */
  readonly started: string;
}

const LOOK_MS = 20;
/** `ps` tells whole seconds, and a program starts a moment before it is noted. */
const PS_MARGIN_MS = 2_000;

export function createProgramBook(options: ProgramBookOptions): ProgramBook {
  const { folder, clock, log } = options;
  const onLinux = (options.platform ?? process.platform) === 'linux';

  async function endIfOurs(program: Program): Promise<void> {
    const { pid } = program;
    if (!isGroupAlive(pid, onLinux) || !(await isSame(program, onLinux))) return;
    log.warn('agent_program_left_over', { pid });
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      signalGroup(pid, signal);
      if (await isGone(pid, AGENT_KILL_GRACE_MS)) return;
    }
    log.error('agent_program_not_ended', { pid });
  }

  async function isGone(pid: number, withinMs: number): Promise<boolean> {
    const untilMs = clock.nowMs() + withinMs;
    while (isGroupAlive(pid, onLinux)) {
      if (clock.nowMs() >= untilMs) return false;
      await pause(clock, NEVER, LOOK_MS);
    }
    return true;
  }

  return {
    note(pid) {
      const started = onLinux ? startOnLinux(pid) : String(Date.now());
      // It has ended already.
      if (started === undefined) return () => {};
      const path = join(folder, `${pid}.${started}`);
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        // All is in the name: a file is there or not, but never half.
        writeFileSync(path, '');
      } catch (error) {
        log.warn('agent_program_not_noted', { pid, error: errorText(error) });
        return () => {};
      }
      return () => {
        try {
          rmSync(path, { force: true });
        } catch (error) {
          // The next start will see that it is gone.
          log.warn('agent_program_not_crossed_out', { pid, error: errorText(error) });
        }
      };
    },

    async endLeftovers() {
      try {
        const noted = filesIn(folder);
        const programs = noted.map(parseProgram).filter((program) => program !== undefined);
        await Promise.all(programs.map(endIfOurs));
        for (const name of noted) rmSync(join(folder, name), { force: true });
      } catch (error) {
        log.warn('agent_programs_not_looked_at', { error: errorText(error) });
      }
    },
  };
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function parseProgram(name: string): Program | undefined {
  const [, pid, started] = /^([1-9]\d*)\.(.+)$/.exec(name) ?? [];
  return pid === undefined || started === undefined ? undefined : { pid: Number(pid), started };
}

/**
 * True too if the program has ended and others of its group live on: as long as they do, its number is
 * not given away.
 */
async function isSame({ pid, started }: Program, onLinux: boolean): Promise<boolean> {
  if (onLinux) {
    // Of an earlier boot nothing is left.
    if (!started.endsWith(bootOnLinux())) return false;
    return (startOnLinux(pid) ?? started) === started;
  }
  const startedMs = await startByPs(pid);
  return startedMs === undefined || Math.abs(startedMs - Number(started)) <= PS_MARGIN_MS;
}

/** Undefined if there is no such process. */
function startOnLinux(pid: number): string | undefined {
  const ticks = fieldsOf(pid)?.[19];
  return ticks === undefined ? undefined : `${ticks}.${bootOnLinux()}`;
}

function bootOnLinux(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** Of `/proc/PID/stat` what follows the name, which may hold anything: state, parent, group, … */
function fieldsOf(pid: number | string): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

function startByPs(pid: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const env = { PATH: '/bin:/usr/bin', LC_ALL: 'C' };
    execFile('ps', ['-o', 'lstart=', '-p', String(pid)], { env }, (_error, stdout) => {
      // It ends with 1 if there is no such process.
      const startedMs = Date.parse(stdout.trim());
      resolve(Number.isNaN(startedMs) ? undefined : startedMs);
    });
  });
}

/** What is dead and only waits for its parent to notice does not count. */
function isGroupAlive(pid: number, onLinux: boolean): boolean {
  if (!signalGroup(pid, 0)) return false;
  if (!onLinux) return true;
  return filesIn('/proc').some((name) => {
    const [state, , group] = (/^\d+$/.test(name) && fieldsOf(name)) || [];
    return group === String(pid) && state !== 'Z' && state !== 'X';
  });
}

/** False if nobody of the group is left. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return false;
    // Only processes of another user are left (setuid programs): they can't be ended.
    if (code === 'EPERM') return true;
    throw error;
  }
}

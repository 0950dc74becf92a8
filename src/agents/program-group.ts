/**
 * The processes of one run of a program: its process group, and on Linux also those that left the group (as
 * daemons do) and are in the cgroup of the run, or still have its mark in their environment.
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { isSystemError } from '../core/errors.ts';
import type { Clock } from '../time/clock.ts';
import { NEVER, pause } from '../time/wait.ts';
import type { RunCgroup } from './cgroups/run-cgroup.ts';
import { RUN_MARK } from './runtime.ts';

/** From SIGTERM to SIGKILL. It is shorter than the hub's own stop. */
export const AGENT_KILL_GRACE_MS = 2_000;

/** How often it is checked whether a program has ended: short, because an answer or a start waits for it. */
const END_CHECK_MS = 20;
/** So many processes are looked at before others may use the event loop: about a millisecond. */
const CHECKED_AT_ONCE = 20;
/** No machine starts more processes than this for long. So it is known when their numbers may have begun anew. */
const STARTED_PER_MS_MAX = 6;
const TICKS_PER_SEC = 100;
const STARTED_FIELD = 19;
/** How many numbers there are if the system does not tell: its smallest default. */
const PIDS_STANDARD = 32_768;

interface ProgramGroupOptions {
  /** The number of the group. Undefined if another group has that number now. */
  readonly pid: number | undefined;
  readonly mark: string | undefined;
  /** When the program was started, if it was this process that started it. */
  readonly startedAtMs?: number;
  readonly cgroup?: RunCgroup | undefined;
  readonly clock: Clock;
  readonly onLinux?: boolean;
}

interface Member {
  readonly pid: number;
  readonly inGroup: boolean;
}

export class ProgramGroup {
  readonly #pid: number | undefined;
  readonly #mark: Buffer | undefined;
  readonly #startedAtMs: number | undefined;
  readonly #cgroup: RunCgroup | undefined;
  readonly #clock: Clock;
  readonly #onLinux: boolean;

  constructor(options: ProgramGroupOptions) {
    const { mark, onLinux = process.platform === 'linux' } = options;
    this.#pid = options.pid;
    this.#mark = mark !== undefined && onLinux ? Buffer.from(`${RUN_MARK}=${mark}`) : undefined;
    this.#startedAtMs = options.startedAtMs;
    this.#cgroup = options.cgroup;
    this.#clock = options.clock;
    this.#onLinux = onLinux;
  }

  /** Tells the group. Those that left it hear of it in `end`. */
  signal(signal: NodeJS.Signals): void {
    if (this.#pid !== undefined) signalTo(-this.#pid, signal);
  }

  /** The time of now, for `startedSince`. Undefined where the system does not tell when processes began. */
  static now(): number | undefined {
    const [secs] = wordsOf('/proc/uptime');
    return secs === undefined ? undefined : Number(secs);
  }

  /** Those that live and have begun since a time of `now`. */
  async startedSince(time: number): Promise<readonly number[]> {
    const members = await this.#members();
    return members.map(({ pid }) => pid).filter((pid) => startOf(pid) >= time);
  }

  /**
   * Ends all that is left. SIGKILL comes after a grace, or at once with `atOnce`. `ended` is false if something
   * can't be ended. `onFound` is called first if anything is left.
   */
  async end({
    atOnce = false,
    onFound,
  }: {
    readonly atOnce?: boolean;
    readonly onFound?: (count: number) => void;
  } = {}): Promise<{ readonly ended: boolean }> {
    let members = await this.#members();
    if (members.length > 0) onFound?.(members.length);
    for (const signal of atOnce ? (['SIGKILL'] as const) : (['SIGTERM', 'SIGKILL'] as const)) {
      members = await this.#endBy(signal, members);
      if (!this.#isAnyLeft(members)) return { ended: true };
    }
    return { ended: false };
  }

  /** What its cgroup holds can be too deep in it to be a member. */
  #isAnyLeft(members: readonly Member[]): boolean {
    return members.length > 0 || this.#cgroup?.isPopulated() === true;
  }

  /** Returns who is left when the grace is over. */
  async #endBy(signal: NodeJS.Signals, first: readonly Member[]): Promise<readonly Member[]> {
    const untilMs = this.#clock.nowMs() + AGENT_KILL_GRACE_MS;
    const told = new Set<number>();
    let members = first;
    while (this.#isAnyLeft(members)) {
      // It reaches those that are started at this moment, too.
      if (signal === 'SIGKILL') this.#cgroup?.kill();
      this.#tell(members, signal, told);
      await pause(this.#clock, NEVER, END_CHECK_MS);
      members = await this.#stillOf(members);
      // Those that were found are gone. Now it counts whether they have started others.
      if (members.length === 0) members = await this.#members();
      if (this.#clock.nowMs() >= untilMs) break;
    }
    // Of those that live on, some may have started others since.
    return this.#isAnyLeft(members) ? this.#members() : [];
  }

  /** A signal to the group reaches those that it starts at this moment, too. Nobody is told twice. */
  #tell(members: readonly Member[], signal: NodeJS.Signals, told: Set<number>): void {
    const fresh = members.filter(({ pid }) => !told.has(pid));
    if (this.#pid !== undefined && fresh.some(({ inGroup }) => inGroup)) {
      signalTo(-this.#pid, signal);
    }
    for (const { pid, inGroup } of fresh) {
      if (!inGroup) signalTo(pid, signal);
      told.add(pid);
    }
  }

  async #members(): Promise<readonly Member[]> {
    const found = await this.#inGroupOrMarked();
    const known = new Set(found.map(({ pid }) => pid));
    const others = [...(await this.#inCgroup())].filter((pid) => !known.has(pid));
    return [...found, ...others.map((pid) => ({ pid, inGroup: false }))];
  }

  async #inCgroup(): Promise<ReadonlySet<number>> {
    return new Set(this.#cgroup?.isPopulated() === true ? await this.#cgroup.pids() : []);
  }

  async #inGroupOrMarked(): Promise<readonly Member[]> {
    const isGroupThere = this.#isGroupThere();
    if (!this.#onLinux) {
      return isGroupThere && this.#pid !== undefined ? [{ pid: this.#pid, inGroup: true }] : [];
    }
    if (!isGroupThere && this.#mark === undefined) return [];
    const found: Member[] = [];
    for (const [index, pid] of this.#candidates().entries()) {
      if (index % CHECKED_AT_ONCE === CHECKED_AT_ONCE - 1) await nextRound();
      const member = this.#memberOf(pid, isGroupThere);
      if (member !== undefined) found.push(member);
    }
    return found;
  }

  async #stillOf(members: readonly Member[]): Promise<readonly Member[]> {
    const inCgroup = await this.#inCgroup();
    const isGroupThere = this.#isGroupThere();
    return members.filter(({ pid }) => {
      if (inCgroup.has(pid)) return true;
      return this.#onLinux ? this.#memberOf(pid, isGroupThere) !== undefined : isGroupThere;
    });
  }

  #memberOf(pid: number, isGroupThere: boolean): Member | undefined {
    if (isGroupThere) {
      const [state, , group] = fieldsOf(pid) ?? [];
      // A dead process that its parent has not noticed yet does not count.
      const isDead = state === undefined || state === 'Z' || state === 'X';
      if (group === String(this.#pid)) return isDead ? undefined : { pid, inGroup: true };
    }
    return this.#mark !== undefined && hasInEnvironment(pid, this.#mark)
      ? { pid, inGroup: false }
      : undefined;
  }

  #isGroupThere(): boolean {
    return this.#pid !== undefined && signalTo(-this.#pid, 0);
  }

  /**
   * The processes that may belong to the program. What it starts has a higher number than the program, until the
   * numbers begin anew. So after a short run few processes have to be looked at.
   */
  #candidates(): number[] {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    const all = pids.map(Number);
    const [first, startedAtMs] = [this.#pid, this.#startedAtMs];
    if (first === undefined || startedAtMs === undefined) return all;
    const startedMax = (this.#clock.nowMs() - startedAtMs) * STARTED_PER_MS_MAX;
    const isOneRound = startedMax < pidsMax() && latestPid() >= first;
    return isOneRound ? all.filter((pid) => pid >= first) : all;
  }
}

function nextRound(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** The number that the system has given last. */
function latestPid(): number {
  return Number(wordsOf('/proc/loadavg').at(-1) ?? 0);
}

function pidsMax(): number {
  return Number(wordsOf('/proc/sys/kernel/pid_max')[0] ?? PIDS_STANDARD);
}

/** Empty where the system does not tell (`ProcSubset=pid` of systemd). */
function wordsOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').trim().split(' ');
  } catch (error) {
    if (isSystemError(error)) return [];
    throw error;
  }
}

/** When a process began, in seconds since the boot. Linux counts them for programs in hundredths. */
function startOf(pid: number): number {
  return Number(fieldsOf(pid)?.[STARTED_FIELD] ?? -1) / TICKS_PER_SEC;
}

/** The fields of `/proc/PID/stat` after the name, which may contain anything: state, parent, group, … */
export function fieldsOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

/** Large enough for most environments. A larger one is read in parts. */
const environment = Buffer.alloc(16 * 1024);

/** False for a process that has ended, and for one that we may not look at. */
function hasInEnvironment(pid: number, wanted: Buffer): boolean {
  let file;
  try {
    file = openSync(`/proc/${pid}/environ`, 'r');
    let end = 0;
    for (;;) {
      // The end of the part before stays, in case that `wanted` begins in it.
      const kept = Math.min(wanted.length, end);
      environment.copyWithin(0, end - kept, end);
      const read = readSync(file, environment, kept, environment.length - kept, null);
      if (read === 0) return false;
      end = kept + read;
      if (environment.subarray(0, end).includes(wanted)) return true;
    }
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** To a process, or to the group "minus number". False if there is none. */
function signalTo(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(target, signal);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return false;
    // Only processes of another user are left (setuid programs). They can't be ended.
    if (code === 'EPERM') return true;
    throw error;
  }
}

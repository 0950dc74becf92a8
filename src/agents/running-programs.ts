/**
 * Notes on disk which programs of agents are running. A process that is killed can't end its programs, so the
 * next process does it.
 */
import { execFile } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorText } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { folderTrouble, ownUser, quoted } from '../files/rights.ts';
import type { Clock } from '../time/clock.ts';
import { NEVER, pause } from '../time/wait.ts';

/** From SIGTERM to SIGKILL. It is shorter than the hub's own stop. */
export const AGENT_KILL_GRACE_MS = 2_000;

/** The system gives the number of an ended process to another one later, so the start is noted as well. */
interface Program {
  readonly pid: number;
  /** Linux: ticks since the boot, and which boot. Elsewhere: the wall clock's milliseconds. */
  readonly started: string;
}

/** How often it is checked whether a program has ended: short, because the start of the hub waits for it. */
const END_CHECK_MS = 20;
/** `ps` gives whole seconds, and a program starts a moment before it is noted. */
const PS_MARGIN_MS = 2_000;
/** So many names of files that are not ours are in the log line about them. */
const OTHERS_NAMED_MAX = 5;
/** The group of process 1 can't be noted: a signal to "minus 1" goes to every process of the user. */
const NOTE_ON_LINUX = /^(?!1\.)([1-9]\d{0,9})\.(\d+\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
const NOTE_ELSEWHERE = /^(?!1\.)([1-9]\d{0,9})\.(\d+)$/;

export class RunningPrograms {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onLinux: boolean;

  constructor({
    folder,
    clock,
    log,
    platform = process.platform,
  }: {
    /** Holds nothing but the notes. It is made with the first note. */
    readonly folder: string;
    readonly clock: Clock;
    readonly log: Log;
    readonly platform?: NodeJS.Platform;
  }) {
    this.#folder = folder;
    this.#clock = clock;
    this.#log = log;
    this.#onLinux = platform === 'linux';
  }

  /** Notes a program that leads a process group of its own. Returns a function that removes the note. */
  note(pid: number): () => void {
    const started = this.#onLinux ? startOnLinux(pid) : String(Date.now());
    // It has ended already.
    if (started === undefined) return () => {};
    const path = join(this.#folder, `${pid}.${started}`);
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      refuseForeign(this.#folder);
      // The name says everything, so a note can't be half written. `wx` follows no link.
      writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
    } catch (error) {
      this.#log.warn('agent_program_not_noted', { pid, error: errorText(error) });
      return () => {};
    }
    return () => {
      try {
        rmSync(path, { force: true });
      } catch (error) {
        // The next start will see that the program has ended.
        this.#log.warn('agent_program_note_not_removed', { pid, error: errorText(error) });
      }
    };
  }

  /** Ends the programs that an earlier process left running. Resolves when they have ended; never rejects. */
  async endLeftovers(): Promise<void> {
    try {
      if (!refuseForeign(this.#folder)) return;
      const names = filesIn(this.#folder);
      const notes = names.flatMap((name) => this.#parseNote(name) ?? []);
      this.#tellOthers(names.filter((name) => !notes.some((note) => note.name === name)));
      await Promise.all(notes.map((note) => this.#endIfOurs(note)));
      for (const { name } of notes) rmSync(join(this.#folder, name), { force: true });
    } catch (error) {
      this.#log.warn('agent_programs_not_checked', { error: errorText(error) });
    }
  }

  /** Undefined for everything that `note` did not write. */
  #parseNote(name: string): (Program & { readonly name: string }) | undefined {
    const form = this.#onLinux ? NOTE_ON_LINUX : NOTE_ELSEWHERE;
    const [, pid, started] = form.exec(name) ?? [];
    if (pid === undefined || started === undefined) return undefined;
    const stat = lstatSync(join(this.#folder, name), { throwIfNoEntry: false });
    const isNote = stat?.isFile() === true && stat.size === 0 && isOwn(stat.uid);
    return isNote ? { name, pid: Number(pid), started } : undefined;
  }

  #tellOthers(names: readonly string[]): void {
    if (names.length === 0) return;
    this.#log.warn('agent_programs_folder_shared', {
      folder: this.#folder,
      count: names.length,
      names: names.toSorted().slice(0, OTHERS_NAMED_MAX).join(' '),
      effect: 'they are left as they are',
      next: 'Move them to another folder: this one is for notes of lark-bridge.',
    });
  }

  async #endIfOurs(program: Program): Promise<void> {
    const { pid } = program;
    if (!isGroupAlive(pid, this.#onLinux) || !(await isSame(program, this.#onLinux))) return;
    this.#log.warn('agent_program_left_over', { pid });
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      signalGroup(pid, signal);
      if (await this.#hasEnded(pid, AGENT_KILL_GRACE_MS)) return;
    }
    this.#log.error('agent_program_not_ended', { pid });
  }

  async #hasEnded(pid: number, withinMs: number): Promise<boolean> {
    const untilMs = this.#clock.nowMs() + withinMs;
    while (isGroupAlive(pid, this.#onLinux)) {
      if (this.#clock.nowMs() >= untilMs) return false;
      await pause(this.#clock, NEVER, END_CHECK_MS);
    }
    return true;
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** False if there is no folder. Throws if it may hold what others put there, or if it is a link. */
function refuseForeign(folder: string): boolean {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  if (!stat.isDirectory()) {
    const name = quoted(folder);
    throw new Error(`${folder} is a link or a file, not a folder. Run mv ${name} ${name}.old`);
  }
  const trouble = folderTrouble(folder, stat);
  if (trouble !== undefined) throw new Error(`${folder}: ${trouble.what}. ${trouble.next}`);
  return true;
}

function isOwn(uid: number): boolean {
  const user = ownUser();
  return user === undefined || uid === user;
}

/**
 * Also true if the program has ended and others of its group are alive: until they end, the system gives its
 * number to no other process.
 */
async function isSame({ pid, started }: Program, onLinux: boolean): Promise<boolean> {
  if (onLinux) {
    // No process outlives a boot.
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

/** The fields of `/proc/PID/stat` after the name, which may contain anything: state, parent, group, … */
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
      // `ps` ends with 1 if there is no such process.
      const startedMs = Date.parse(stdout.trim());
      resolve(Number.isNaN(startedMs) ? undefined : startedMs);
    });
  });
}

/** A dead process that its parent has not noticed yet does not count. */
function isGroupAlive(pid: number, onLinux: boolean): boolean {
  if (!signalGroup(pid, 0)) return false;
  if (!onLinux) return true;
  return filesIn('/proc').some((name) => {
    const [state, , group] = (/^\d+$/.test(name) && fieldsOf(name)) || [];
    return group === String(pid) && state !== 'Z' && state !== 'X';
  });
}

/** False if the group has no process left. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return false;
    // Only processes of another user are left (setuid programs). They can't be ended.
    if (code === 'EPERM') return true;
    throw error;
  }
}

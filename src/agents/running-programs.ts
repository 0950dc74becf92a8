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
import { fieldsOf, ProgramGroup } from './program-group.ts';

/** The system gives the number of an ended process to another one later, so the start is noted as well. */
interface Program {
  readonly pid: number;
  /** Linux: ticks since the boot, and which boot. Elsewhere: the wall clock's milliseconds. */
  readonly started: string;
  /** What marks its processes. A program that an earlier version noted has none. */
  readonly mark: string | undefined;
}

interface Note extends Program {
  readonly name: string;
}

/** `ps` gives whole seconds, and a program starts a moment before it is noted. */
const PS_MARGIN_MS = 2_000;
/** So many names of files that are not ours are in the log line about them. */
const OTHERS_NAMED_MAX = 5;
/** The group of process 1 can't be noted: a signal to "minus 1" goes to every process of the user. */
const NOTE_ON_LINUX =
  /^(?!1\.)([1-9]\d{0,9})\.(\d+\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.([0-9a-f]{32}))?$/;
const NOTE_ELSEWHERE = /^(?!1\.)([1-9]\d{0,9})\.(\d+)(?:\.([0-9a-f]{32}))?$/;

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

  /**
   * Notes a program that leads a process group of its own, and the mark of its processes. Returns a function that
   * removes the note.
   */
  note(pid: number, mark?: string): () => void {
    let path: string;
    try {
      const started = this.#onLinux ? startOnLinux(pid) : String(Date.now());
      // It has ended already.
      if (started === undefined) return () => {};
      const name = mark === undefined ? `${pid}.${started}` : `${pid}.${started}.${mark}`;
      path = join(this.#folder, name);
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
      await Promise.all(notes.map((note) => this.#endNoted(note)));
    } catch (error) {
      this.#log.warn('agent_programs_not_checked', { error: errorText(error) });
    }
  }

  /** Undefined for everything that `note` did not write. */
  #parseNote(name: string): Note | undefined {
    const form = this.#onLinux ? NOTE_ON_LINUX : NOTE_ELSEWHERE;
    const [, pid, started, mark] = form.exec(name) ?? [];
    if (pid === undefined || started === undefined) return undefined;
    const stat = lstatSync(join(this.#folder, name), { throwIfNoEntry: false });
    const isNote = stat?.isFile() === true && stat.size === 0 && isOwn(stat.uid);
    return isNote ? { name, pid: Number(pid), started, mark } : undefined;
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

  /** Ends what is left of it. The note of what can't be ended stays. */
  async #endNoted(program: Note): Promise<void> {
    const { name, pid, mark } = program;
    const group = new ProgramGroup({
      pid: (await isSame(program, this.#onLinux)) ? pid : undefined,
      // No process outlives a boot.
      mark: this.#onLinux && isOfThisBoot(program) ? mark : undefined,
      clock: this.#clock,
      onLinux: this.#onLinux,
    });
    const onFound = () => this.#log.warn('agent_program_left_over', { pid });
    const { ended } = await group.end({ onFound });
    if (!ended) this.#log.error('agent_program_not_ended', { pid });
    // Elsewhere the dead whose parent has not noticed it can't be told from the living.
    if (ended || !this.#onLinux) rmSync(join(this.#folder, name), { force: true });
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
async function isSame(
  { pid, started }: Pick<Program, 'pid' | 'started'>,
  onLinux: boolean,
): Promise<boolean> {
  if (onLinux) {
    if (!isOfThisBoot({ started })) return false;
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

function isOfThisBoot({ started }: Pick<Program, 'started'>): boolean {
  return started.endsWith(bootOnLinux());
}

function bootOnLinux(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
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

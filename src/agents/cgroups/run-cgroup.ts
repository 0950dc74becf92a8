/** The cgroup of one run. No process that the program starts can leave it, unless it may write to another one. */
import { promises, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorText, isSystemError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';
import { NEVER, pause } from '../../time/wait.ts';
import { isMountedOn } from './own-cgroup.ts';

const { mkdir, readdir, readFile, rmdir, writeFile } = promises;

/** How long a cgroup may stay that is not empty yet: processes take a moment to end, even after SIGKILL. */
const REMOVE_MS_MAX = 2_000;
const REMOVE_CHECK_MS = 20;
/** Programs that make cgroups of their own make few of them. What is below more of them is killed all the same. */
const INNER_MAX = 1_000;

export class RunCgroup {
  readonly folder: string;
  readonly #clock: Clock;

  constructor(folder: string, clock: Clock) {
    this.folder = folder;
    this.#clock = clock;
  }

  /** Makes it, and moves a process into it. Throws an error of the system if that is impossible. */
  async enter(pid: number): Promise<void> {
    await mkdir(this.folder);
    await writeFile(join(this.folder, 'cgroup.procs'), String(pid));
  }

  /** The processes in it and in those below it. */
  async pids(): Promise<number[]> {
    const lists = await Promise.all((await this.#folders()).map(pidsIn));
    return lists.flat();
  }

  /** Whether anything in it or below it lives. The dead whose parent has not noticed it do not count. */
  isPopulated(): boolean {
    if (isMountedOn(this.folder)) return false;
    try {
      return /^populated 1$/m.test(readFileSync(join(this.folder, 'cgroup.events'), 'utf8'));
    } catch (error) {
      if (isSystemError(error)) return false;
      throw error;
    }
  }

  /** Ends everything in it and below it at once. Kernels before 5.14 can't: there each process has to be killed. */
  kill(): void {
    if (isMountedOn(this.folder)) return;
    try {
      // Without the flag to create: no other file must be made in its place.
      writeFileSync(join(this.folder, 'cgroup.kill'), '1', { flag: 'r+' });
    } catch (error) {
      if (!isSystemError(error)) throw error;
    }
  }

  /** Removes it with the cgroups that the program made below it. */
  async remove(log: Log): Promise<void> {
    const untilMs = this.#clock.nowMs() + REMOVE_MS_MAX;
    let trouble = await this.#tryToRemove();
    while (trouble?.code === 'EBUSY' && this.#clock.nowMs() < untilMs) {
      await pause(this.#clock, NEVER, REMOVE_CHECK_MS);
      trouble = await this.#tryToRemove();
    }
    if (trouble === undefined) return;
    log.warn('agent_cgroup_not_removed', {
      folder: this.folder,
      error: errorText(trouble),
      effect: 'it stays, and the next start tries again',
    });
  }

  async #tryToRemove(): Promise<NodeJS.ErrnoException | undefined> {
    // The innermost first.
    for (const folder of (await this.#folders()).slice(1).toReversed()) await removed(folder);
    return removed(this.folder);
  }

  /**
   * Itself and those below it, each before those below it. None if a program has mounted something there: then these would be folders of
   * others.
   */
  async #folders(): Promise<string[]> {
    if (isMountedOn(this.folder)) return [];
    const all = [this.folder];
    for (let at = 0; at < all.length && all.length <= INNER_MAX; at += 1) {
      all.push(...(await cgroupsIn(all[at] ?? '')));
    }
    return all;
  }
}

/** Empty if the folder is gone, or if its path is too long for the system. */
export async function cgroupsIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  } catch (error) {
    if (isSystemError(error)) return [];
    throw error;
  }
}

/** A process of another namespace is listed as 0. */
async function pidsIn(folder: string): Promise<number[]> {
  try {
    const text = await readFile(join(folder, 'cgroup.procs'), 'utf8');
    return text.split('\n').map(Number).filter(Boolean);
  } catch (error) {
    if (isSystemError(error)) return [];
    throw error;
  }
}

/** Resolves with what went wrong, or with undefined. */
async function removed(folder: string): Promise<NodeJS.ErrnoException | undefined> {
  try {
    await rmdir(folder);
    return undefined;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return error.code === 'ENOENT' ? undefined : error;
  }
}

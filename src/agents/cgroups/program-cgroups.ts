/** Gives each run of a program a cgroup of its own, below that of the bridge, where the bridge may make some. */
import { createHash, randomBytes } from 'node:crypto';
import { accessSync, constants, promises, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { errorText, isSystemError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { ownUser } from '../../files/rights.ts';
import type { Clock } from '../../time/clock.ts';
import { HOLDER } from '../program/start.ts';
import { ProgramGroup } from '../program-group.ts';
import { cgroupOf, type OwnCgroup } from './own-cgroup.ts';
import { cgroupsIn, RunCgroup } from './run-cgroup.ts';

const { mkdir, rmdir } = promises;

/** A machine has hundreds of cgroups, a node of a cluster thousands. */
const LOOKED_AT_MAX = 20_000;

interface ProgramCgroupsOptions {
  /** One process at a time uses it, so the cgroups with its mark are those of this process, or left over. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly find?: () => OwnCgroup;
}

export class ProgramCgroups {
  readonly #options: ProgramCgroupsOptions;
  /** The start of the names of our cgroups. */
  #prefix = '';
  /** Undefined if there are none. */
  #folder: string | undefined;

  constructor(options: ProgramCgroupsOptions) {
    this.#options = options;
  }

  /** Finds out whether there can be cgroups, and ends what an earlier process left in its own. Never rejects. */
  async start(): Promise<void> {
    const { find = () => cgroupOf(process.pid), log } = this.#options;
    const own = find();
    if (own.kind === 'unusable') {
      log.debug('agent_cgroups_not_used', { why: own.why });
      return;
    }
    try {
      accessSync(HOLDER, constants.X_OK);
      this.#prefix = prefixFor(this.#options.stateDir);
      await this.#endLeftovers(own.mountPoint);
      const trial = this.#pathIn(own.folder);
      await mkdir(trial);
      await rmdir(trial);
      this.#folder = own.folder;
    } catch (error) {
      if (!isSystemError(error)) throw error;
      log.debug('agent_cgroups_not_used', { why: errorText(error) });
    }
  }

  /** It is made when a process enters it. Undefined where there are none. */
  create(): RunCgroup | undefined {
    if (this.#folder === undefined) return undefined;
    return new RunCgroup(this.#pathIn(this.#folder), this.#options.clock);
  }

  #pathIn(folder: string): string {
    return join(folder, `${this.#prefix}${randomBytes(8).toString('hex')}`);
  }

  /** The earlier process may have had another cgroup, so all of them are looked at. */
  async #endLeftovers(mountPoint: string): Promise<void> {
    const folders = await this.#leftovers(mountPoint);
    await Promise.all(folders.map((folder) => this.#endLeftover(folder)));
  }

  async #endLeftover(folder: string): Promise<void> {
    const { clock, log } = this.#options;
    const cgroup = new RunCgroup(folder, clock);
    const group = new ProgramGroup({ pid: undefined, mark: undefined, cgroup, clock });
    const onFound = (count: number) => log.warn('agent_cgroup_left_over', { folder, count });
    const { ended } = await group.end({ onFound });
    if (ended) await cgroup.remove(log);
    else log.error('agent_cgroup_not_ended', { folder });
  }

  async #leftovers(mountPoint: string): Promise<string[]> {
    const all = [mountPoint];
    const found: string[] = [];
    for (let at = 0; at < all.length && all.length <= LOOKED_AT_MAX; at += 1) {
      for (const folder of await cgroupsIn(all[at] ?? '')) {
        if (this.#isOurs(folder)) found.push(folder);
        else all.push(folder);
      }
    }
    return found;
  }

  #isOurs(folder: string): boolean {
    const name = basename(folder);
    if (!name.startsWith(this.#prefix)) return false;
    if (!/^[0-9a-f]{16}$/.test(name.slice(this.#prefix.length))) return false;
    return statSync(folder, { throwIfNoEntry: false })?.uid === ownUser();
  }
}

/** The folder itself counts and not only its path: containers often have the same paths. */
function prefixFor(stateDir: string): string {
  const { dev, ino } = statSync(stateDir);
  const hash = createHash('sha256').update(`${dev}:${ino}:${stateDir}`).digest('hex');
  return `lark-bridge-${hash.slice(0, 16)}-`;
}

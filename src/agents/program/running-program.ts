/** A program of an agent from its start to the end of the last process that belongs to it. */
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { errorText } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { withoutSecrets } from '../../core/secret.ts';
import { tailOf } from '../../text/cut.ts';
import { withoutTerminalControls } from '../../text/visible.ts';
import type { Clock } from '../../time/clock.ts';
import type { ProgramCgroups } from '../cgroups/program-cgroups.ts';
import type { RunCgroup } from '../cgroups/run-cgroup.ts';
import { isThrownBySystem, notInCgroup } from '../exec-failures.ts';
import { ProgramGroup } from '../program-group.ts';
import { RUN_MARK } from '../runtime.ts';
import type { ProgramUser } from '../program-user.ts';
import type { RunningPrograms } from '../running-programs.ts';
import type { Tail } from '../tail.ts';
import { yieldToBridge } from './niceness.ts';
import { startProgram, type Started } from './start.ts';

/** What is kept of the end of an agent's stdout and stderr. */
export const AGENT_TAIL_BYTES_MAX = 8 * 1024;
/** How much of it an operator is shown: enough for a stack trace, and not too much for the log. */
const SHOWN_CHARS_MAX = 2_000;

/** What programs of agents are started with, whatever they are. */
export interface ProgramSurroundings {
  /** Notes which programs are running, for the process after this one. */
  readonly programs?: RunningPrograms;
  /** Without them a process that leaves the group and clears its environment goes on after its program. */
  readonly cgroups?: ProgramCgroups;
  readonly clock: Clock;
  /** Its lines name the turn for which the program is started. */
  readonly log: Log;
}

interface ProgramStart {
  readonly argv: readonly string[];
  readonly variables: Record<string, string>;
  /** What it was given and must not be shown. */
  readonly secrets: readonly string[];
  readonly user: ProgramUser | undefined;
  readonly folder?: string | undefined;
}

interface Parts extends ProgramSurroundings {
  readonly started: Started;
  readonly pid: number;
  readonly mark: string;
  readonly cgroup: RunCgroup | undefined;
  readonly secrets: readonly string[];
}

export class RunningProgram {
  readonly child: Started['child'];
  readonly pid: number;
  readonly group: ProgramGroup;
  /** Why it could not start, if its end means that. */
  readonly failure: Started['failure'];
  readonly #parts: Parts;
  readonly #removeNote: (() => void) | undefined;
  /** Resolves when the program is in its cgroup, or can't be. */
  readonly #entered: Promise<void>;

  constructor(parts: Parts) {
    const { started, pid, mark, cgroup, clock, programs } = parts;
    this.#parts = parts;
    this.child = started.child;
    this.failure = started.failure;
    this.pid = pid;
    this.group = new ProgramGroup({ pid, mark, startedAtMs: clock.nowMs(), cgroup, clock });
    this.#removeNote = programs?.note(pid, mark);
    this.#entered = this.#begin();
  }

  /** Ends all that is left of it, and waits until that is gone. Never rejects. */
  async endRest({ atOnce }: { readonly atOnce: boolean }): Promise<void> {
    const { log } = this.#parts;
    const onFound = (count: number) => log.info('agent_left_processes', { count });
    try {
      await this.#entered;
      const { ended } = await this.group.end({ atOnce, onFound });
      // The note stays for the next start, which tries again.
      if (ended) await this.#forget();
      else log.error('agent_program_not_ended', { pid: this.pid });
    } catch (error) {
      log.error('agent_program_not_ended', { error: errorText(error) });
    }
  }

  /** The end of its output, for an operator. */
  shown(tail: Tail): string {
    return tailOf(this.masked(tail.text()), { chars: SHOWN_CHARS_MAX });
  }

  /** What it said, without the secrets that it was given. */
  masked(said: string): string {
    const text = withoutTerminalControls(said).trim();
    return withoutSecrets(
      this.#parts.secrets.reduce((left, one) => left.replaceAll(one, '[secret]'), text),
    );
  }

  /** Lets the program start, in its cgroup if it has one. */
  async #begin(): Promise<void> {
    const { cgroup, pid, started, log } = this.#parts;
    try {
      await cgroup?.enter(pid);
    } catch (error) {
      if (!isThrownBySystem(error)) throw error;
      // ESRCH: it has ended before it began.
      if (error.code !== 'ESRCH') notInCgroup(log, error);
    } finally {
      started.letGo();
    }
  }

  async #forget(): Promise<void> {
    await this.#parts.cgroup?.remove(this.#parts.log);
    this.#removeNote?.();
  }
}

/**
 * Starts a program. Without open files left it does not even have pipes: then the process is returned whose error
 * comes as an event. Some errors of the system are thrown.
 */
export function openProgram(
  { argv, variables, user, folder, ...start }: ProgramStart,
  surroundings: ProgramSurroundings,
): RunningProgram | { readonly notStarted: ChildProcess } {
  const mark = randomBytes(16).toString('hex');
  const cgroup = surroundings.cgroups?.create();
  const env = { ...variables, [RUN_MARK]: mark };
  const started = startProgram(argv, { env, user, folder, isHeld: cgroup !== undefined });
  const { pid } = started.child;
  if (pid === undefined) return { notStarted: started.child };
  yieldToBridge(pid);
  return new RunningProgram({ ...surroundings, ...start, started, pid, mark, cgroup });
}

/** Agents that speak the Agent Client Protocol: programs that live on between turns, and remember. */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { BridgeError, isSystemError } from '../../core/errors.ts';
import { waitAtMost } from '../../time/wait.ts';
import { endedRun, NOT_RUNNING } from '../ended-run.ts';
import type { Environment } from '../environment.ts';
import { notReady } from '../exec-failures.ts';
import { warnOfMissing } from '../given-variables.ts';
import { runWithLentFiles } from '../lent-files.ts';
import { type NamedTurn, turnLog } from '../turn-log.ts';
import { type ProgramUser, UserOfProgram } from '../program-user.ts';
import type { ProgramSurroundings } from '../program/running-program.ts';
import type {
  AcpSpec,
  AgentRun,
  AgentRuntime,
  AgentTurn,
  OwnerNotice,
  RuntimeHost,
  RuntimeSessions,
  SessionOption,
  TurnHost,
} from '../runtime.ts';
import type { KnownAgent } from '../known-agents.ts';
import { knownLoginCommand } from './abilities.ts';
import { type AcpObserver, NOBODY } from './observer.ts';
import type { ProgramPlaces } from './places.ts';
import { openProcess } from './process.ts';
import { Programs } from './programs.ts';
import { AcpRun } from './run.ts';
import { AcpSession } from './session.ts';
import type { OpenTools } from './tools-port.ts';

/** How long agents may take to stop their work, and their programs to end, when the bridge stops. */
const STOP_MS_MAX = 1_000;
const END_MS_MAX = 1_500;
/** Sessions whose options are known. Older ones are known again with their next turn. */
const SESSIONS_MAX = 1_000;

export interface AcpOptions extends ProgramSurroundings {
  readonly spec: AcpSpec;
  /** The bridge's own environment. The program gets only what is allowed, and what `spec` names. */
  readonly env: Environment;
  readonly host: RuntimeHost;
  /** Shared with all other agents. */
  readonly places: ProgramPlaces;
  /** A program without work is ended after this time. */
  readonly idleMs: number;
  readonly outputBytesMax: number;
  /** Where it works if nobody chose a folder. It is made when it is needed. */
  readonly ownFolder: string;
  /** What is known of it. Undefined: it is not in the table. */
  readonly known?: KnownAgent | undefined;
  readonly openTools?: OpenTools;
  readonly observer?: AcpObserver;
}

export class AcpRuntime implements AgentRuntime {
  readonly sessions: RuntimeSessions;
  readonly #options: AcpOptions;
  readonly #programs: Programs;
  readonly #user: UserOfProgram;
  readonly #observer: AcpObserver;
  readonly #sessions = new Map<string, AcpSession>();
  readonly #runs = new Set<AgentRun>();
  readonly #over = new Set<Promise<void>>();
  readonly #noticed = new Set<OwnerNotice['kind']>();
  #life: 'new' | 'started' | 'stopped' = 'new';

  constructor(options: AcpOptions) {
    const { places, idleMs, clock, spec, observer = NOBODY } = options;
    this.#options = options;
    this.#user = new UserOfProgram(spec.user);
    this.#observer = observer;
    const open = (folder: string, turn: NamedTurn) => {
      const log = turnLog(options.log, turn);
      return openProcess({ ...options, log, user: this.#user.found, folder });
    };
    this.#programs = new Programs({ open, places, idleMs, observer, clock });
    this.sessions = {
      options: (id) => (this.#sessions.get(id)?.options ?? []).map(shownOption),
      choose: async (id, option, value) => this.#sessions.get(id)?.choose(option, value),
      close: async (id) => {
        const session = this.#sessions.get(id);
        this.#sessions.delete(id);
        await session?.close();
      },
    };
  }

  async start(): Promise<void> {
    if (this.#life !== 'new') return;
    this.#life = 'started';
    const { spec, env, log } = this.#options;
    warnOfMissing(spec, env, log);
    await this.#user.find();
  }

  async stop(): Promise<void> {
    this.#life = 'stopped';
    const { clock } = this.#options;
    for (const run of this.#runs) run.cancel();
    const over = Promise.all(this.#over);
    await waitAtMost(clock, over, STOP_MS_MAX);
    await this.#programs.end(END_MS_MAX);
    await over;
    await Promise.all([...this.#sessions.values()].map((session) => session.close()));
  }

  prompt(turn: AgentTurn, host: TurnHost): AgentRun {
    if (this.#life !== 'started') return endedRun(NOT_RUNNING);
    const { log } = this.#options;
    try {
      const user = this.#user.get();
      const start = (lent: AgentTurn) => this.#run(lent, host, user);
      const hasFiles = (turn.details?.attachments ?? []).length > 0;
      const run =
        hasFiles && user !== undefined ? runWithLentFiles(turn, { user, log, start }) : start(turn);
      this.#runs.add(run);
      void run.result.then(() => this.#runs.delete(run));
      return run;
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      return endedRun(notReady(turnLog(log, turn), error));
    }
  }

  #run(turn: AgentTurn, host: TurnHost, user: ProgramUser | undefined): AcpRun {
    const { outputBytesMax: bytesMax, spec, known, clock } = this.#options;
    const log = turnLog(this.#options.log, turn);
    const loginCommand = knownLoginCommand(known, spec.argv);
    const folder = this.#folderOf(turn, user);
    const session = this.#sessionOf(turn, folder, user);
    const programs = this.#programs;
    const given = { turn, host, session, programs, bytesMax, loginCommand };
    const run = new AcpRun({ ...given, observer: this.#observer, clock, log });
    const over = run.over.then(() => this.#after(session, turn));
    this.#over.add(over);
    void over.then(() => this.#over.delete(over));
    void run.result.then(({ ok }) => {
      if (ok && session.tools?.wasListed === false) this.#notice({ kind: 'tools_ignored' });
    });
    return run;
  }

  async #after(session: AcpSession, turn: AgentTurn): Promise<void> {
    if (turn.session === undefined) await session.close();
  }

  #sessionOf(turn: AgentTurn, folder: string, user: ProgramUser | undefined): AcpSession {
    const id = turn.session?.id;
    const known = id === undefined ? undefined : this.#sessions.get(id);
    if (known !== undefined && known.folder === folder) return known;
    void known?.close();
    const { spec, host, known: inTable, openTools, clock, log } = this.#options;
    const session = new AcpSession({
      id: id ?? randomUUID(),
      isForOneTurn: id === undefined,
      folder,
      user,
      permissions: spec.permissions,
      askingModes: inTable?.askModes,
      openTools,
      observer: this.#observer,
      host: { ...host, onOwnerNotice: (notice) => this.#notice(notice) },
      clock,
      log,
    });
    if (id !== undefined) this.#keep(id, session);
    return session;
  }

  #keep(id: string, session: AcpSession): void {
    this.#sessions.set(id, session);
    if (this.#sessions.size <= SESSIONS_MAX) return;
    const old = [...this.#sessions].find(
      ([, one]) => one.nativeId === undefined && one !== session,
    );
    if (old !== undefined) this.#sessions.delete(old[0]);
  }

  #folderOf({ session }: AgentTurn, user: ProgramUser | undefined): string {
    const chosen = session?.folder ?? this.#options.spec.folder ?? user?.folder;
    if (chosen !== undefined) return chosen;
    const { ownFolder } = this.#options;
    try {
      mkdirSync(ownFolder, { recursive: true, mode: 0o700 });
    } catch (error) {
      // The turn finds no folder, and says so.
      if (!isSystemError(error)) throw error;
    }
    return ownFolder;
  }

  #notice(notice: OwnerNotice): void {
    if (this.#noticed.has(notice.kind)) return;
    this.#noticed.add(notice.kind);
    this.#options.host.onOwnerNotice(notice);
  }
}

function shownOption({ id, name, is, current, values }: SessionOption): SessionOption {
  return { id, name, is, current, values };
}

/** An agent that is a program: one process a turn. `Talk` is what it reads and writes. */
import { randomBytes } from 'node:crypto';
import { BridgeError } from '../core/errors.ts';
import { yieldToBridge } from './exec/niceness.ts';
import { startProgram } from './exec/start.ts';
import { endedRun, NOT_RUNNING } from './ended-run.ts';
import { isThrownBySystem, notReady, notStarted, startFailure } from './exec-failures.ts';
import { agentEnvironment, secretsIn } from './environment.ts';
import { readVariables } from './given-variables.ts';
import { runWithLentFiles } from './lent-files.ts';
import { RUN_MARK } from './program-group.ts';
import { findUser, type ProgramUser } from './program-user.ts';
import type { OutputFolder } from './output-folders.ts';
import type { AgentRun, AgentRuntime, AgentTurn, TurnHost } from './runtime.ts';
import type { TurnUpdate } from '../core/turn-update.ts';
import { type ExecOptions, ExecRun } from './exec/run.ts';

/** One process for each turn. Between turns nothing of the agent runs. */
export class ExecRuntime implements AgentRuntime {
  readonly #options: ExecOptions;
  readonly #runs = new Set<AgentRun>();
  #life: 'new' | 'started' | 'stopped' = 'new';
  /** As whom the program runs, if not as the user of the bridge; or why it can't. */
  #user: ProgramUser | BridgeError | undefined;

  constructor(options: ExecOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    if (this.#life !== 'new') return;
    this.#life = 'started';
    const { env, log, spec } = this.#options;
    const missing = (spec.variables ?? []).filter((name) => (env[name] ?? '') === '');
    if (missing.length > 0) {
      log.warn('agent_variables_not_set', {
        names: missing.join(' '),
        effect: 'its program runs without them',
        next: 'Set them in the environment of lark-bridge, or add the agent anew with --env-file.',
      });
    }
    await this.#findUser();
  }

  async stop(): Promise<void> {
    this.#life = 'stopped';
    const runs = [...this.#runs];
    for (const run of runs) run.cancel();
    await Promise.all(runs.map(({ result }) => result));
  }

  prompt(turn: AgentTurn, { onUpdate }: Pick<TurnHost, 'onUpdate'>): AgentRun {
    if (this.#life !== 'started') return endedRun(NOT_RUNNING);
    const user = this.#user;
    const hasFiles = (turn.details?.attachments ?? []).length > 0;
    const start = (lent: AgentTurn) => {
      const begun = this.#run(lent, onUpdate);
      void begun.result.then(() => this.#options.turnFiles?.remove(lent));
      return begun;
    };
    const run =
      hasFiles && user !== undefined && !(user instanceof BridgeError)
        ? runWithLentFiles(turn, { user, log: this.#options.log, start })
        : start(turn);
    this.#runs.add(run);
    void run.result.then(() => this.#runs.delete(run));
    return run;
  }

  /** A user who can't be found fails the turns, and each of them looks again for the next one. */
  async #findUser(): Promise<void> {
    const { user } = this.#options.spec;
    if (user === undefined) return;
    try {
      this.#user = await findUser(user);
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      this.#user = error;
    }
  }

  #run(turn: AgentTurn, onUpdate: (update: TurnUpdate) => void): AgentRun {
    const { spec, log } = this.#options;
    const mark = randomBytes(16).toString('hex');
    let folder: OutputFolder | undefined;
    try {
      const user = this.#programUser();
      folder = this.#options.outputs?.create(user);
      const { variables, secrets } = this.#surroundings(turn, { user, folder });
      const cgroup = this.#options.cgroups?.create();
      const env = { ...variables, [RUN_MARK]: mark };
      const { child, letGo, failure } = startProgram(spec.argv, {
        env,
        user,
        isHeld: cgroup !== undefined,
      });
      // Without open files left it does not even have pipes.
      if (child.pid === undefined) {
        folder?.remove();
        return notStarted(child, (error) => startFailure(log, turn, error));
      }
      yieldToBridge(child.pid);
      return new ExecRun(this.#options, turn, {
        child,
        pid: child.pid,
        letGo,
        failure,
        cgroup,
        mark,
        secrets,
        onUpdate,
        folder,
      });
    } catch (error) {
      folder?.remove();
      if (error instanceof BridgeError) return endedRun(notReady(log, turn, error));
      // Some failures to start are thrown, others come as an event. For the turn they are the same.
      if (!isThrownBySystem(error)) throw error;
      return endedRun(startFailure(log, turn, error));
    }
  }

  /** Throws a `BridgeError` if it can't be found. */
  #programUser(): ProgramUser | undefined {
    const user = this.#user;
    if (!(user instanceof BridgeError)) return user;
    void this.#findUser();
    throw user;
  }

  /** Throws a `BridgeError` if the program would not get what was chosen for it. */
  #surroundings(
    turn: AgentTurn,
    { user, folder }: { user: ProgramUser | undefined; folder: OutputFolder | undefined },
  ) {
    const { env, spec, turnFiles } = this.#options;
    const named = Object.fromEntries((spec.variables ?? []).map((name) => [name, env[name]]));
    const path = spec.variablesFile;
    const inFile = path === undefined ? {} : readVariables(path, user?.uid);
    const given = { ...named, ...inFile };
    const outputFolder = folder?.path;
    const file = turnFiles && { LARK_TURN_FILE: turnFiles.write(turn, user) };
    const known = agentEnvironment({ env, given, user: user?.variables, turn, outputFolder });
    const variables = { ...known, ...file };
    return { variables, secrets: secretsIn({ env: variables, given }) };
  }
}

/** An agent that is a program: one process a turn. `Talk` is what it reads and writes. */
import { BridgeError } from '../core/errors.ts';
import { endedRun, NOT_RUNNING } from './ended-run.ts';
import { isThrownBySystem, notReady, notStarted, startFailure } from './exec-failures.ts';
import { agentEnvironment, secretsIn } from './environment.ts';
import { givenVariables, warnOfMissing } from './given-variables.ts';
import { runWithLentFiles } from './lent-files.ts';
import { turnLog } from './turn-log.ts';
import { openProgram } from './program/running-program.ts';
import { type ProgramUser, UserOfProgram } from './program-user.ts';
import type { OutputFolder } from './output-folders.ts';
import type { AgentRun, AgentRuntime, AgentTurn, TurnHost } from './runtime.ts';
import type { TurnUpdate } from '../core/turn-update.ts';
import { type ExecOptions, ExecRun } from './exec/run.ts';

/** One process for each turn. Between turns nothing of the agent runs. */
export class ExecRuntime implements AgentRuntime {
  readonly #options: ExecOptions;
  readonly #runs = new Set<AgentRun>();
  #life: 'new' | 'started' | 'stopped' = 'new';
  readonly #user: UserOfProgram;

  constructor(options: ExecOptions) {
    this.#options = options;
    this.#user = new UserOfProgram(options.spec.user);
  }

  async start(): Promise<void> {
    if (this.#life !== 'new') return;
    this.#life = 'started';
    const { env, log, spec } = this.#options;
    warnOfMissing(spec, env, log);
    await this.#user.find();
  }

  async stop(): Promise<void> {
    this.#life = 'stopped';
    const runs = [...this.#runs];
    for (const run of runs) run.cancel();
    await Promise.all(runs.map(({ result }) => result));
  }

  prompt(turn: AgentTurn, { onUpdate }: Pick<TurnHost, 'onUpdate'>): AgentRun {
    if (this.#life !== 'started') return endedRun(NOT_RUNNING);
    const user = this.#user.found;
    const hasFiles = (turn.details?.attachments ?? []).length > 0;
    const start = (lent: AgentTurn) => {
      const begun = this.#run(lent, onUpdate);
      void begun.result.then(() => this.#options.turnFiles?.remove(lent));
      return begun;
    };
    const run =
      hasFiles && user !== undefined
        ? runWithLentFiles(turn, { user, log: this.#options.log, start })
        : start(turn);
    this.#runs.add(run);
    void run.result.then(() => this.#runs.delete(run));
    return run;
  }

  #run(turn: AgentTurn, onUpdate: (update: TurnUpdate) => void): AgentRun {
    const { spec } = this.#options;
    const log = turnLog(this.#options.log, turn);
    const options = { ...this.#options, log };
    let folder: OutputFolder | undefined;
    try {
      const user = this.#user.get();
      folder = this.#options.outputs?.create(user);
      const surroundings = this.#surroundings(turn, { user, folder });
      const { argv } = spec;
      const start = { argv, user, ...surroundings };
      const program = openProgram(start, options);
      if ('notStarted' in program) {
        folder?.remove();
        return notStarted(program.notStarted, (error) => startFailure(log, error));
      }
      return new ExecRun(options, turn, { program, onUpdate, folder });
    } catch (error) {
      folder?.remove();
      if (error instanceof BridgeError) return endedRun(notReady(log, error));
      // Some failures to start are thrown, others come as an event. For the turn they are the same.
      if (!isThrownBySystem(error)) throw error;
      return endedRun(startFailure(log, error));
    }
  }

  /** Throws a `BridgeError` if the program would not get what was chosen for it. */
  #surroundings(
    turn: AgentTurn,
    { user, folder }: { user: ProgramUser | undefined; folder: OutputFolder | undefined },
  ) {
    const { env, spec, turnFiles } = this.#options;
    const given = givenVariables(spec, { env, owner: user?.uid });
    const outputFolder = folder?.path;
    const file = turnFiles && { LARK_TURN_FILE: turnFiles.write(turn, user) };
    const known = agentEnvironment({ env, given, user: user?.variables, turn, outputFolder });
    const variables = { ...known, ...file };
    return { variables, secrets: secretsIn({ env: variables, given }) };
  }
}

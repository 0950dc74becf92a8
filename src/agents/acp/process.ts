/** One program of an agent that speaks the protocol, with the sessions that live in it. */
import { homedir } from 'node:os';
import type { Json } from '../../core/json-object.ts';
import { shortened } from '../../text/cut.ts';
import { waitAtMost } from '../../time/wait.ts';
import { failureSentence } from '../../wire/failure-sentences.ts';
import { agentEnvironment, type Environment, secretsIn } from '../environment.ts';
import type { KnownAgent } from '../known-agents.ts';
import { isThrownBySystem, notReady, startFailure } from '../exec-failures.ts';
import { BridgeError } from '../../core/errors.ts';
import { givenVariables } from '../given-variables.ts';
import { checkProgram, STANDARD_PATH } from '../program-check.ts';
import type { ProgramUser } from '../program-user.ts';
import {
  AGENT_TAIL_BYTES_MAX,
  openProgram,
  type ProgramSurroundings,
  type RunningProgram,
} from '../program/running-program.ts';
import type { FailedResult, AcpSpec } from '../runtime.ts';
import { Tail } from '../tail.ts';
import {
  type Abilities,
  abilitiesIn,
  type AgentIdentity,
  identityIn,
  loginCommandIn,
  OUR_ABILITIES,
} from './abilities.ts';
import { type AgentCalls, AcpConnection } from './connection.ts';
import { SessionCalls, type SessionSink } from './session-calls.ts';
import { AcpTrouble } from './trouble.ts';

/** Agents that are written in Node and read their settings over a slow disk take up to 10 s. */
const READY_MS_MAX = 60_000;
/** How long a program may take to end by itself. Agents take up to 2 s. */
const END_MS_MAX = 3_000;
const CLOSE_SESSION_MS_MAX = 1_000;
/** How long output that a program wrote before its end may take to arrive. */
const DRAIN_MS = 500;
/** How long the end of a program may come after the end of its output. */
const EXIT_MS_MAX = 2_000;
/** Noise is logged up to this number of lines a program, so that it does not fill the log. */
const NOISE_LOGGED_MAX = 5;
const NOISE_LOGGED_CHARS_MAX = 200;
/** What programs print that the Node which they got is too old, or too new, for. */
const NEEDS_NODE =
  /requires? (?:a )?node|node(?:\.js)? (?:version )?v?\d+[^\n]*(?:required|not supported|or (?:higher|newer|later))|unsupported (?:engine|node)|ERR_UNKNOWN_BUILTIN_MODULE|No such built-in module|does not provide an export named/i;

export interface ProcessParts extends ProgramSurroundings {
  readonly spec: AcpSpec;
  readonly known?: KnownAgent | undefined;
  /** The bridge's own environment. */
  readonly env: Environment;
  readonly user: ProgramUser | undefined;
  readonly folder: string;
}

type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export class AcpProcess {
  /** Resolves when nothing of it is left. */
  readonly gone: Promise<void>;
  readonly #parts: ProcessParts;
  readonly #program: RunningProgram;
  readonly #connection: AcpConnection;
  readonly #calls = new SessionCalls();
  readonly #noise = new Tail(AGENT_TAIL_BYTES_MAX);
  readonly #stderr = new Tail(AGENT_TAIL_BYTES_MAX);
  readonly #exited: Promise<Exit | Error>;
  /** Resolves when it has exited and all its output was read. */
  readonly #closed: Promise<unknown>;
  #noiseLines = 0;
  #abilities: Abilities = abilitiesIn({});
  #login: string | undefined;
  #identity: AgentIdentity = { name: undefined, version: undefined };
  #isEnding = false;
  #wasKilled = false;
  #groupEnded: Promise<void> | undefined;
  #tellGone: () => void = () => {};

  constructor(parts: ProcessParts, program: RunningProgram) {
    this.#parts = parts;
    this.#program = program;
    const { child } = program;
    this.gone = new Promise((resolve) => {
      this.#tellGone = resolve;
    });
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
      child.once('error', resolve);
    });
    this.#closed = new Promise((resolve) => {
      child.once('close', resolve);
      child.once('error', resolve);
    });
    child.stderr.on('data', (chunk: Buffer) => this.#stderr.add(chunk));
    const calls: AgentCalls = {
      onUpdate: (nativeId, update) => this.#calls.update(nativeId, update),
      onPermission: (request, signal) => this.#calls.permission(request, signal),
      onElicitation: (request, signal) => this.#calls.elicitation(request, signal),
      onSign: (nativeId) => this.#calls.sign(nativeId),
      onNoise: (text) => this.#takeNoise(text),
    };
    this.#connection = new AcpConnection({ ...calls, child, clock: parts.clock });
    void this.#exited.then(() => this.#afterExit());
    void this.#connection.closed.then(() => this.#endGroup({ atOnce: false }));
  }

  get abilities(): Abilities {
    return this.#abilities;
  }

  /** It can be asked. */
  get isAlive(): boolean {
    return !this.#isEnding && this.#groupEnded === undefined;
  }

  /** It was ended by the bridge, whoever was at work in it. */
  get wasKilled(): boolean {
    return this.#wasKilled;
  }

  /** What the agent calls itself. */
  get identity(): AgentIdentity {
    return this.#identity;
  }

  /** The command that logs in, as the agent itself names it. */
  get loginCommand(): string | undefined {
    return this.#login;
  }

  /** Throws an `AcpTrouble`. */
  async start(): Promise<void> {
    const { log } = this.#parts;
    try {
      await this.#connection.open();
      const answer = await this.request('initialize', OUR_ABILITIES, READY_MS_MAX);
      const version = answer['protocolVersion'];
      if (version !== OUR_ABILITIES.protocolVersion) {
        throw new AcpTrouble({ kind: 'other_version', version: String(version) });
      }
      this.#abilities = abilitiesIn(answer);
      this.#login = loginCommandIn(answer, this.#parts.spec.argv);
      this.#identity = identityIn(answer);
      log.info('agent_program_started', { pid: this.#program.pid, ...this.#identity });
    } catch (error) {
      const isGone = error instanceof AcpTrouble && error.trouble.kind === 'gone';
      if (!isGone) this.kill();
      await this.gone;
      if (!isGone) throw error;
      throw new AcpTrouble({ kind: 'not_started', result: await this.exitResult() });
    }
  }

  /** Throws an `AcpTrouble`. What the agent says in it has none of the secrets that it was given. */
  async request(method: string, params: Json, timeoutMs?: number): Promise<Json> {
    const limit = timeoutMs === undefined ? {} : { timeoutMs };
    try {
      return await this.#connection.request(method, params, limit);
    } catch (error) {
      if (!(error instanceof AcpTrouble) || error.trouble.kind !== 'refused') throw error;
      const { said, detail = '' } = error.trouble;
      const masked = { said: this.#program.masked(said), detail: this.#program.masked(detail) };
      throw new AcpTrouble({ ...error.trouble, ...masked });
    }
  }

  notify(method: string, params: Json): void {
    this.#connection.notify(method, params);
  }

  /** What the agent says of a session goes to `sink` from now on, also what it has said already. */
  attach(nativeId: string, sink: SessionSink): void {
    this.#calls.attach(nativeId, sink);
  }

  forget(nativeId: string): void {
    this.#calls.detach(nativeId);
  }

  holds(nativeId: string): boolean {
    return this.#calls.holds(nativeId);
  }

  /** Nobody needs the session any more. */
  async detach(nativeId: string): Promise<void> {
    this.#calls.detach(nativeId);
    if (!this.#abilities.close || !this.isAlive) return;
    try {
      await this.request('session/close', { sessionId: nativeId }, CLOSE_SESSION_MS_MAX);
    } catch (error) {
      // It ends with its program at the latest.
      if (!(error instanceof AcpTrouble)) throw error;
    }
  }

  /** Which of its processes have begun since a time of `ProgramGroup.now`. */
  startedSince(time: number): Promise<readonly number[]> {
    return this.#program.group.startedSince(time);
  }

  /** Lets it end by itself, and ends what does not. Resolves when nothing is left. Never rejects. */
  async end({ atMostMs = END_MS_MAX }: { readonly atMostMs?: number } = {}): Promise<void> {
    if (!this.isAlive) return this.gone;
    this.#isEnding = true;
    const { clock } = this.#parts;
    this.#program.child.stdin.end();
    await waitAtMost(clock, this.#exited, atMostMs);
    this.#endGroup({ atOnce: atMostMs < END_MS_MAX });
    return this.gone;
  }

  /** Ends it now, whoever is at work in it. */
  kill(): void {
    if (this.#groupEnded !== undefined) return;
    this.#wasKilled = true;
    this.#connection.close({ kind: 'gone' });
    this.#endGroup({ atOnce: false });
  }

  /** How a turn ends whose program has ended by itself. */
  async exitResult(): Promise<FailedResult> {
    const { log, clock } = this.#parts;
    await waitAtMost(clock, this.#closed, EXIT_MS_MAX);
    const exit = await Promise.race([this.#exited, Promise.resolve(undefined)]);
    const stderr = this.#stderr.text();
    if (exit instanceof Error) return startFailed(this.#parts, exit);
    const failure = this.#program.failure(exitCodeOf(exit), stderr);
    if (failure !== undefined) return startFailed(this.#parts, failure);
    const detail = NEEDS_NODE.test(stderr)
      ? failureSentence('program_needs_node')
      : exitSentence(exit);
    const output = {
      stdout: this.#program.shown(this.#noise),
      stderr: this.#program.shown(this.#stderr),
    };
    log.debug('agent_program_failed', { detail, ...output });
    const exitCode = exitCodeOf(exit);
    const ended = exitCode === null ? {} : { exitCode };
    return { ok: false, reason: 'failed', detail, output, ...ended };
  }

  #afterExit(): void {
    const { clock } = this.#parts;
    const { child } = this.#program;
    this.#endGroup({ atOnce: false });
    // A process that it started in the background may hold its output open for ever.
    clock.after(DRAIN_MS, () => {
      child.stdout.destroy();
      child.stderr.destroy();
    });
  }

  #endGroup({ atOnce }: { readonly atOnce: boolean }): void {
    this.#groupEnded ??= this.#program.endRest({ atOnce }).then(() => {
      this.#connection.close({ kind: 'gone' });
      this.#tellGone();
    });
  }

  #takeNoise(text: string): void {
    this.#noise.add(Buffer.from(`${text}\n`));
    this.#noiseLines += 1;
    if (this.#noiseLines > NOISE_LOGGED_MAX) return;
    const shown = shortened(this.#program.masked(text), NOISE_LOGGED_CHARS_MAX);
    this.#parts.log.warn('agent_line_left_out', { line: shown });
  }
}

/** Starts a program, which is not asked anything yet. Throws an `AcpTrouble` if it can't be started. */
export async function openProcess(parts: ProcessParts): Promise<AcpProcess> {
  const { spec, user, folder, log } = parts;
  try {
    const chosen = givenVariables(spec, { env: parts.env, owner: user?.uid });
    const variables = variablesFor(parts, chosen);
    const secrets = secretsIn({ env: variables, given: chosen });
    const start = { argv: spec.argv, variables, secrets, user, folder };
    const program = openProgram(start, parts);
    if (!('notStarted' in program)) return new AcpProcess(parts, program);
    const { notStarted: child } = program;
    const error = await new Promise<Error>((resolve) => child.once('error', resolve));
    throw notStarted(startFailed(parts, error));
  } catch (error) {
    if (error instanceof BridgeError) throw notStarted(notReady(log, error));
    if (!isThrownBySystem(error)) throw error;
    throw notStarted(startFailed(parts, error));
  }
}

/** Nothing of the message is in them: the program works for others too. What a person chose counts most. */
function variablesFor(
  { env, user, spec, known }: ProcessParts,
  chosen: Environment,
): Record<string, string> {
  const asking = spec.permissions === 'ask' ? known?.askVariables : undefined;
  const given = { ...known?.variables, ...asking, ...chosen };
  const all = agentEnvironment({
    env: { ...env, ...spec.places },
    given,
    user: user?.variables,
    turn: { lark: undefined },
  });
  return { PATH: STANDARD_PATH, HOME: homedir(), LANG: 'C.UTF-8', ...all };
}

function notStarted(result: FailedResult): AcpTrouble {
  return new AcpTrouble({ kind: 'not_started', result });
}

/** The operator is told what is wrong with the file of the program, if that can be seen. */
function startFailed(parts: ProcessParts, error: Error): FailedResult {
  const { spec, env, log } = parts;
  const result = startFailure(log, error);
  const problem = checkProgram(spec.argv[0] ?? '', env);
  if (problem === undefined) return result;
  return { ...result, output: { stdout: '', stderr: `${problem.what}\n${problem.next}` } };
}

function exitCodeOf(exit: Exit | undefined): number | null {
  return exit?.code ?? null;
}

function exitSentence(exit: Exit | undefined): string {
  if (exit?.signal != null) return failureSentence('program_signal', exit.signal);
  const code = exitCodeOf(exit);
  return code === null || code === 0
    ? failureSentence('program_ended_early')
    : failureSentence('program_exit_code', String(code));
}

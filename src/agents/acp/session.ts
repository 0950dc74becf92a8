/** The memory of an agent for one conversation, and where it lives now. */
import type { Json } from '../../core/json-object.ts';
import type { Log } from '../../core/log.ts';
import type { ProgramUser } from '../program-user.ts';
import type { Clock } from '../../time/clock.ts';
import { NEVER, pause, untilAborted } from '../../time/wait.ts';
import { BridgeError } from '../../core/errors.ts';
import type { RuntimeHost, TurnSession } from '../runtime.ts';
import { DECLINED } from './elicitation.ts';
import { type AgentOption, askingMode, optionsAfter, optionsIn } from './options.ts';
import { optionsOf, permissionOutcome } from './permission.ts';
import type { AcpObserver, Memory } from './observer.ts';
import type { AcpProcess } from './process.ts';
import type { SessionSink } from './session-calls.ts';
import type { OpenTools, SessionTools } from './tools-port.ts';
import { AcpTrouble, AUTH_REQUIRED } from './trouble.ts';
import { blockText } from './updates.ts';

/** A new session with servers of tools takes agents up to 8 s. */
const NEW_MS_MAX = 60_000;
/** Agents read a long history before they answer. */
const LOAD_MS_MAX = 90_000;
const SET_MS_MAX = 30_000;
/** What an agent says so soon after the end of a turn belongs to that turn, and not to the next one. */
const LATE_MS = 500;
/** Text after a turn, such as a report of work in the background. */
const LATE_CHARS_MAX = 100_000;

interface SessionParts {
  /** The bridge's id of it. */
  readonly id: string;
  /** Nobody can be shown what it says after its turn. */
  readonly isForOneTurn: boolean;
  readonly folder: string;
  readonly user: ProgramUser | undefined;
  readonly permissions: 'ask' | 'auto';
  /** The modes of a known agent that ask, the best first. */
  readonly askingModes: readonly string[] | undefined;
  readonly openTools: OpenTools | undefined;
  readonly observer: AcpObserver;
  readonly host: RuntimeHost;
  readonly clock: Clock;
  readonly log: Log;
}

export class AcpSession {
  readonly #parts: SessionParts;
  #program: AcpProcess | undefined;
  #nativeId: string | undefined;
  #options: readonly AgentOption[] = [];
  #tools: SessionTools | undefined;
  #turn: SessionSink | undefined;
  #isReplaying = false;
  #busy: Promise<unknown> = Promise.resolve();
  #late = '';
  #cancelLate: () => void = () => {};
  #promptedUntilMs: number | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  get id(): string {
    return this.#parts.id;
  }

  get folder(): string {
    return this.#parts.folder;
  }

  /** The agent's own id of it. Undefined: it does not live. */
  get nativeId(): string | undefined {
    return this.#program?.isAlive === true ? this.#nativeId : undefined;
  }

  get options(): readonly AgentOption[] {
    return this.#options;
  }

  get tools(): SessionTools | undefined {
    return this.#tools;
  }

  /** One turn at a time. The returned function ends it. */
  async enter(): Promise<() => void> {
    const before = this.#busy;
    const left = new AbortController();
    this.#busy = untilAborted(left.signal);
    await before;
    return () => left.abort();
  }

  /**
   * Makes it live in a program: as it lives there already, else taken up, else begun. Throws an `AcpTrouble`. With
   * `afresh` nothing is taken up.
   */
  async open(
    program: AcpProcess,
    {
      session,
      afresh,
      keep,
    }: {
      readonly session: TurnSession | undefined;
      readonly afresh: boolean;
      readonly keep: (nativeId: string) => Promise<void>;
    },
  ): Promise<Memory> {
    if (this.#program === program && this.nativeId !== undefined) return 'kept';
    this.#program = program;
    this.#nativeId = undefined;
    this.#promptedUntilMs = undefined;
    this.#tools ??= this.#parts.openTools?.(this.#parts);
    const stored = session?.nativeId;
    const answer = stored === undefined || afresh ? undefined : await this.#takeUp(stored);
    if (answer === undefined) {
      await this.#begin(program, afresh && stored !== undefined ? () => Promise.resolve() : keep);
    }
    if (this.#parts.permissions === 'ask') await this.#askFirst();
    for (const [option, value] of Object.entries(session?.choices ?? {})) {
      await this.#tryToSet(option, value);
    }
    const begun = stored === undefined ? 'begun' : 'lost';
    const memory = answer === undefined ? begun : 'kept';
    this.#parts.observer.sessionOpened(memory);
    return memory;
  }

  /** What the agent says and asks belongs to this turn from now on. */
  beginTurn(turn: SessionSink): void {
    this.#turn = turn;
    // Another conversation may have had this memory meanwhile.
    if (this.#nativeId !== undefined) this.#program?.attach(this.#nativeId, this.#sink());
  }

  endTurn(): void {
    this.#turn = undefined;
    this.#promptedUntilMs = this.#parts.clock.nowMs();
  }

  /** What the agent still has to say of its last turn is heard before the next one begins. */
  async settleLate(): Promise<void> {
    const { clock } = this.#parts;
    if (this.#promptedUntilMs !== undefined) {
      const leftMs = this.#promptedUntilMs + LATE_MS - clock.nowMs();
      // A clock that was set back makes no longer wait.
      if (leftMs > 0) await pause(clock, NEVER, Math.min(leftMs, LATE_MS));
    }
    this.#tellLate();
  }

  /** Rejects if the agent refuses. */
  async choose(option: string, value: string): Promise<void> {
    if (this.nativeId === undefined) return;
    try {
      await this.#set(option, value);
    } catch (error) {
      if (!(error instanceof AcpTrouble)) throw error;
      throw new BridgeError('failed', `the agent did not take ${value} for ${option}`, {
        next: 'See what can be chosen, and choose another value.',
        cause: error,
      });
    }
  }

  /** Nobody needs it any more. */
  async close(): Promise<void> {
    const nativeId = this.nativeId;
    const program = this.#program;
    this.#program = undefined;
    this.#tellLate();
    this.#tools?.close();
    this.#tools = undefined;
    if (nativeId !== undefined) await program?.detach(nativeId);
  }

  /** Undefined: the agent can't, so a new one has to be begun. */
  async #takeUp(nativeId: string): Promise<Json | undefined> {
    const program = this.#program;
    if (program === undefined) return undefined;
    // It lives there already. To load it again would leave what it has started.
    if (program.holds(nativeId)) return this.#live(nativeId, {});
    const { resume, load } = program.abilities;
    const ways = [...(resume ? ['session/resume'] : []), ...(load ? ['session/load'] : [])];
    for (const method of ways) {
      // It tells its history meanwhile, which people have seen.
      this.#isReplaying = true;
      program.attach(nativeId, this.#sink());
      try {
        const answer = await program.request(
          method,
          { sessionId: nativeId, ...(await this.#place()) },
          LOAD_MS_MAX,
        );
        return this.#live(nativeId, answer);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        program.forget(nativeId);
        this.#parts.log.warn('agent_session_not_taken_up', {
          session: this.id,
          method,
          error: error.message,
        });
      } finally {
        this.#isReplaying = false;
      }
    }
    return undefined;
  }

  async #begin(program: AcpProcess, keep: (nativeId: string) => Promise<void>): Promise<void> {
    const answer = await program.request('session/new', await this.#place(), NEW_MS_MAX);
    const nativeId = answer['sessionId'];
    if (typeof nativeId !== 'string') {
      throw new AcpTrouble({ kind: 'refused', code: 0, said: 'it gave no id of the session' });
    }
    this.#live(nativeId, answer);
    await keep(nativeId);
  }

  #live(nativeId: string, answer: Json): Json {
    // What it told before its answer is older than the answer.
    this.#program?.attach(nativeId, this.#sink());
    this.#nativeId = nativeId;
    this.#options = optionsIn(answer) ?? this.#options;
    return answer;
  }

  async #place(): Promise<Json> {
    const { folder: cwd } = this.#parts;
    const abilities = this.#program?.abilities.tools ?? { http: false };
    return { cwd, mcpServers: (await this.#tools?.servers(abilities)) ?? [] };
  }

  /** Sets the mode that asks a person before the agent acts. */
  async #askFirst(): Promise<void> {
    const mode = this.#options.find(({ is }) => is === 'mode');
    const asking = mode && askingMode(mode, this.#parts.askingModes);
    const isSet = asking !== undefined && (await this.#tryToSet(mode?.id ?? '', asking));
    if (!isSet) {
      this.#parts.host.onOwnerNotice({ kind: 'mode_unknown', mode: mode?.current ?? '' });
    }
  }

  async #tryToSet(option: string, value: string): Promise<boolean> {
    try {
      await this.#set(option, value);
      return true;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const { log } = this.#parts;
      log.warn('agent_option_not_set', { session: this.id, option, error: error.message });
      return false;
    }
  }

  async #set(option: string, value: string): Promise<void> {
    const known = this.#options.find(({ id }) => id === option);
    const sessionId = this.#nativeId;
    if (known === undefined || !known.values.some(({ id }) => id === value)) {
      throw new AcpTrouble({ kind: 'refused', code: 0, said: `it has no ${option} ${value}` });
    }
    if (known.from === 'modes') {
      await this.#program?.request('session/set_mode', { sessionId, modeId: value }, SET_MS_MAX);
    } else {
      const chosen = known.isBoolean ? { type: 'boolean', value: value === 'true' } : { value };
      const params = { sessionId, configId: option, ...chosen };
      const answer = await this.#program?.request('session/set_config_option', params, SET_MS_MAX);
      this.#options = optionsIn(answer ?? {}) ?? this.#options;
    }
    this.#options = this.#options.map((one) =>
      one.id === option ? { ...one, current: value } : one,
    );
  }

  #sink(): SessionSink {
    const program = this.#program;
    return {
      onUpdate: (update) => {
        if (program === this.#program) this.#take(update);
      },
      onPermission: (request, signal) =>
        this.#turn?.onPermission(request, signal) ?? Promise.resolve(refused(request)),
      onElicitation: (request, signal) =>
        this.#turn?.onElicitation(request, signal) ?? Promise.resolve(DECLINED),
      onSign: () => this.#turn?.onSign(),
    };
  }

  #take(update: Json): void {
    this.#options = optionsAfter(this.#options, update);
    if (this.#isReplaying) return;
    if (this.#turn !== undefined) this.#turn.onUpdate(update);
    else if (update['sessionUpdate'] === 'agent_message_chunk') {
      this.#takeLate(blockText(update['content']));
    }
  }

  #takeLate(text: string): void {
    if (this.#late.length + text.length > LATE_CHARS_MAX) return;
    this.#late += text;
    this.#cancelLate();
    this.#cancelLate = this.#parts.clock.after(LATE_MS, () => this.#tellLate());
  }

  #tellLate(): void {
    this.#cancelLate();
    const text = this.#late.trim();
    this.#late = '';
    if (text === '') return;
    const { host, log, isForOneTurn } = this.#parts;
    if (isForOneTurn) log.info('agent_late_text_dropped', { chars: text.length });
    else host.onLateText(this.id, text);
  }
}

/** Nobody is there to be asked. */
function refused(request: Json): Json {
  return permissionOutcome(optionsOf(request), { kind: 'expired' });
}

/** The agent said no, and a login would not change that. */
function isRefusal(error: unknown): error is AcpTrouble {
  if (!(error instanceof AcpTrouble) || error.trouble.kind !== 'refused') return false;
  return error.trouble.code !== AUTH_REQUIRED;
}

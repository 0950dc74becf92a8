/** A hub on a real SQLite file and a loopback port, with agents that the test holds in its hands. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { HubStore } from '../../../src/hub/ports/store.ts';
import type {
  AgentResult,
  AgentRun,
  AgentRuntime,
  AgentTurn,
  CreateRuntime,
  RunnableSpec,
} from '../../../src/agents/runtime.ts';
import type { PageAnswer } from '../../../src/net/pages.ts';
import { Directory } from '../../../src/hub/domain/directory.ts';
import { Hub, type HubOptions } from '../../../src/hub/hub.ts';
import type { QuestionAnswer, TurnUpdate } from '../../../src/core/turn-update.ts';
import { workspaceId } from '../../../src/core/ids.ts';
import { Secret } from '../../../src/core/secret.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { SqliteHubStore } from '../../../src/store/sqlite/hub/hub-store.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { patientClock } from '../../kit/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { recordingLog } from '../../kit/log.ts';

/** A started run of an agent that answers when the test says so. */
export interface HeldRun {
  readonly turn: AgentTurn;
  cancelled: boolean;
  /** The answers to its questions, by their ids. */
  readonly answers: [string, QuestionAnswer][];
  tell(update: TurnUpdate): void;
  finish(result: AgentResult): void;
  answer(text: string): void;
}

/** A runtime that the hub has made. */
export interface HeldRuntime extends AgentRuntime {
  readonly spec: RunnableSpec;
  starts: number;
  stops: number;
}

/** Agents of every kind are the test's: they end when it says so, or at once by `answerWith`. */
export class HeldAgents {
  readonly runs: HeldRun[] = [];
  readonly runtimes: HeldRuntime[] = [];
  /** Set: every turn is answered at once. */
  answerWith: ((turn: AgentTurn) => AgentResult) | undefined;
  /** What the start of a runtime does. */
  startWith: () => Promise<void> = () => Promise.resolve();
  /** False: a cancelled run goes on, as a bad agent's would. */
  obeysCancel = true;
  most = 0;
  #open = 0;

  readonly create: CreateRuntime = (spec) => {
    const runtime: HeldRuntime = {
      spec,
      starts: 0,
      stops: 0,
      start: () => {
        runtime.starts += 1;
        return this.startWith();
      },
      stop: () => {
        runtime.stops += 1;
        return Promise.resolve();
      },
      prompt: (turn, host) => this.#begin(turn, host.onUpdate),
    };
    this.runtimes.push(runtime);
    return runtime;
  };

  #begin(turn: AgentTurn, tell: (update: TurnUpdate) => void): AgentRun {
    let settle: (result: AgentResult) => void = () => {};
    const result = new Promise<AgentResult>((resolve) => {
      settle = resolve;
    }).finally(() => {
      this.#open -= 1;
    });
    this.#open += 1;
    this.most = Math.max(this.most, this.#open);
    const run: HeldRun = {
      turn,
      cancelled: false,
      answers: [],
      tell,
      finish: settle,
      answer: (text) => settle({ ok: true, text }),
    };
    this.runs.push(run);
    if (this.answerWith !== undefined) run.finish(this.answerWith(turn));
    const cancel = () => {
      run.cancelled = true;
      if (this.obeysCancel) {
        settle({ ok: false, reason: 'cancelled', detail: 'The turn was cancelled.' });
      }
    };
    const answer = (id: string, given: QuestionAnswer) => {
      run.answers.push([id, given]);
      return true;
    };
    return { result, cancel, answer };
  }
}

/** The bridge elsewhere that the hub was told of. */
const BRIDGE_ID = workspaceId('b1b2b3b4-0000-4000-8000-00000000b41d');

export const PROVISION_TOKEN = 'lpt_for-tests';

export interface Account {
  readonly id: string;
  readonly token: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // The shape is what the tests are about.
  // eslint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

export class Rig {
  readonly path: string;
  readonly agents = new HeldAgents();
  readonly log = recordingLog();
  db: Db;
  store: HubStore;
  hub: Hub;
  directory: Directory;
  readonly #options: Partial<HubOptions>;
  #life = { over: false };
  #bridge: Promise<Account> | undefined;

  private constructor(path: string, options: Partial<HubOptions>) {
    this.path = path;
    this.#options = options;
    this.db = Db.open(path, this.log);
    this.store = mortal(new SqliteHubStore(this.db), this.#life);
    this.hub = this.#createHub();
    this.directory = new Directory(this.store, systemClock);
  }

  static async start(options: Partial<HubOptions> = {}): Promise<Rig> {
    const rig = new Rig(join(temporaryFolder(), 'bridge.db'), options);
    onTestFinished(async () => {
      // Some may begin only now.
      rig.agents.answerWith = () => ({ ok: true, text: 'the test is over' });
      for (const run of rig.agents.runs) run.answer('the test is over');
      await rig.hub.stop();
      rig.db.close();
    });
    await rig.hub.start();
    return rig;
  }

  /** A new process on the same file, after a clean stop or after a death that left no time for one. */
  async restart({ clean }: { clean: boolean }): Promise<void> {
    if (clean) await this.hub.stop();
    else {
      this.#life.over = true;
      // Only frees its port: what it waits for never comes, as for the dead.
      void this.hub.stop();
    }
    this.db.close();
    this.agents.runs.length = 0;
    this.db = Db.open(this.path, this.log);
    this.#life = { over: false };
    this.store = mortal(new SqliteHubStore(this.db), this.#life);
    this.directory = new Directory(this.store, systemClock);
    this.hub = this.#createHub();
    await this.hub.start();
  }

  #createHub(): Hub {
    return new Hub({
      host: '127.0.0.1',
      port: 0,
      log: this.log,
      clock: patientClock,
      createRuntime: this.agents.create,
      bridges: [BRIDGE_ID],
      provisionToken: async () => new Secret(PROVISION_TOKEN),
      turnTimeoutMs: 60_000,
      maxRunning: 8,
      onInterrupted: 'rerun',
      pages: { '/health': { render: () => jsonPage(200, { status: 'ok' }) } },
      ...this.#options,
      store: this.store,
    });
  }

  /** The account of a bridge elsewhere, as it makes it itself. The hub was told of this one. */
  bridge(): Promise<Account> {
    this.#bridge ??= this.register(BRIDGE_ID);
    return this.#bridge;
  }

  /** The account of anybody who knows the provision token. */
  async register(id: string = randomUUID()): Promise<Account> {
    const body = { id, agent_card: { name: 'lark-bridge' }, delivery_mode: 'poll' };
    const registered = await this.call('POST', '/registry/register', {
      token: PROVISION_TOKEN,
      body,
    });
    return { id, token: String(registered.body.auth_token) };
  }

  async addAgent(name: string, kind: 'exec' | 'external' = 'exec'): Promise<Account> {
    const spec = kind === 'exec' ? { kind, argv: ['true'] } : { kind };
    const { workspaceId: id, apiKey } = await this.directory.addAgent({ name, spec });
    return { id, token: apiKey.reveal() };
  }

  async call(
    method: string,
    path: string,
    options: {
      token?: string;
      as?: string;
      prefer?: string;
      body?: unknown;
      signal?: AbortSignal;
    } = {},
  ): Promise<Answer> {
    const { token, as, prefer, body, signal } = options;
    const response = await fetch(this.hub.address + path, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(as === undefined ? {} : { 'X-Workspace-ID': as }),
        ...(prefer === undefined ? {} : { Prefer: prefer }),
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    };
  }

  send(
    from: Account,
    to: string,
    message: MessageOptions = {},
    more: { prefer?: string; signal?: AbortSignal } = {},
  ): Promise<Answer> {
    return this.call('POST', `/workspaces/${to}/a2a`, {
      token: from.token,
      as: from.id,
      body: requestOf(message),
      ...more,
    });
  }

  item(from: Account, target: string, queueId: string, waitSecs?: number): Promise<Answer> {
    const query = waitSecs === undefined ? '' : `?wait_secs=${waitSecs}`;
    return this.call('GET', `/workspaces/${target}/a2a/queue/${queueId}${query}`, {
      token: from.token,
      as: from.id,
    });
  }

  inbox(of: Account, query = ''): Promise<Answer> {
    const path = `/workspaces/${of.id}/activity?type=a2a_receive${query}`;
    return this.call('GET', path, { token: of.token });
  }
}

export function jsonPage(status: number, body: unknown): PageAnswer {
  return { status, contentType: 'application/json', body: JSON.stringify(body) };
}

/** A store whose calls neither do anything nor come back once its process is dead. */
function mortal(store: HubStore, life: { readonly over: boolean }): HubStore {
  return new Proxy(store, {
    get: (target, name: keyof HubStore) => {
      const member = target[name];
      if (typeof member !== 'function') return member;
      const method = member as (...values: unknown[]) => unknown;
      return (...values: unknown[]) =>
        life.over ? new Promise(() => {}) : method.apply(target, values);
    },
  });
}

export interface MessageOptions {
  readonly text?: string;
  readonly messageId?: string;
  readonly contextId?: string;
  readonly metadata?: Record<string, unknown>;
  readonly expiresInSecs?: number;
  readonly answers?: string;
}

export function requestOf(options: MessageOptions) {
  const { text = 'hello', messageId = randomUUID(), contextId, metadata, answers } = options;
  return {
    jsonrpc: '2.0',
    id: 'request-1',
    method: 'message/send',
    params: {
      message: {
        role: 'user',
        messageId,
        parts: [{ kind: 'text', text }],
        ...(contextId === undefined ? {} : { contextId }),
        ...(answers === undefined ? {} : { referenceTaskIds: [answers] }),
      },
      ...(metadata === undefined ? {} : { metadata }),
      ...(options.expiresInSecs === undefined ? {} : { expires_in_seconds: options.expiresInSecs }),
    },
  };
}

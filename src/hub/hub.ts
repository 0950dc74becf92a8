/** The embedded hub: an HTTP server for the turn contract, and the agents that it runs itself. */
import type { AddressInfo } from 'node:net';
import { BridgeError, errorText } from '../core/errors.ts';
import type { WorkspaceId } from '../core/ids.ts';
import type { LarkOutlet } from './ports/lark-sends.ts';
import type { SessionAudience } from './ports/sessions.ts';
import type { HubStore } from './ports/store.ts';
import type { AgentResult, CreateRuntime } from '../agents/runtime.ts';
import { AgentWatch } from './domain/agent-watch.ts';
import type { AgentRecord } from './ports/agents.ts';
import type { Service } from '../time/service.ts';
import type { Pages } from '../net/pages.ts';
import type { Secret } from '../core/secret.ts';
import type { Server } from './surfaces/turn-contract/server.ts';
import { Dispatcher, type InterruptedPolicy } from './domain/dispatcher.ts';
import { SessionChoices } from './domain/session-choices.ts';
import { Settlements } from './domain/settlements.ts';
import { createToken } from './domain/tokens.ts';
import { Turns } from './domain/turns.ts';
import { Upkeep } from './domain/upkeep.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

export interface HubOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tls?: { readonly certPem: string; readonly keyPem: string };
  /** `*`, or origins separated by commas. Without it browsers of other origins are refused. */
  readonly corsOrigin?: string;
  /** Host names by which the hub is called, besides `localhost` and all addresses. */
  readonly names?: readonly string[];
  /** Workspaces elsewhere that may say that a turn comes from Lark, as the bridge of this process may. */
  readonly bridges?: readonly WorkspaceId[];
  /** Requests a second for each caller address. Without it there is no limit. */
  readonly rateLimit?: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly store: HubStore;
  readonly createRuntime: CreateRuntime;
  /** Called before any agent is started. */
  readonly beforeAgents?: () => Promise<void>;
  /** The token with which new workspaces register: the stored one, or else a new one of `generate`, stored now. */
  readonly provisionToken: (generate: () => Secret) => Promise<Secret>;
  readonly turnTimeoutMs: number;
  /** The same for agents with a memory. Undefined: no other. */
  readonly sessionTurnLimitMs?: number;
  /** Silence of an agent of this length is told to the chat. Undefined: none is. */
  readonly silenceMs?: number;
  /** Whoever shows the memories of the agents to people. */
  readonly audience?: SessionAudience;
  /** How many agents may run at once. */
  readonly maxRunning: number;
  /** The workspace of the bridge in this process, if there is one. */
  readonly bridge?: WorkspaceId;
  /** The agent that gets new turns of that bridge. */
  readonly usualAgent?: () => Promise<AgentRecord>;
  readonly onInterrupted: InterruptedPolicy;
  /** Shows messages of agents in Lark. Absent: this hub runs without a bridge. */
  readonly outlet?: LarkOutlet;
  /** Pages for monitors, such as the health of the process. */
  readonly pages?: Pages;
}

/** Connections that are still open this long after the call of `stop` are closed. */
const CLOSE_MS_MAX = 2_000;

export class Hub implements Service {
  readonly name = 'hub';
  readonly turns: Turns;
  readonly settlements = new Settlements();
  readonly sessionChoices: SessionChoices;
  /** Knows which agents nobody serves. */
  readonly agentWatch: AgentWatch;
  readonly #options: HubOptions;
  readonly #dispatcher: Dispatcher;
  readonly #upkeep: Upkeep;
  #server: Server | undefined;
  #address: string | undefined;

  constructor(options: HubOptions) {
    const { settlements } = this;
    this.#options = options;
    const onEnd = (agent: WorkspaceId, result: AgentResult) => this.agentWatch.ended(agent, result);
    this.#dispatcher = new Dispatcher({ ...options, settlements, onEnd });
    const { runtimes } = this.#dispatcher;
    this.agentWatch = new AgentWatch({ ...options, reaches: (agent) => runtimes.reaches(agent) });
    this.turns = new Turns({ ...options, settlements, dispatcher: this.#dispatcher });
    this.sessionChoices = new SessionChoices({ ...options, runtimes });
    this.#upkeep = new Upkeep(options);
  }

  /** Base URL of the hub for programs on this machine, without a slash at the end. Known after `start`. */
  get address(): string {
    if (this.#address === undefined) throw new Error('the hub has not been started');
    return this.#address;
  }

  /** Turns whose agents this hub runs now. */
  get turnsAtWork(): number {
    return this.#dispatcher.turnsAtWork;
  }

  async start(): Promise<void> {
    const { host, port, tls, log, provisionToken } = this.#options;
    const token = await provisionToken(() => createToken('provision'));
    // Loaded here, so that commands that need no server start faster.
    const { createContractServer } = await import('./surfaces/turn-contract/routes.ts');
    const server = createContractServer({
      ...this.#options,
      tls,
      provisionToken: token,
      turns: this.turns,
      agentWatch: this.agentWatch,
    });
    try {
      await server.listen({ host, port });
    } catch (error) {
      throw listenError(error, host, port);
    }
    this.#server = server;
    this.#address = addressOf(server, host, tls === undefined ? 'http' : 'https');
    try {
      await this.#options.beforeAgents?.();
      await this.#dispatcher.start();
    } catch (error) {
      await this.#close(server);
      throw error;
    }
    await this.#upkeep.start();
    await this.agentWatch.start();
    log.info('hub_started', { address: this.#address });
  }

  async stop(): Promise<void> {
    this.settlements.close();
    const server = this.#server;
    await Promise.all([
      server === undefined ? undefined : this.#close(server),
      this.#dispatcher.stop(),
      this.#upkeep.stop(),
      this.agentWatch.stop(),
    ]);
  }

  async #close(server: Server): Promise<void> {
    const cancelTimer = this.#options.clock.after(CLOSE_MS_MAX, () => {
      server.server.closeAllConnections();
    });
    await server.close();
    cancelTimer();
  }
}

function addressOf(server: Server, host: string, scheme: string): string {
  const { port } = server.server.address() as AddressInfo;
  if (host === '0.0.0.0') return `${scheme}://127.0.0.1:${port}`;
  if (host === '::') return `${scheme}://[::1]:${port}`;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function listenError(error: unknown, host: string, port: number): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const place = `port ${port} of ${host}`;
  switch (code) {
    case 'EADDRINUSE':
      return new BridgeError('port_in_use', `${place} is in use by another program`, {
        next: 'Choose another one with LARK_PORT (0 = any free port).',
        cause: error,
      });
    case 'EACCES':
      return new BridgeError('config_invalid', `this user may not listen on ${place}`, {
        next: 'Choose a port from 1024 on with LARK_PORT.',
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new BridgeError(
        'config_invalid',
        `can't listen on ${host}, which is not an address of this machine: ${errorText(error)}`,
        {
          next: 'Set LARK_HOST to one of its addresses, such as 127.0.0.1.',
          cause: error,
        },
      );
    default:
      return error;
  }
}

/** The tools that the bridge gives to its agents: each session has a token of its own, and calls of its own. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { isSystemError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { Secret } from '../../core/secret.ts';
import type { Clock } from '../../time/clock.ts';
import type {
  OpenTools,
  SessionTools,
  ToolAbilities,
  ToolServer,
  ToolTurn,
} from '../acp/tools-port.ts';
import type { FilesOfSession } from './given-file.ts';
import { asksForTools } from './messages.ts';
import { isOwnTool, SERVER_NAME } from './own-tools.ts';
import { ToolCalls } from './tool-calls.ts';
import { ToolDoor, type ToolHolder } from './tool-door.ts';

/** How the shim gets to know where the tools are, and who asks for them. */
const ADDRESS_VARIABLE = 'LARK_BRIDGE_TOOLS_URL';
const TOKEN_VARIABLE = 'LARK_BRIDGE_TOOLS_TOKEN';

/** A call can wait for a person. More of them at once are a mistake of the agent. */
const CALLS_MAX = 32;

/** What answers the calls. It takes 0.2 s and 26 MB, and most bridges run no agent that calls. */
export async function loadAnswers() {
  const { answerMessage } = await import('./answers.ts');
  return answerMessage;
}

let shim: string | undefined;

/**
 * The program for agents that reach no server over HTTP, as an argument of Node. Not its path: an upgrade puts another
 * program there, which may not get on with this process.
 */
export function loadShim(): string {
  if (shim === undefined) {
    const source = readFileSync(new URL('./shim.js', import.meta.url)).toString('base64');
    shim = `--import=data:text/javascript;base64,${source}`;
  }
  return shim;
}

interface AgentToolsParts {
  /** No file in it is given away, unless it is in a folder of agents. */
  readonly privateFolder: string;
  /** The Node that runs the shim. Absolute. */
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Listens while sessions with tools are open. */
export class AgentTools {
  readonly #parts: AgentToolsParts;
  readonly #sessions = new Set<OpenSession>();
  #door: { readonly close: () => void; readonly address: Promise<string> } | undefined;

  constructor(parts: AgentToolsParts) {
    this.#parts = parts;
  }

  readonly open: OpenTools = ({ id, folder, user }) => {
    const opened = new OpenSession(this.#parts, {
      folder,
      user,
      address: () => this.#address(),
      onClose: () => this.#closed(opened),
    });
    this.#sessions.add(opened);
    this.#parts.log.debug('agent_tools_opened', { session: id });
    return opened;
  };

  #address(): Promise<string> {
    if (this.#door === undefined) {
      const door = new ToolDoor({
        holderOf: (token) => this.#holderOf(token),
        log: this.#parts.log,
      });
      const address = door.open();
      // After a failure the next session tries it again.
      address.catch(() => {
        if (this.#door?.address === address) this.#door = undefined;
      });
      this.#door = { address, close: () => door.close() };
    }
    return this.#door.address;
  }

  /** Looks at all of them, so that the time tells nothing about a token. */
  #holderOf(token: string): ToolHolder | undefined {
    const hash = hashOf(token);
    return [...this.#sessions].filter((one) => timingSafeEqual(one.tokenHash, hash))[0];
  }

  #closed(session: OpenSession): void {
    this.#sessions.delete(session);
    if (this.#sessions.size > 0) return;
    const door = this.#door;
    this.#door = undefined;
    // It may still be on its way to listening. If it failed, there is nothing to close.
    door?.address.then(door.close, () => {});
  }
}

interface Around {
  /** Where the agent works. */
  readonly folder: string;
  readonly user: FilesOfSession['user'];
  readonly address: () => Promise<string>;
  readonly onClose: () => void;
}

class OpenSession implements SessionTools, ToolHolder {
  readonly isOwnTool = isOwnTool;
  readonly tokenHash: Buffer;
  readonly #token = new Secret(randomBytes(32).toString('hex'));
  readonly #parts: AgentToolsParts;
  readonly #around: Around;
  readonly #calls: ToolCalls;
  readonly #responses = new Set<ServerResponse>();
  #wasListed = false;

  constructor(parts: AgentToolsParts, around: Around) {
    this.#parts = parts;
    this.#around = around;
    const { folder, user } = around;
    this.#calls = new ToolCalls({ folder, user, privateFolder: parts.privateFolder });
    this.tokenHash = hashOf(this.#token.reveal());
  }

  get wasListed(): boolean {
    return this.#wasListed;
  }

  get isBusy(): boolean {
    return this.#responses.size >= CALLS_MAX;
  }

  async servers({ http }: ToolAbilities): Promise<readonly ToolServer[]> {
    const url = await this.#url();
    if (url === undefined) return [];
    const token = this.#token.reveal();
    const name = SERVER_NAME;
    if (http) {
      const headers = [{ name: 'Authorization', value: `Bearer ${token}` }];
      return [{ type: 'http', name, url, headers }];
    }
    const env = [
      { name: ADDRESS_VARIABLE, value: url },
      { name: TOKEN_VARIABLE, value: token },
    ];
    // Node wants a script besides: one that does nothing.
    return [{ name, command: this.#parts.node, args: [loadShim(), '--eval', '0'], env }];
  }

  /** Without the tools an agent can still answer. */
  async #url(): Promise<string | undefined> {
    try {
      return await this.#around.address();
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.#parts.log.warn('agent_tools_not_served', { error: error.message });
      return undefined;
    }
  }

  attach(turn: ToolTurn | undefined): void {
    this.#calls.attach(turn);
  }

  async answer(message: unknown, to: Parameters<ToolHolder['answer']>[1]): Promise<void> {
    if (asksForTools(message)) this.#wasListed = true;
    const { clock, log } = this.#parts;
    this.#responses.add(to.response);
    try {
      const answerMessage = await loadAnswers();
      await answerMessage(message, to, { calls: this.#calls, clock, log });
    } finally {
      this.#responses.delete(to.response);
    }
  }

  close(): void {
    this.#calls.attach(undefined);
    for (const response of this.#responses) response.destroy();
    this.#around.onClose();
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

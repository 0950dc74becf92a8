/** Calls to one agent, in the version of A2A that it speaks. The SDK translates. */
import type { Client } from '@a2a-js/sdk/client';
import type { Clock } from '../../time/clock.ts';
import { limitAt } from '../../time/wait.ts';
import type { AgentCard } from './card.ts';
import { type AgentEvent, type TaskEvent, eventOf, resultEvent, taskEvent } from './events.ts';
import type { OutgoingMessage } from './prompt.ts';
import { troubleOf } from './trouble.ts';

/** For a question that an agent answers from what it knows. Its answer may hold files. */
const ANSWER_MS_MAX = 60_000;
/** The role of who asks, by its number in the protocol's definition. */
const ROLE_USER = 1;
/** Nothing of the history of a task is needed. */
const HISTORY_LENGTH = 0;

export class A2aClient {
  readonly #client: Client;
  readonly #clock: Clock;
  #streams: boolean;

  constructor(client: Client, streams: boolean, clock: Clock) {
    this.#client = client;
    this.#streams = streams;
    this.#clock = clock;
  }

  /** It tells what it does while it works. */
  get streams(): boolean {
    return this.#streams;
  }

  /** Sends a message. Each of these calls throws an `AgentTrouble`. */
  async *send(message: OutgoingMessage, signal: AbortSignal): AsyncGenerator<AgentEvent> {
    const request = requestOf(message);
    if (this.#streams) {
      try {
        for await (const said of this.#client.sendMessageStream(request, { signal })) {
          const event = eventOf(said);
          if (event !== undefined) yield event;
        }
        return;
      } catch (error) {
        const trouble = troubleOf(error);
        if (trouble.kind !== 'unsupported') throw trouble;
        // Its card promises too much. It refused before it did anything.
        this.#streams = false;
      }
    }
    yield resultEvent(await told(() => this.#client.sendMessage(request, { signal })));
  }

  /** What is known of a task. */
  async task(id: string, signal: AbortSignal): Promise<AgentEvent & TaskEvent> {
    return this.#inTime(signal, async (limited) =>
      taskEvent(
        await this.#client.getTask(
          { tenant: '', id, historyLength: HISTORY_LENGTH },
          { signal: limited },
        ),
      ),
    );
  }

  /** What comes of a task from now on. */
  async *follow(id: string, signal: AbortSignal): AsyncGenerator<AgentEvent> {
    try {
      for await (const said of this.#client.resubscribeTask({ tenant: '', id }, { signal })) {
        const event = eventOf(said);
        if (event !== undefined) yield event;
      }
    } catch (error) {
      const trouble = troubleOf(error);
      // It can be asked about the task instead.
      if (trouble.kind === 'unsupported') this.#streams = false;
      throw trouble;
    }
  }

  async cancel(id: string, signal: AbortSignal): Promise<AgentEvent & TaskEvent> {
    return this.#inTime(signal, async (limited) =>
      taskEvent(
        await this.#client.cancelTask({ tenant: '', id, metadata: undefined }, { signal: limited }),
      ),
    );
  }

  async #inTime<T>(stop: AbortSignal, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const limit = limitAt(this.#clock, stop, this.#clock.nowMs() + ANSWER_MS_MAX);
    try {
      return await told(() => call(limit.signal));
    } finally {
      limit.cancel();
    }
  }
}

async function told<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw troubleOf(error);
  }
}

function requestOf({ id, context, task, parts }: OutgoingMessage) {
  return {
    tenant: '',
    metadata: undefined,
    // The client adds what it was made with.
    configuration: undefined,
    message: {
      messageId: id,
      contextId: context,
      taskId: task,
      role: ROLE_USER,
      parts: parts.map((part) => ({ filename: '', mediaType: '', metadata: undefined, ...part })),
      metadata: undefined,
      extensions: [],
      referenceTaskIds: [],
    },
  };
}

const loadParts = () => import('@a2a-js/sdk/client');
const loadTypes = () => import('@a2a-js/sdk');

/** All of the SDK that clients need. */
export async function loadA2a(): Promise<void> {
  await Promise.all([loadParts(), loadTypes()]);
}

/** Makes the client for a card. */
export async function createClient(
  { address, streams }: AgentCard,
  { fetchImpl, clock }: { readonly fetchImpl: typeof fetch; readonly clock: Clock },
): Promise<A2aClient> {
  const { ClientFactory, JsonRpcTransportFactory, RestTransportFactory } = await loadParts();
  const { AgentCard: SdkCard } = await loadTypes();
  const options = { fetchImpl, legacyCompat: { enabled: true } };
  const factory = new ClientFactory({
    transports: [new JsonRpcTransportFactory(options), new RestTransportFactory(options)],
    // A call that waits for the end of the work would be lost with its connection.
    clientConfig: { polling: true },
  });
  const { url, binding, version, tenant } = address;
  const card = SdkCard.fromJSON({
    supportedInterfaces: [{ url, protocolBinding: binding, protocolVersion: version, tenant }],
    capabilities: { streaming: streams },
  });
  return new A2aClient(await factory.createFromAgentCard(card), streams, clock);
}

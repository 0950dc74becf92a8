/** Agents elsewhere, built with the official SDK's server and served over HTTP, in each version of the protocol. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AgentCard, formatSSEEvent, Message, Part, TaskState } from '@a2a-js/sdk';
import { LegacyJsonRpcTransportHandler } from '@a2a-js/sdk/compat/v0_3/server';
import {
  AgentEvent,
  DefaultRequestHandler,
  type ExecutionEventBus,
  InMemoryTaskStore,
  JsonRpcTransportHandler,
  RequestContext,
  ServerCallContext,
} from '@a2a-js/sdk/server';

export type Version = '1.0' | '0.3';

/** What an agent of a test says about its task. Parts are as on the wire of 1.0. */
export class Talk {
  readonly #bus: ExecutionEventBus;
  readonly #context: RequestContext;
  #count = 0;

  constructor(bus: ExecutionEventBus, context: RequestContext) {
    this.#bus = bus;
    this.#context = context;
  }

  get taskId(): string {
    return this.#context.taskId;
  }

  /** All texts of the message. */
  get heard(): string {
    return this.parts.map((part) => (part['text'] as string | undefined) ?? '').join('');
  }

  get parts(): readonly Record<string, unknown>[] {
    const { parts } = Message.toJSON(this.#context.userMessage) as { parts?: unknown[] };
    return (parts ?? []) as Record<string, unknown>[];
  }

  get message(): Message {
    return this.#context.userMessage;
  }

  get isAnswer(): boolean {
    return this.#context.task !== undefined;
  }

  /** Every stream begins with the task. One that goes on still shows what it waited for. */
  open(): this {
    const { taskId, contextId, task } = this.#context;
    if (task !== undefined) {
      this.#bus.publish(AgentEvent.task(task));
      return this;
    }
    const status = { state: TaskState.TASK_STATE_SUBMITTED, message: undefined, timestamp: now() };
    const fields = { artifacts: [], history: [], metadata: undefined };
    this.#bus.publish(AgentEvent.task({ id: taskId, contextId, status, ...fields }));
    return this;
  }

  status(state: keyof typeof TaskState, ...parts: readonly object[]): this {
    const { taskId, contextId } = this.#context;
    const message = parts.length === 0 ? undefined : this.#message(parts);
    const status = { state: TaskState[state] as TaskState, message, timestamp: now() };
    this.#bus.publish(AgentEvent.statusUpdate({ taskId, contextId, status, metadata: undefined }));
    return this;
  }

  artifact(artifactId: string, parts: readonly object[], append = false): this {
    const { taskId, contextId } = this.#context;
    const artifact = {
      artifactId,
      parts: parts.map((part) => Part.fromJSON(part)),
      name: '',
      description: '',
      metadata: undefined,
      extensions: [],
    };
    const more = { append, lastChunk: false, metadata: undefined };
    this.#bus.publish(AgentEvent.artifactUpdate({ taskId, contextId, artifact, ...more }));
    return this;
  }

  /** An answer without a task. */
  answer(...parts: readonly object[]): this {
    this.#bus.publish(AgentEvent.message(this.#message(parts)));
    return this;
  }

  #message(parts: readonly object[]): Message {
    this.#count += 1;
    const { contextId, taskId } = this.#context;
    const messageId = `${this.#context.userMessage.messageId}/${this.#count}`;
    return Message.fromJSON({ messageId, contextId, taskId, role: 'ROLE_AGENT', parts });
  }
}

function now(): string {
  return new Date().toISOString();
}

export interface TestAgent {
  /** Where it is found. */
  readonly url: string;
  /** The methods that were called, in order. */
  readonly called: string[];
  readonly headers: IncomingHttpHeaders[];
  /** The messages that it got. */
  readonly messages: Message[];
  /** The tasks that it was told to stop. */
  readonly cancelled: string[];
  /** Messages that it does not take: it says that it knows no such task. */
  refuse: (message: { readonly contextId?: string }) => boolean;
  /** Breaks all connections. It goes on. */
  breakOff(): void;
  close(): Promise<void>;
}

/** `work`: what it does with a message; the stream ends when it resolves. Its signal aborts when it is told to stop. */
export async function serveAgent(
  work: (talk: Talk, stop: AbortSignal) => Promise<void> | void,
  {
    version = '1.0',
    streams = true,
    isDeaf = false,
  }: { version?: Version; streams?: boolean; isDeaf?: boolean } = {},
): Promise<TestAgent> {
  const http = createServer();
  const url = await listening(http);
  const agent: TestAgent = {
    url,
    called: [],
    headers: [],
    messages: [],
    cancelled: [],
    refuse: () => false,
    breakOff: () => http.closeAllConnections(),
    close: () => closed(http),
  };
  const stops = new Map<string, AbortController>();
  const card = AgentCard.fromJSON(cardOf({ url, version, streams }));
  const handler = new DefaultRequestHandler(card, new InMemoryTaskStore(), {
    async execute(context, bus) {
      agent.messages.push(context.userMessage);
      const stop = stops.get(context.taskId) ?? new AbortController();
      stops.set(context.taskId, stop);
      await work(new Talk(bus, context), stop.signal);
      bus.finished();
    },
    cancelTask(taskId, bus) {
      agent.cancelled.push(taskId);
      if (isDeaf) return Promise.resolve();
      stops.get(taskId)?.abort();
      const status = { state: TaskState.TASK_STATE_CANCELED, message: undefined, timestamp: now() };
      const contextId = '';
      bus.publish(AgentEvent.statusUpdate({ taskId, contextId, status, metadata: undefined }));
      bus.finished();
      return Promise.resolve();
    },
  });
  const [modern, legacy] = [
    new JsonRpcTransportHandler(handler),
    new LegacyJsonRpcTransportHandler(handler),
  ];
  http.on('request', (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on(
      'end',
      () => void answer(Buffer.concat(chunks).toString()).catch(() => response.destroy()),
    );
    const asked = request.headers['a2a-version'];
    async function answer(body: string): Promise<void> {
      agent.headers.push(request.headers);
      if (request.method === 'GET') {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(wireCardOf({ url, version, streams })));
        return;
      }
      const call = JSON.parse(body) as Call;
      agent.called.push(call.method);
      if (agent.refuse(call.params.message ?? {})) {
        const error = { code: -32_001, message: 'Task not found' };
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ jsonrpc: '2.0', id: call.id, error }));
        return;
      }
      const speaker = version === '1.0' && asked === '1.0' ? modern : legacy;
      const result = await speaker.handle(
        body,
        new ServerCallContext({ requestedVersion: asked === '1.0' ? '1.0' : '0.3' }),
      );
      if (!(Symbol.asyncIterator in result)) {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(result));
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      for await (const event of result) response.write(formatSSEEvent(event));
      response.end();
    }
  });
  return agent;
}

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: { readonly message?: { readonly contextId?: string } };
}

interface CardParts {
  readonly url: string;
  readonly version: Version;
  readonly streams: boolean;
}

function cardOf({ url, version, streams }: CardParts) {
  return {
    ...ABOUT,
    supportedInterfaces: [{ url, protocolBinding: 'JSONRPC', protocolVersion: version }],
    capabilities: { streaming: streams },
  };
}

/** As it is served. */
function wireCardOf(parts: CardParts) {
  if (parts.version === '1.0') return cardOf(parts);
  const { url, streams } = parts;
  return { ...ABOUT, url, protocolVersion: '0.3.0', capabilities: { streaming: streams } };
}

const ABOUT = {
  name: 'Test',
  description: 'An agent of a test',
  version: '1',
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [],
};

/** A server of the test's own making. Resolves to its address. */
export async function listening(http: Server, port = 0): Promise<string> {
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

export function closed(http: Server): Promise<void> {
  http.closeAllConnections();
  return new Promise((resolve) => {
    http.close(() => resolve());
  });
}

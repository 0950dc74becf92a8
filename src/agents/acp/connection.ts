/**
 * The connection with the program of an agent. The official SDK matches answers to requests, behind a filter that
 * reads lines with patience: the SDK itself would answer noise, refuse what it does not know, and let updates
 * overtake each other. Only this file imports it, when an agent needs it: that takes 0.3 s and 30 MB.
 */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { AnyMessage, ClientConnection } from '@agentclientprotocol/sdk';
import { asObject, type Json } from '../../core/json-object.ts';
import type { Clock } from '../../time/clock.ts';
import { Lines } from '../program/lines.ts';
import { readLine } from './line-filter.ts';
import { AcpTrouble, type Trouble } from './trouble.ts';

/** A message can hold a picture or a large file. The SDK's own bound is 32 MiB. */
const MESSAGE_BYTES_MAX = 33 * 1024 * 1024;

/** How long a program may go on that takes no input any more. */
const DEAF_MS_MAX = 1_000;

/** What an agent wants of us. */
export interface AgentCalls {
  /** In the order of the lines, and before the answer of any request is seen that comes after it. */
  readonly onUpdate: (nativeId: string, update: Json) => void;
  readonly onPermission: (request: Json, signal: AbortSignal) => Promise<Json>;
  readonly onElicitation: (request: Json, signal: AbortSignal) => Promise<Json>;
  /** Any line. Undefined: it is about no session. */
  readonly onSign: (nativeId: string | undefined) => void;
  readonly onNoise: (text: string) => void;
}

/** All of the SDK that a connection needs. */
export function loadAcp() {
  return import('@agentclientprotocol/sdk');
}

interface ConnectionParts extends AgentCalls {
  readonly child: ChildProcessWithoutNullStreams;
  readonly clock: Clock;
}

export class AcpConnection {
  /** Why it is closed, once it is. */
  readonly closed: Promise<Trouble>;
  readonly #parts: ConnectionParts;
  readonly #lines: Lines;
  /** The ids of our requests that have no answer yet. */
  readonly #open = new Set<unknown>();
  #pass: (message: AnyMessage) => void = () => {};
  #endInput: () => void = () => {};
  #sdk: ClientConnection | undefined;
  #trouble: Trouble | undefined;
  #tellClosed: (trouble: Trouble) => void = () => {};

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
    this.#lines = new Lines({
      bytesMax: MESSAGE_BYTES_MAX,
      onLine: (line) => this.#takeLine(line),
      onTooLong: () => this.close({ kind: 'too_large' }),
    });
    // From the beginning: a program may say why it ends before the SDK is loaded.
    this.#listen();
  }

  async open(): Promise<void> {
    const { onPermission, onElicitation } = this.#parts;
    const { client } = await loadAcp();
    const readable = new ReadableStream<AnyMessage>({
      start: (controller) => {
        this.#pass = (message) => controller.enqueue(message);
        this.#endInput = () => controller.close();
      },
      // The SDK has closed it by itself, because it could not write.
      cancel: () => {
        this.#pass = () => {};
        this.#endInput = () => {};
      },
    });
    const writable = new WritableStream<AnyMessage>({ write: (message) => this.#write(message) });
    this.#sdk = client({ name: 'lark-bridge' })
      .onRequest('session/request_permission', asItIs, ({ params, signal }) =>
        onPermission(params, signal),
      )
      .onRequest('elicitation/create', asItIs, ({ params, signal }) =>
        onElicitation(params, signal),
      )
      .connect({ readable, writable });
    if (this.#trouble !== undefined) this.#sdk.close(this.#gone());
  }

  #listen(): void {
    const { child, clock } = this.#parts;
    child.stdout.on('data', (chunk: Buffer) => {
      if (this.#trouble?.kind !== 'too_large') this.#lines.take(chunk);
    });
    child.stdout.once('close', () => {
      this.#lines.end();
      this.close({ kind: 'gone' });
    });
    // Mostly the program has ended, and what it has said of that is still to be read.
    child.stdin.on('error', () => clock.after(DEAF_MS_MAX, () => this.close({ kind: 'gone' })));
  }

  /** Throws an `AcpTrouble` if the agent refuses, is gone or does not answer in time. */
  async request(
    method: string,
    params: Json,
    { timeoutMs }: { readonly timeoutMs?: number } = {},
  ): Promise<Json> {
    const sdk = this.#sdk;
    if (sdk === undefined || this.#trouble !== undefined) throw this.#gone();
    const cancelTimers: (() => void)[] = [];
    const late = new Promise<never>((_, reject) => {
      if (timeoutMs === undefined) return;
      const fail = () => reject(new AcpTrouble({ kind: 'silent', method }));
      cancelTimers.push(this.#parts.clock.after(timeoutMs, fail));
    });
    try {
      return asObject(await Promise.race([sdk.agent.request(method, params), late])) ?? {};
    } catch (error) {
      throw this.#troubleOf(error);
    } finally {
      for (const cancel of cancelTimers) cancel();
    }
  }

  notify(method: string, params: Json): void {
    // After the end there is nobody to tell.
    this.#sdk?.agent.notify<Json>(method, params).catch(() => {});
  }

  /** Requests that wait fail for this reason. */
  close(trouble: Trouble): void {
    if (this.#trouble !== undefined) return;
    this.#trouble = trouble;
    this.#endInput();
    this.#sdk?.close(new AcpTrouble(trouble));
    this.#tellClosed(trouble);
  }

  #takeLine(line: string): void {
    const { message, noise } = readLine(line);
    if (noise !== undefined) this.#parts.onNoise(noise);
    if (this.#trouble !== undefined) return;
    const { method, params, id } = message ?? {};
    const { sessionId, update } = asObject(params) ?? {};
    const nativeId = typeof sessionId === 'string' ? sessionId : undefined;
    this.#parts.onSign(nativeId);
    if (message === undefined) return;
    if (method === 'session/update') {
      const told = asObject(update);
      if (nativeId !== undefined && told !== undefined) this.#parts.onUpdate(nativeId, told);
      return;
    }
    // An answer to nothing would be printed by the SDK.
    if (method === undefined && !this.#open.delete(id)) this.#parts.onNoise(line);
    else this.#pass(message as unknown as AnyMessage);
  }

  #write(message: AnyMessage): void {
    const { stdin } = this.#parts.child;
    if (!stdin.writable) throw this.#gone();
    if ('method' in message && 'id' in message) this.#open.add(message.id);
    stdin.write(`${JSON.stringify(message)}\n`);
  }

  #gone(): AcpTrouble {
    return new AcpTrouble(this.#trouble ?? { kind: 'gone' });
  }

  #troubleOf(error: unknown): unknown {
    if (error instanceof AcpTrouble) return error;
    if (this.#trouble !== undefined) return this.#gone();
    if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'number') {
      return error;
    }
    const data = 'data' in error ? error.data : undefined;
    return new AcpTrouble({
      kind: 'refused',
      code: error.code,
      said: error.message,
      ...(data !== undefined && { detail: JSON.stringify(data) }),
    });
  }
}

/** The SDK would refuse what it does not know, such as new kinds of options. */
function asItIs(params: unknown): Json {
  return asObject(params) ?? {};
}

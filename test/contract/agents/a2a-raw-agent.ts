/** An agent elsewhere that is written by hand, so that it can do what no proper one does. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { closed, listening } from './a2a-agents.ts';

interface RpcCall {
  readonly id: number;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

interface RawExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly call: RpcCall;
  /** Answers the call with one result. */
  result(value: unknown): void;
  /** Sends results as a stream, which stays open. */
  events(...values: readonly unknown[]): void;
  /** Breaks the connection after what was sent. */
  breakOff(): void;
}

interface RawAgent {
  readonly url: string;
  /** The paths and methods of requests, in order. */
  readonly asked: string[];
  /** What it says at the path of the card. It can be changed. */
  card: unknown;
}

/** `handle`: what it does with a call. */
export async function rawAgent(
  handle: (exchange: RawExchange) => void,
  more: (url: string) => object = () => ({}),
  port = 0,
): Promise<RawAgent> {
  const http = createServer((request, response) => {
    agent.asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
    if (request.url === '/.well-known/agent-card.json') {
      response.end(typeof agent.card === 'string' ? agent.card : JSON.stringify(agent.card));
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const call = JSON.parse(body === '' ? '{}' : body) as RpcCall;
      if (call.method !== undefined) agent.asked[agent.asked.length - 1] = call.method;
      handle({
        request,
        response,
        call,
        result(value) {
          response.setHeader('content-type', 'application/json');
          response.end(JSON.stringify({ jsonrpc: '2.0', id: call.id, result: value }));
        },
        breakOff() {
          if (response.headersSent) response.write(':\n', () => response.destroy());
          else response.destroy();
        },
        events(...values) {
          if (!response.headersSent) {
            response.writeHead(200, { 'content-type': 'text/event-stream' });
          }
          for (const result of values) {
            response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id: call.id, result })}\n\n`);
          }
        },
      });
    });
  });
  const url = await listening(http, port);
  onTestFinished(() => closed(http));
  const card = {
    name: 'Raw',
    supportedInterfaces: [
      { url: `${url}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
    ],
    capabilities: { streaming: true },
  };
  const agent: RawAgent = { url, asked: [], card: { ...card, ...more(url) } };
  return agent;
}

const IDS = { taskId: 'task-1', contextId: 'context-1' };

/** The whole task, as on the wire of 1.0. */
export function task(state: string, text?: string, more: object = {}) {
  const artifacts = text === undefined ? [] : [{ artifactId: 'a', parts: [{ text }] }];
  const { taskId: id, contextId } = IDS;
  return { id, contextId, status: { state: `TASK_STATE_${state}`, ...more }, artifacts };
}

export function statusUpdate(state: string, text?: string) {
  const message = text && { messageId: text, role: 'ROLE_AGENT', parts: [{ text }] };
  return { statusUpdate: { ...IDS, status: { state: `TASK_STATE_${state}`, message } } };
}

export function artifactUpdate(text: string, append = false) {
  return { artifactUpdate: { ...IDS, artifact: { artifactId: 'a', parts: [{ text }] }, append } };
}

/**
 * Stands in for the API of a model, on the loopback. It speaks Anthropic's Messages, streamed, and does what the
 * words of the last message say:
 *
 *   run: COMMAND      some text, then a call of the tool that runs commands
 *   slow              a word now and then for a minute, until nobody listens any more
 *   remember: WORD    an answer that says nothing of the word
 *   recall            the word, which the agent must have sent along
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const SLOW_WORDS = 600;
const SLOW_MS = 100;

interface Block {
  readonly type: string;
  readonly text?: string;
  readonly content?: unknown;
}

interface Message {
  readonly role: string;
  readonly content: string | readonly Block[];
}

interface MessagesRequest {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly Message[];
  readonly tools?: readonly { readonly name: string }[];
}

type Reply =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'slow' }
  | { readonly kind: 'tool'; readonly tool: string; readonly command: string };

export class ModelApi {
  readonly #server: Server;
  /** Answers that are being streamed. */
  open = 0;
  /** Answers whose reader went away before the end. */
  brokenOff = 0;

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (!path.endsWith('/messages')) {
      const isCount = path.endsWith('/count_tokens');
      response.writeHead(isCount ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(isCount ? { input_tokens: 100 } : { type: 'error' }));
      return;
    }
    const asked = JSON.parse(body) as MessagesRequest;
    const reply = replyTo(asked);
    if (asked.stream !== true) {
      response.setHeader('content-type', 'application/json');
      const content = [{ type: 'text', text: reply.kind === 'text' ? reply.text : 'A title' }];
      const usage = { input_tokens: 100, output_tokens: 20 };
      const about = { id: 'msg_whole', type: 'message', role: 'assistant', model: asked.model };
      response.end(JSON.stringify({ ...about, content, usage, stop_reason: 'end_turn' }));
      return;
    }
    this.open += 1;
    response.on('close', () => {
      this.open -= 1;
      if (!response.writableFinished) this.brokenOff += 1;
    });
    await stream(asked.model, reply, response);
  }
}

function replyTo({ messages, tools = [] }: MessagesRequest): Reply {
  const last = messages.findLast(({ role }) => role === 'user');
  const words = blocksOf(last)
    .map(({ text = '' }) => text)
    .join('\n');
  const [, command] = /^run: (.*)$/m.exec(words) ?? [];
  const tool = tools.find(({ name }) => name.toLowerCase() === 'bash');
  if (command !== undefined && tool !== undefined)
    return { kind: 'tool', tool: tool.name, command };
  if (/^slow$/m.test(words) && tool !== undefined) return { kind: 'slow' };
  if (/^recall$/m.test(words))
    return { kind: 'text', text: `the word is ${rememberedIn(messages)}` };
  // The words of a person may stand behind the result of a tool that was stopped, so they come first.
  const result = blocksOf(last).find(({ type }) => type === 'tool_result');
  if (result !== undefined) return { kind: 'text', text: `the tool said ${wordsOf(result)}` };
  return { kind: 'text', text: 'well understood' };
}

function rememberedIn(messages: readonly Message[]): string {
  const all = messages.flatMap((message) => blocksOf(message).map(wordsOf)).join('\n');
  return /^remember: (\w+)$/m.exec(all)?.[1] ?? 'unknown';
}

function blocksOf(message: Message | undefined): readonly Block[] {
  const content = message?.content ?? [];
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

function wordsOf({ text, content }: Block): string {
  if (text !== undefined) return text;
  return typeof content === 'string' ? content : JSON.stringify(content ?? '');
}

async function stream(model: string, reply: Reply, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (type: string, fields: object) =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
  const usage = { input_tokens: 100, output_tokens: 1 };
  const about = { id: `msg_${Date.now()}`, type: 'message', role: 'assistant', model };
  send('message_start', { message: { ...about, content: [], stop_reason: null, usage } });
  send('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
  for await (const text of wordsIn(reply, () => response.destroyed)) {
    send('content_block_delta', { index: 0, delta: { type: 'text_delta', text } });
  }
  send('content_block_stop', { index: 0 });
  if (reply.kind === 'tool') {
    const call = { type: 'tool_use', id: `toolu_${Date.now()}`, name: reply.tool, input: {} };
    const input = { command: reply.command, description: 'What the test asked for' };
    send('content_block_start', { index: 1, content_block: call });
    const delta = { type: 'input_json_delta', partial_json: JSON.stringify(input) };
    send('content_block_delta', { index: 1, delta });
    send('content_block_stop', { index: 1 });
  }
  const stop_reason = reply.kind === 'tool' ? 'tool_use' : 'end_turn';
  send('message_delta', {
    delta: { stop_reason, stop_sequence: null },
    usage: { output_tokens: 20 },
  });
  send('message_stop', {});
  response.end();
}

async function* wordsIn(reply: Reply, isGone: () => boolean): AsyncGenerator<string> {
  if (reply.kind === 'text') {
    yield* reply.text.split(/(?<= )/);
  } else if (reply.kind === 'tool') {
    yield* ['I ', 'run ', 'it. '];
  } else {
    for (let word = 0; word < SLOW_WORDS && !isGone(); word += 1) {
      yield `word${word} `;
      await sleep(SLOW_MS);
    }
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

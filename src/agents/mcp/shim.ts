/**
 * A program of its own: tools over standard input and output, for agents that reach no server over HTTP. It hands each
 * line to the bridge, and writes the answer as a line. It knows nothing else. It imports no file of ours: agents get its
 * text, and not its place.
 */
import { Agent, request, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';

/** Its own agent goes through no proxy. */
const agent = new Agent({ keepAlive: true });
const { LARK_BRIDGE_TOOLS_URL: address = '', LARK_BRIDGE_TOOLS_TOKEN: token = '' } = process.env;

const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });
lines.on('line', (line) => {
  if (line.trim() !== '') hand(line);
});
lines.on('close', () => {
  // Nobody reads answers any more.
  agent.destroy();
});
// The agent has gone.
process.stdout.on('error', () => lines.close());

function hand(line: string): void {
  const fail = (why: string) => {
    const id = idOf(line);
    if (id === undefined) return;
    const error = { code: -32_000, message: `The tools of the bridge can't be used: ${why}` };
    write(JSON.stringify({ jsonrpc: '2.0', id, error }));
  };
  const call = open(fail);
  call?.on('response', (response) => void take(response, fail));
  call?.on('error', ({ message }) => fail(message));
  call?.end(line);
}

function open(fail: (why: string) => void) {
  if (!URL.canParse(address)) {
    fail('LARK_BRIDGE_TOOLS_URL is no address');
    return undefined;
  }
  return request(address, {
    method: 'POST',
    agent,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
  });
}

async function take(response: IncomingMessage, fail: (why: string) => void): Promise<void> {
  const { statusCode = 0, headers } = response;
  const isStream = headers['content-type']?.startsWith('text/event-stream') === true;
  let isAnswered = false;
  try {
    for await (const line of createInterface({ input: response, crlfDelay: Infinity })) {
      // The bridge writes each message on one line.
      const message = isStream ? /^data: (.+)$/.exec(line)?.[1] : line;
      if (statusCode !== 200 || message === undefined || message === '') continue;
      isAnswered ||= isAnswer(message);
      write(message);
    }
  } catch {
    // The connection broke off.
  }
  if (statusCode === 202 || (statusCode === 200 && isAnswered)) return;
  fail(statusCode === 401 ? 'the session is over' : `the answer was ${statusCode}`);
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Undefined for what expects no answer. */
function idOf(line: string): unknown {
  const message = parsed(line);
  return message === undefined ? null : fieldOf(message, 'id');
}

/** Not so for what is told while a person is asked. */
function isAnswer(line: string): boolean {
  return fieldOf(parsed(line), 'method') === undefined;
}

/** Undefined for what has no fields. */
function fieldOf(message: unknown, name: string): unknown {
  return (Object(message) as Readonly<Record<string, unknown>>)[name];
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Answers the messages of an agent. Each request has a server of its own, which keeps nothing between two of them. */
import type { ServerResponse } from 'node:http';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';
import { asksPerson } from './messages.ts';
import type { ToolCalls } from './tool-calls.ts';
import { createToolServer } from './tools.ts';

interface AnswerParts {
  readonly calls: ToolCalls;
  readonly clock: Clock;
  readonly log: Log;
}

interface To {
  readonly headers: Headers;
  readonly response: ServerResponse;
}

export async function answerMessage(
  message: unknown,
  { headers, response }: To,
  parts: AnswerParts,
): Promise<void> {
  const transport = new WebStandardStreamableHTTPServerTransport({
    // A client would give up a plain answer that lets itself be waited for.
    enableJsonResponse: !asksPerson(message),
  });
  const server = createToolServer(parts);
  await server.connect(transport);
  // Whoever has gone waits for nothing any more.
  const gone = new Promise<undefined>((resolve) => {
    response.once('close', () => resolve(undefined));
  });
  // The address is asked for by nobody.
  const request = new Request('http://localhost/', { method: 'POST', headers });
  try {
    const answer = transport.handleRequest(request, { parsedBody: message });
    const given = await Promise.race([answer, gone]);
    if (given !== undefined) await send(given, { response, gone });
  } finally {
    await server.close();
  }
}

async function send(
  answer: Response,
  { response, gone }: { readonly response: ServerResponse; readonly gone: Promise<undefined> },
): Promise<void> {
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  // Before the first words of an answer that comes in pieces.
  response.flushHeaders();
  const reader = answer.body?.getReader();
  for (;;) {
    const piece = await Promise.race([reader?.read(), gone]);
    if (piece === undefined || piece.done) break;
    response.write(piece.value);
  }
  response.end();
}

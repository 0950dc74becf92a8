/** Sessions with tools in a folder with one file, a chat that notes what is done in it, and an agent that calls over HTTP. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { SessionTools, ToolTurn } from '../../../../src/agents/acp/tools-port.ts';
import { AgentTools } from '../../../../src/agents/mcp/agent-tools.ts';
import type { ChatFile, ChatTools } from '../../../../src/agents/runtime.ts';
import type { QuestionAnswer, QuestionUpdate } from '../../../../src/core/turn-update.ts';
import { openId } from '../../../../src/core/ids.ts';
import { VirtualClock } from '../../../kit/clock.ts';
import { temporaryFolder } from '../../../kit/folder.ts';
import { recordingLog } from '../../../kit/log.ts';

export function createTools() {
  const privateFolder = temporaryFolder();
  const clock = new VirtualClock();
  const log = recordingLog();
  const tools = new AgentTools({ privateFolder, node: process.execPath, clock, log });
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'report.txt'), 'all is well');
  const open = (): SessionTools => {
    const session = tools.open({ id: 'session', folder });
    onTestFinished(() => session.close());
    return session;
  };
  return { open, clock, log, folder };
}

export interface Asked {
  readonly question: QuestionUpdate;
  readonly answer: (answer: QuestionAnswer) => void;
}

/** A turn, and a chat that takes everything. */
export function createTurn(chat: Partial<ChatTools> = {}) {
  const asked: Asked[] = [];
  const sent: { file: ChatFile; caption: string | undefined }[] = [];
  const reactions: string[] = [];
  const takesAll: ChatTools = {
    sendFile: (file, caption) => {
      sent.push({ file, caption });
      return Promise.resolve({});
    },
    readHistory: () => Promise.resolve([]),
    react: (emoji) => {
      reactions.push(emoji);
      return Promise.resolve({});
    },
  };
  const turn: ToolTurn = {
    host: { onUpdate: () => {}, chat: { ...takesAll, ...chat } },
    ask: (question) =>
      new Promise((resolve) => {
        asked.push({ question, answer: resolve });
      }),
  };
  return { turn, asked, sent, reactions };
}

export const said = (text: string): QuestionAnswer => ({ kind: 'said', text, by: openId('ou_1') });

export interface Reach {
  readonly url: string;
  readonly token: string;
}

/** How an agent reaches the tools of a session over HTTP. */
export async function reachOf(session: SessionTools): Promise<Reach> {
  const [server] = await session.servers({ http: true });
  if (server === undefined || !('url' in server)) throw new Error('it is not served over HTTP');
  const [header] = server.headers;
  return { url: server.url, token: header?.value.replace(/^Bearer /, '') ?? '' };
}

export function post(
  { url, token }: Reach,
  body: unknown,
  { headers = {}, signal }: { headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    ...(signal !== undefined && { signal }),
  });
}

export const call = (name: string, args: unknown, more: object = {}) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name, arguments: args, ...more },
});

interface ToolAnswer {
  readonly text: string;
  readonly isError: boolean;
}

/** Calls a tool and gives what it says. */
export async function use(reach: Reach, name: string, args: unknown): Promise<ToolAnswer> {
  const messages = await messagesIn(await post(reach, call(name, args)));
  const { result } = messages.at(-1) as {
    result: { content: { text: string }[]; isError?: boolean };
  };
  return { text: result.content[0]?.text ?? '', isError: result.isError === true };
}

/** The messages of an answer, whether it came as one or in pieces. */
export async function messagesIn(response: Response): Promise<unknown[]> {
  const text = await response.text();
  if (response.headers.get('content-type') !== 'text/event-stream') return [JSON.parse(text)];
  return [...text.matchAll(/^data: (.+)$/gm)].map(([, data]) => JSON.parse(data ?? ''));
}

/** The agent that stands in for real ones in tests does what it says. Its lines are read as they are, without a library. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WAIT_MS } from '../../kit/bounds.ts';
import { fakeAcpAgent, type RpcMessage } from '../../kit/fake-acp-agent.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { isProcessAlive, pidIn } from '../../kit/processes.ts';

const CAPABILITIES = {
  session: { configOptions: { boolean: {} } },
  elicitation: { form: {}, url: {} },
};

interface Update {
  readonly sessionUpdate: string;
  readonly status?: string;
  readonly content: { readonly text: string };
}

/** What the tests look at in answers, of which each has a part. */
interface Answer {
  readonly sessionId: string;
  readonly sessions: readonly unknown[];
  readonly authMethods: readonly unknown[];
  readonly agentCapabilities: { readonly sessionCapabilities: object };
}

/** A client that hides nothing: it keeps each line, and answers requests with what the test says. */
class RawClient {
  readonly lines: string[] = [];
  readonly messages: RpcMessage[] = [];
  stderr = '';
  exit: { code: number | null; signal: string | null } | undefined;
  #nextId = 100;
  readonly #answer: (method: string) => unknown;

  readonly child: ChildProcess;

  constructor(argv: readonly string[], folder: string, answer: (method: string) => unknown) {
    this.#answer = answer;
    const [command = '', ...args] = argv;
    this.child = spawn(command, args, { cwd: folder, stdio: 'pipe', detached: true });
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.#take(line));
    this.child.stderr!.on('data', (bytes) => (this.stderr += String(bytes)));
    this.child.stdin!.on('error', () => {});
    this.child.on('exit', (code, signal) => (this.exit = { code, signal }));
    onTestFinished(() => {
      try {
        process.kill(-this.child.pid!, 'SIGKILL');
      } catch {
        // Nothing is left of it.
      }
    });
  }

  get updates(): Update[] {
    return this.messages
      .filter(({ method }) => method === 'session/update')
      .map(({ params }) => params!['update'] as Update);
  }

  get text(): string {
    return this.updates
      .filter(({ sessionUpdate }) => sessionUpdate === 'agent_message_chunk')
      .map(({ content }) => content.text)
      .join('');
  }

  send(message: object): void {
    this.child.stdin!.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  async request(method: string, params: object = {}): Promise<Answer> {
    const id = (this.#nextId += 1);
    this.send({ id, method, params });
    const isAnswer = (one: RpcMessage) => one.id === id && one.method === undefined;
    const answer = await vi.waitFor(
      () => {
        const found = this.messages.find(isAnswer);
        if (found === undefined) throw new Error(`no answer to ${method}: ${this.stderr}`);
        return found;
      },
      { timeout: WAIT_MS, interval: 5 },
    );
    return (answer.error ?? answer.result) as Answer;
  }

  prompt(sessionId: string, ...steps: string[]): Promise<Answer> {
    return this.request('session/prompt', { sessionId, prompt: [textBlock(steps.join('\n'))] });
  }

  #take(line: string): void {
    this.lines.push(line);
    let message: RpcMessage & { jsonrpc?: string };
    try {
      message = JSON.parse(line);
    } catch {
      return; // A test that makes noise looks at the lines.
    }
    this.messages.push(message);
    if (message.method !== undefined && message.id !== undefined) {
      const answer = this.#answer(message.method);
      const error = { code: -32601, message: 'no such method' };
      this.send({ id: message.id, ...(answer === undefined ? { error } : { result: answer }) });
    }
  }
}

function textBlock(text: string) {
  return { type: 'text', text };
}

function connect(script = '', folder = temporaryFolder(), answer = answers({})): RawClient {
  return new RawClient(fakeAcpAgent(folder, script).argv, folder, answer);
}

function answers(byMethod: Record<string, unknown>): (method: string) => unknown {
  return (method) => byMethod[method];
}

async function openSession(script = '', folder = temporaryFolder(), answer = answers({})) {
  const client = connect(script, folder, answer);
  await initialize(client);
  const { sessionId } = await client.request('session/new', { cwd: folder, mcpServers: [] });
  return { client, sessionId, folder };
}

function initialize(client: RawClient): Promise<Answer> {
  return client.request('initialize', { protocolVersion: 1, clientCapabilities: CAPABILITIES });
}

function kinds(client: RawClient): string[] {
  return client.updates.map(({ sessionUpdate, status }) =>
    status === undefined ? sessionUpdate : `${sessionUpdate} ${status}`,
  );
}

test('it introduces itself, opens a session and takes its choices', async () => {
  const { client, sessionId, folder } = await openSession();
  expect(client.stderr).toMatch(new RegExp(`^FAKE pid=${client.child.pid} pgid=\\S+ ppid=`));
  for (const params of [
    { cwd: 'relative', mcpServers: [] },
    { cwd: join(folder, 'absent'), mcpServers: [] },
    { cwd: folder },
  ]) {
    expect(await client.request('session/new', params)).toMatchObject({ code: -32602 });
  }
  expect(await client.request('session/fork')).toMatchObject({ code: -32601 });
  await client.request('session/set_config_option', { sessionId, configId: 'model', value: 'm2' });
  await client.request('session/set_config_option', {
    sessionId,
    configId: 'brave',
    type: 'boolean',
    value: true,
  });
  await client.request('session/set_mode', { sessionId, modeId: 'auto' });
  await client.prompt(sessionId, 'chosen');
  expect(client.text).toBe('mode auto, model m2, brave');
  expect(await client.request('session/set_mode', { sessionId, modeId: 'x' })).toMatchObject({
    code: -32602,
  });
  expect(kinds(client)).toContain('available_commands_update');
});

test('it shows what an agent can show', async () => {
  const { client, sessionId } = await openSession();
  const steps = ['hello there', 'think hm', 'plan', 'tool edit', 'tool search', 'toolfast'];
  const more = ['toolterm', 'tool read failed', 'notice warning Low', 'title New', 'usage'];
  const result = await client.prompt(sessionId, ...steps, ...more, 'stop max_tokens');
  expect(result).toEqual({
    stopReason: 'max_tokens',
    usage: { inputTokens: 100, outputTokens: 20, totalTokens: 120 },
  });
  const shown = kinds(client).filter((kind) => kind !== 'available_commands_update');
  const three = ['tool_call pending', 'tool_call_update in_progress', 'tool_call_update completed'];
  expect(shown).toEqual([
    'agent_message_chunk',
    'agent_message_chunk',
    'agent_thought_chunk',
    'plan',
    'plan',
    'plan',
    ...three,
    ...three,
    'tool_call completed',
    'tool_call in_progress',
    'tool_call_update completed',
    'tool_call pending',
    'tool_call_update in_progress',
    'tool_call_update failed',
    'notice',
    'session_info_update',
    'usage_update',
    'usage_update',
  ]);
});

test('it says the time, and words one after another', async () => {
  const { client, sessionId } = await openSession();
  await client.prompt(sessionId, 'now', 'words 3 30');
  expect(client.text).toMatch(/^\d{13}word1 word2 word3 $/);
});

describe('permission', () => {
  const selected = (optionId: string) =>
    answers({ 'session/request_permission': { outcome: { outcome: 'selected', optionId } } });

  test.each([
    ['perm', 'allow-once', 'allow-once', 'completed', 'end_turn'],
    ['perm always ls', 'allow-always', 'allow-always', 'completed', 'end_turn'],
    ['perm weird', 'allow-session', 'allow-session', 'completed', 'end_turn'],
    ['permedit once a.txt', 'reject', 'reject', 'failed', 'end_turn'],
    ['permend', 'reject', 'reject', 'failed', 'cancelled'],
    ['perm2', 'allow-once', 'allow-onceallow-once', 'completed', 'end_turn'],
  ])('%s, answered with %s', async (step, optionId, said, status, stopReason) => {
    const { client, sessionId } = await openSession('', temporaryFolder(), selected(optionId));
    expect(await client.prompt(sessionId, step)).toEqual({ stopReason });
    expect(client.text).toBe(said);
    expect(client.updates.at(-1)).toMatchObject({ status });
  });

  test('permfirst asks before the tool was told, and a mode that acts alone asks nobody', async () => {
    const { client, sessionId } = await openSession('', temporaryFolder(), selected('allow-once'));
    await client.prompt(sessionId, 'permfirst');
    const order = client.messages.map(({ method }) => method);
    const updates = order.indexOf('session/request_permission');
    expect(client.messages.findIndex(isToolCall)).toBe(updates + 1);
    await client.request('session/set_mode', { sessionId, modeId: 'auto' });
    await client.prompt(sessionId, 'perm');
    expect(client.text).toBe('allow-once');
  });

  function isToolCall({ params }: RpcMessage): boolean {
    return (params?.['update'] as Update | undefined)?.sessionUpdate === 'tool_call';
  }

  test('a form and a page are questions', async () => {
    const content = { question_0: 'red' };
    const accept = answers({ 'elicitation/create': { action: 'accept', content } });
    const { client, sessionId } = await openSession('ids=string', temporaryFolder(), accept);
    await client.prompt(sessionId, 'ask', 'askurl');
    expect(client.text).toBe('accept {"question_0":"red"}'.repeat(2));
    const asked = client.messages.filter(({ method }) => method === 'elicitation/create');
    expect(asked.map(({ id }) => id)).toEqual(['fake-request-0', 'fake-request-1']);
  });
});

test('the next process goes on with a session, with or without a replay', async () => {
  const first = await openSession();
  const { folder, sessionId } = first;
  await first.client.prompt(sessionId, 'remember blue', 'tool execute ls');
  first.client.child.kill('SIGKILL');
  const place = { sessionId, cwd: folder, mcpServers: [] };

  const second = connect('', folder);
  await initialize(second);
  expect(await second.prompt(sessionId, 'recall')).toMatchObject({ code: -32002 });
  await second.request('session/load', place);
  expect(kinds(second).slice(0, 5)).toEqual([
    'user_message_chunk',
    'agent_message_chunk',
    'tool_call pending',
    'tool_call_update in_progress',
    'tool_call_update completed',
  ]);

  const third = connect('noresume', folder);
  const { agentCapabilities } = await initialize(third);
  expect(agentCapabilities.sessionCapabilities).not.toHaveProperty('resume');
  await third.request('session/resume', place);
  await third.prompt(sessionId, 'recall', 'say ,', 'count');
  expect(third.text).toBe('blue,prompt 2');
  expect((await third.request('session/list', { cwd: folder })).sessions).toMatchObject([
    { sessionId, cwd: folder, title: 'remember blue' },
  ]);
  expect(await third.request('session/close', { sessionId })).toEqual({});
  expect(await third.request('session/delete', { sessionId })).toEqual({});
  expect(await third.request('session/load', place)).toMatchObject({ code: -32002 });
});

describe('stopping', () => {
  test.each([
    ['hang', { stopReason: 'cancelled' }],
    ['sleep 60000', { stopReason: 'cancelled' }],
    ['long 60000', { stopReason: 'cancelled' }],
    ['cancelslow 50', { stopReason: 'cancelled' }],
    ['cancelerror', { code: -32800, message: 'Request cancelled' }],
  ])('%s ends with a cancel, and the next prompt works', async (step, end) => {
    const { client, sessionId } = await openSession();
    const turn = client.prompt(sessionId, 'say begun', step);
    await expect.poll(() => client.text).toContain('begun');
    expect(await client.prompt(sessionId, 'say no')).toMatchObject({ code: -32600 });
    client.send({ method: 'session/cancel', params: { sessionId } });
    expect(await turn).toEqual(end);
    expect(await client.prompt(sessionId, 'say next')).toEqual({ stopReason: 'end_turn' });
    expect(client.text.includes('more ')).toBe(step.startsWith('cancelslow'));
  });

  test('hangdeaf hears nothing, and with queue a second prompt waits behind the first', async () => {
    const { client, sessionId, folder } = await openSession('queue,ignoreeof,ignoreterm');
    const waits = client.prompt(sessionId, 'second');
    expect(await client.prompt(sessionId, 'say after')).toEqual({ stopReason: 'end_turn' });
    expect(await waits).toEqual({ stopReason: 'end_turn' });
    expect(client.text).toBe('a second prompt cameafter');

    void client.prompt(sessionId, 'say deaf', 'hangdeaf').catch(() => {});
    await expect.poll(() => client.text).toContain('deaf');
    client.send({ method: 'session/cancel', params: { sessionId } });
    client.child.kill('SIGTERM');
    client.child.stdin!.end();
    const open = client.messages.length;
    await expect.poll(() => readFileSync(join(folder, 'wire.log'), 'utf8')).toContain('cancel');
    expect(client.messages).toHaveLength(open);
    expect(client.exit).toBeUndefined();
  });

  test('child leaves a program that no SIGTERM ends', async () => {
    const { client, sessionId, folder } = await openSession();
    await client.prompt(sessionId, 'child');
    const child = await pidIn(join(folder, 'alive.txt'));
    process.kill(child, 'SIGTERM');
    client.child.stdin!.end();
    await expect.poll(() => client.exit).toEqual({ code: 0, signal: null });
    expect(isProcessAlive(child)).toBe(true);
  });

  test('with wrapper the direct child is not the agent', async () => {
    const { client } = await openSession('wrapper');
    const [, pid = ''] = /pid=(\d+)/.exec(client.stderr) ?? [];
    expect(Number(pid)).not.toBe(client.child.pid);
    client.child.stdin!.end();
    await expect.poll(() => client.exit).toEqual({ code: 0, signal: null });
  });
});

describe('faults', () => {
  test('lines that are no messages, and messages that nobody knows', async () => {
    const { client, sessionId } = await openSession('banner');
    const noise = ['noise', 'glue', 'badjson', 'array', 'notrpc', 'split', 'unknownupdate'];
    expect(await client.prompt(sessionId, ...noise)).toEqual({ stopReason: 'end_turn' });
    expect(client.lines.slice(0, 3)).toEqual(['Fake agent', 'Loading plugins ...', '{ready}']);
    // The commands are told at some time after the begin of the session.
    const about = client.lines.filter((line) => !/^\{"jsonrpc":"2.0","id"|_commands_/.test(line));
    expect(about.slice(3, 8)).toEqual([
      'warning: this is no message',
      expect.stringMatching(/^progress 50%\{"jsonrpc"/),
      '{"jsonrpc":"2.0","method":"session/upd',
      '[{"jsonrpc":"2.0","method":"session/update"}]',
      '{"hello":"world"}',
    ]);
    expect(client.text).toBe('日本語 🎉 vendor -32601');
  });

  test.each([
    ['crash', { code: 1, signal: null }],
    ['crash 7', { code: 7, signal: null }],
    ['crash SIGKILL', { code: null, signal: 'SIGKILL' }],
    ['noanswer', { code: 0, signal: null }],
  ])('%s ends the process without an answer', async (step, exit) => {
    const { client, sessionId } = await openSession();
    const id = 7;
    const prompt = [textBlock(`say some\n${step}`)];
    client.send({ id, method: 'session/prompt', params: { sessionId, prompt } });
    await expect.poll(() => client.exit).toEqual(exit);
    await expect.poll(() => client.text).toBe('some');
    expect(client.messages.some((one) => one.id === id)).toBe(false);
  });

  test('much of everything', async () => {
    const { client, sessionId } = await openSession();
    await client.prompt(sessionId, 'flood 3000', 'big 1', 'big 1 tool', 'stderr 64');
    expect(client.text).toHaveLength(
      1024 * 1024 + Array.from({ length: 3000 }, (_, number) => `${number} `).join('').length,
    );
    await expect.poll(() => client.stderr).toContain('end of stderr');
    expect(client.stderr.length).toBeGreaterThan(64 * 1024);
  });

  test('error, and what comes after the answer', async () => {
    const { client, sessionId } = await openSession();
    expect(await client.prompt(sessionId, 'error -32603 No luck')).toEqual({
      code: -32603,
      message: 'No luck',
      data: { detail: 'made by the fake agent' },
    });
    await client.prompt(sessionId, 'late 10 More');
    const answered = client.messages.length;
    await expect.poll(() => client.text).toBe('More');
    expect(client.messages.length).toBeGreaterThan(answered);
  });
});

test('it tells what it was given', async () => {
  const { client, sessionId, folder } = await openSession();
  const data = Buffer.from('12345').toString('base64');
  const link = {
    type: 'resource_link',
    uri: 'file:///a.txt',
    name: 'a.txt',
    mimeType: 'text/plain',
  };
  const image = { type: 'image', mimeType: 'image/png', data };
  await client.request('session/prompt', {
    sessionId,
    prompt: [
      textBlock('About this chat'),
      textBlock('images\nenv NOT_SET\nfile a.txt some words'),
      link,
      image,
    ],
  });
  expect(client.text).toBe(
    'text 15\ntext 40\nresource_link a.txt text/plain file:///a.txt\nimage image/png 5' +
      'NOT_SET is not setwrote a.txt',
  );
  expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe('some words');
});

describe('switches', () => {
  test.each(['new', 'prompt', 'list'])('auth=%s until somebody has logged in', async (where) => {
    const folder = temporaryFolder();
    const client = connect(`auth=${where}`, folder);
    const { authMethods } = await initialize(client);
    expect(authMethods).toMatchObject([{ id: 'fake-login' }, { type: 'terminal' }]);
    const call = async () => {
      if (where === 'list') return client.request('session/list');
      const made = await client.request('session/new', { cwd: folder, mcpServers: [] });
      return where === 'new' ? made : client.prompt(made.sessionId, 'say hi');
    };
    expect(await call()).toMatchObject({ code: -32000 });
    const terminal = { methodId: 'fake-terminal' };
    expect(await client.request('authenticate', terminal)).toMatchObject({ code: -32602 });
    const [command = '', ...args] = fakeAcpAgent(folder).argv;
    const login = spawn(command, [...args, '--login'], { stdio: 'ignore' });
    await new Promise((resolve) => login.on('exit', resolve));
    expect(await call()).not.toHaveProperty('code');
  });

  test('authmidway: the second turn needs a login', async () => {
    const { client, sessionId } = await openSession('authmidway');
    expect(await client.prompt(sessionId, 'say hi')).toEqual({ stopReason: 'end_turn' });
    expect(await client.prompt(sessionId, 'say hi')).toMatchObject({ code: -32000 });
    expect(await client.request('authenticate', { methodId: 'fake-login' })).toEqual({});
    expect(await client.prompt(sessionId, 'say hi')).toEqual({ stopReason: 'end_turn' });
  });

  test('deadstart says why, and ends', async () => {
    const client = connect('deadstart=3');
    await expect.poll(() => client.exit).toEqual({ code: 3, signal: null });
    expect(client.lines).toEqual(['Please log in']);
  });

  test('version, strict, nocaps and oldstyle change what it says of itself', async () => {
    const folder = temporaryFolder();
    const client = connect('version=2,strict,nocaps,oldstyle,modes=careful+bold', folder);
    expect(await client.request('initialize', { protocolVersion: '1' })).toMatchObject({
      code: -32602,
    });
    expect(await initialize(client)).toMatchObject({ protocolVersion: 2, agentCapabilities: {} });
    const made = await client.request('session/new', { cwd: folder, mcpServers: [] });
    expect(made).toMatchObject({ modes: { currentModeId: 'careful' }, models: {} });
    expect(made).not.toHaveProperty('configOptions');
    const { sessionId } = made;
    const place = { sessionId, cwd: folder, mcpServers: [] };
    expect(await client.request('session/load', place)).toMatchObject({ code: -32601 });
  });

  test('newfails=once and earlyupdate', async () => {
    const folder = temporaryFolder();
    const client = connect('newfails=once,earlyupdate,autoallow', folder);
    await initialize(client);
    const place = { cwd: folder, mcpServers: [] };
    expect(await client.request('session/new', place)).toMatchObject({ code: -32603 });
    const made = await client.request('session/new', place);
    expect(made).toMatchObject({ modes: { currentModeId: 'auto' } });
    expect(client.messages.at(-2)).toMatchObject({ method: 'session/update' });
  });

  test('nullload, loadbig, loadfails and loadhangs', async () => {
    const { client, sessionId, folder } = await openSession('nullload,loadbig=50');
    const place = { sessionId, cwd: folder, mcpServers: [] };
    expect(await client.request('session/load', place)).toBeNull();
    expect(kinds(client).filter((kind) => kind === 'agent_message_chunk')).toHaveLength(50);
    const failing = connect('loadfails=once,loadhangs', folder);
    await initialize(failing);
    failing.send({ id: 'hangs', method: 'session/load', params: place });
    await initialize(failing);
    expect(failing.messages.some(({ id }) => id === 'hangs')).toBe(false);
  });
});

describe('MCP', () => {
  /** A server with one tool, which says back what it got. */
  const SERVER = `
    const rl = require('node:readline').createInterface({ input: process.stdin });
    rl.on('line', (line) => {
      const { id, method, params } = JSON.parse(line);
      if (id === undefined) return;
      const results = {
        initialize: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 's', version: '1' } },
        'tools/list': { tools: [{ name: 'echo', inputSchema: { type: 'object' } }] },
        'tools/call': { content: [{ type: 'text', text: process.env.TOKEN + ' ' + JSON.stringify(params?.arguments) }] },
      };
      console.log(JSON.stringify({ jsonrpc: '2.0', id, result: results[method] }));
    });`;

  test('it calls a tool of a stdio server, if it asks first after a yes', async () => {
    const folder = temporaryFolder();
    const outcome = { outcome: 'selected', optionId: 'allow-once' };
    const client = connect('', folder, answers({ 'session/request_permission': { outcome } }));
    await initialize(client);
    const path = join(folder, 'server.cjs');
    writeFileSync(path, SERVER);
    const env = [{ name: 'TOKEN', value: 'secret' }];
    const server = { name: 'tools', command: process.execPath, args: [path], env };
    const { sessionId } = await client.request('session/new', {
      cwd: folder,
      mcpServers: [server],
    });
    await client.prompt(sessionId, 'mcp echo {"a":1}', 'mcpask echo');
    expect(client.text).toBe('secret {"a":1}allow-oncesecret {}');
  });

  test('it calls a tool of an HTTP server, as JSON and as a stream of events', async () => {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (bytes) => (body += String(bytes)));
      request.on('end', () => {
        const { id, method } = JSON.parse(body);
        seen.push(`${method} ${request.headers.authorization}`);
        const content = [{ type: 'text', text: 'from http' }];
        const result = method === 'tools/call' ? { content, isError: true } : {};
        const line = JSON.stringify({ jsonrpc: '2.0', id, result });
        const isCall = method === 'tools/call';
        response.setHeader('content-type', isCall ? 'text/event-stream' : 'application/json');
        response.end(isCall ? `event: message\ndata: ${line}\n\n` : line);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const folder = temporaryFolder();
    const client = connect('', folder);
    await initialize(client);
    const headers = [{ name: 'Authorization', value: 'Bearer t' }];
    const mcp = { type: 'http', name: 'tools', url: `http://127.0.0.1:${port}`, headers };
    const { sessionId } = await client.request('session/new', { cwd: folder, mcpServers: [mcp] });
    await client.prompt(sessionId, 'mcp echo');
    expect(client.text).toBe('error: from http');
    expect(seen).toEqual([
      'initialize Bearer t',
      'notifications/initialized Bearer t',
      'tools/list Bearer t',
      'tools/call Bearer t',
    ]);
  });

  test('a broken server fails no session, and mcpignored connects to none', async () => {
    const folder = temporaryFolder();
    const server = { name: 'tools', command: join(folder, 'absent'), args: [], env: [] };
    for (const [script, said] of [
      ['', /^error: /],
      ['mcpignored', /^no MCP server$/],
    ] as const) {
      const client = connect(script, folder);
      await initialize(client);
      const { sessionId } = await client.request('session/new', {
        cwd: folder,
        mcpServers: [server],
      });
      await client.prompt(sessionId, 'mcp echo');
      expect(client.text).toMatch(said);
    }
  });
});

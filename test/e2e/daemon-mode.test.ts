/** The built program as the daemon of a workspace: started, spoken to and stopped as a host does. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ChannelRuntime, say, wordsOf } from '../contract/platform/channel-runtime.ts';
import { type Bridge, BridgeProcess, Rig } from './rig.ts';

const BIN = join(import.meta.dirname, '../../bin/lark-bridge.js');
const HOST = '11111111-1111-4111-8111-111111111111';
const OTHER = '22222222-2222-4222-8222-222222222222';
/** What a host leaves between its two signals (MOL-DAE-07). */
const GRACE_MS = 10_000;

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Answer = { readonly status: number; readonly body: unknown };

/** The platform as its host's daemon sees it: it keeps account of every call. */
class Platform {
  readonly calls: Call[] = [];
  onTurn: () => Answer = () => ({ status: 503, body: { error: 'nobody is there', busy: true } });
  queueItem: unknown;
  inbox: { readonly id: string }[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request).then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      });
    });
  }

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Paths of what changes something there: turns, and whatever a daemon has to leave to its host. */
  get posts(): string[] {
    return this.calls.filter(({ method }) => method === 'POST').map(({ path }) => path);
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://platform');
    const { method = '', headers } = request;
    this.calls.push({ method, path, headers, body: Buffer.concat(chunks).toString() });
    if (path === '/registry/register') {
      return { status: 200, body: { status: 'registered', delivery_mode: 'poll' } };
    }
    if (path.endsWith('/a2a')) return this.onTurn();
    if (path.includes('/a2a/queue/')) return { status: 200, body: this.queueItem };
    if (path.endsWith('/activity')) return this.#rowsSince(searchParams.get('since_id'));
    return { status: 404, body: { error: 'not found' } };
  }

  #rowsSince(cursor: string | null): Answer {
    if (cursor === null) return { status: 200, body: this.inbox.toReversed() };
    const at = this.inbox.findIndex(({ id }) => id === cursor);
    return at < 0
      ? { status: 410, body: { error: 'since_id cursor not found; omit since_id to reset' } }
      : { status: 200, body: this.inbox.slice(at + 1) };
  }
}

const result = (text: string) => ({ result: { kind: 'message', parts: [{ kind: 'text', text }] } });

let rig: Rig;
let platform: Platform;
let runtime: ChannelRuntime;
let workspaceEnv: Record<string, string>;
let daemons: BridgeProcess[];

beforeEach(async () => {
  rig = await Rig.open();
  platform = new Platform();
  runtime = new ChannelRuntime();
  await runtime.open();
  daemons = [];
  workspaceEnv = {
    WORKSPACE_ID: HOST,
    PLATFORM_URL: await platform.open(),
    MOLECULE_WORKSPACE_TOKEN: 't-secret',
    // The host names a place for the plugin's state; the person has named none.
    LARK_CHANNEL_STATE_DIR: '',
    MOLECULE_PLUGIN_STATE_DIR: rig.stateDir,
  };
});

afterEach(async () => {
  for (const daemon of daemons) signalGroup(daemon, 'SIGKILL');
  await Promise.all(daemons.map(({ exited }) => exited));
  await rig.close();
  await runtime.close();
  platform.close();
});

/** As MOL-DAE-04 says: the workspace's environment, the plugin's folder, a process group of its own. */
async function startDaemon(env: Record<string, string> = {}): Promise<BridgeProcess> {
  const cwd = join(rig.home, 'plugin');
  mkdirSync(cwd, { recursive: true });
  const words = ['run', '--mode', 'daemon', '--json', '--log-format', 'json'];
  const child = spawn(process.execPath, [BIN, ...words], {
    cwd,
    env: { ...rig.env, ...workspaceEnv, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const daemon = new BridgeProcess(child);
  daemons.push(daemon);
  await daemon.ready();
  return daemon;
}

/** The same in this process, for what is not about one. */
function daemonHere(env: Record<string, string> = {}): Promise<Bridge> {
  const words = ['run', '--mode', 'daemon', '--json', '--log-format', 'json'];
  return rig.runHere({ words, env: { ...workspaceEnv, ...env } });
}

function signalGroup({ child }: BridgeProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-(child.pid ?? 0), signal);
  } catch (error) {
    // It has ended already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Stops a daemon as a host does; the exit code, or null if it had to be killed. */
async function stopGroup(daemon: BridgeProcess): Promise<number | null> {
  signalGroup(daemon, 'SIGTERM');
  const killing = setTimeout(() => signalGroup(daemon, 'SIGKILL'), GRACE_MS);
  const code = await daemon.exited;
  clearTimeout(killing);
  return code;
}

const turnsTaken = (count: number) => expect.poll(() => runtime.turns.length).toBe(count);

describe('with the channel socket', () => {
  test('LCM-MODE-02, MOL-SOCK-06, LCM-MODE-08: chats do not wait for each other, each gets its own answer, and the platform is not called', async () => {
    const daemon = await startDaemon(runtime.env);
    const [one, two] = [rig.direct('Mei'), rig.direct('Tom')];
    const asked = rig.cloud.say({ chat: one.chat, from: one.user, text: 'first' });
    await turnsTaken(1);
    rig.cloud.say({ chat: two.chat, from: two.user, text: 'second' });
    await turnsTaken(2);
    for (const turn of runtime.turns.toReversed()) say(turn, `answer to ${wordsOf(turn)}`);
    const [reply] = await rig.repliesIn(one.chat, 1);
    expect(reply).toMatchObject({ text: 'answer to first', replyTo: asked.messageId });
    expect((await rig.repliesIn(two.chat, 1))[0]?.text).toBe('answer to second');
    expect(runtime.turns.map(({ metadata }) => metadata['chat_id'])).toEqual([
      one.chat.chatId,
      two.chat.chatId,
    ]);
    expect(await stopGroup(daemon)).toBe(0);
    expect(platform.posts).toEqual([]);
  });

  test('MOL-DAE-04, MOL-DAE-08, LCM-ENV-06, LCM-MODE-06, LCM-MODE-07: all it needs is in the environment, its state is where the host says, and no secret shows', async () => {
    runtime.onTurn = (turn) => say(turn, 'hi');
    const daemon = await startDaemon({
      ...runtime.env,
      LARK_BRAND: 'lark',
      LARK_LOG_LEVEL: 'debug',
    });
    const { user, chat } = rig.direct('Mei');
    rig.cloud.say({ chat, from: user, text: 'hello' });
    await rig.repliesIn(chat, 1);
    expect(runtime.turns[0]?.message.parts[0]?.text).toContain('[lark-channel] brand=lark ');
    const argv = readFileSync(`/proc/${daemon.child.pid}/cmdline`, 'utf8');
    expect(await stopGroup(daemon)).toBe(0);
    expect(existsSync(join(rig.stateDir, 'bridge.db'))).toBe(true);
    expect(existsSync(join(rig.home, '.lark-bridge', 'bridge.db'))).toBe(false);
    const shown = argv + daemon.stdout + daemon.stderr;
    for (const secret of [runtime.capability, 't-secret', rig.app.appSecret]) {
      expect(shown).not.toContain(secret);
    }
  });

  test('LCM-ENV-07: a group message counts only if it mentions the bot that is set', async () => {
    runtime.onTurn = (turn) => say(turn, 'hi');
    await daemonHere({ ...runtime.env, LARK_BOT_OPEN_ID: 'ou_another' });
    const { user, chat: direct } = rig.direct('Mei');
    const group = rig.cloud.addGroup({ name: 'Team', members: [user], apps: [rig.app] });
    rig.cloud.say({ chat: group, from: user, text: '{0} hello', mentions: [rig.app] });
    rig.cloud.say({ chat: direct, from: user, text: 'hello' });
    await rig.repliesIn(direct, 1);
    expect(runtime.turns).toHaveLength(1);
  });

  test('MOL-SOCK-07: a socket that dies after the send leaves a question, and the turn is not repeated unasked', async () => {
    await daemonHere(runtime.env);
    const { user, chat } = rig.direct('Mei');
    const asked = rig.cloud.say({ chat, from: user, text: 'pay the bill' });
    await turnsTaken(1);
    await runtime.shut();
    const [question] = await rig.repliesIn(chat, 1);
    expect(question).toMatchObject({ type: 'interactive', replyTo: asked.messageId });
    await runtime.open();
    runtime.onTurn = (turn) => say(turn, `did: ${wordsOf(turn)}`);
    // What comes after it goes on; it itself waits for a word.
    rig.cloud.say({ chat, from: user, text: 'what time is it?' });
    const [, answer] = await rig.repliesIn(chat, 2);
    expect(answer?.text).toBe('did: what time is it?');
    await rig.cloud.pressOnCard(question?.messageId ?? '', user, { index: 0 });
    const [, , again] = await rig.repliesIn(chat, 3);
    expect(again).toMatchObject({ text: 'did: pay the bill', replyTo: asked.messageId });
    expect(runtime.turns).toHaveLength(3);
    expect(platform.posts).toEqual([]);
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'MOL-DAE-07, MOL-SOCK-07: %s to the group in the middle of a turn: its chat is asked at the next start, and the turn is not repeated',
    async (signal) => {
      const first = await startDaemon(runtime.env);
      const { user, chat } = rig.direct('Mei');
      const asked = rig.cloud.say({ chat, from: user, text: 'pay the bill' });
      await turnsTaken(1);
      if (signal === 'SIGTERM') expect(await stopGroup(first)).toBe(0);
      else {
        signalGroup(first, 'SIGKILL');
        await first.exited;
      }
      expect(rig.replies(chat)).toEqual([]);
      runtime.onTurn = (turn) => say(turn, `did: ${wordsOf(turn)}`);
      await daemonHere(runtime.env);
      const [question] = await rig.repliesIn(chat, 1);
      expect(question).toMatchObject({ type: 'interactive', replyTo: asked.messageId });
      rig.cloud.say({ chat, from: user, text: 'what time is it?' });
      const [, answer] = await rig.repliesIn(chat, 2);
      expect(answer?.text).toBe('did: what time is it?');
      expect(runtime.turns.map(wordsOf)).toEqual(['pay the bill', 'what time is it?']);
      expect(platform.posts).toEqual([]);
    },
  );
});

describe('without it', () => {
  test('MOL-SOCK-07, LCM-OUT-03, LCM-ENV-01, LCM-ENV-04: where the socket is absent the turn goes over the platform, to the host, once', async () => {
    await runtime.shut();
    platform.onTurn = () => ({ status: 200, body: result('by platform') });
    const daemon = await daemonHere(runtime.env);
    const { user, chat } = rig.direct('Mei');
    rig.cloud.say({ chat, from: user, text: 'hello' });
    const [reply] = await rig.repliesIn(chat, 1);
    expect(reply?.text).toBe('by platform');
    expect(platform.posts).toEqual([`/workspaces/${HOST}/a2a`]);
    expect(platform.calls.find(({ method }) => method === 'POST')?.headers).toMatchObject({
      authorization: 'Bearer t-secret',
      'x-workspace-id': HOST,
    });
    expect(daemon.logged('channel_socket_missed')).toBe(true);
  });

  test('LCM-OUT-04: what the busy host queued under an id is waited for', async () => {
    platform.queueItem = { status: 'completed', response_body: result('at last') };
    platform.onTurn = () => ({ status: 202, body: { queued: true, queue_id: 'q-1' } });
    await daemonHere();
    const { user, chat } = rig.direct('Mei');
    rig.cloud.say({ chat, from: user, text: 'hello' });
    expect((await rig.repliesIn(chat, 1))[0]?.text).toBe('at last');
    expect(platform.posts).toEqual([`/workspaces/${HOST}/a2a`]);
  });

  test('LCM-OUT-08: an answer that can not come back is told in the chat, and the log says what to do', async () => {
    platform.onTurn = () => ({ status: 200, body: { status: 'queued', delivery_mode: 'poll' } });
    const daemon = await daemonHere();
    const { user, chat } = rig.direct('Mei');
    const asked = rig.cloud.say({ chat, from: user, text: 'hello' });
    const [reply] = await rig.repliesIn(chat, 1);
    expect(reply).toMatchObject({ replyTo: asked.messageId });
    expect(reply?.text).toContain("can't come back to this chat");
    expect(daemon.logged('answer_lost_in_queue')).toBe(true);
    expect(daemon.stderr).toContain('channel socket');
  });

  test('LCM-ENV-04, LCM-OUT-01: another target answers into the inbox, where what is for the host is left alone', async () => {
    const row = (source_id: string, text: string, more = {}) => ({
      id: `row-of-${source_id}`,
      seq: 1,
      source_id,
      method: 'message/send',
      request_body: { params: { message: { parts: [{ kind: 'text', text }] } } },
      ...more,
    });
    platform.onTurn = () => {
      platform.inbox = [
        row('33333333', 'for the host only'),
        row(HOST, 'asked by the host', { method: 'delegate_result', target_id: OTHER }),
        row(OTHER.toUpperCase(), 'the answer'),
      ];
      return { status: 200, body: { status: 'queued', delivery_mode: 'poll' } };
    };
    await daemonHere({ ...runtime.env, MOLECULE_TARGET_WORKSPACE_ID: OTHER });
    const { user, chat } = rig.direct('Mei');
    rig.cloud.say({ chat, from: user, text: 'hello' });
    const [reply] = await rig.repliesIn(chat, 1);
    expect(reply?.text).toBe('the answer');
    const kept = await rig.command(['dead-letters', 'late', '--json']);
    expect(JSON.parse(kept.stdout)).toMatchObject({ late_answers: [] });
    // Above all nothing that says what the host has read.
    expect(platform.posts).toEqual([`/workspaces/${OTHER}/a2a`]);
    expect(rig.replies(chat)).toHaveLength(1);
    expect(runtime.requests).toBe(0);
  });
});

test('LCM-MODE-01, LCM-CLI-01, LCM-ENV-01: unless it is a daemon, it registers a workspace of its own', async () => {
  const env = { ...workspaceEnv, MOLECULE_TARGET_WORKSPACE_ID: OTHER };
  await rig.runHere({ words: ['--json'], env });
  expect(platform.posts).toEqual(['/registry/register']);
  const body = platform.calls.find(({ method }) => method === 'POST')?.body ?? '';
  expect(JSON.parse(body)).toMatchObject({ id: HOST, url: '', delivery_mode: 'poll' });
});

describe('what it refuses to start with', () => {
  test('LCM-CLI-01, LCM-CLI-05, LCM-CLI-08: all that is missing is said in one message', async () => {
    const { code, stdout, stderr } = await rig.program(['--mode', 'daemon'], {
      env: { LARK_APP_ID: '', LARK_APP_SECRET: '' },
    });
    expect([code, stdout]).toEqual([2, '']);
    for (const name of [
      'LARK_APP_ID',
      'LARK_APP_SECRET',
      'PLATFORM_URL',
      'WORKSPACE_ID',
      'MOLECULE_WORKSPACE_TOKEN',
    ]) {
      expect(stderr.split(`${name} is not set`)).toHaveLength(2);
    }
  });

  test('MOL-SOCK-08: another version of the channel socket', async () => {
    const { code, stderr } = await rig.program(['run', '--mode', 'daemon'], {
      env: { ...workspaceEnv, ...runtime.env, MOLECULE_CHANNEL_API_VERSION: '2' },
    });
    expect(code).toBe(2);
    expect(stderr).toContain('MOLECULE_CHANNEL_API_VERSION must be 1');
    expect(stderr).not.toContain(runtime.capability);
    expect(runtime.requests).toBe(0);
  });
});

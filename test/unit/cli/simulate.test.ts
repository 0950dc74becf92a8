/** `simulate` in this process: its flags and files, what it says when ready, and what it refuses. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { main, type ProcessParts } from '../../../src/cli/main.ts';
import { runProgram } from './program.ts';

type Json = Record<string, unknown>;

let home: string;
let stops: (() => Promise<unknown>)[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lark-bridge-simulate-test-'));
  stops = [];
});
afterEach(async () => {
  for (const stop of stops) await stop();
  rmSync(home, { recursive: true, force: true });
});

function fileWith(content: unknown, name = 'file.json'): string {
  const path = join(home, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** Starts it and reads what it says when ready. */
async function simulate(...words: string[]) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const said = { stdout: '', stderr: '' };
  stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()));
  stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
  const { execPath, argv } = process;
  const env = { HOME: home };
  const around = { env, execPath, argv, stdin: new PassThrough(), stdout, stderr };
  const stop = new AbortController();
  const ended = main(['simulate', ...words], stop.signal, around as unknown as ProcessParts);
  const end = () => {
    stop.abort();
    return ended;
  };
  stops.push(end);
  await expect.poll(() => said.stdout + said.stderr).not.toBe('');
  return { said, end };
}

async function ready(...words: string[]) {
  const { said, end } = await simulate('--json', ...words);
  expect(said.stdout, said.stderr).toMatch(/^\{/);
  const event = JSON.parse(said.stdout) as Record<string, string>;
  const ask = async (path: string): Promise<Json> =>
    (await (await fetch(`${event['control_url']}${path}`)).json()) as Json;
  return { event, said, end, ask };
}

describe('what it refuses, with exit code 2 and words', () => {
  test.each([
    ['--port', '65536', '--port is not a whole number from 0 to 65535'],
    ['--port', 'x', '--port is not a whole number'],
    ['--seed', '1.5', '--seed is not a whole number'],
    ['--time-scale', '0', '--time-scale is not a number from 0.001'],
    ['--call-limits', 'maybe', '--call-limits must be one of on, off'],
    ['--world', '/nowhere.json', "--world: can't read it"],
    ['--client-config', '/nowhere.json', "--client-config: can't read it"],
    ['--ca-file', 'x.pem', '--tls-hosts and --ca-file need --tls'],
    ['--host', '192.0.2.1', '--host 192.0.2.1 is not an address of this machine'],
  ])('%s %s', async (flag, value, words) => {
    const { code, stdout, stderr } = await runProgram(['simulate', flag, value]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: [^\n]+\nnext: [^\n]+\n$/);
    expect(stderr).toContain(words);
  });

  test('all of it at once', async () => {
    const config = fileWith({ PingInterval: 0, Ping: 1 }, 'config.json');
    const words = [
      '--port',
      'x',
      '--seed',
      'y',
      '--client-config',
      config,
      '--world',
      fileWith('{'),
    ];
    const { code, stderr } = await runProgram(['simulate', ...words]);
    expect(code).toBe(2);
    for (const part of [
      '--port is not',
      '--seed is not',
      'Ping is unknown; known: ReconnectCount, ReconnectInterval, ReconnectNonce, PingInterval',
      'PingInterval is not a number from 0.01',
      'is not JSON',
    ]) {
      expect(stderr).toContain(part);
    }
  });

  test('every fault of a world file', async () => {
    const world = fileWith({
      people: [{ name: 'Mei' }, { name: 'Mei' }, { nick: 'Tom' }],
      apps: [{ name: 'Helper', scopes: 'all' }],
      rooms: [],
    });
    const { code, stderr } = await runProgram(['simulate', '--world', world]);
    expect(code).toBe(2);
    for (const part of [
      'rooms is unknown; known: people, apps, chats',
      'people[2].nick is unknown',
      'people[2].name is missing',
      'apps[0].scopes is not a list of strings',
    ]) {
      expect(stderr).toContain(part);
    }
  });

  test('every name in a world file that does not fit', async () => {
    const world = fileWith({
      people: [{ name: 'Mei' }, { name: 'Mei' }],
      apps: [{ name: 'Helper', appId: 'mine' }],
      chats: [
        { name: 'Orders', members: ['Tom'], apps: ['Nobody'] },
        { mode: 'direct', members: ['Mei'] },
        { members: ['Mei'], messages: [{ from: 'Ann', text: 'hi' }] },
      ],
    });
    const { code, stderr } = await runProgram(['simulate', '--world', world]);
    expect(code).toBe(2);
    for (const part of [
      'people[1].name "Mei" is used twice',
      'apps[0].appId is not cli_ and 16 hex digits',
      'chats[0].members[0]: there is no person "Tom"',
      'chats[0].apps[0]: there is no app "Nobody"',
      'chats[1] is direct: it needs exactly one member and one app',
      'chats[2].name is missing',
      'chats[2].messages[0]: there is no person or app "Ann"',
    ]) {
      expect(stderr).toContain(part);
    }
  });

  test('a port in use: exit code 1', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    try {
      const { code, stderr } = await runProgram(['simulate', '--port', String(port)]);
      expect(code).toBe(1);
      expect(stderr).toContain(`port ${port} of 127.0.0.1 is in use by another program`);
    } finally {
      other.close();
    }
  });
});

test('the same seed gives the same app, another one another', async () => {
  const [one, same, other] = [
    await ready('--seed', '7'),
    await ready('--seed', '7'),
    await ready('--seed', '8'),
  ];
  expect(same.event['app_id']).toBe(one.event['app_id']);
  expect(other.event['app_id']).not.toBe(one.event['app_id']);
});

test('the world of a file is there, with its scopes and its history', async () => {
  const world = fileWith({
    people: [{ name: 'Mei', email: 'mei@example.com' }, { name: 'Tom' }],
    apps: [
      {
        name: 'Helper',
        appId: 'cli_0123456789abcdef',
        appSecret: "it's a secret",
        addScopes: ['im:message.group_msg'],
      },
    ],
    chats: [
      {
        name: 'Orders',
        members: ['Mei', 'Tom'],
        apps: ['Helper'],
        messages: [
          { from: 'Mei', text: 'any open orders?', agoMs: 3_600_000 },
          { from: 'Helper', text: 'Two.', agoMs: 3_500_000, replyTo: '#0' },
        ],
      },
      { mode: 'direct', members: ['Mei'], apps: ['Helper'] },
    ],
  });
  const { event, ask, said } = await ready('--world', world);
  expect(event).toMatchObject({ app_id: 'cli_0123456789abcdef', app_secret: "it's a secret" });
  const { users, apps, chats } = await ask('/world');
  expect(users).toMatchObject([{ email: 'mei@example.com' }, { name: 'Tom' }]);
  expect(apps).toMatchObject([
    { scopes: expect.arrayContaining(['im:resource', 'im:message.group_msg']) as string[] },
  ]);
  expect(chats).toMatchObject([
    { name: 'Orders', messages: 2 },
    { mode: 'p2p', members: ['Mei'] },
  ]);
  const { messages } = await ask('/shows?chat=Orders');
  expect(messages).toMatchObject([
    { text: 'any open orders?' },
    { from: 'app:cli_0123456789abcdef' },
  ]);
  await expect.poll(() => said.stderr).toContain('In it: 2 people, 1 app, 2 chats.');
});

test('the environment can be read by a shell, whatever the secret', async () => {
  const world = fileWith({ apps: [{ name: 'A', appSecret: "it's $HOME" }] });
  const { said } = await simulate('--world', world);
  expect(said.stdout).toContain(String.raw`export LARK_APP_SECRET='it'\''s $HOME'`);
});

test('clients are told what the file says about their connection', async () => {
  const { event } = await ready('--client-config', fileWith({ ReconnectInterval: 0.2 }));
  const answer = await fetch(`${event['open_base_url']}/callback/ws/endpoint`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ AppID: event['app_id'], AppSecret: event['app_secret'] }),
  });
  expect(await answer.json()).toMatchObject({
    data: { ClientConfig: { ReconnectInterval: 0.2, PingInterval: 120 } },
  });
});

test('--call-limits off: no call is too frequent', async () => {
  const statuses = async (...words: string[]) => {
    const { event } = await ready(...words);
    const base = event['open_base_url'] as string;
    const ask = (path: string, body: Json, token = '') =>
      fetch(base + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify(body),
      });
    const login = await ask('/open-apis/auth/v3/tenant_access_token/internal', {
      app_id: event['app_id'],
      app_secret: event['app_secret'],
    });
    const { tenant_access_token: token } = (await login.json()) as Record<string, string>;
    const world = (await (await fetch(`${event['control_url']}/world`)).json()) as {
      chats: { chatId: string }[];
    };
    const text = { receive_id: world.chats[0]?.chatId, msg_type: 'text', content: '{"text":"x"}' };
    const send = () => ask('/open-apis/im/v1/messages?receive_id_type=chat_id', text, token);
    return Promise.all(Array.from({ length: 12 }, async () => (await send()).status));
  };
  expect(new Set(await statuses())).toEqual(new Set([200, 400]));
  expect(new Set(await statuses('--call-limits', 'off'))).toEqual(new Set([200]));
});

test('an unknown route of the API is told once on stderr, and marked in the calls', async () => {
  const { event, said, ask } = await ready('--quiet');
  for (let times = 0; times < 2; times += 1) {
    await fetch(`${event['open_base_url']}/open-apis/docx/v1/documents`, { method: 'POST' });
  }
  await expect
    .poll(() => said.stderr)
    .toBe(
      'warning: the simulator has no route POST /open-apis/docx/v1/documents: it was answered with 404\n',
    );
  expect((await ask('/calls'))['calls']).toMatchObject([
    { unknownRoute: true },
    { unknownRoute: true },
  ]);
});

test('listening beyond loopback is said plainly, also with --quiet', async () => {
  const beyond = await ready('--host', '0.0.0.0', '--quiet');
  await expect
    .poll(() => beyond.said.stderr)
    .toMatch(
      /^warning: other machines can reach 0\.0\.0\.0:\d+, and everybody who reaches it controls the simulator/,
    );
  expect((await ready('--quiet')).said.stderr).toBe('');
});

test('the ready line names the page, in text and in JSON', async () => {
  const { event } = await ready();
  const page = await fetch(event['page_url'] ?? '');
  expect([page.status, page.headers.get('content-type')]).toEqual([
    200,
    'text/html; charset=utf-8',
  ]);
  expect((await simulate()).said.stdout).toMatch(
    /^# The simulator is ready: .*, page http:\/\/127\.0\.0\.1:\d+\/_page\/$/m,
  );
  // An address that means "all" can't be opened.
  const beyond = await ready('--host', '0.0.0.0', '--quiet');
  expect(beyond.event['page_url']).toMatch(/^http:\/\/127\.0\.0\.1:/);
});

test('it ends with 0 when it is asked to stop', async () => {
  const { end } = await simulate();
  expect(await end()).toBe(0);
});

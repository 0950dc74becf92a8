/**
 * No secret leaves the program by a way that somebody may read: whole lives of the program at its most
 * talkative, and everything that it said or wrote is searched for every secret that there was.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PlatformDouble } from '../contract/platform/double.ts';
import { type Bridge, Rig } from './rig.ts';

/** Where a secret may lie, for its owner's eyes only. */
const KEPT = /^(?:credentials\.json|provision-token|workspace-token\.json)$/;
/** Tokens of the hub have this form, so that even those that nobody handed out can be found. */
const HUB_TOKEN = /\b(?:lw|lr|lpt)_[0-9a-f]{16,}/;
const STORY_MS = 180_000;

let rig: Rig;
/** By what they are. */
let secrets: Map<string, Set<string>>;
/** Everything that came out, by where. */
let heard: Map<string, string>;

beforeEach(async () => {
  secrets = new Map();
  heard = new Map();
  rig = await Rig.open({ accounts: { interval: 0.1 } });
  tap();
});

afterEach(() => rig.close());

function note(what: string, secret: string): string {
  secrets.set(what, (secrets.get(what) ?? new Set()).add(secret));
  return secret;
}

/** Learns of every secret that the cloud hands out. */
function tap(): void {
  const { ids } = rig.cloud.world;
  const { tenantToken, ticket, secret } = ids;
  ids.tenantToken = () => note('tenant token', tenantToken());
  ids.ticket = () => note('ticket of a connection', ticket());
  ids.secret = () => note('app secret', secret());
  const hex = ids.hex.bind(ids);
  // Nothing else has this length.
  ids.hex = (length) => (length === 48 ? note('device code', hex(length)) : hex(length));
  note('app secret', rig.app.appSecret);
}

function hear(where: string, text: string): void {
  heard.set(where, `${heard.get(where) ?? ''}${text}`);
}

async function command(words: readonly string[], options: Parameters<Rig['command']>[1] = {}) {
  const result = await rig.command(words, options);
  hear(words.join(' '), `${result.stdout}${result.stderr}`);
  return result;
}

const told = (bridge: Bridge) => `${bridge.stdout}${bridge.stderr}`;

/** Files of the state directory, the database and its log of writes among them. */
function hearFiles(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || KEPT.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    hear(`file ${entry.name}`, readFileSync(path, 'latin1'));
  }
}

/** Where a secret came out; the secret itself is not for the test's report either. */
function leaks(): string[] {
  const found: string[] = [];
  for (const [where, text] of heard) {
    for (const [what, ones] of secrets) {
      if ([...ones].some((secret) => text.includes(secret))) found.push(`${what} in ${where}`);
    }
    if (HUB_TOKEN.test(text)) found.push(`token of the hub in ${where}`);
  }
  return found;
}

const LOOKS = [
  ['status', '--json'],
  ['doctor', '--json'],
  ['doctor'],
  ['config', '--json'],
  ['config', 'get', 'app_secret'],
  ['config', 'check'],
  ['agents', 'list', '--json'],
  ['turns', 'list', '--json', '--text'],
  ['dead-letters', 'list', '--json', '--text'],
  ['service', 'print'],
];

/** What becomes of the first calls that answer; each costs the patience of a retry. */
const WEATHER = {
  json: ['request_lost', 'token_revoked', 'html_502'],
  text: ['response_lost', 'business_error'],
} as const;

/** Cuts the connection, and refuses the next ones in all ways. */
async function rough({ cloud, app }: Rig): Promise<void> {
  cloud.faults.inject({ kind: 'bootstrap_http' });
  cloud.faults.inject({ kind: 'bootstrap_refused', code: 1, msg: 'busy' });
  cloud.faults.inject({ kind: 'handshake_refused' });
  cloud.cloud.connections.kick();
  await cloud.waitFor(() => cloud.faults.counts().handshake_refused === 1);
  await cloud.waitFor(() => cloud.online(app) === 1);
}

const DEBUG = ['--log-level', 'debug'];

test(
  'a life with an embedded hub: weather, commands beside it, an agent that looks around',
  async () => {
    const far = await rig.command(['agents', 'add', 'far', '--json']);
    // The one moment in which this one is shown.
    note('key of an agent', (JSON.parse(far.stdout) as { api_key: string }).api_key);
    await rig.command([
      'agents',
      'add',
      'curious',
      '--json',
      '--exec',
      `sh -c 'env; tr "\\000" " " < /proc/$PPID/cmdline || true'`,
    ]);
    const { user, chat } = rig.direct('Mei');
    for (const format of ['json', 'text'] as const) {
      const words = ['run', '--json', '--log-format', format, ...DEBUG];
      const daemon = await rig.run({ words });
      const commandLine = `/proc/${daemon.child.pid}/cmdline`;
      if (existsSync(commandLine)) hear('command line', readFileSync(commandLine, 'latin1'));
      const before = rig.replies(chat).length;
      const { faults } = rig.cloud;
      if (format === 'json') await rough(rig);
      for (const kind of WEATHER[format]) faults.inject({ kind, path: '/reply' });
      rig.cloud.say({ chat, from: user, text: `hello in ${format}` });
      const asked = rig.cloud.say({ chat, from: user, text: 'and again' });
      await rig.repliesIn(chat, before + 1);
      const looks = format === 'json' ? [...LOOKS, ['trace', asked.messageId]] : [];
      for (const look of looks) await command(look);
      await daemon.stop();
      hear(`run with ${format}`, told(daemon));
    }
    note('provision token', readFileSync(join(rig.stateDir, 'provision-token'), 'utf8').trim());
    hear('chat', JSON.stringify(rig.replies(chat)));
    hearFiles(rig.stateDir);

    // The search has something to find, in something that was said.
    expect(heard.get('run with json')).toContain('"level":"debug"');
    expect(heard.get('run with text')).toContain(' DEBUG ');
    expect(heard.get('chat')).toContain('LARK_CHAT_ID=');
    expect(secrets.get('tenant token')?.size).toBeGreaterThan(1);
    expect(secrets.get('ticket of a connection')?.size).toBeGreaterThan(1);
    expect(leaks()).toEqual([]);
  },
  STORY_MS,
);

test('a secret that Lark refuses, by every way in', async () => {
  const wrong = note('wrong secret', 'this-secret-is-wrong');
  const file = join(rig.home, 'secret');
  writeFileSync(file, `${wrong}\n`);
  const folder = join(rig.home, 'credentials');
  mkdirSync(folder);
  writeFileSync(join(folder, 'lark-app-secret'), wrong);
  for (const env of [
    { LARK_APP_SECRET: wrong },
    { LARK_APP_SECRET: '', LARK_APP_SECRET_FILE: file },
    { LARK_APP_SECRET: '', CREDENTIALS_DIRECTORY: folder },
  ]) {
    expect((await command(['run', '--json', ...DEBUG], { env })).code).toBe(3);
    expect((await command(['doctor', '--json'], { env })).code).toBe(3);
  }
  // Not even one that could never be a secret is quoted.
  const spaced = note('secret with a space', 'secret with a space');
  const env = { LARK_APP_SECRET: spaced };
  expect((await command(['run', '--json'], { env })).code).toBe(2);
  expect((await command(['config', '--json'], { env })).code).toBe(2);
  expect((await command(['doctor', '--json'], { env })).code).toBe(2);
  expect(leaks()).toEqual([]);
});

test('connect: a new bot, an app that exists, one that is refused', async () => {
  const stateDir = join(rig.home, 'connected');
  const env = {
    LARK_ACCOUNTS_BASE_URL: rig.cloud.accountsBaseUrl,
    LARK_APP_ID: '',
    LARK_APP_SECRET: '',
  };
  const words = ['connect', '--json', '--no-verify', '--state-dir', stateDir, ...DEBUG];
  const connecting = rig.spawn({ words, env });
  await connecting.saw(() => connecting.stdout.includes('"verification"'));
  const [first = '{}'] = connecting.stdout.split('\n');
  rig.cloud.scan({ url: (JSON.parse(first) as { url: string }).url, approve: true });
  expect(await connecting.exited).toBe(0);
  hear('connect', told(connecting));
  hearFiles(stateDir);
  const { app_secret: kept } = JSON.parse(
    readFileSync(join(stateDir, 'credentials.json'), 'utf8'),
  ) as { app_secret: string };
  expect(secrets.get('app secret')).toContain(kept);

  const existing = ['connect', '--json', '--no-verify', '--force', '--state-dir', stateDir];
  const adopt = [...existing, '--app-id', rig.app.appId, '--app-secret-stdin'];
  expect((await command(adopt, { env, input: rig.app.appSecret })).code).toBe(0);
  const wrong = note('wrong secret', 'this-secret-is-wrong');
  expect((await command(adopt, { env, input: wrong })).code).toBe(3);
  expect(secrets.get('device code')?.size).toBeGreaterThan(0);
  expect(leaks()).toEqual([]);
});

test('a hub elsewhere, with a token of a workspace, and one that it gives out', async () => {
  const platform = await new PlatformDouble().open();
  try {
    const env = {
      PLATFORM_URL: platform.url,
      WORKSPACE_ID: platform.own,
      MOLECULE_WORKSPACE_TOKEN: note('workspace token', platform.token ?? ''),
      MOLECULE_TARGET_WORKSPACE_ID: platform.target,
      MOLECULE_CHANNEL_A2A_TOKEN: note('capability', 'capability-of-the-channel'),
    };
    const daemon = await rig.runHere({ env, words: ['run', '--json', ...DEBUG] });
    platform.token = note('workspace token', 'wst-another-one');
    const { user, chat } = rig.direct('Mei');
    rig.cloud.say({ chat, from: user, text: 'hello' });
    await daemon.saw(() => daemon.stderr.includes('token_refused'));
    for (const look of LOOKS) await command(look, { env });
    await daemon.stop();
    hear('run', told(daemon));
    hearFiles(rig.stateDir);
    expect(leaks()).toEqual([]);
  } finally {
    await platform.close();
  }
});

test('an error that nobody catches', async () => {
  const preload = join(import.meta.dirname, 'crash-preload.js');
  const daemon = await rig.run({
    words: ['run', '--json', ...DEBUG],
    env: { NODE_OPTIONS: `--import ${preload}` },
  });
  daemon.child.kill('SIGUSR2');
  await daemon.saw(() => daemon.stderr.includes('disk_broken'));
  const { user, chat } = rig.direct('Mei');
  rig.cloud.say({ chat, from: user, text: 'hello' });
  expect(await daemon.exited).not.toBe(0);
  hear('crash', told(daemon));
  expect(heard.get('crash')).toMatch(/BridgeError: the disk did not keep a write.*\n +at /);
  expect(leaks()).toEqual([]);
});

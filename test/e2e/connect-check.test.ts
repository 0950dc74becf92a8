/** What `connect` ends with: the check that messages and presses arrive. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LarkCloud } from '../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimChat, SimUser } from '../../src/sim/world/model.ts';
import { Db } from '../../src/store/sqlite/db.ts';
import { pressButtonOf } from '../contract/lark/card-press.ts';
import { ConnectRig, type Run } from './connect-rig.ts';

const HOUR_MS = 60 * 60_000;
/** Enough for everything that does not wait for a person, also on a busy machine. */
const SHORT = ['--timeout', '10'];
const silent = { debug() {}, info() {}, warn() {}, error() {} };

let rig: ConnectRig;
let cloud: LarkCloud;
let mei: SimUser;

beforeEach(async () => {
  rig = new ConnectRig();
  cloud = await rig.startCloud();
  mei = cloud.addUser({ name: 'Mei' });
});

afterEach(() => rig.close());

/** Mei scans; resolves with her bot. */
async function scan(run: Run): Promise<SimApp> {
  const app = cloud.scan({ url: await run.link(), approve: true, as: mei });
  if (app === undefined) throw new Error('no app was made');
  return app;
}

/** A bot in the state directory, made by Mei and never checked. */
async function connectedBot(): Promise<SimApp> {
  const run = rig.connect();
  const app = await scan(run);
  expect(await run.code).toBe(0);
  return app;
}

async function cardIn(chat: SimChat): Promise<string> {
  const card = await cloud.waitFor(() =>
    cloud.shows(chat).findLast(({ type }) => type === 'interactive'),
  );
  return card.messageId;
}

const reply = (chat: SimChat, text = 'hi') => cloud.say({ chat, from: mei, text });
const press = async (chat: SimChat) => pressButtonOf(cloud, await cardIn(chat), mei);

/** Mei does what the card asks her. */
async function takePart(app: SimApp): Promise<SimChat> {
  const chat = cloud.directChat(mei, app);
  await cardIn(chat);
  reply(chat);
  await press(chat);
  return chat;
}

const saw = (run: Run, words: string) => expect.poll(() => run.out + run.err).toContain(words);

/** Names of the steps, with what became of them. */
const steps = (run: Run) =>
  run
    .events()
    .flatMap(({ event, step, ok }) => (event === 'check' ? [`${String(step)} ${String(ok)}`] : []));

test('--verify: a new bot is proven by a reply and a press, and the words say so', async () => {
  const run = rig.program(['connect', '--verify']);
  const app = await scan(run);
  await takePart(app);
  expect(await run.code, run.err).toBe(0);
  expect(run.out).toContain(
    `Connected: bot ${app.appId} on Feishu. Messages and button presses arrive.`,
  );
  const said = [
    `This is your bot ${app.appId} on Feishu. Its credentials are in ${rig.stateDir}.`,
    'Checking that messages arrive. Ctrl-C ends the check and keeps the bot.',
    '✓ The long connection to Lark is up.',
    '✓ The bot has written to you.',
    'Answer it in Lark with any text …',
    '✓ Your message has arrived.',
    "Press the button on the bot's card …",
    '✓ Your button press has arrived.',
    `Start it with: lark-bridge run --state-dir ${rig.stateDir}`,
  ];
  const lines = run.err.split('\n');
  expect(lines.filter((line) => said.includes(line))).toEqual(said);
  expect(run.out + run.err).not.toContain(app.appSecret);
});

test.each([
  ['Chinese on Feishu', [], /^一切正常/],
  ['the language of --lang', ['--lang', 'en'], /^Everything works/],
])('--verify: the bot speaks %s', async (_language, args, farewell) => {
  const run = rig.connect(['--verify', '--json', '--no-qr', ...args]);
  const chat = await takePart(await scan(run));
  expect(await run.code, run.err).toBe(0);
  expect(cloud.shows(chat).at(-1)?.text).toMatch(farewell);
});

test('--verify --json: one event a line, `done` last', async () => {
  const run = rig.connect(['--verify', '--json', '--no-qr']);
  const app = await scan(run);
  await takePart(app);
  expect(await run.code, run.err).toBe(0);
  const bot = { app_id: app.appId, tenant_brand: 'feishu' };
  const from = run.events().findIndex(({ status }) => status === 'stored');
  expect(run.events().slice(from)).toEqual([
    { event: 'status', status: 'stored', ...bot },
    { event: 'check', step: 'connected', ok: true },
    { event: 'check', step: 'sent', ok: true },
    { event: 'status', status: 'asked', step: 'reply', message: 'Answer it in Lark with any text' },
    { event: 'check', step: 'reply', ok: true },
    {
      event: 'status',
      status: 'asked',
      step: 'press',
      message: "Press the button on the bot's card",
    },
    { event: 'check', step: 'press', ok: true },
    { event: 'done', ...bot },
  ]);
});

test('without a terminal nobody is waited for, unless it is asked for', async () => {
  const app = await connectedBot();
  expect(cloud.calls({ path: 'ws/endpoint' })).toEqual([]);
  expect(cloud.shows(cloud.directChat(mei, app))).toEqual([]);
});

test('--verify later: no new bot, and the bot still knows whom to write to', async () => {
  const app = await connectedBot();
  const run = rig.connect(['--verify', '--json']);
  await takePart(app);
  expect(await run.code, run.err).toBe(0);
  expect(steps(run)).toEqual(['connected true', 'sent true', 'reply true', 'press true']);
  expect(run.events().at(-1)).toEqual({
    event: 'done',
    app_id: app.appId,
    tenant_brand: 'feishu',
  });
  expect(cloud.world.apps.size).toBe(1);
  expect(rig.credentials()).toMatchObject({ app_id: app.appId });
});

test('an existing app: nobody knows whose it is, so the person writes first', async () => {
  const app = cloud.addApp({ name: 'Old bot' });
  const chat = cloud.directChat(mei, app);
  const args = ['--app-id', app.appId, '--app-secret-stdin', '--verify', '--json'];
  const run = rig.connect(args, { stdin: app.appSecret });
  await saw(run, 'Write any text to the bot \\"Old bot\\" in Lark');
  expect(cloud.shows(chat)).toEqual([]);
  reply(chat);
  await press(chat);
  expect(await run.code, run.err).toBe(0);
  expect(steps(run)).toEqual(['connected true', 'reply true', 'sent true', 'press true']);
  expect(rig.credentials()).toMatchObject({ app_id: app.appId });
});

test('the bot that the environment names is the one that is checked', async () => {
  const app = cloud.addApp({ name: 'Old bot' });
  const chat = cloud.directChat(mei, app);
  const env = { LARK_APP_ID: app.appId, LARK_APP_SECRET: app.appSecret };
  const run = rig.connect(['--verify', '--json'], { env });
  await saw(run, '"asked"');
  reply(chat);
  await press(chat);
  expect(await run.code, run.err).toBe(0);
  expect(run.events().at(-1)).toMatchObject({ event: 'done', app_id: app.appId });
});

test('--verify with credentials that can’t be used: exit 2, and no new bot is begun', async () => {
  mkdirSync(rig.stateDir);
  writeFileSync(join(rig.stateDir, 'credentials.json'), '{"app_secret": half');
  const run = rig.connect(['--verify']);
  expect(await run.code).toBe(2);
  expect(run.err).toContain('credentials.json');
  expect(cloud.calls()).toEqual([]);
});

test('--verify and --no-verify together: exit 2', async () => {
  const run = rig.connect(['--verify', '--no-verify']);
  expect(await run.code).toBe(2);
  expect(run.err).toContain('next: Use only one of them');
});

// ---------------------------------------------------------------- what can be missing

interface Missing {
  readonly what: string;
  readonly break: (app: SimApp) => void;
  /** What Mei does in vain. */
  readonly act?: (chat: SimChat) => Promise<unknown>;
  readonly code: number;
  readonly error: string;
  readonly step: string;
  /** Where it can be put right, below the page of the app. */
  readonly page: string;
}

const MISSING: readonly Missing[] = [
  {
    what: 'the long connection is refused',
    break: () =>
      cloud.faults.inject({ kind: 'bootstrap_refused', code: 403, msg: 'no', times: 99 }),
    code: 3,
    error: 'credentials_refused',
    step: 'connected',
    page: '',
  },
  {
    what: 'the bot ability is off',
    break: (app) => (app.botEnabled = false),
    code: 3,
    error: 'access_denied',
    step: 'sent',
    page: '/bot',
  },
  {
    what: 'a permission is missing',
    break: (app) => app.scopes.clear(),
    code: 3,
    error: 'access_denied',
    step: 'sent',
    page: '/auth',
  },
  {
    what: 'the event is not subscribed to',
    break: (app) => app.subscriptions.delete('im.message.receive_v1'),
    act: async (chat) => {
      await cardIn(chat);
      reply(chat);
    },
    code: 6,
    error: 'timed_out',
    step: 'reply',
    page: '/event?tab=event',
  },
  {
    what: 'the callback is not subscribed to',
    break: (app) => app.subscriptions.delete('card.action.trigger'),
    act: async (chat) => {
      await cardIn(chat);
      reply(chat);
      await press(chat);
    },
    code: 6,
    error: 'timed_out',
    step: 'press',
    page: '/event?tab=callback',
  },
];

test.each(MISSING)('$what: exit $code, the page to mend it, and the bot stays', async (missing) => {
  const run = rig.connect(['--verify', '--json', ...SHORT]);
  const app = await scan(run);
  missing.break(app);
  await missing.act?.(cloud.directChat(mei, app));
  expect(await run.code, run.err).toBe(missing.code);
  const [check, error] = run.events().slice(-2);
  expect(check).toEqual({ event: 'check', step: missing.step, ok: false });
  expect(error).toMatchObject({ event: 'error', code: missing.error });
  expect(error?.['next']).toMatch(
    new RegExp(`/app/${app.appId}${missing.page.replace('?', '\\?')}[,. ]`),
  );
  expect(error?.['next']).toContain(`lark-bridge connect --verify --state-dir ${rig.stateDir}`);
  expect(run.events().map(({ event }) => event)).not.toContain('done');
  expect(rig.credentials()).toMatchObject({ app_id: app.appId });
  expect(run.out + run.err).not.toContain(app.appSecret);
});

test('nobody answers: exit 6 when the time of --timeout is over', async () => {
  const app = await connectedBot();
  const run = rig.connect(['--verify', ...SHORT]);
  await cardIn(cloud.directChat(mei, app));
  expect(await run.code).toBe(6);
  expect(run.err).toContain('error: nobody has written to the bot yet');
});

// ---------------------------------------------------------------- beside other processes

test('Ctrl-C keeps the bot and says how to go on; going on works', async () => {
  const run = rig.program(['connect', '--verify', '--json']);
  const app = await scan(run);
  await cardIn(cloud.directChat(mei, app));
  run.stop('SIGINT');
  expect(await run.code).toBe(130);
  const again = `lark-bridge connect --verify --state-dir ${rig.stateDir}`;
  expect(run.events().at(-1)).toMatchObject({
    event: 'error',
    code: 'interrupted',
    next: expect.stringContaining(again),
  });
  expect(rig.credentials()).toMatchObject({ app_id: app.appId });

  const second = rig.connect(['--verify']);
  await cloud.waitFor(() => cloud.shows(cloud.directChat(mei, app)).length === 2);
  await takePart(app);
  expect(await second.code, second.err).toBe(0);
});

test('beside a running daemon no second connection is opened; what the daemon knows is told: exit 5', async () => {
  const app = await connectedBot();
  const chat = cloud.directChat(mei, app);
  const daemon = rig.program(['run', '--json']);
  await saw(daemon, '"ready"');
  reply(chat, 'hello');
  await cloud.waitFor(() => cloud.shows(chat).length === 2);
  const bootstraps = cloud.calls({ path: 'ws/endpoint' }).length;
  const run = rig.connect(['--verify', '--json']);
  expect(await run.code).toBe(5);
  expect(run.events()).toMatchObject([
    { event: 'check', step: 'connected', ok: false },
    { event: 'error', code: 'already_running' },
  ]);
  expect(run.err).toContain(`process ${daemon.pid}`);
  expect(run.err).toContain('It is connected');
  expect(cloud.calls({ path: 'ws/endpoint' })).toHaveLength(bootstraps);
  const disconnect = rig.command(['disconnect']);
  expect(await disconnect.code).toBe(5);
  expect(disconnect.err).toContain('next: Stop it first: `lark-bridge service stop`');
  expect(rig.credentials()).toMatchObject({ app_id: app.appId });
  daemon.stop('SIGTERM');
  expect(await daemon.code).toBe(0);
});

/** The daemon’s latest status is an hour old: that is what it knows of an outage. */
async function wasAwayForAnHour(): Promise<void> {
  const db = Db.open(join(rig.stateDir, 'bridge.db'), silent);
  await db.write(() => db.run('UPDATE daemon SET alive_at_ms = alive_at_ms - ?', HOUR_MS));
  db.close();
}

test('after the check the bridge answers what others wrote meanwhile, and never the reply to the check', async () => {
  const app = await connectedBot();
  const chat = cloud.directChat(mei, app);
  const bob = cloud.addUser({ name: 'Bob' });
  const bobs = cloud.directChat(bob, app);
  // Nobody knows who made this bot, and Bob is a stranger to it.
  const env = { LARK_BRIDGE_ACCESS: 'open' };
  const first = rig.command(['run', '--json'], { env });
  await saw(first, '"ready"');
  reply(chat, 'before');
  await cloud.waitFor(() => cloud.shows(chat).length === 2);
  first.stop('SIGTERM');
  await first.code;

  const check = rig.connect(['--verify']);
  await cardIn(chat);
  cloud.say({ chat: bobs, from: bob, text: 'from Bob' });
  await cloud.waitFor(() => cloud.deliveries().every(({ acked }) => acked));
  reply(chat, 'the reply to the check');
  await press(chat);
  expect(await check.code, check.err).toBe(0);

  // Every chat that was active is read back now.
  await wasAwayForAnHour();
  const second = rig.command(['run', '--json', '--log-format', 'json'], { env });
  await saw(second, '"gap_read"');
  await cloud.waitFor(() => cloud.shows(bobs).length === 2);
  reply(chat, 'after');
  const echoed = () => cloud.shows(chat).filter(({ replyTo }) => replyTo !== undefined);
  await cloud.waitFor(() => echoed().some(({ text }) => text === 'after'));
  expect(echoed().map(({ text }) => text)).toEqual(['before', 'after']);
  expect(cloud.shows(bobs).map(({ text }) => text)).toEqual(['from Bob', 'from Bob']);
});

test('the first bridge of a new bot does not answer the reply to the check', async () => {
  const run = rig.connect(['--verify']);
  const app = await scan(run);
  const chat = await takePart(app);
  expect(await run.code, run.err).toBe(0);
  const daemon = rig.command(['run', '--json']);
  await saw(daemon, '"ready"');
  const asked = reply(chat, 'hello');
  const answers = () => cloud.shows(chat).filter(({ replyTo }) => replyTo !== undefined);
  await cloud.waitFor(() => answers().some(({ replyTo }) => replyTo === asked.messageId));
  expect(answers().map(({ text }) => text)).toEqual(['hello']);
});

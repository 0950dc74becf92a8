/** `connect` at a terminal, from the link to the service: what it asks, and what Ctrl-C leaves for the next one. */
import { chmodSync, existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { main, type ProcessParts } from '../../../src/cli/main.ts';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import type { SimApp, SimUser } from '../../../src/sim/world/model.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { linkIn, RenderedTerminal } from '../../kit/rendered-terminal.ts';
import { pressButtonOf } from '../../contract/lark/card-press.ts';
import { StandIns } from '../host/stand-in.ts';

let home: string;
let programs: StandIns;
let cloud: LarkCloud;

beforeEach(async () => {
  home = realpathSync(temporaryFolder());
  programs = new StandIns(home);
  cloud = await startLarkCloud({ accounts: { interval: 0.1 } });
  onTestFinished(() => cloud.stop());
});

const withSystemd = () => {
  for (const name of ['systemctl', 'loginctl']) programs.add(name);
};

/** A person at a window of 80x24. */
function connect(words: readonly string[] = ['--no-verify']) {
  const terminal = new RenderedTerminal({ columns: 80, rows: 24 });
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const window = Object.assign(new PassThrough({ encoding: 'utf8' }), {
    isTTY: true,
    columns: 80,
    rows: 24,
  });
  let said = '';
  window.on('data', (text: string) => {
    said += text;
    terminal.write(text);
  });
  const stop = new AbortController();
  const host = {
    env: {
      HOME: home,
      PATH: programs.path,
      LARK_OPEN_BASE_URL: cloud.openBaseUrl,
      LARK_ACCOUNTS_BASE_URL: cloud.accountsBaseUrl,
    },
    // At steady places everywhere, as a service wants it.
    execPath: '/bin/sh',
    argv: ['/bin/sh', '/usr/bin/env'],
    stdin,
    stdout: window,
    stderr: window,
  };
  const code = main(['connect', ...words], stop.signal, host as unknown as ProcessParts);
  return {
    code,
    terminal,
    said: () => said,
    saw: (text: string) => expect.poll(() => said).toContain(text),
    async confirm() {
      await expect.poll(() => said).toContain('Waiting …');
      cloud.scan({ url: linkIn(said) ?? '', approve: true });
    },
    type: (text: string) => stdin.write(text),
    pressCtrlC: () => stop.abort(),
  };
}

const SERVICE = 'Keep the bot running in the background';
const unit = () => existsSync(join(home, '.config/systemd/user/lark-bridge.service'));
const isUnfinished = () => existsSync(join(home, '.lark-bridge', 'connect.json'));

function installGemini(): void {
  programs.add('gemini', 'echo 1.2.3');
}

/** Mei does what the proof asks her. */
async function takePart(run: ReturnType<typeof connect>, app: SimApp, mei: SimUser): Promise<void> {
  const chat = cloud.directChat(mei, app);
  await run.saw('Answer it in Lark with any text …');
  cloud.say({ chat, from: mei, text: 'hi' });
  await run.saw("Press the button on the bot's card …");
  const card = cloud.shows(chat).findLast(({ type }) => type === 'interactive');
  await pressButtonOf(cloud, card?.messageId ?? '', mei);
}

test('the code in the window makes a bot, and the proof shows that its messages arrive', async () => {
  withSystemd();
  const run = connect([]);
  await expect.poll(() => run.terminal.scanned()).toBeDefined();
  const mei = cloud.addUser({ name: 'Mei' });
  const app = cloud.scan({ url: (await run.terminal.scanned()) ?? '', approve: true, as: mei });
  if (app === undefined) throw new Error('no app was made');
  await takePart(run, app, mei);
  await run.saw(SERVICE);
  run.type('2\n');
  expect(await run.code, run.said()).toBe(0);
  expect(run.said()).toContain('Messages and button presses arrive.');

  // The same proof later is only that.
  const check = connect(['--verify']);
  await takePart(check, app, mei);
  expect(await check.code, check.said()).toBe(0);
  expect(check.said()).not.toContain(SERVICE);
});

test('asks about the agents, then about the service, and installs only what is chosen', async () => {
  installGemini();
  withSystemd();
  const run = connect();
  await run.confirm();
  await run.saw('Which one shall answer?');
  run.type('1\n');
  await run.saw(SERVICE);
  expect(unit()).toBe(false);
  run.type('1\n');
  expect(await run.code, run.said()).toBe(0);
  expect(unit()).toBe(true);
  expect(programs.lines).toContain('systemctl --user --no-ask-password enable lark-bridge.service');
  expect(run.said()).not.toContain('Start it with');
  expect(isUnfinished()).toBe(false);
});

test('an empty line is no answer about the service, and no is no', async () => {
  withSystemd();
  const run = connect();
  await run.confirm();
  await run.saw(SERVICE);
  run.type('\n2\n');
  expect(await run.code).toBe(0);
  expect(unit()).toBe(false);
  expect(run.said()).toContain('Start it with: lark-bridge run');
});

test.each([
  ['without systemd', () => {}],
  [
    'where systemd runs nothing for this user',
    () => programs.add('systemctl', 'echo "Failed to connect to user scope bus" >&2; exit 1'),
  ],
])('%s no service is offered', async (_where, prepare) => {
  prepare();
  const run = connect();
  await run.confirm();
  expect(await run.code).toBe(0);
  expect(run.said()).not.toContain(SERVICE);
});

test('a service that is there is not installed again', async () => {
  withSystemd();
  const folder = join(home, '.config/systemd/user');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'lark-bridge.service'), '');
  chmodSync(folder, 0o700);
  const run = connect();
  await run.confirm();
  expect(await run.code).toBe(0);
  expect(run.said()).toContain('lark-bridge service restart --user');
  expect(run.said()).not.toContain(SERVICE);
});

test('Ctrl-C at each step ends with 130, and the next one goes on there with the same bot', async () => {
  installGemini();
  withSystemd();
  const first = connect();
  await first.saw('Waiting …');
  first.pressCtrlC();
  expect(await first.code).toBe(130);
  expect(first.said()).toContain('If you have confirmed the link, that counts.');

  const second = connect();
  await second.saw(linkIn(first.said()) ?? 'no link');
  await second.confirm();
  await second.saw('Which one shall answer?');
  second.pressCtrlC();
  expect(await second.code).toBe(130);
  expect(second.said()).toContain('Go on with `lark-bridge connect`');

  const third = connect();
  await third.saw('Going on with the bot');
  await third.saw('Which one shall answer?');
  third.type('2\n');
  await third.saw(SERVICE);
  third.pressCtrlC();
  expect(await third.code).toBe(130);

  const fourth = connect();
  await fourth.saw(SERVICE);
  expect(fourth.said()).not.toContain('Which one shall answer?');
  fourth.type('2\n');
  expect(await fourth.code).toBe(0);
  expect(cloud.world.apps.size).toBe(1);

  const fifth = connect();
  expect(await fifth.code).toBe(2);
  expect(fifth.said()).toContain('already holds the bot');
});

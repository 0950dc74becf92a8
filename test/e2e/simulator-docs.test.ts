/** The programs in docs/simulator.md are run as they stand, where their language is there. */
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROGRAM_FLAGS } from '../../src/sim/program/flags.ts';
import { startLarkCloud } from '../../src/sim/server.ts';
import { readObject } from '../../src/sim/control/fields.ts';
import { buildWorld, WORLD_SHAPE } from '../../src/sim/control/world-plan.ts';
import { blocksOf, ROOT, textOf } from '../documents.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 120_000;
/** The bot needs no proxy either. */
const NO_PROXY = { NO_PROXY: '127.0.0.1' };
const DOCUMENT = textOf('docs/simulator.md');

/** The bot under test: it answers with what was said. */
const BOT = `
const sdk = require(${JSON.stringify(createRequire(import.meta.url).resolve('@larksuiteoapi/node-sdk'))});
const { LARK_APP_ID: appId, LARK_APP_SECRET: appSecret, LARK_OPEN_BASE_URL: domain } = process.env;
const settings = { appId, appSecret, domain, loggerLevel: sdk.LoggerLevel.fatal };
const client = new sdk.Client(settings);
const answer = async ({ message }) => {
  await client.im.v1.message.reply({
    path: { message_id: message.message_id },
    data: { msg_type: 'text', content: message.content, uuid: message.message_id },
  });
};
const eventDispatcher = new sdk.EventDispatcher({ loggerLevel: sdk.LoggerLevel.fatal });
eventDispatcher.register({ 'im.message.receive_v1': answer });
void new sdk.WSClient(settings).start({ eventDispatcher });
`;

const folder = mkdtempSync(join(tmpdir(), 'lark-bridge-simulator-docs-'));

beforeAll(() => {
  const program = (name: string, words: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\nexec "${process.execPath}" ${words}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  writeFileSync(join(folder, 'bot.cjs'), BOT);
  program('my-bot', `"${join(folder, 'bot.cjs')}"`);
  program('lark-simulator', `"${join(ROOT, 'bin/lark-simulator.js')}" "$@"`);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function blockIn(language: string, at = 0): string {
  const block = blocksOf(DOCUMENT, language)[at];
  if (block === undefined) throw new Error(`docs/simulator.md has no ${language} program`);
  return block;
}

/** Runs it with the bot and the simulator of this tree on the path; rejects when it fails. */
async function runProgram(command: string, words: readonly string[], env = {}) {
  return run(command, words, {
    cwd: folder,
    timeout: TIMEOUT_MS,
    env: {
      ...process.env,
      HOME: folder,
      // Go keeps what it built there.
      GOCACHE: join(folder, 'go-cache'),
      GOTOOLCHAIN: 'local',
      PATH: [folder, process.env['PATH']].join(delimiter),
      ...env,
    },
  });
}

function isThere(command: string, word: string): boolean {
  try {
    execFileSync(command, [word], { stdio: 'ignore' });
    return true;
  } catch {
    // Not installed, or installed and broken: it can't run a program either way.
    return false;
  }
}

describe('the programs in docs/simulator.md', () => {
  test('curl, with a bot beside the simulator', { timeout: TIMEOUT_MS }, async (context) => {
    if (!isThere('curl', '--version')) context.skip('there is no curl on this machine');
    writeFileSync(join(folder, 'say.sh'), blockIn('bash'));
    const { stdout } = await runProgram('lark-simulator', ['--', 'bash', 'say.sh']);
    expect(stdout).toMatch(/"online":1.*"messageId":"om_.*"from":"app:cli_\w+","type":"text"/s);
  });

  test('curl, with the simulator in the background', { timeout: TIMEOUT_MS }, async (context) => {
    if (!isThere('curl', '--version')) context.skip('there is no curl on this machine');
    writeFileSync(join(folder, 'background.sh'), blockIn('bash', 1));
    const { stdout } = await runProgram('bash', ['background.sh'], NO_PROXY);
    expect(JSON.parse(stdout)).toMatchObject({ apps: [{ name: 'Echo' }] });
  });

  test('Python', { timeout: TIMEOUT_MS }, async (context) => {
    if (!isThere('python3', '--version')) context.skip('there is no python3 on this machine');
    writeFileSync(join(folder, 'test_orders.py'), blockIn('python'));
    const tests = blockIn('python').match(/(?<=^def )test_\w+/gm) ?? [];
    expect(tests).toHaveLength(2);
    // As pytest does: the machine may have none.
    const calls = `import test_orders as t; ${tests.map((name) => `t.${name}()`).join('; ')}`;
    await runProgram('lark-simulator', ['--', 'python3', '-c', calls]);
  });

  test('Go', { timeout: TIMEOUT_MS }, async (context) => {
    if (!isThere('go', 'version')) context.skip('there is no Go on this machine');
    writeFileSync(join(folder, 'example.go'), blockIn('go'));
    await runProgram('go', ['run', 'example.go'], NO_PROXY);
  });

  // The first program in JavaScript needs the installed package: test/e2e/simulator-package.test.ts runs it.
  test('JavaScript over HTTP', { timeout: TIMEOUT_MS }, async () => {
    writeFileSync(join(folder, 'example.mjs'), blockIn('js', 1));
    await runProgram('lark-simulator', ['--', process.execPath, 'example.mjs']);
  });
});

test('the world file in docs/simulator.md makes a world', async () => {
  const lark = await startLarkCloud();
  try {
    const reading = readObject(WORLD_SHAPE, JSON.parse(blockIn('json')), '');
    if (!reading.ok) throw new Error(reading.problems.join('; '));
    const { users, apps, chats } = buildWorld(lark, reading.value);
    expect([users.length, apps.length, chats.length]).toEqual([2, 1, 2]);
  } finally {
    await lark.stop();
  }
});

test('docs/simulator.md tells every option of the program', () => {
  for (const flag of Object.keys(PROGRAM_FLAGS)) {
    expect(DOCUMENT).toMatch(new RegExp(`\`--${flag}[ \`]`));
  }
});

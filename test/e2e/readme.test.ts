/** The commands of README.md, run word for word and in their order by somebody who has just found it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LarkCloud } from '../../src/sim/control/lark-cloud.ts';
import { startLarkCloud } from '../../src/sim/server.ts';
import { commandsOf, ROOT, textOf } from '../documents.ts';
import { fakeAcpAgent } from '../kit/fake-acp-agent.ts';

const TIMEOUT_MS = 120_000;

const home = mkdtempSync(join(tmpdir(), 'lark-bridge-readme-'));
const running = new Set<ChildProcess>();
let lark: LarkCloud;

beforeAll(async () => {
  lark = await startLarkCloud();
  lark.addUser({ name: 'Mei' });
  putClaudeOnPath();
});

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await lark.stop();
  rmSync(home, { recursive: true, force: true });
});

/** Stands in for what Mei has installed: an agent that asks no model. */
function putClaudeOnPath(): void {
  const command = fakeAcpAgent(home)
    .argv.map((word) => `'${word}'`)
    .join(' ');
  const path = join(home, 'bin', 'claude-agent-acp');
  mkdirSync(join(home, 'bin'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n[ "$1" = --version ] && exec echo 0.101.0\nexec ${command}\n`);
  chmodSync(path, 0o755);
}

interface Run {
  readonly child: ChildProcess;
  /** Both streams, as far as they have come. */
  said(): string;
  readonly code: Promise<number | null>;
}

/** Starts a command as a shell would, in the clone, as a person with a home of their own. */
function start(command: string): Run {
  const child = spawn('sh', ['-c', `exec ${command}`], {
    cwd: ROOT,
    env: {
      ...process.env,
      HOME: home,
      PATH: [join(home, 'bin'), process.env['PATH']].join(delimiter),
      npm_config_prefix: home,
      // The build is there; `prepare` would pull it from under other tests.
      npm_config_ignore_scripts: 'true',
      LARK_OPEN_BASE_URL: lark.openBaseUrl,
      LARK_ACCOUNTS_BASE_URL: lark.accountsBaseUrl,
      LARK_PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let said = '';
  child.stdout.on('data', (chunk) => (said += String(chunk)));
  child.stderr.on('data', (chunk) => (said += String(chunk)));
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  void code.then(() => running.delete(child));
  return { child, said: () => said, code };
}

async function runToEnd(command: string): Promise<string> {
  const run = start(command);
  expect(await run.code, run.said()).toBe(0);
  return run.said();
}

/** Scans the code, as the person in front of the screen does. */
async function connect(command: string): Promise<void> {
  const run = start(command);
  await expect.poll(run.said, { timeout: TIMEOUT_MS }).toMatch(/https?:\/\/\S+user_code=\S+/);
  const [url = ''] = /https?:\/\/\S+user_code=\S+/.exec(run.said()) ?? [];
  lark.scan({ url, approve: true, as: lark.findUser('Mei') });
  expect(await run.code, run.said()).toBe(0);
  expect(run.said()).toContain('Connected');
}

/** Writes to the bot, waits for the agent's answer under the message, and stops it with Ctrl-C. */
async function talk(command: string): Promise<void> {
  const run = start(command);
  await expect.poll(run.said, { timeout: TIMEOUT_MS }).toContain('lark-bridge is ready');
  const [app] = lark.world.apps.values();
  const chat = lark.directChat('Mei', app!);
  const question = lark.say({ chat, from: 'Mei', text: 'say good morning' });
  const answer = await lark.waitFor(() =>
    lark.shows(chat).find(({ replyTo }) => replyTo === question.messageId),
  );
  expect(answer.text).toContain('good morning');
  run.child.kill('SIGINT');
  expect(await run.code, run.said()).toBe(0);
}

/** What to do beside running a command to its end; the others just have to end well. */
const ACTS: Readonly<Record<string, (command: string) => Promise<unknown>>> = {
  // The clone has its packages already.
  'npm ci && npm install -g .': () => runToEnd('npm install -g .'),
  'lark-bridge demo': async (command) => {
    expect(await runToEnd(command)).toContain('All 5 replies arrived');
  },
  'lark-bridge connect': connect,
  'lark-bridge run': talk,
  'lark-bridge agents test shout "good morning"': async (command) => {
    expect(await runToEnd(command)).toContain('GOOD MORNING');
  },
};

test.each(commandsOf(textOf('README.md')))(
  '%s',
  async (command) => {
    await (ACTS[command] ?? runToEnd)(command);
  },
  TIMEOUT_MS,
);

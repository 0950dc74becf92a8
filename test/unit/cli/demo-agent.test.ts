/** A person's own agent in the demo: on the terminal, without an account. */
import { realpathSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { main, type ProcessParts } from '../../../src/cli/main.ts';
import { fakeAcpAgent } from '../../kit/fake-acp-agent.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { runProgram, startProgram } from './program.ts';

/** The demo on a terminal: what a person types there, and what is shown. */
async function demo(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const streams = {
    stdin: Object.assign(new PassThrough(), { isTTY: true }),
    stdout: Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: true, columns: 80 }),
    stderr: new PassThrough({ encoding: 'utf8' }),
  };
  let out = '';
  streams.stdout.on('data', (text: string) => (out += text));
  let notes = '';
  streams.stderr.on('data', (text: string) => (notes += text));
  const { execPath, argv, env: own } = process;
  const home = { HOME: temporaryFolder(), PATH: own['PATH'] ?? '' };
  const parts = { env: { ...home, ...env }, execPath, argv, ...streams };
  const stop = new AbortController();
  const ended = main(['demo', ...args], stop.signal, parts as unknown as ProcessParts);
  onTestFinished(async () => {
    stop.abort();
    expect(await ended, notes).toBe(0);
  });
  await expect.poll(() => out + notes).toContain('> ');
  return {
    type: (line: string) => streams.stdin.write(`${line}\n`),
    out: () => out,
    notes: () => notes,
  };
}

/** Words of several lines, which nobody can type on a terminal. */
async function sayOnPage(ready: string, text: string): Promise<void> {
  const [, lark = ''] = /Lark (http:\S+),/.exec(ready) ?? [];
  const control = `${lark}/_control`;
  const world = (await (await fetch(`${control}/world`)).json()) as {
    readonly chats: readonly { readonly chatId: string; readonly mode: string }[];
  };
  const chat = world.chats.find(({ mode }) => mode !== 'group')?.chatId;
  const body = JSON.stringify({ chat, from: 'Mia', text });
  const headers = { 'content-type': 'application/json' };
  const said = await fetch(`${control}/say`, { method: 'POST', headers, body });
  expect(said.status).toBe(200);
}

const quoted = (words: readonly string[]) => words.map((word) => `'${word}'`).join(' ');

test('a program of --exec answers, under a name of its own', async () => {
  const { type, out } = await demo(['--exec', 'tr a-z A-Z']);
  type('good morning');
  await expect.poll(out).toContain('agent, in reply: GOOD MORNING');
});

test('an agent of --acp works in its folder with the named variables, asks its owner, and is shown as it ends', async () => {
  const folder = realpathSync(temporaryFolder());
  const agent = fakeAcpAgent(temporaryFolder());
  const args = ['--acp', quoted(agent.argv), '--folder', folder, '--env', 'SOME_KEY'];
  const env = {
    SOME_KEY: 'of the person',
    OTHER_KEY: 'stays away',
    LARK_APP_SECRET: 'stays too',
    LARK_APP_ID: 'nonsense',
  };
  const { type, out, notes } = await demo(args, env);
  expect(notes()).toContain(`what it does is real, in ${folder}`);
  type('readcwd\nenv SOME_KEY');
  await expect.poll(out).toContain(folder);
  type('env SOME_KEY');
  await expect.poll(out).toContain('of the person');
  for (const name of ['OTHER_KEY', 'LARK_APP_SECRET']) type(`env ${name}`);
  type('perm');
  await expect.poll(out).toContain('[1. ');
  type('1');
  await expect.poll(out).toMatch(/in reply: allow-once/);
  await sayOnPage(out(), 'say I begin\nlong 1600\nsay I end');
  await expect.poll(out).toMatch(/in reply: I begin\s+I end/);
  expect(out()).not.toContain('Working');
  expect(out()).not.toContain('stays');
});

test('without a terminal the chat is on the page until it is stopped', async () => {
  const started = startProgram(['demo', '--exec', 'cat'], { HOME: temporaryFolder() });
  let notes = '';
  started.stderr.on('data', (text: Buffer) => (notes += text.toString()));
  started.stdout.resume();
  await expect.poll(() => notes).toMatch(/Chat with it on the page: http:\S+\/_page\//);
  started.stop();
  expect(await started.code).toBe(0);
});

test.each([
  [['--exec', 'cat', '--agent', 'claude'], 'exclude each other'],
  [['--folder', '.'], '--folder says something of an agent'],
  [['--exec', 'cat', '--once'], '--once plays with the echo'],
  [['--agent', 'nobody'], 'nobody is not the name of a known agent'],
  [['--agent', 'claude'], 'there is no program claude-agent-acp on the PATH'],
  [['--exec', 'cat', '--folder', '.'], '--folder is for a known agent'],
])('demo %j is refused with the next step', async (args, told) => {
  const env = { HOME: temporaryFolder(), PATH: '/usr/bin:/bin' };
  const { code, stderr } = await runProgram(['demo', ...args], env);
  expect(code).toBe(2);
  expect(stderr).toContain(told);
  expect(stderr).toContain('\nnext: ');
});

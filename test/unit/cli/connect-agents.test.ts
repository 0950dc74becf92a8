/** `connect` ends by offering the coding agents of this machine. */
import { chmodSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { main, type ProcessParts } from '../../../src/cli/main.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { linkIn } from '../../kit/rendered-terminal.ts';
import { runProgram } from './program.ts';

let home: string;
let bin: string;
beforeEach(() => {
  home = realpathSync(temporaryFolder());
  bin = join(home, 'bin');
  mkdirSync(bin);
});

function install(...programs: string[]): void {
  for (const name of programs) {
    writeFileSync(join(bin, name), '#!/bin/sh\necho 1.2.3\n');
    chmodSync(join(bin, name), 0o755);
  }
}

/** Connects a bot that a person confirms. `typed`: what that person answers at a terminal. */
async function connect(typed: string | undefined, ...words: string[]) {
  const cloud = await startLarkCloud({ accounts: { interval: 0.1 } });
  onTestFinished(() => cloud.stop());
  const env = {
    HOME: home,
    PATH: bin,
    LARK_OPEN_BASE_URL: cloud.openBaseUrl,
    LARK_ACCOUNTS_BASE_URL: cloud.accountsBaseUrl,
  };
  const isTTY = typed !== undefined;
  const screen = () => Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY });
  const streams = { stdin: screen(), stdout: screen(), stderr: screen() };
  const said = { out: '', err: '' };
  streams.stdout.on('data', (text: string) => (said.out += text));
  streams.stderr.on('data', (text: string) => (said.err += text));
  const around = { env, execPath: process.execPath, argv: process.argv, ...streams };
  const all = ['connect', '--no-verify', '--no-qr', ...words];
  const ended = main(all, new AbortController().signal, around as unknown as ProcessParts);
  const link = () => linkIn(said.out) ?? /http[^\s"]+\/page\/cli\?[^\s"]+/.exec(said.out)?.[0];
  await expect.poll(link).toBeDefined();
  cloud.scan({ url: link() ?? '', approve: true });
  if (typed !== undefined) {
    // What is typed before belongs to the screen that waits for the confirmation.
    await expect.poll(() => said.err).toMatch(/> $/);
    streams.stdin.write(typed);
  }
  expect(await ended).toBe(0);
  const list = await runProgram(['agents', 'list', '--json'], env);
  const { agents } = JSON.parse(list.stdout) as { agents: { name: string }[] };
  return { ...said, agents: agents.map(({ name }) => name) };
}

test('at a terminal it asks which one to add, and an empty line is the first', async () => {
  install('codex-acp', 'gemini');
  const { err, agents } = await connect('\n');
  expect(err).toMatch(
    /Which one shall answer\?\n {2}1 {2}Codex 1\.2\.3 \(not logged in\)\n {2}2 {2}Gemini/,
  );
  expect(err).toContain('codex answers from now on, and asks in the chat before it acts.');
  expect(agents).toEqual(['echo', 'codex']);
});

test('a person may want none of them', async () => {
  install('codex-acp', 'gemini');
  expect((await connect('3\n')).agents).toEqual(['echo']);
});

test('for a program there is an event before the last one, with the commands', async () => {
  install('gemini');
  const { out, agents } = await connect(undefined, '--json');
  const events = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string });
  expect(events.at(-1)).toMatchObject({ event: 'done' });
  expect(events.at(-2)).toEqual({
    event: 'agents',
    found: [{ name: 'gemini', command: 'lark-bridge agents add gemini' }],
  });
  expect(agents).toEqual(['echo']);
});

test('without a terminal the commands are named, and without agents nothing is said', async () => {
  expect((await connect(undefined)).err).not.toContain('agents');
  install('gemini');
  const { err, agents } = await connect(undefined, '--force');
  expect(err).toContain('  lark-bridge agents add gemini\n');
  expect(agents).toEqual(['echo']);
});

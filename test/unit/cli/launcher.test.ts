/** The launcher in bin: signals and exit codes, with a program of the test's own behind it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const BIN = join(import.meta.dirname, '../../../bin/lark-bridge.js');
let folder: string;
let child: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lark-bridge-launcher-'));
  mkdirSync(join(folder, 'dist/cli'), { recursive: true });
  mkdirSync(join(folder, 'dist/host'));
  mkdirSync(join(folder, 'bin'));
  cpSync(BIN, join(folder, 'bin/lark-bridge.js'));
  writeFileSync(join(folder, 'dist/host/open-parts.js'), 'export const openParts = () => [];');
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
});
afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Starts the launcher with this as the body of `main(words, signal)`; waits until it has said something. */
async function launch(body: string, ...words: string[]) {
  const source = `export async function main(words, signal) { ${body} }`;
  writeFileSync(join(folder, 'dist/cli/main.js'), source);
  const started = spawn(process.execPath, [join(folder, 'bin/lark-bridge.js'), ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child = started;
  const ended = once(started, 'exit') as Promise<[number | null, string | null]>;
  let said = '';
  started.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const says = (words_: string) => expect.poll(() => said).toContain(words_);
  return { process: started, ended, says };
}

const SAY_STOPPING = `signal.addEventListener('abort', () => process.stdout.write('stopping'));`;

test('the exit code is what main returns, and the words are those of the command line', async () => {
  const { ended, says } = await launch(`process.stdout.write(words.join()); return 4;`, 'a', '-b');
  await says('a,-b');
  expect(await ended).toEqual([4, null]);
});

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  '%s asks main to stop, and main decides',
  async (name) => {
    const {
      process: started,
      ended,
      says,
    } = await launch(`
    process.stdout.write('ready');
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return 0;`);
    await says('ready');
    started.kill(name);
    expect(await ended).toEqual([0, null]);
  },
);

test('the second signal ends it at once, with 130', async () => {
  const {
    process: started,
    ended,
    says,
  } = await launch(`${SAY_STOPPING} process.stdout.write('ready'); await new Promise(() => {});`);
  await says('ready');
  started.kill('SIGTERM');
  await says('stopping');
  started.kill('SIGINT');
  expect(await ended).toEqual([130, null]);
});

test('a terminal that is closed is told twice: the stop goes on', async () => {
  const {
    process: started,
    ended,
    says,
  } = await launch(`
    let count = 0;
    process.on('SIGHUP', () => { count += 1; process.stdout.write('hup' + count); });
    ${SAY_STOPPING} process.stdout.write('ready');
    while (count < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    return 0;`);
  await says('ready');
  started.kill('SIGTERM');
  await says('stopping');
  started.kill('SIGHUP');
  await says('hup1');
  started.kill('SIGHUP');
  expect(await ended).toEqual([0, null]);
});

test('what a finished command left open does not keep it alive', async () => {
  const { ended } = await launch(`setInterval(() => {}, 1000); return 3;`);
  expect(await ended).toEqual([3, null]);
});

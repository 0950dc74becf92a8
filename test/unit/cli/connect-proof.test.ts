/** When `connect` proves that messages arrive, and what it shows. The program runs in this process, on a screen that a test made. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ProofEvent } from '../../../src/app/connect.ts';
import { showProof } from '../../../src/cli/connect-proof.ts';
import { main, type ProcessParts } from '../../../src/cli/main.ts';
import { Output } from '../../../src/cli/output.ts';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';

let home: string;
let cloud: LarkCloud;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'lark-bridge-check-'));
  cloud = await startLarkCloud({ accounts: { interval: 0.1 } });
});

afterEach(async () => {
  await cloud.stop();
  rmSync(home, { recursive: true, force: true });
});

/** Connects with stdout a terminal or not, and a person who confirms and then goes away. */
async function connect(args: readonly string[], isTTY: boolean) {
  const streams = {
    stdin: new PassThrough(),
    stdout: Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns: 80 }),
    stderr: new PassThrough({ encoding: 'utf8' }),
  };
  let out = '';
  streams.stdout.on('data', (text: string) => (out += text));
  const env = {
    HOME: home,
    LARK_OPEN_BASE_URL: cloud.openBaseUrl,
    LARK_ACCOUNTS_BASE_URL: cloud.accountsBaseUrl,
  };
  const { execPath, argv } = process;
  const around = { env, execPath, argv, ...streams } as unknown as ProcessParts;
  const stop = new AbortController();
  const ended = main(['connect', ...args], stop.signal, around);
  const link = /https?:\/\/[^\s"]+\/page\/cli\?[^\s"]+/;
  await expect.poll(() => out).toMatch(link);
  const app = cloud.scan({ url: link.exec(out)?.[0] ?? '', approve: true });
  const isChecking = () => app !== undefined && cloud.online(app) > 0;
  const outcome = await Promise.race([
    ended,
    cloud.waitFor(isChecking).then(() => 'checking' as const),
  ]);
  stop.abort();
  await ended;
  return outcome;
}

test.each([
  { args: [], isTTY: true, outcome: 'checking' },
  { args: ['--no-verify'], isTTY: true, outcome: 0 },
  // A program reads it, wherever it runs.
  { args: ['--json'], isTTY: true, outcome: 0 },
  { args: [], isTTY: false, outcome: 0 },
  { args: ['--verify', '--json'], isTTY: false, outcome: 'checking' },
])('connect $args, on a terminal: $isTTY → $outcome', async ({ args, isTTY, outcome }) => {
  expect(await connect(args, isTTY)).toBe(outcome);
});

function shown(event: ProofEvent, json: boolean) {
  const stdout = new PassThrough({ encoding: 'utf8' });
  const stderr = new PassThrough({ encoding: 'utf8' });
  showProof(event, new Output({ stdout, stderr }, { json, quiet: false, version: '0' }));
  const read = (stream: PassThrough) => String(stream.read() ?? '');
  return { out: read(stdout), err: read(stderr) };
}

const chatUrl = 'https://applink.example/bot';
const problem = { text: 'nothing has come', next: 'Do this.' };

test.each<[ProofEvent, Record<string, unknown>, string]>([
  [{ kind: 'step_passed', step: 'sent' }, { event: 'check', step: 'sent', ok: true }, '✓ '],
  [
    { kind: 'step_begun', step: 'reply', ask: { what: 'write_first', bot: 'Mo', chatUrl } },
    {
      event: 'status',
      status: 'asked',
      step: 'reply',
      message: 'Write any text to the bot "Mo" in Lark',
      url: chatUrl,
    },
    `Write any text to the bot "Mo" in Lark …\n  ${chatUrl}`,
  ],
  [
    {
      kind: 'step_begun',
      step: 'reply',
      ask: { what: 'write_first', bot: '', chatUrl: undefined },
    },
    {
      event: 'status',
      status: 'asked',
      step: 'reply',
      message: 'Write any text to the bot in Lark',
    },
    'Write any text to the bot in Lark …',
  ],
  [
    { kind: 'step_waits', step: 'reply', problem },
    {
      event: 'status',
      status: 'still_waiting',
      step: 'reply',
      message: problem.text,
      next: problem.next,
    },
    'Still waiting: nothing has come.\n  Do this.',
  ],
])('%j in JSON and in words', (event, fields, words) => {
  expect(JSON.parse(shown(event, true).out)).toEqual(fields);
  const { out, err } = shown(event, false);
  expect(out).toBe('');
  expect(err).toContain(words);
});

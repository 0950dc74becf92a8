import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { OnboardingEvent } from '../../../src/app/start.ts';
import { type ConnectScreen, showEvent } from '../../../src/cli/connect-output.ts';
import { Output } from '../../../src/cli/output.ts';

const LINK = 'https://example.test/page/cli?user_code=AB-CD';
const VERIFICATION: OnboardingEvent = {
  kind: 'verification',
  url: LINK,
  launcherUrl: undefined,
  lifetimeMs: 3_600_000,
  waitMs: 600_000,
};

let stateDir: string;

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'lark-bridge-screen-'));
});

afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

async function shown(event: OnboardingEvent, screen: Partial<ConnectScreen> & { json?: boolean }) {
  const stdout = new PassThrough({ encoding: 'utf8' });
  const stderr = new PassThrough({ encoding: 'utf8' });
  const { json = false, ...changes } = screen;
  const output = new Output({ stdout, stderr }, { json, quiet: false, version: '0' });
  const plain = { noQr: false, qrImage: undefined, columns: undefined, colored: false };
  await showEvent(event, { output, stateDir, ...plain, ...changes });
  const read = (stream: PassThrough) => String(stream.read() ?? '');
  return { out: read(stdout), err: read(stderr) };
}

test('the link is text of its own line, so that it can be copied', async () => {
  const { out, err } = await shown(VERIFICATION, {});
  expect(out.split('\n')[0]).toBe(LINK);
  expect(err).toContain('within 10 min');
  expect(err).toContain(join(stateDir, 'qr.png'));
});

test('a terminal gets the code in its own black and white, a log gets plain characters', async () => {
  const escape = String.fromCharCode(27);
  expect((await shown(VERIFICATION, { columns: 100, colored: true })).out).toContain(escape);
  const { out } = await shown(VERIFICATION, {});
  expect(out).not.toContain(escape);
  expect(out).toContain('█');
});

test.each([true, false])(
  'a terminal that is one column too narrow gets words, not a broken code (colored: %s)',
  async (colored) => {
    const narrow = await shown(VERIFICATION, { columns: 20, colored });
    const needed = Number(/needs a terminal of (\d+) columns/.exec(narrow.out)?.[1]);
    expect(narrow.out).not.toContain('█');
    expect((await shown(VERIFICATION, { columns: needed - 1, colored })).out).not.toContain('█');
    const fitting = await shown(VERIFICATION, { columns: needed, colored });
    const widths = fitting.out.split('\n').map((line) => line.match(/[ ▀▄█]/gu)?.length ?? 0);
    expect(Math.max(...widths)).toBe(needed);
  },
);

test('a short time is told in seconds', async () => {
  const { err } = await shown({ ...VERIFICATION, waitMs: 44_200 }, { noQr: true });
  expect(err).toContain('within 45 s');
  expect(err).not.toContain('scan the QR code');
});

test('--json: the server’s lifetime, and no code on the screen', async () => {
  const { out } = await shown(VERIFICATION, { json: true, noQr: true });
  expect(JSON.parse(out)).toEqual({ event: 'verification', url: LINK, expires_in: 3600 });
});

test.each<[OnboardingEvent, Record<string, unknown>]>([
  [{ kind: 'waiting' }, { status: 'waiting' }],
  [
    { kind: 'slowed_down', intervalMs: 10_000 },
    { status: 'slow_down', interval: 10 },
  ],
  [
    { kind: 'retrying', detail: 'x' },
    { status: 'retrying', detail: 'x' },
  ],
  [
    { kind: 'brand_switched', brand: 'lark' },
    { status: 'brand_switched', tenant_brand: 'lark' },
  ],
  [{ kind: 'code_expired' }, { status: 'code_expired' }],
  [
    { kind: 'old_kept', path: '/p' },
    { status: 'old_credentials_kept', path: '/p' },
  ],
])('%j is one line of JSON and one of words', async (event, fields) => {
  const json = await shown(event, { json: true });
  expect(JSON.parse(json.out)).toEqual({ event: 'status', ...fields });
  const text = await shown(event, {});
  expect(text.out).toBe('');
  expect(text.err.trimEnd()).toMatch(/^[^\n]+$/);
});

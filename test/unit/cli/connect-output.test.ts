/** What `connect` writes where it draws nothing twice: into a pipe, a file, a log, a terminal without a cursor. */
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, test } from 'vitest';
import type { OnboardingEvent } from '../../../src/app/connect.ts';
import { plainView, type Size } from '../../../src/cli/connect-output.ts';
import { Output } from '../../../src/cli/output.ts';
import type { Ink } from '../../../src/cli/qr-code.ts';
import { consentLinks } from '../../../src/lark/connect/consent-link.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { RenderedTerminal } from '../../kit/rendered-terminal.ts';

const LINK = 'https://example.test/page/cli?user_code=AB-CD';
const VERIFICATION = {
  kind: 'verification',
  url: LINK,
  shortUrl: LINK,
  launcherUrl: undefined,
  lifetimeMs: 3_600_000,
  waitMs: 600_000,
} as const satisfies OnboardingEvent;

let stateDir: string;

beforeEach(() => {
  stateDir = temporaryFolder();
});

interface How {
  readonly size?: Size;
  readonly ink?: Ink;
  readonly json?: boolean;
  readonly noQr?: boolean;
}

async function shown(event: OnboardingEvent, how: How = {}) {
  const { size, ink = 'light', json = false, noQr = false } = how;
  const stdout = new PassThrough({ encoding: 'utf8' });
  const stderr = new PassThrough({ encoding: 'utf8' });
  const output = new Output({ stdout, stderr }, { json, quiet: false, version: '0' });
  const view = plainView({ output, stateDir, noQr, qrImage: undefined, ink }, size);
  await view.show(event);
  const read = (stream: PassThrough) => String(stream.read() ?? '');
  return { out: read(stdout), err: read(stderr) };
}

test('the link is text of its own line, so that it can be copied', async () => {
  const { out, err } = await shown(VERIFICATION);
  expect(out.split('\n')[0]).toBe(LINK);
  expect(err).toContain('within 10 min');
  expect(err).toContain(join(stateDir, 'qr.png'));
});

const ESCAPE = String.fromCharCode(27);
/** As `connect` makes them, with all that it asks for. */
const LINKS = consentLinks({
  serverUrl: new URL('https://open.feishu.cn/page/launcher?user_code=ABCD-EFGH'),
  userCode: 'ABCD-EFGH',
  pageUrl: 'https://open.feishu.cn/page/cli',
});
const REAL = { ...VERIFICATION, ...LINKS, launcherUrl: undefined };

async function scanned(out: string, theme: 'dark' | 'light'): Promise<string | undefined> {
  const terminal = new RenderedTerminal({ columns: 100, rows: 60 }, theme);
  terminal.write(out);
  return terminal.scanned();
}

test('a log gets the exact code too, and nothing that only a terminal understands', async () => {
  const { out, err } = await shown(REAL);
  expect(out + err).not.toContain(ESCAPE);
  expect(await scanned(out, 'dark')).toBe(LINKS.url);
});

test.each<[Ink, 'dark' | 'light']>([
  ['colors', 'dark'],
  ['colors', 'light'],
  ['light', 'dark'],
  ['dark', 'light'],
])('the code in %s on a %s terminal leads to the link', async (ink, theme) => {
  const { out } = await shown(REAL, { size: { columns: 80, rows: 44 }, ink });
  expect(out.includes(ESCAPE)).toBe(ink === 'colors');
  expect(await scanned(out, theme)).toBe(LINKS.url);
});

test('the exact code fits into 80 columns', async () => {
  const { err } = await shown(REAL, { size: { columns: 80, rows: 100 } });
  expect(err).toContain('scan the QR code below');
  expect(err).not.toContain('small window');
});

test('nothing is below the code: links and hints are said before', async () => {
  const both = new PassThrough({ encoding: 'utf8' });
  const output = new Output(
    { stdout: both, stderr: both },
    { json: false, quiet: false, version: '0' },
  );
  const screen = { output, stateDir, noQr: false, qrImage: undefined, ink: 'light' } as const;
  const view = plainView(screen, { columns: 80, rows: 50 });
  await view.show({ ...REAL, launcherUrl: 'https://other.test/' });
  const lines = String(both.read()).trimEnd().split('\n');
  const first = lines.findIndex((line) => /[▀▄█]/.test(line));
  expect(lines.slice(first).every((line) => /^[ ▀▄█]+$/.test(line))).toBe(true);
  expect(lines.slice(0, first).join('\n')).toContain('https://other.test/');
});

describe('a small terminal', () => {
  const NEEDED = /needs (\d+) columns and (\d+) rows/;

  test('80x25 gets the code of the short link, and is told why it asks for more', async () => {
    const { out, err } = await shown(REAL, { size: { columns: 80, rows: 25 } });
    expect(out.split('\n')[0]).toBe(LINKS.url);
    expect(await scanned(out, 'dark')).toBe(LINKS.shortUrl);
    expect(err).toContain('asks for the permissions that Lark gives agents by default');
  });

  test('by one column or one row: words, not a broken code; what it says it needs is enough', async () => {
    const { err } = await shown(REAL, { size: { columns: 20, rows: 10 } });
    expect(err).toContain(`Or scan the image of the QR code`);
    expect(err).toContain(join(stateDir, 'qr.png'));
    expect(err).not.toContain('scan the QR code below');
    const [columns, rows] = NEEDED.exec(err)!.slice(1, 3).map(Number) as [number, number];
    for (const size of [
      { columns: columns - 1, rows },
      { columns, rows: rows - 1 },
    ]) {
      expect((await shown(REAL, { size })).out).not.toContain('█');
    }
    const { out } = await shown(REAL, { size: { columns, rows } });
    const lines = out.split('\n').slice(1, -1);
    expect(new Set(lines.map(({ length }) => length))).toEqual(new Set([columns]));
    // One line says what is waited for, and the cursor stands in the next.
    expect(lines.length + 2).toBe(rows);
  });
});

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
  const text = await shown(event);
  expect(text.out).toBe('');
  expect(text.err.trimEnd()).toMatch(/^[^\n]+$/);
});

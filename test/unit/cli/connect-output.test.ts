import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import jsQrModule from 'jsqr';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OnboardingEvent } from '../../../src/app/connect.ts';
import { type ConnectScreen, showEvent } from '../../../src/cli/connect-output.ts';
import { Output } from '../../../src/cli/output.ts';
import { consentLinks } from '../../../src/lark/connect/consent-link.ts';

// CommonJS, whose types tell of a default export that Node does not see.
const jsQR = jsQrModule as unknown as typeof jsQrModule.default;

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
  const plain = {
    noQr: false,
    qrImage: undefined,
    columns: undefined,
    rows: undefined,
    colored: false,
  };
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

const ESCAPE = String.fromCharCode(27);
/** As `connect` makes it, with all that it asks for. */
const REAL_LINK = consentLinks({
  serverUrl: new URL('https://open.feishu.cn/page/launcher?user_code=ABCD-EFGH'),
  userCode: 'ABCD-EFGH',
  pageUrl: 'https://open.feishu.cn/page/cli',
}).url;
const REAL = { ...VERIFICATION, url: REAL_LINK };

const isOfCode = (line: string) => /[▀▄█]/.test(line) || line.startsWith(ESCAPE);

/** What a terminal shows of the code: its cells as pixels, and what a scanner reads there. */
function scanned(
  out: string,
  theme: 'dark' | 'light',
  inversionAttempts: 'dontInvert' | 'attemptBoth',
) {
  const [text, background] = theme === 'dark' ? [255, 0] : [0, 255];
  const lines = out.split('\n').filter(isOfCode);
  // Black on white of its own, or what the theme has.
  const cells = lines.map((line) => {
    const colored = line.startsWith(`${ESCAPE}[30;47m`);
    const glyphs = line.replaceAll(new RegExp(`${ESCAPE}\\[[0-9;]*m`, 'g'), '');
    const [ink, paper] = colored ? [0, 187] : [text, background];
    return Array.from(glyphs).map((glyph) => [
      '▀█'.includes(glyph) ? ink : paper,
      '▄█'.includes(glyph) ? ink : paper,
    ]);
  });
  const scale = 4;
  const width = (cells[0]!.length + 8) * scale;
  const height = (cells.length * 2 + 8) * scale;
  const pixels = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [row, column] = [Math.floor(y / scale) - 4, Math.floor(x / scale) - 4];
      const shade = cells[Math.floor(row / 2)]?.[column]?.[row & 1] ?? background;
      pixels.fill(shade, (y * width + x) * 4, (y * width + x) * 4 + 3);
    }
  }
  return jsQR(pixels, width, height, { inversionAttempts })?.data;
}

test.each<[string, boolean, 'dark' | 'light', 'dontInvert' | 'attemptBoth']>([
  ['in colour on a dark terminal', true, 'dark', 'dontInvert'],
  ['in colour on a light terminal', true, 'light', 'dontInvert'],
  ['without colour on a dark terminal', false, 'dark', 'dontInvert'],
  ['without colour on a light terminal, as a negative', false, 'light', 'attemptBoth'],
])('the code on the screen leads to the link: %s', async (_what, colored, theme, inversion) => {
  const { out } = await shown(REAL, { columns: 80, rows: 44, colored });
  expect(out.includes(ESCAPE)).toBe(colored);
  expect(scanned(out, theme, inversion)).toBe(REAL_LINK);
});

test('a log gets the code too, without colour', async () => {
  const { out } = await shown(REAL, {});
  expect(out).not.toContain(ESCAPE);
  expect(scanned(out, 'dark', 'dontInvert')).toBe(REAL_LINK);
});

test('the real code fits into 80 columns', async () => {
  const { out, err } = await shown(REAL, { columns: 80, rows: 100, colored: true });
  expect(out).toContain('█');
  expect(err).toContain('scan the QR code below');
});

test('nothing is below the code: links and hints are said before', async () => {
  const both = new PassThrough({ encoding: 'utf8' });
  const output = new Output(
    { stdout: both, stderr: both },
    { json: false, quiet: false, version: '0' },
  );
  const screen = { noQr: false, qrImage: undefined, columns: 80, rows: 50, colored: false };
  await showEvent({ ...REAL, launcherUrl: 'https://other.test/' }, { output, stateDir, ...screen });
  const lines = String(both.read()).trimEnd().split('\n');
  const first = lines.findIndex((line) => /[▀▄█]/.test(line));
  expect(lines.slice(first).every((line) => /^[ ▀▄█]+$/.test(line))).toBe(true);
  expect(lines.slice(0, first).join('\n')).toContain('https://other.test/');
});

describe.each([true, false])('a terminal that is too small (colored: %s)', (colored) => {
  const NEEDED = /needs (\d+) columns and (\d+) rows/;

  test('80x24: it says to open the link or the image, and not to scan a code that is not shown', async () => {
    const { out, err } = await shown(REAL, { columns: 80, rows: 24, colored });
    expect(out).toBe(`${REAL_LINK}\n`);
    expect(err).toContain('and the terminal has 80 and 24.');
    expect(err).toContain(`Open the link, or scan the image`);
    expect(err).toContain(join(stateDir, 'qr.png'));
    expect(err).not.toContain('scan the QR code');
  });

  test('by one column or one row: words, not a broken code; what it says it needs is enough', async () => {
    const { err } = await shown(REAL, { columns: 20, rows: 10, colored });
    const [columns, rows] = NEEDED.exec(err)!.slice(1, 3).map(Number) as [number, number];
    for (const size of [
      { columns: columns - 1, rows },
      { columns, rows: rows - 1 },
    ]) {
      expect((await shown(REAL, { ...size, colored })).out).not.toContain('█');
    }
    const { out } = await shown(REAL, { columns, rows, colored });
    const lines = out.split('\n').filter(isOfCode);
    const widths = lines.map((line) => line.match(/[ ▀▄█]/gu)?.length ?? 0);
    expect(new Set(widths)).toEqual(new Set([columns]));
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
  const text = await shown(event, {});
  expect(text.out).toBe('');
  expect(text.err.trimEnd()).toMatch(/^[^\n]+$/);
});

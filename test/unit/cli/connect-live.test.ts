/** The screen of `connect` in a window: a terminal shows it, and a scanner reads it there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OnboardingEvent } from '../../../src/app/connect.ts';
import { LiveView } from '../../../src/cli/connect-live.ts';
import { Output } from '../../../src/cli/output.ts';
import { inkFor, pictureFormOf } from '../../../src/cli/terminal-abilities.ts';
import { consentLinks } from '../../../src/lark/connect/consent-link.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { RenderedTerminal } from '../../kit/rendered-terminal.ts';

/** As `connect` makes it, with all that it asks for. The longer of the two hosts. */
const LINKS = consentLinks({
  serverUrl: new URL('https://open.feishu.cn/page/launcher?user_code=ABCD-EFGH'),
  userCode: 'ABCD-EFGH',
  pageUrl: 'https://open.larksuite.com/page/cli',
});
const VERIFICATION = {
  kind: 'verification',
  ...LINKS,
  lifetimeMs: 600_000,
  waitMs: 600_000,
} as const satisfies OnboardingEvent;
const SMALL = { columns: 80, rows: 24 };
const LARGE = { columns: 100, rows: 60 };
const ESC = '\u001B';
const OF_CODE = /^[ ▀▄█]*$/;

interface Opened {
  readonly size?: { readonly columns: number; readonly rows: number };
  readonly env?: Readonly<Record<string, string>>;
  readonly theme?: 'dark' | 'light';
  readonly noQr?: boolean;
  readonly openLink?: (url: string) => Promise<boolean>;
}

let stateDir: string;
let close: () => void;

beforeEach(() => {
  stateDir = temporaryFolder();
});
afterEach(() => close());

async function opened({ size = SMALL, env = {}, theme, noQr = false, openLink }: Opened = {}) {
  const terminal = new RenderedTerminal(size, theme);
  // What the person did before.
  terminal.write('$ ls\n'.repeat(30));
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const stdout = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: true, ...size });
  const said = { text: '' };
  stdout.on('data', (text: string) => {
    said.text += text;
    terminal.write(text);
  });
  const output = new Output(
    { stdout, stderr: stdout },
    { json: false, quiet: false, version: '0' },
  );
  const ink = inkFor(env, { colored: env['NO_COLOR'] === undefined });
  const window = {
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    pictures: pictureFormOf(env),
    openLink,
  };
  const view = new LiveView({ output, stateDir, noQr, qrImage: undefined, ink }, window);
  close = () => view.close();
  await view.show(VERIFICATION);
  await view.show({ kind: 'waiting' });
  return {
    terminal,
    view,
    said,
    async resize(columns: number, rows: number) {
      await terminal.resize(columns, rows);
      Object.assign(stdout, { columns, rows });
      stdout.emit('resize');
    },
    pressEnter() {
      // As the kernel's terminal shows it.
      terminal.write('\n');
      stdin.write('\n');
    },
  };
}

type Shown = Awaited<ReturnType<typeof opened>>;

async function shown({ terminal }: Shown): Promise<string> {
  return (await terminal.lines()).join('\n').trimEnd();
}

describe('80x24', () => {
  test.each<[string, Opened]>([
    ['in colour on a dark terminal', { theme: 'dark' }],
    ['in colour on a light terminal', { theme: 'light' }],
    ['without colour on a dark terminal', { theme: 'dark', env: { NO_COLOR: '1' } }],
    [
      'without colour on a light terminal that says so',
      { theme: 'light', env: { NO_COLOR: '1', COLORFGBG: '0;15' } },
    ],
  ])('the whole code is in the window and is read, no negative: %s', async (_what, how) => {
    const live = await opened(how);
    const lines = await live.terminal.lines();
    expect(lines.slice(0, -1).every((line) => OF_CODE.test(line))).toBe(true);
    expect(lines.at(-1)).toBe('Waiting … Scan the code or open the link. Ctrl-C stops.');
    expect(await live.terminal.scanned()).toBe(LINKS.shortUrl);
  });

  test('what else is said replaces the last line, and the code stays', async () => {
    const live = await opened();
    for (const detail of ['a', 'b'.repeat(200)]) {
      await live.view.show({ kind: 'retrying', detail });
    }
    const lines = await live.terminal.lines();
    expect(lines.at(-1)).toMatch(/^No usable answer from Lark: b{40}/);
    expect(await live.terminal.scanned()).toBe(LINKS.shortUrl);
    await live.view.show({ kind: 'waiting' });
    expect((await live.terminal.lines()).at(-1)).toMatch(/^Waiting …/);
  });

  test('a new link replaces an expired one, with the other link beside it', async () => {
    const live = await opened();
    await live.view.show({ kind: 'code_expired' });
    const shortUrl = LINKS.shortUrl.replace('ABCD', 'WXYZ');
    await live.view.show({ ...VERIFICATION, shortUrl });
    expect(await live.terminal.scanned()).toBe(shortUrl);
    expect(live.said.text).toContain(LINKS.launcherUrl);
  });
});

test('a large window has the code of the exact list, with the link above it', async () => {
  const live = await opened({ size: LARGE });
  expect(await live.terminal.scanned()).toBe(LINKS.url);
  const text = await shown(live);
  expect(text.replaceAll('\n', '')).toContain(LINKS.url);
  expect(text).not.toContain('/page/launcher');
  expect(text.split('\n').at(-1)).toMatch(/^Waiting …/);
});

test('each new size has its code, and nothing is left of the one before', async () => {
  const live = await opened({ size: LARGE });
  const reads = (link: string | undefined) => expect.poll(() => live.terminal.scanned()).toBe(link);
  await live.resize(80, 24);
  await reads(LINKS.shortUrl);
  const lines = await live.terminal.lines();
  expect(lines.slice(0, -1).every((line) => OF_CODE.test(line))).toBe(true);

  await live.resize(60, 15);
  await expect.poll(() => shown(live)).not.toMatch(/[▀▄█]/);
  expect(await shown(live)).toMatch(
    /^Make the window at least 45x24 and the code is drawn here\.\nWaiting … Open the link\. Ctrl-C stops\.$/m,
  );

  await live.resize(45, 24);
  await reads(LINKS.shortUrl);
  await live.resize(44, 24);
  await reads(undefined);
  await live.resize(100, 60);
  await reads(LINKS.url);
  expect((await shown(live)).match(/Waiting/g)).toHaveLength(1);
});

test('the link can be clicked, whole and in the last line', async () => {
  const { said } = await opened();
  // Each begins with its address and ends with none: above the code, and in the last line, which is written twice.
  const targets = said.text.split(`${ESC}]8;;`).slice(1);
  expect(targets.map((target) => target.split(ESC)[0])).toEqual(
    Array.from({ length: 6 }, (_, at) => (at % 2 === 0 ? LINKS.url : '')),
  );
});

describe('Enter', () => {
  test('opens the link, and the code is where it was', async () => {
    const links: string[] = [];
    const openLink = (url: string) => Promise.resolve(links.push(url) > 0);
    const live = await opened({ openLink });
    expect((await live.terminal.lines()).at(-1)).toBe(
      'Waiting … Scan the code or press Enter to open the link. Ctrl-C stops.',
    );
    live.pressEnter();
    await expect.poll(() => links).toEqual([LINKS.url]);
    await expect.poll(() => live.terminal.scanned()).toBe(LINKS.shortUrl);
  });

  test('a browser that does not open: the link is shown instead of the code', async () => {
    const live = await opened({ openLink: () => Promise.resolve(false) });
    live.pressEnter();
    await expect
      .poll(() => shown(live))
      .toContain('Waiting … The browser did not open. Open the link. Ctrl-C stops.');
    expect((await shown(live)).replaceAll('\n', '')).toContain(LINKS.url);
  });

  test('without a browser only draws again what the line end has moved', async () => {
    const live = await opened();
    live.pressEnter();
    await expect.poll(() => live.terminal.scanned()).toBe(LINKS.shortUrl);
  });
});

describe('a terminal that shows pictures gets the image of the exact code', () => {
  const png = () => readFileSync(join(stateDir, 'qr.png'));

  test('kitty', async () => {
    const { said } = await opened({ env: { TERM: 'xterm-kitty' } });
    const parts = said.text.split(`${ESC}_G`).slice(1);
    const chunks = parts.map((part) => part.split(`${ESC}\\`)[0]?.split(';') ?? []);
    expect(chunks[0]?.[0]).toMatch(/^a=T,f=100,i=\d+,r=23,q=2,m=[01]$/);
    expect(chunks.every(([, data = '']) => data.length <= 4096)).toBe(true);
    expect(chunks.map(([about = '']) => /m=(\d)/.exec(about)?.[1]).join('')).toMatch(/^1*0$/);
    const data = chunks.map(([, part]) => part).join('');
    expect(Buffer.from(data, 'base64')).toEqual(png());
    expect(said.text).not.toMatch(/[▀▄█]/);
  });

  test('iTerm2', async () => {
    const { said } = await opened({ env: { TERM_PROGRAM: 'iTerm.app' } });
    const [picture = ''] = said.text.split(`${ESC}]1337;File=`)[1]?.split('\u0007') ?? [];
    const [about, data = ''] = picture.split(':');
    expect(about).toBe(`inline=1;size=${png().length};height=23;preserveAspectRatio=1`);
    expect(Buffer.from(data, 'base64')).toEqual(png());
  });

  test('not inside tmux, where it would get lost', async () => {
    const env = { TERM: 'tmux-256color', KITTY_WINDOW_ID: '1' };
    const live = await opened({ env });
    expect(await live.terminal.scanned()).toBe(LINKS.shortUrl);
  });
});

test('--no-qr: both links, no code and no word about one', async () => {
  const { said } = await opened({ noQr: true });
  expect(said.text).not.toMatch(/[▀▄█]|QR code|Scan/);
  expect(said.text).toContain(LINKS.launcherUrl);
  expect(said.text).toContain('Waiting … Open ');
});

test('whatever Lark says moves no cursor', async () => {
  const live = await opened();
  await live.view.show({ kind: 'retrying', detail: '\u001B[2J\r\n\nx' });
  expect(await live.terminal.scanned()).toBe(LINKS.shortUrl);
  expect((await live.terminal.lines()).at(-1)).toContain('\\u001b[2J');
});

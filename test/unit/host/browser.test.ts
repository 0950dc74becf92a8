/** Which browser opens a link, and what it gets. */
import { beforeEach, expect, test } from 'vitest';
import { findBrowser } from '../../../src/host/browser.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { StandIns } from './stand-in.ts';

const LINK = 'https://open.example/page/cli?user_code=A-B&from=sdk';

let programs: StandIns;
beforeEach(() => {
  programs = new StandIns(temporaryFolder());
  for (const name of ['xdg-open', 'open', 'rundll32']) programs.add(name);
});

const browserOn = (platform: NodeJS.Platform, env: Record<string, string> = {}, isRoot = false) =>
  findBrowser({ env: { PATH: programs.path, ...env }, platform, isRoot });

test.each<[NodeJS.Platform, Record<string, string>, string]>([
  ['linux', { DISPLAY: ':0' }, `xdg-open ${LINK}`],
  ['linux', { WAYLAND_DISPLAY: 'wayland-0' }, `xdg-open ${LINK}`],
  ['darwin', {}, `open ${LINK}`],
  // The link is one argument, whatever signs it has.
  ['win32', {}, `rundll32 url.dll,FileProtocolHandler ${LINK}`],
])('on %s with %j: %s', async (platform, env, line) => {
  expect(await browserOn(platform, env)?.(LINK)).toBe(true);
  expect(programs.lines).toEqual([line]);
});

test.each<[string, NodeJS.Platform, Record<string, string>, boolean]>([
  ['no display', 'linux', {}, false],
  ['root without a display', 'linux', {}, true],
  ['a Mac over SSH', 'darwin', { SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22' }, false],
  ['root of a Mac', 'darwin', {}, true],
  ['a system that nobody knows', 'aix', { DISPLAY: ':0' }, false],
  ['a Linux without xdg-open', 'linux', { DISPLAY: ':0', PATH: '/nowhere' }, false],
])('none is offered: %s', (_what, platform, env, isRoot) => {
  expect(browserOn(platform, env, isRoot)).toBeUndefined();
});

test('one that fails or is gone says so', async () => {
  programs.add('xdg-open', 'exit 3');
  const open = browserOn('linux', { DISPLAY: ':0' });
  expect(await open?.(LINK)).toBe(false);
  expect(await browserOn('darwin', { PATH: '/nowhere' })?.(LINK)).toBe(false);
});

test('gets what it needs, and no secret', async () => {
  const env = { DISPLAY: ':0', XDG_RUNTIME_DIR: '/run/x', LARK_APP_SECRET: 's', MY_TOKEN: 't' };
  await browserOn('linux', env)?.(LINK);
  expect(programs.calls[0]?.env).toMatchObject({ DISPLAY: ':0', XDG_RUNTIME_DIR: '/run/x' });
  expect(Object.values(programs.calls[0]?.env ?? {})).not.toContain('s');
  expect(Object.values(programs.calls[0]?.env ?? {})).not.toContain('t');
});

/** The end of the daemon: whatever waits, it ends with 0, and what it cuts off it names. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Rig } from './rig.ts';

const CHATS = 1_500;

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});
afterEach(() => rig.close());

const CUT_OFF = /^lark-bridge: ended .*/m;

function askInNewChats(count: number): void {
  for (let at = 0; at < count; at++) {
    const { user, chat } = rig.direct(`Person ${at}`);
    rig.cloud.say({ chat, from: user, text: `question ${at}` });
  }
}

test('F19: with a backlog of thousands, SIGTERM ends it with 0, and no part is cut off', async () => {
  const admitted = (text: string) => text.split('"message_admitted"').length - 1;
  // In the second round those of the first have waited for so long that each of them is told.
  for (const round of [1, 2]) {
    const daemon = await rig.run({ env: { LARK_LOG_LEVEL: 'debug' } });
    askInNewChats(CHATS);
    await daemon.saw(() => admitted(daemon.stderr) >= CHATS);
    expect(await daemon.stop(), `round ${round}`).toBe(0);
    expect(daemon.stderr).not.toMatch(CUT_OFF);
  }
});

test('F19: a part that can’t stop is cut off after 9.5 s, named in one line, and the end is 0', async () => {
  const preload = join(import.meta.dirname, 'slow-disk-preload.js');
  const daemon = await rig.run({ env: { NODE_OPTIONS: `--import ${preload}` } });
  daemon.child.kill('SIGUSR2');
  await daemon.saw(() => daemon.logged('disk_hangs'));
  expect(await daemon.stop()).toBe(0);
  const lines = daemon.stderr.split('\n').filter((line) => CUT_OFF.test(line));
  expect(lines).toEqual([
    expect.stringMatching(
      /^lark-bridge: ended 9\.5 s after SIGTERM without waiting for daemon_status, .*goes on at the next start\.$/,
    ),
  ]);
});

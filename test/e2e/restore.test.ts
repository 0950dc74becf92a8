/** A backup beside a daemon, and what a restored bridge does with messages that were answered since. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SimChat } from '../../src/sim/world/model.ts';
import { Rig } from './rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});

afterEach(() => rig.close());

test('nothing that was answered after the backup is answered again, and the chats are asked', async () => {
  const gate = join(rig.home, 'gate');
  await rig.addAgent(
    'worker',
    `text=$(cat); case "$text" in slow) while [ ! -e ${gate} ]; do sleep 0.1; done;; esac; printf 'done: %s' "$text"`,
  );
  const [busy, quick] = [rig.direct('Mei'), rig.direct('Tom')];
  const say = ({ user, chat }: typeof busy, text: string) =>
    rig.cloud.say({ chat, from: user, text });
  const answers = (chat: SimChat) =>
    rig.replies(chat).flatMap(({ text }) => (text.startsWith('done: ') ? [text] : []));
  const asked = (chat: SimChat) =>
    rig.replies(chat).filter(({ text }) => text.includes('restored from a backup'));

  const first = await rig.runHere();
  say(quick, 'before');
  await expect.poll(() => answers(quick.chat)).toEqual(['done: before']);
  say(busy, 'slow');
  await expect
    .poll(async () => (await rig.command(['status', '--json'])).stdout)
    .toContain('"running":1');
  const file = join(rig.home, 'bot.backup');
  expect(await rig.command(['backup', file])).toMatchObject({ code: 0 });

  writeFileSync(gate, '');
  await expect.poll(() => answers(busy.chat)).toEqual(['done: slow']);
  say(quick, 'after');
  say(quick, '/help');
  await expect.poll(() => answers(quick.chat)).toEqual(['done: before', 'done: after']);
  await expect.poll(() => rig.replies(quick.chat)).toHaveLength(3);
  const beside = await rig.command(['restore', file]);
  expect(beside).toMatchObject({ code: 5, stderr: expect.stringContaining('service stop') });
  await first.stop();

  const restored = await rig.command(['restore', file]);
  expect(restored).toMatchObject({ code: 0 });
  expect(restored.stdout).not.toContain('Still missing');
  const second = await rig.runHere();
  await second.saw(() => second.logged('gap_read'));
  // One question a chat, whatever was open and whatever was read back.
  await expect.poll(() => asked(busy.chat)).toHaveLength(1);
  await expect.poll(() => asked(quick.chat)).toHaveLength(1);
  const late = { ...quick, text: 'new' };
  say(late, 'new');
  await expect.poll(() => answers(quick.chat)).toContain('done: new');
  expect(answers(quick.chat)).toEqual(['done: before', 'done: after', 'done: new']);
  expect(answers(busy.chat)).toEqual(['done: slow']);

  // Whoever wants it has it run again, with an answer that Lark takes for a new one.
  say(busy, '/run');
  await expect.poll(() => answers(busy.chat)).toEqual(['done: slow', 'done: slow']);
  say(quick, '/skip');
  await second.stop();
  const third = await rig.runHere();
  say(quick, 'last');
  await expect.poll(() => answers(quick.chat)).toContain('done: last');
  expect(answers(quick.chat)).toHaveLength(4);
  expect([asked(busy.chat), asked(quick.chat)].map((all) => all.length)).toEqual([1, 1]);
  expect(third.logged('gap_read')).toBe(false);
  expect(existsSync(file)).toBe(true);
  expect(rig.bugs()).toEqual([]);
});

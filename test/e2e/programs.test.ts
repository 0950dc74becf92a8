/** Programs of agents end with their turns, whatever happens to the bridge meanwhile. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isProcessAlive, pidIn } from '../kit/processes.ts';
import { Rig } from './rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});

afterEach(() => rig.close());

/** Its first run never ends, has a child of its own, and would answer if it were left alone. */
const AGENT = `
cd "$HOME"
read text
if [ -e first ]; then
  for pid in $(cat first child); do
    # The dead that nobody has looked at yet are zombies.
    ps -o stat= -p $pid | grep -qv Z && echo $pid >> overlap
  done
  echo "answer to $text"
  exit
fi
sh -c 'echo $$ > child; while [ -d "$HOME" ] && [ ! -e stop ]; do sleep 0.1; done' &
while [ ! -s child ]; do sleep 0.02; done
echo $$ > first
wait
echo "first $text"`;

test('SIGKILL in the middle of a turn: the old program is gone before the new one begins, and one answer is shown', async () => {
  await rig.addAgent('working', AGENT);
  const first = await rig.run({ env: { LARK_LOG_LEVEL: 'debug' } });
  const { user, chat } = rig.direct('Mei');
  const asked = rig.cloud.say({ chat, from: user, text: 'work' });
  const pids = [await pidIn(join(rig.home, 'first')), await pidIn(join(rig.home, 'child'))];
  // The turn is the hub's by now, and the bridge waits for its answer.
  await first.saw(() => first.stderr.includes('"phase":"accepted"'));
  await first.stop('SIGKILL');
  expect(pids.map(isProcessAlive)).toEqual([true, true]);

  await rig.runHere();
  const [reply] = await rig.repliesIn(chat, 1);
  expect(reply).toMatchObject({ text: 'answer to work', replyTo: asked.messageId });
  expect(existsSync(join(rig.home, 'overlap'))).toBe(false);
  expect(pids.map(isProcessAlive)).toEqual([false, false]);
  // Had one been left, it would end now.
  writeFileSync(join(rig.home, 'stop'), '');
  rig.cloud.say({ chat, from: user, text: 'more' });
  const replies = await rig.repliesIn(chat, 2);
  expect(replies.map(({ text }) => text)).toEqual(['answer to work', 'answer to more']);
  await expect.poll(() => readdirSync(join(rig.stateDir, 'programs'))).toEqual([]);
});

test('a turn that an operator drops takes its program along', async () => {
  await rig.addAgent(
    'hanging',
    'read text; [ "$text" = hang ] && echo $$ > "$HOME/pid" && sleep 60; echo "$text!"',
  );
  await rig.runHere();
  const { user, chat } = rig.direct('Mei');
  const hanging = rig.cloud.say({ chat, from: user, text: 'hang' });
  const pid = await pidIn(join(rig.home, 'pid'));
  const dropped = await rig.command(['turns', 'drop', hanging.messageId]);
  expect(dropped.code, dropped.stderr).toBe(0);
  await expect.poll(() => isProcessAlive(pid)).toBe(false);
  rig.cloud.say({ chat, from: user, text: 'next' });
  const replies = await rig.repliesIn(chat, 1);
  expect(replies.map(({ text }) => text)).toEqual(['next!']);
});

/** Leaves a process in the background, in its group or in a session of its own, and tells of those of turns before. */
const LITTERING = `
cd "$HOME"
read text
for pid in $(cat left 2> /dev/null); do ps -o stat= -p $pid | grep -qv Z && echo $pid >> overlap; done
rm -f left
$text sh -c 'echo $$ > left; exec sleep 600' > /dev/null 2>&1 < /dev/null &
while [ ! -s left ]; do sleep 0.02; done
echo "answer to $text"`;

test.runIf(process.platform === 'linux')(
  'F18: what a turn left in the background is gone before the next turn begins',
  async () => {
    await rig.addAgent('littering', LITTERING);
    await rig.runHere();
    const { user, chat } = rig.direct('Mei');
    for (const text of ['env', 'setsid', 'env']) rig.cloud.say({ chat, from: user, text });
    const replies = await rig.repliesIn(chat, 3);
    expect(replies.map(({ text }) => text)).toEqual([
      'answer to env',
      'answer to setsid',
      'answer to env',
    ]);
    expect(existsSync(join(rig.home, 'overlap'))).toBe(false);
    expect(isProcessAlive(await pidIn(join(rig.home, 'left')))).toBe(false);
    expect(readdirSync(join(rig.stateDir, 'programs'))).toEqual([]);
  },
);

test.runIf(process.platform === 'linux')(
  'F18: what left its group is ended too after SIGKILL of the bridge, although its program has ended',
  async () => {
    await rig.addAgent(
      'daemon',
      `cd "$HOME"; read text; [ -e left ] && echo "answer" && exit
      trap '' TERM
      setsid sh -c 'trap "" TERM; echo $$ > left; while [ -d "$HOME" ]; do sleep 0.1; done' > /dev/null 2>&1 < /dev/null &
      while [ ! -s left ]; do sleep 0.02; done; sleep 600`,
    );
    const first = await rig.run({ env: { LARK_LOG_LEVEL: 'debug' } });
    const { user, chat } = rig.direct('Mei');
    rig.cloud.say({ chat, from: user, text: 'work' });
    const pid = await pidIn(join(rig.home, 'left'));
    await first.saw(() => first.stderr.includes('"phase":"accepted"'));
    await first.stop('SIGKILL');
    expect(isProcessAlive(pid)).toBe(true);
    await rig.runHere();
    await rig.repliesIn(chat, 1);
    expect(isProcessAlive(pid)).toBe(false);
  },
);

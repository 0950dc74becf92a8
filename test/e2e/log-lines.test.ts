/** What a failed call leaves in the log: one line that says what it was for, at the level that it deserves. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Rig } from './rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});

afterEach(() => rig.close());

interface Line {
  readonly level: string;
  readonly kind?: string;
  readonly code?: number;
}

test('one failed call gives one line, and a sign that could not be set is no error', async () => {
  const bridge = await rig.runHere();
  const { user, chat } = rig.direct('Mei');
  const refuse = { kind: 'business_error', method: 'POST' } as const;
  rig.cloud.faults.inject({ ...refuse, code: 2200, msg: 'internal', path: '/reply' });
  rig.cloud.faults.inject({ ...refuse, code: 231002, msg: 'no reaction', path: '/reactions' });
  await rig.addAgent('slow', 'sleep 1; cat');
  rig.cloud.say({ chat, from: user, text: 'hello' });
  await rig.repliesIn(chat, 1);
  await bridge.saw(() => bridge.stderr.includes('231002'));
  await bridge.stop();
  const lines = bridge.stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
  const bad = lines.filter(({ level }) => level === 'warn' || level === 'error');
  expect(bad.filter(({ code }) => code === 2200)).toMatchObject([
    { level: 'warn', kind: 'answer' },
  ]);
  expect(bad.filter(({ code }) => code === 231002)).toMatchObject([
    { level: 'warn', kind: 'react' },
  ]);
  expect(bad).toHaveLength(2);
});

test('F33: a message that is answered leaves two lines, of 400 bytes together at most', async () => {
  const MESSAGES = 20;
  const bridge = await rig.runHere();
  const { user, chat } = rig.direct('Mei');
  const before = bridge.stderr.length;
  for (let at = 1; at <= MESSAGES; at++) {
    rig.cloud.say({ chat, from: user, text: `question ${at}` });
    await rig.repliesIn(chat, at);
  }
  const sent = () => bridge.stderr.slice(before).split('"event":"sent"').length - 1;
  await bridge.saw(() => sent() >= MESSAGES);
  const log = bridge.stderr.slice(before);
  await bridge.stop();
  const ofMessages = log.split('\n').filter((line) => line.includes('"turn":"om_'));
  expect(ofMessages).toHaveLength(2 * MESSAGES);
  expect(log.length / MESSAGES).toBeLessThanOrEqual(400);
  // They are enough to find out more: `trace` takes the id.
  expect(log).toMatch(/"event":"message_admitted","turn":"om_\w+","chat":"oc_\w+"\}/);
  expect(log).toMatch(/"event":"sent","turn":"om_\w+","kind":"answer","lark_id":"om_\w+"\}/);
});

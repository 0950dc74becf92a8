/** Live cards: every card ends, and shows nothing that was taken back. */
import { expect, test } from 'vitest';
import { added, answered, LIVE_MESSAGE, type LiveRig, liveRig } from './live-rig.ts';
import { message } from './samples.ts';

const HOUR_MS = 60 * 60_000;

async function atWork(): Promise<LiveRig> {
  const rig = await liveRig();
  await rig.ask();
  rig.tell(added('private'));
  await rig.pass(3_000);
  return rig;
}

async function stop({ bridge, lark, pass }: LiveRig): Promise<void> {
  const { appId, chatId, senderOpenId: operatorOpenId } = message;
  const value = lark.cards[0]?.view?.stop?.value ?? {};
  const press = { appId, chatId, operatorOpenId, value, messageId: LIVE_MESSAGE } as const;
  await bridge().intake.admit({ kind: 'button', eventId: 'press', ...press });
  await pass(2_000);
}

test('a card whose end Lark does not take for hours is ended after them', async () => {
  const { lark, end, pass } = await atWork();
  lark.trouble = (method) => (method === 'end' ? 'passing' : undefined);
  await end(answered('done'));
  await pass(2 * HOUR_MS);
  expect(lark.said).toEqual(['(working)', 'done']);
  lark.trouble = () => undefined;
  await pass(11 * 60_000);
  expect(lark.said).toEqual(['See below.', 'done']);
});

test.each([
  ['its answer', (rig: LiveRig) => rig.end(answered('private answer'))],
  ['what was said before a stop', stop],
])('%s is not shown by a later try after the message was taken back', async (_, finish) => {
  const rig = await atWork();
  const { lark, bridge, pass } = rig;
  lark.trouble = (method) => (method === 'end' ? 'passing' : undefined);
  await finish(rig);
  const { appId, chatId, messageId } = message;
  await bridge().intake.admit({ kind: 'recalled', eventId: 'recall', appId, messageId, chatId });
  lark.trouble = () => undefined;
  await pass(2 * 60_000);
  expect(lark.said).toEqual(['This work is over.']);
});

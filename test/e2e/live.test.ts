/** Live cards with a program that streams, over real sockets. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SimChat } from '../../src/sim/world/model.ts';
import { isProcessAlive, pidIn } from '../kit/processes.ts';
import { Rig } from './rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});

afterEach(() => rig.close());

/** It says half of its answer, and the rest when a file is there. */
const STREAMING = `
cd "$HOME"
read -r turn
echo $$ > pid
echo '{"type":"status","text":"Reads the file"}'
echo '{"type":"step","id":"1","title":"Open","status":"done"}'
echo '{"type":"text","text":"The first half"}'
while [ ! -e go ]; do sleep 0.05; done
echo '{"type":"text","text":" and the rest."}'`;

const say = (text: string) => {
  const { user, chat } = rig.direct('Mei');
  return { user, chat, asked: rig.cloud.say({ chat, from: user, text }) };
};
const go = () => writeFileSync(join(rig.home, 'go'), '');
const isStreaming = (chat: SimChat) =>
  rig.replies(chat).some(({ card }) => {
    const config = card?.json['config'] as { streaming_mode?: boolean } | undefined;
    return config?.streaming_mode === true;
  });

async function cardIn(chat: SimChat) {
  const [card] = await rig.repliesIn(chat, 1);
  await rig.cloud.waitFor(() => rig.replies(chat)[0]?.text.includes('The first half') === true);
  return card;
}

test('people see an answer grow on one card, and at the end the answer stands on it', async () => {
  await rig.addAgent('streaming', STREAMING, ['--stream']);
  await rig.runHere();
  const { chat, asked } = say('read it');
  await cardIn(chat);
  const [card] = rig.replies(chat);
  expect(card).toMatchObject({ type: 'interactive', replyTo: asked.messageId });
  expect(card?.text).toContain('Reads the file');
  expect(card?.text).toContain('✅ Open');
  expect(card?.card?.buttons).toMatchObject([{ label: 'Stop' }]);
  expect(isStreaming(chat)).toBe(true);
  go();
  await rig.cloud.waitFor(() => !isStreaming(chat));
  expect(rig.replies(chat)).toHaveLength(1);
  expect(rig.replies(chat)[0]?.text).toBe('The first half and the rest.');
  expect(rig.replies(chat)[0]?.card?.buttons).toEqual([]);
});

test('Stop ends the program, and what was said so far stays', async () => {
  await rig.addAgent('streaming', STREAMING, ['--stream']);
  await rig.runHere();
  const { user, chat } = say('read it');
  const card = await cardIn(chat);
  const pid = await pidIn(join(rig.home, 'pid'));
  await rig.cloud.pressOnCard(card?.messageId ?? '', user, { index: 0 });
  const replies = await rig.repliesIn(chat, 2);
  expect(replies.map(({ text }) => text)).toEqual(['The first half', 'Stopped.']);
  await expect.poll(() => isProcessAlive(pid)).toBe(false);
});

test('SIGKILL in the middle of a live card: the answer comes once, and no card goes on', async () => {
  await rig.addAgent('streaming', STREAMING, ['--stream']);
  const first = await rig.run();
  const { chat } = say('read it');
  await cardIn(chat);
  await first.stop('SIGKILL');
  expect(isStreaming(chat)).toBe(true);
  go();
  await rig.runHere();
  await rig.cloud.waitFor(() => !isStreaming(chat));
  expect(rig.replies(chat).map(({ text }) => text)).toEqual(['The first half and the rest.']);
  expect(rig.replies(chat)[0]?.card?.buttons).toEqual([]);
  expect(rig.bugs()).toEqual([]);
});

test('SIGKILL between a stop and its notice: the notice comes once, and nothing runs again', async () => {
  await rig.addAgent('streaming', STREAMING, ['--stream']);
  const first = await rig.run();
  const { user, chat } = say('read it');
  const card = await cardIn(chat);
  const pid = await pidIn(join(rig.home, 'pid'));
  rig.cloud.faults.setPlan({ rates: { request_lost: 1 } });
  await rig.cloud.pressOnCard(card?.messageId ?? '', user, { index: 0 });
  await expect.poll(() => isProcessAlive(pid)).toBe(false);
  await first.stop('SIGKILL');
  expect(isStreaming(chat)).toBe(true);
  rig.cloud.faults.calm();
  go();
  await rig.runHere();
  await rig.cloud.waitFor(() => !isStreaming(chat) && rig.replies(chat).length === 2);
  expect(rig.replies(chat).map(({ text }) => text)).toEqual(['The first half', 'Stopped.']);
  expect(await pidIn(join(rig.home, 'pid'))).toBe(pid);
  expect(rig.bugs()).toEqual([]);
});

test('without the right to stream, and after the card was recalled, the answer comes once', async () => {
  await rig.addAgent('streaming', STREAMING, ['--stream']);
  rig.app.scopes.delete('cardkit:card:write');
  await rig.runHere();
  const { chat } = say('read it');
  const card = await cardIn(chat);
  expect(isStreaming(chat)).toBe(false);
  rig.cloud.recall(card?.messageId ?? '');
  go();
  const replies = await rig.repliesIn(chat, 2);
  expect(replies.map(({ text }) => text)).toEqual(['', 'The first half and the rest.']);
  expect(readFileSync(join(rig.home, 'pid'), 'utf8')).not.toBe('');
});

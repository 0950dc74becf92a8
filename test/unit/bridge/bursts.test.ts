/** Files without words wait for the words, with the real journal. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import type { Outgoing } from '../../../src/bridge/ports/delivery.ts';
import type { SendResult, TurnRequest } from '../../../src/bridge/ports/target.ts';
import { chatId, messageId, openId, turnId } from '../../../src/core/ids.ts';
import type { InboundMessage, Part } from '../../../src/core/message.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';
import type { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import type { Db } from '../../../src/store/sqlite/db.ts';
import type { VirtualClock } from '../../kit/clock.ts';
import { message } from './samples.ts';
import { createBridge, HUB, openJournal, passTime } from './whole-bridge.ts';

const WAIT_MS = 15_000;

let db: Db;
let clock: VirtualClock;
let bridge: Bridge;
let journal: SqliteJournal;
let isWriting: () => boolean;
let asked: TurnRequest[];
let shown: Outgoing[];
let result: () => SendResult;
/** Ends the turn that is at work. */
let answer: () => void;

beforeEach(async () => {
  ({ db, isWriting, clock, journal } = openJournal());
  asked = [];
  shown = [];
  result = () => ({ kind: 'answered', text: 'ok' });
  await open();
});

afterEach(async () => {
  await bridge.stop();
  db.close();
});

async function open(burstWaitMs = WAIT_MS): Promise<void> {
  bridge = createBridge({
    db,
    clock,
    burstWaitMs,
    lark: {
      form: contentForm,
      deliver: (out) => {
        shown.push(out);
        return Promise.resolve({ ok: true, id: `om_out_${shown.length}` });
      },
      history: () => Promise.resolve([]),
    },
    target: {
      ...HUB,
      send: (request) => {
        asked.push(request);
        return Promise.resolve(result());
      },
      wait: (_target, _ticket, signal) =>
        new Promise((resolve) => {
          answer = () => resolve({ kind: 'answered', text: 'ok' });
          signal.addEventListener('abort', () => resolve({ kind: 'pending' }));
        }),
    },
  });
  await bridge.start();
}

const picture = (id: string): Part => ({
  kind: 'resource',
  resource: { kind: 'file', key: id, name: id },
});
const words = (text: string): Part => ({ kind: 'text', text });

const send = (id: string, parts: readonly Part[], more: Partial<InboundMessage> = {}) =>
  bridge.intake.admit({
    kind: 'message',
    message: { ...message, messageId: messageId(id), sentAtMs: clock.nowMs(), parts, ...more },
  });
const sendPicture = (id: string, more?: Partial<InboundMessage>) => send(id, [picture(id)], more);
const say = (id: string, text: string, more?: Partial<InboundMessage>) =>
  send(id, [words(text)], more);
const recall = (id: string) => {
  const { appId, chatId: chat } = message;
  const about = { appId, chatId: chat, messageId: messageId(id), eventId: `recall ${id}` };
  return bridge.intake.admit({ kind: 'recalled', ...about });
};
const pass = (durationMs: number) => passTime(clock, { isWriting, durationMs });
/** What the agent got: the id of the message, and its lines. */
const turns = () => asked.map(({ context, text }) => [context.messageId, ...text.split('\n')]);
const stateOf = async (id: string) => (await journal.turn(turnId(id)))?.state;
/** The messages with a sign of receipt now. */
function signs(): string[] {
  const on = new Set<string>();
  for (const out of shown) {
    if (out.kind === 'react') on.add(out.messageId);
    if (out.kind === 'unreact') on.delete(out.messageId);
  }
  return [...on];
}
const answers = () =>
  shown.flatMap((out) =>
    out.kind === 'reply' && out.content.kind === 'answer' ? out.replyTo : [],
  );

test('pictures wait for the words and join their turn, in order', async () => {
  await sendPicture('om_p1');
  await pass(2_000);
  await sendPicture('om_p2');
  await pass(2_000);
  expect(asked).toEqual([]);
  await say('om_w', 'compare these');
  await pass(0);
  expect(turns()).toEqual([['om_w', '[file om_p1]', '[file om_p2]', 'compare these']]);
  expect(answers()).toEqual(['om_w']);
  await pass(60_000);
  expect(asked).toHaveLength(1);
  expect(await stateOf('om_p1')).toEqual({ phase: 'answered', joined: 'om_p2' });
  expect(await stateOf('om_p2')).toEqual({ phase: 'answered', joined: 'om_w' });
});

test('each of them has its sign at once, and loses it with the answer', async () => {
  result = () => ({ kind: 'accepted', ticket: 't' });
  await sendPicture('om_p1');
  await sendPicture('om_p2');
  await pass(0);
  expect(signs()).toEqual(['om_p1', 'om_p2']);
  await say('om_w', 'compare these');
  await pass(1_000);
  expect(signs()).toEqual(['om_p1', 'om_p2', 'om_w']);
  answer();
  await pass(0);
  expect(answers()).toEqual(['om_w']);
  expect(signs()).toEqual([]);
});

test('without words there is one turn for all of them, so long after the last one', async () => {
  await sendPicture('om_p1');
  await pass(10_000);
  await sendPicture('om_p2');
  await pass(14_000);
  expect(asked).toEqual([]);
  await pass(1_000);
  expect(turns()).toEqual([['om_p2', '[file om_p1]', '[file om_p2]']]);
  expect(answers()).toEqual(['om_p2']);
  expect(signs()).toEqual([]);
  await pass(60_000);
  // Nobody was told that they wait in line.
  expect(shown.filter((out) => 'content' in out && out.content.kind === 'notice')).toEqual([]);
});

test('words within the same moment find the picture', async () => {
  await Promise.all([sendPicture('om_p1'), sendPicture('om_p2'), say('om_w', 'both')]);
  await pass(60_000);
  expect(turns()).toEqual([['om_w', '[file om_p1]', '[file om_p2]', 'both']]);
});

test('what has words is never delayed, and neither are stickers and forwards: these leave the pictures waiting', async () => {
  await say('om_w0', 'hello');
  await pass(0);
  await send('om_both', [picture('om_both'), words('with words')]);
  await pass(0);
  await sendPicture('om_p1');
  await pass(0);
  await send('om_s', [words('[sticker]')], { isWordless: true });
  await send('om_f', [{ kind: 'forwarded', text: '[forwarded: 1 message]' }]);
  await pass(0);
  expect(turns().map(([id]) => id)).toEqual(['om_w0', 'om_both', 'om_s', 'om_f']);
  await say('om_w', 'and now the picture');
  await pass(0);
  expect(turns().at(-1)).toEqual(['om_w', '[file om_p1]', 'and now the picture']);
});

test.each<[string, Partial<InboundMessage>]>([
  ['another person', { senderOpenId: openId('ou_2') }],
  ['another chat', { chatId: chatId('oc_2') }],
  ['another thread', { threadId: 'omt_1' }],
])('words of %s take nothing in', async (_, elsewhere) => {
  await sendPicture('om_p1');
  await say('om_w', 'hello', elsewhere);
  await pass(60_000);
  expect(turns()).toEqual([
    ['om_w', 'hello'],
    ['om_p1', '[file om_p1]'],
  ]);
});

test('in a group a picture does not wait', async () => {
  await sendPicture('om_p1', { chatType: 'group' });
  await pass(0);
  expect(turns()).toEqual([['om_p1', '[file om_p1]']]);
});

test('with a wait of 0 nothing waits', async () => {
  await bridge.stop();
  await open(0);
  await sendPicture('om_p1');
  await pass(0);
  expect(turns()).toEqual([['om_p1', '[file om_p1]']]);
});

test('pictures behind a turn at work still take the words', async () => {
  result = () => ({ kind: 'accepted', ticket: 't' });
  await say('om_w0', 'work');
  await pass(0);
  await sendPicture('om_p1');
  await pass(30_000);
  await say('om_w', 'look');
  await bridge.stop();
  expect(await stateOf('om_p1')).toEqual({ phase: 'answered', joined: 'om_w' });
});

test('a new process goes on with the wait', async () => {
  await sendPicture('om_p1');
  await pass(5_000);
  await bridge.stop();
  await open();
  await pass(5_000);
  expect(asked).toEqual([]);
  await sendPicture('om_p2');
  await bridge.stop();
  await open();
  await pass(14_000);
  expect(asked).toEqual([]);
  await pass(1_000);
  expect(turns()).toEqual([['om_p2', '[file om_p1]', '[file om_p2]']]);
});

test('a message that Lark delivers again changes nothing', async () => {
  await sendPicture('om_p1');
  await sendPicture('om_p2');
  await sendPicture('om_p1');
  await say('om_w', 'both');
  await bridge.stop();
  await open();
  await sendPicture('om_p2');
  await say('om_w', 'both');
  await pass(60_000);
  expect(turns()).toEqual([['om_w', '[file om_p1]', '[file om_p2]', 'both']]);
});

test('a turn takes in at most 50 messages', async () => {
  for (let at = 1; at <= 60; at += 1) await sendPicture(`om_${at}`);
  await pass(60_000);
  expect(turns().map((turn) => turn.length - 1)).toEqual([50, 10]);
});

describe('a recall', () => {
  test.each(['om_p1', 'om_p2', 'om_p3'])('of %s takes only that one out', async (recalled) => {
    for (const id of ['om_p1', 'om_p2', 'om_p3']) await sendPicture(id);
    await recall(recalled);
    await pass(60_000);
    const left = ['om_p1', 'om_p2', 'om_p3'].filter((id) => id !== recalled);
    expect(turns()).toEqual([[left.at(-1), ...left.map((id) => `[file ${id}]`)]]);
  });

  test.each(['om_p1', 'om_p2'])('of %s after the words takes only that one out', async (id) => {
    await say('om_0', 'work');
    result = () => ({ kind: 'busy', retryAfterMs: 5_000, detail: 'busy' });
    await sendPicture('om_p1');
    await sendPicture('om_p2');
    await say('om_w', 'compare');
    await pass(1_000);
    await recall(id);
    result = () => ({ kind: 'answered', text: 'ok' });
    await pass(60_000);
    const left = id === 'om_p1' ? 'om_p2' : 'om_p1';
    expect(turns().at(-1)).toEqual(['om_w', `[file ${left}]`, 'compare']);
    expect((await journal.turn(turnId(id)))?.message.parts).toEqual([]);
  });

  test('of the words lets the pictures wait for other words', async () => {
    result = () => ({ kind: 'accepted', ticket: 't' });
    await sendPicture('om_p1');
    await sendPicture('om_p2');
    await say('om_w', 'wrong words');
    await pass(1_000);
    await recall('om_w');
    expect(await stateOf('om_w')).toEqual({ phase: 'dropped', why: 'recalled' });
    result = () => ({ kind: 'answered', text: 'ok' });
    await pass(10_000);
    await say('om_w2', 'better words');
    await pass(0);
    expect(turns().at(-1)).toEqual(['om_w2', '[file om_p1]', '[file om_p2]', 'better words']);
  });

  test('of all of them leaves nothing', async () => {
    result = () => ({ kind: 'accepted', ticket: 't' });
    for (const id of ['om_p1', 'om_p2', 'om_w']) {
      await (id === 'om_w' ? say(id, 'both') : sendPicture(id));
    }
    for (const id of ['om_p2', 'om_w', 'om_p1']) await recall(id);
    await pass(60_000);
    expect(answers()).toEqual([]);
    expect(await journal.openTurns()).toEqual([]);
  });
});

/** A bundle of forwarded messages is read before its turn is sent, with the real journal. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import type { ForwardedResult } from '../../../src/bridge/ports/lark.ts';
import type { TurnAnswer } from '../../../src/bridge/ports/target.ts';
import { turnId } from '../../../src/core/ids.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';
import type { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import type { Db } from '../../../src/store/sqlite/db.ts';
import type { VirtualClock } from '../../kit/clock.ts';
import { message } from './samples.ts';
import { createBridge, HUB, openJournal, passTime } from './whole-bridge.ts';

const ID = turnId(message.messageId);
const passing: ForwardedResult = { ok: false, reason: 'Lark is away', isPassing: true };
const forGood: ForwardedResult = {
  ok: false,
  reason: 'Lark refused with code 1',
  isPassing: false,
};

let db: Db;
let clock: VirtualClock;
let bridge: Bridge;
let journal: SqliteJournal;
let isWriting: () => boolean;
let asked: string[];
let reads: number;
let answer: TurnAnswer;
let whileReading: () => void;
/** What Lark says to each read; the last one for ever. */
let given: (ForwardedResult | 'never')[];

beforeEach(async () => {
  ({ db, isWriting, clock, journal } = openJournal());
  asked = [];
  reads = 0;
  whileReading = () => {};
  answer = { kind: 'answered', text: 'ok' };
  given = [{ ok: true, text: '[forwarded: 1 message]\n> hi' }];
  await open();
});

afterEach(async () => {
  await bridge.stop();
  db.close();
});

async function open(): Promise<void> {
  bridge = createBridge({
    db,
    clock,
    lark: {
      form: contentForm,
      deliver: () => Promise.resolve({ ok: true, id: 'om_out' }),
      history: () => Promise.resolve([]),
      forwarded: () => {
        whileReading();
        const result = given[Math.min(reads, given.length - 1)] ?? 'never';
        reads += 1;
        return result === 'never' ? new Promise(() => {}) : Promise.resolve(result);
      },
    },
    target: {
      ...HUB,
      send: ({ text }) => {
        asked.push(text);
        return Promise.resolve(answer);
      },
      wait: () => Promise.resolve({ kind: 'pending' }),
    },
  });
  await bridge.start();
}

const say = (text?: string) => {
  const words = text === undefined ? [] : [{ kind: 'text', text } as const];
  const parts = [...words, { kind: 'forwarded' }] as const;
  return bridge.intake.admit({ kind: 'message', message: { ...message, parts } });
};
const pass = (durationMs: number) => passTime(clock, { isWriting, durationMs });
const partsStored = async () => (await journal.turn(ID))?.message.parts;

test('the agent gets what it says, and it is stored', async () => {
  await say('see:');
  await pass(0);
  expect(asked).toEqual(['see:\n[forwarded: 1 message]\n> hi']);
  expect(await partsStored()).toEqual([
    { kind: 'text', text: 'see:' },
    { kind: 'forwarded', text: '[forwarded: 1 message]\n> hi' },
  ]);
});

test('the message is admitted before anything is read, so the ack waits for nothing', async () => {
  given = ['never'];
  await say();
  expect((await journal.turn(ID))?.state.phase).toBe('waiting');
  expect(asked).toEqual([]);
});

test('what passes is tried again', async () => {
  given = [passing, passing, { ok: true, text: 'read' }];
  await say();
  await pass(5_000);
  expect(reads).toBe(3);
  expect(asked).toEqual(['read']);
});

test.each<[string, (ForwardedResult | 'never')[], string]>([
  ['is refused', [forGood], 'Lark refused with code 1'],
  ['stays out of reach', [passing], 'Lark is away'],
  ['is not answered', ['never'], 'Lark did not answer in time'],
])('a read that %s gives a turn that says so, within a bound', async (_how, results, reason) => {
  given = results;
  await say();
  await pass(11_000);
  expect(asked).toEqual([`[forwarded messages could not be read: ${reason}]`]);
  expect(reads).toBeLessThan(12);
});

test('a bundle that could not be read is read again when the person says /retry', async () => {
  given = [forGood, { ok: true, text: 'read' }];
  answer = { kind: 'failed', detail: 'no idea' };
  await say();
  await pass(0);
  const retry = { ...message, parts: [{ kind: 'text', text: '/retry' }] } as const;
  const next = { ...retry, messageId: 'om_2' as typeof message.messageId };
  await bridge.intake.admit({ kind: 'message', message: next });
  await pass(0);
  expect(asked).toEqual([expect.stringContaining('could not be read'), 'read']);
});

test('what was read is not read again by a new run', async () => {
  answer = { kind: 'failed', detail: 'no idea' };
  await say();
  await pass(0);
  await bridge.stop();
  await open();
  const retry = { ...message, parts: [{ kind: 'text', text: '/retry' }] } as const;
  const next = { ...retry, messageId: 'om_2' as typeof message.messageId };
  await bridge.intake.admit({ kind: 'message', message: next });
  await pass(0);
  expect(asked).toHaveLength(2);
  expect(reads).toBe(1);
});

test('a stop while it is read leaves the turn waiting, and the next start goes on', async () => {
  given = ['never', { ok: true, text: 'read' }];
  await say();
  await pass(1_000);
  await bridge.stop();
  expect((await journal.turn(ID))?.state.phase).toBe('waiting');
  expect(await partsStored()).toEqual([{ kind: 'forwarded' }]);
  await open();
  await pass(0);
  expect(asked).toEqual(['read']);
});

const recall = () => {
  const { appId, chatId, messageId } = message;
  return bridge.intake.admit({ kind: 'recalled', appId, chatId, messageId, eventId: 'e2' });
};

test.each<[string, (ForwardedResult | 'never')[]]>([
  ['that never ends', ['never']],
  ['that ends at that moment', [{ ok: true, text: 'secret' }]],
])(
  'a recall during a read %s ends the turn, and nothing of it is stored',
  async (_how, results) => {
    given = results;
    whileReading = () => void recall();
    await say();
    await pass(20_000);
    expect(asked).toEqual([]);
    expect(await journal.turn(ID)).toMatchObject({
      state: { phase: 'dropped', why: 'recalled' },
      message: { parts: [] },
    });
  },
);

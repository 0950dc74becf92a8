/** Signs of receipt while Lark is slow with them: the bridge with the real journal on a virtual clock. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import { chatId, messageId } from '../../../src/core/ids.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { settle, VirtualClock } from '../../kit/clock.ts';
import { message } from './samples.ts';
import { createBridge, HUB } from './whole-bridge.ts';
import { writesUnderWay } from './writes-under-way.ts';
import { RECEIPT_DELAY_MS, RECEIPTS_BEHIND_MAX } from '../../../src/bridge/turns/receipts.ts';
import type { DeliveryResult, Outgoing } from '../../../src/bridge/ports/delivery.ts';
import type { TurnTarget, WaitResult } from '../../../src/bridge/ports/target.ts';
import { silentLog } from '../../kit/log.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';
import { temporaryFolder } from '../../kit/folder.ts';

const PEOPLE = RECEIPTS_BEHIND_MAX + 300;

let folder: string;
let db: Db;
let isWriting: () => boolean;
let clock: VirtualClock;
let bridge: Bridge;
let said: number;
/** Agents that work until a test lets them answer. */
let answers: ((answer: WaitResult) => void)[];
/** How long Lark takes for a reaction. */
let lagMs: number;
/** Signs that stand in the chats, by their id. */
let standing: Set<string>;
let calls: { react: number; reply: number };

const target: TurnTarget = {
  ...HUB,
  send: ({ messageId: ticket }) => Promise.resolve({ kind: 'accepted', ticket }),
  wait: (_target, _ticket, signal) =>
    new Promise((resolve) => {
      answers.push(resolve);
      signal.addEventListener('abort', () => resolve({ kind: 'pending' }));
    }),
};

async function deliver(out: Outgoing): Promise<DeliveryResult> {
  switch (out.kind) {
    case 'reply':
    case 'send':
      calls.reply += 1;
      return { ok: true, id: `om_out_${calls.reply}` };
    case 'update':
      return { ok: true, id: out.messageId };
    case 'react': {
      calls.react += 1;
      const id = `sign_${calls.react}`;
      await clock.sleep(lagMs);
      standing.add(id);
      return { ok: true, id };
    }
    case 'unreact':
      await clock.sleep(lagMs);
      standing.delete(out.reactionId);
      return { ok: true, id: out.reactionId };
  }
}

beforeEach(async () => {
  folder = temporaryFolder();
  db = Db.open(join(folder, 'bridge.db'), silentLog);
  isWriting = writesUnderWay(db);
  clock = new VirtualClock(Date.UTC(2026, 0, 5));
  said = 0;
  answers = [];
  standing = new Set();
  calls = { react: 0, reply: 0 };
  await boot();
});

async function boot(): Promise<void> {
  bridge = createBridge({
    db,
    clock,
    target,
    lark: { form: contentForm, deliver, history: () => Promise.resolve([]) },
    turnsRunningMax: 2 * PEOPLE,
  });
  await bridge.start();
}

async function stop(): Promise<void> {
  const stopped = bridge.stop();
  await run(5_000);
  await stopped;
}

afterEach(async () => {
  await stop();
  db.close();
});

async function run(durationMs: number, look: () => void = () => {}): Promise<void> {
  const untilMs = clock.nowMs() + durationMs;
  do {
    await settle(isWriting);
    look();
  } while (clock.step(untilMs));
  await settle(isWriting);
}

/** So many people write at the same moment, each in a chat of their own. */
async function everybodyWrites(count: number): Promise<void> {
  const admitted = Array.from({ length: count }, () => {
    said += 1;
    return bridge.intake.admit({
      kind: 'message',
      message: {
        ...message,
        messageId: messageId(`om_${said}`),
        chatId: chatId(`oc_${said}`),
        sentAtMs: clock.nowMs(),
      },
    });
  });
  await Promise.all(admitted);
  // All of their signs become due in one turn of the event loop.
  const untilMs = clock.nowMs() + RECEIPT_DELAY_MS;
  while (clock.step(untilMs));
}

function everybodyIsAnswered(): void {
  for (const answer of answers.splice(0)) answer({ kind: 'answered', text: 'here you are' });
}

test('a burst of messages gets signs only up to the bound', async () => {
  lagMs = 5_000;
  await everybodyWrites(PEOPLE);
  let most = 0;
  await run(4_000, () => (most = Math.max(most, bridge.status().outbox)));
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(RECEIPTS_BEHIND_MAX);
});

test('no sign stays on a message whose answer came while the sign was being sent', async () => {
  lagMs = 5_000;
  await everybodyWrites(3);
  await run(1_000);
  everybodyIsAnswered();
  await run(500);
  expect(calls).toEqual({ react: 3, reply: 3 });
  await run(20_000);
  expect([...standing]).toEqual([]);
});

test('answers do not wait for slow signs, and no sign stays after the answer', async () => {
  lagMs = 5_000;
  await everybodyWrites(PEOPLE);
  await run(2_000);
  expect(calls.react).toBeGreaterThan(0);
  everybodyIsAnswered();
  await run(500);
  expect(calls.reply).toBe(PEOPLE);
  await run(120_000);
  expect([...standing]).toEqual([]);
  expect(bridge.status().outbox).toBe(0);
});

test('signs that would come too late are left out', async () => {
  lagMs = 5_000;
  await everybodyWrites(PEOPLE);
  await run(60_000);
  expect(calls.react).toBeLessThan(PEOPLE / 4);
  expect(standing.size).toBe(calls.react);
  everybodyIsAnswered();
  await run(120_000);
  expect([...standing]).toEqual([]);
});

test('when Lark is fast again, the next message has its sign within a second', async () => {
  lagMs = 5_000;
  await everybodyWrites(PEOPLE);
  await run(30_000);
  lagMs = 50;
  everybodyIsAnswered();
  await run(60_000);
  const before = calls.react;
  await everybodyWrites(1);
  await run(300);
  expect(calls.react).toBe(before + 1);
  expect(standing.size).toBe(1);
  everybodyIsAnswered();
  await run(1_000);
  expect([...standing]).toEqual([]);
});

test.each([
  ['before its sign was there', 0],
  ['after that', 2_000],
])(
  'a message whose bridge stops %s has a sign after the next start, until the answer',
  async (_when, afterMs) => {
    lagMs = 50;
    await bridge.intake.admit({
      kind: 'message',
      message: { ...message, sentAtMs: clock.nowMs() },
    });
    await run(afterMs);
    await stop();
    answers = [];
    await boot();
    await run(1_000);
    expect([standing.size, calls.react]).toEqual([1, 1]);
    everybodyIsAnswered();
    await run(1_000);
    expect([...standing]).toEqual([]);
    expect(calls.reply).toBe(1);
  },
);

test('a start does not show a sign again that was removed when the time was over', async () => {
  lagMs = 50;
  await everybodyWrites(1);
  await run(2_000);
  expect(standing.size).toBe(1);
  await run(600_000);
  expect([...standing]).toEqual([]);
  await stop();
  await boot();
  await run(5_000);
  expect(calls.react).toBe(1);
});

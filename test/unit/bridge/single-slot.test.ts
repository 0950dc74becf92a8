/** A target that can't say which turn an answer belongs to: the bridge with the real journal on a virtual clock. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Bridge } from '../../../src/bridge/bridge.ts';
import { chatId, messageId, workspaceId } from '../../../src/core/ids.ts';
import type { TurnTarget } from '../../../src/core/ports.ts';
import { SqliteJournal } from '../../../src/store/bridge/journal.ts';
import { SqliteOrders } from '../../../src/store/bridge/orders.ts';
import { Db } from '../../../src/store/db.ts';
import { FaultyLark } from '../../sim/faulty-lark.ts';
import { settle, VirtualClock } from '../../sim/virtual-clock.ts';
import { message } from './samples.ts';

const TIMEOUT_MS = 60_000;
const AGENT = workspaceId('agent');
const log = { debug() {}, info() {}, warn() {}, error() {} };

let folder: string;
let db: Db;
let clock: VirtualClock;
let lark: FaultyLark;
let journal: SqliteJournal;
let bridge: Bridge;
let asked: string[];
let answers = 0;

const target: TurnTarget = {
  correlates: false,
  deduplicates: false,
  currentTarget: () => Promise.resolve(AGENT),
  send: (request) => {
    asked.push(request.text);
    return Promise.resolve({ kind: 'accepted_uncorrelated' });
  },
  wait: () => Promise.reject(new Error('there is no ticket')),
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'single-slot-'));
  db = Db.open(join(folder, 'bridge.db'), log);
  clock = new VirtualClock(Date.UTC(2026, 0, 5));
  lark = new FaultyLark(clock, () => 0.5);
  asked = [];
  await boot();
});

afterEach(async () => {
  const stopped = bridge.stop();
  await run(1_000);
  await stopped;
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

async function boot(): Promise<void> {
  journal = new SqliteJournal({ db, app: message.appId, clock });
  bridge = new Bridge({
    journal,
    orders: new SqliteOrders({ db, app: message.appId, clock }),
    target,
    lark,
    clock,
    random: () => 0.5,
    log,
    brand: 'feishu',
    turnsRunningMax: 8,
    turnTimeoutMs: TIMEOUT_MS,
  });
  await bridge.start();
}

async function run(durationMs: number): Promise<void> {
  const untilMs = clock.nowMs() + durationMs;
  do await settle();
  while (clock.step(untilMs));
  await settle();
}

async function say(id: string, chat: string): Promise<void> {
  await bridge.intake.admit({
    kind: 'message',
    message: {
      ...message,
      messageId: messageId(id),
      chatId: chatId(chat),
      sentAtMs: clock.nowMs(),
      parts: [{ kind: 'text', text: id }],
    },
  });
  await run(500);
}

async function answer(text: string, id = `answer_${(answers += 1)}`): Promise<void> {
  await bridge.receive({ id, from: AGENT, text });
  await run(2_000);
}

const shownIn = (chat: string) =>
  lark.shown.filter((one) => one.chatId === chat).map(({ text }) => text);
const quarantined = async () => (await journal.quarantined(10)).map(({ text }) => text);

describe('a target without correlation', () => {
  test('LCM-IN-11, LCM-OUT-02: one turn at a time, and each answer goes to its own chat', async () => {
    await say('one', 'oc_a');
    await say('two', 'oc_b');
    expect(asked).toEqual(['one']);
    await answer('answer to one');
    expect(asked).toEqual(['one', 'two']);
    await answer('answer to two');
    expect([shownIn('oc_a'), shownIn('oc_b')]).toEqual([['answer to one'], ['answer to two']]);
  });

  test('an answer that is handed over twice is shown once, also when the next turn waits', async () => {
    await say('one', 'oc_a');
    await say('two', 'oc_b');
    await answer('answer to one', 'same');
    await answer('answer to one', 'same');
    expect(shownIn('oc_b')).toEqual([]);
    expect(await quarantined()).toEqual([]);
  });

  test('LCM-OUT-07: time over frees the slot; a late answer is kept aside, never shown in another chat', async () => {
    await say('one', 'oc_a');
    await say('two', 'oc_b');
    await run(TIMEOUT_MS);
    expect(asked).toEqual(['one', 'two']);
    expect(shownIn('oc_a').join()).toContain('took too long');
    await answer('late answer to one');
    expect(await quarantined()).toEqual(['late answer to one']);
    await answer('answer to two');
    const inB = shownIn('oc_b').filter((text) => !text.includes('queue') && !text.includes('next'));
    expect(inB).toEqual(['answer to two']);
    expect(shownIn('oc_a').join()).not.toContain('late answer');
  });

  test('after two turns without an answer the slot rests, and then the next one is answered', async () => {
    for (const id of ['one', 'two', 'three']) await say(id, `oc_${id}`);
    await run(2 * TIMEOUT_MS + 5_000);
    expect(asked).toEqual(['one', 'two']);
    await run(TIMEOUT_MS);
    expect(asked).toEqual(['one', 'two', 'three']);
    await answer('answer to three');
    expect(shownIn('oc_three').at(-1)).toBe('answer to three');
  });

  test('what nobody asked for is kept aside', async () => {
    await answer('good morning');
    expect(await quarantined()).toEqual(['good morning']);
    expect(lark.shown).toEqual([]);
  });

  test('a start takes up the turn in the slot: its answer still finds it', async () => {
    await say('one', 'oc_a');
    const stopped = bridge.stop();
    await run(1_000);
    await stopped;
    await boot();
    await run(1_000);
    expect(asked).toEqual(['one']);
    await answer('answer to one');
    expect(shownIn('oc_a')).toEqual(['answer to one']);
  });
});

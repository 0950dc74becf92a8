/** Before an end that can't be avoided: the bridge with the real journal on a virtual clock. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import { chatId, messageId, turnId } from '../../../src/core/ids.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { message } from './samples.ts';
import { createBridge, HUB, passTime } from './whole-bridge.ts';
import { writesUnderWay } from './writes-under-way.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';

let folder: string;
let db: Db;
let clock: VirtualClock;
let bridge: Bridge;
let isWriting: () => boolean;
/** Lets the agent answer, one for each turn that it was given. */
let answers: (() => void)[];

beforeEach(async () => {
  folder = temporaryFolder();
  db = Db.open(join(folder, 'bridge.db'), silentLog);
  isWriting = writesUnderWay(db);
  clock = new VirtualClock(message.sentAtMs);
  answers = [];
  bridge = createBridge({
    db,
    clock,
    turnTimeoutMs: 60_000,
    target: {
      ...HUB,
      send: ({ text }, signal) =>
        new Promise((resolve) => {
          answers.push(() => resolve({ kind: 'answered', text }));
          signal.addEventListener('abort', () => resolve({ kind: 'unknown', detail: 'cut' }));
        }),
      wait: () => Promise.resolve({ kind: 'pending' }),
    },
  });
  await bridge.start();
});

afterEach(async () => {
  await bridge.stop();
  db.close();
});

const run = (durationMs: number) => passTime(clock, { isWriting, durationMs });

async function say(id: string, chat: string): Promise<void> {
  const said = { ...message, messageId: messageId(id), chatId: chatId(chat) };
  await bridge.intake.admit({ kind: 'message', message: said });
}

const phaseOf = async (id: string) =>
  (await new SqliteJournal({ db, app: message.appId, clock }).turn(turnId(id)))?.state.phase;

test('running turns end before the stop, and waiting turns stay for the next start', async () => {
  await say('om_1', 'oc_1');
  await say('om_2', 'oc_1');
  await run(0);
  let finished = false;
  void bridge.finishTurns().then(() => (finished = true));
  await say('om_3', 'oc_3');
  await run(1_000);
  expect([answers.length, finished]).toEqual([1, false]);
  answers[0]?.();
  await run(1_000);
  expect(finished).toBe(true);
  expect(await Promise.all(['om_1', 'om_2', 'om_3'].map(phaseOf))).toEqual([
    'answered',
    'waiting',
    'waiting',
  ]);
  expect(answers).toHaveLength(1);
});

test('the stop waits for a turn without an answer until its time is over', async () => {
  await say('om_1', 'oc_1');
  await run(0);
  let finished = false;
  void bridge.finishTurns().then(() => (finished = true));
  await run(59_000);
  expect(finished).toBe(false);
  await run(2_000);
  expect(finished).toBe(true);
});

test('the stop does not wait if no turn runs', async () => {
  await bridge.finishTurns();
  expect(bridge.status().running).toBe(0);
});

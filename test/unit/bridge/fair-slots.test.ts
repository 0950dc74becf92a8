/** Who waits for whom at the bridge, counted on a virtual clock: the whole bridge with the real journal. */
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import type { SendResult, TurnTarget } from '../../../src/bridge/ports/target.ts';
import { chatId, messageId, openId } from '../../../src/core/ids.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';
import { message } from './samples.ts';
import { createBridge, HUB, passTime } from './whole-bridge.ts';
import { writesUnderWay } from './writes-under-way.ts';

const SLOTS = 8;
const SECOND_MS = 1_000;
/** How long the agent takes for what people ask. What the greedy guest asks hangs until its time is over. */
const TURN_MS = 30 * SECOND_MS;
const GREEDY = 'ou_greedy';

let db: Db;
let clock: VirtualClock;
let isWriting: () => boolean;
let bridge: Bridge;
let said: number;
/** When each person's question reached the agent. */
let begun: Map<string, number>;
/** How many turns of the greedy guest the agent has. */
let hanging: number;

const target: TurnTarget = {
  ...HUB,
  send: async ({ context }): Promise<SendResult> => {
    const who = context.senderOpenId;
    if (who === GREEDY) return { kind: 'accepted', ticket: 'it hangs' };
    begun.set(who, clock.nowMs());
    await clock.sleep(TURN_MS);
    return { kind: 'answered', text: 'done' };
  },
  wait: async (_workspace, _ticket, signal) => {
    hanging += 1;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    hanging -= 1;
    return { kind: 'pending' };
  },
};

beforeEach(async () => {
  db = Db.open(join(temporaryFolder(), 'bridge.db'), silentLog);
  isWriting = writesUnderWay(db);
  clock = new VirtualClock(message.sentAtMs);
  said = 0;
  begun = new Map();
  hanging = 0;
  bridge = await boot();
  onTestFinished(async () => {
    await Promise.all([bridge.stop(), pass(SECOND_MS)]);
    db.close();
  });
});

async function boot(): Promise<Bridge> {
  const started = createBridge({ db, clock, target, turnsRunningMax: SLOTS });
  await started.start();
  return started;
}

const pass = (durationMs: number) => passTime(clock, { isWriting, durationMs });

async function writes(who: string, chat: string): Promise<void> {
  said += 1;
  await bridge.intake.admit({
    kind: 'message',
    message: {
      ...message,
      messageId: messageId(`om_${said}`),
      chatId: chatId(chat),
      senderOpenId: openId(who),
      sentAtMs: clock.nowMs(),
    },
  });
}

async function guestWrites(chats: number): Promise<void> {
  await Promise.all(Array.from({ length: chats }, (_, at) => writes(GREEDY, `oc_greedy_${at}`)));
  await pass(SECOND_MS);
}

test('F7: people wait only for people, whatever a guest asks in 50 chats of their own', async () => {
  await guestWrites(50);
  expect(hanging).toBe(SLOTS / 2);
  const askedAtMs = clock.nowMs();
  const people = Array.from({ length: 10 }, (_, at) => `ou_person_${at}`);
  for (const who of people) await writes(who, `oc_${who}`);
  await pass(3 * TURN_MS);
  const waitedTurns = people.map((who) => ((begun.get(who) ?? Infinity) - askedAtMs) / TURN_MS);
  // Half of the slots is left for them, so each waits for the turns of those who asked before, four at a time.
  expect(waitedTurns).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2]);
});

test('F7: after a restart the turns that an earlier process began count', async () => {
  await guestWrites(50);
  await Promise.all([bridge.stop(), pass(SECOND_MS)]);
  bridge = await boot();
  await pass(SECOND_MS);
  expect(hanging).toBe(SLOTS / 2);
});

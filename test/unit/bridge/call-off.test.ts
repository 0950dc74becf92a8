/** A turn that is dropped is called off at the hub: the bridge with the real journal on a virtual clock. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import { platformMessageId } from '../../../src/bridge/outbox/keys.ts';
import { messageId } from '../../../src/core/ids.ts';
import { SqliteOrders } from '../../../src/store/sqlite/bridge/orders.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { message } from './samples.ts';
import { createBridge, HUB, passTime } from './whole-bridge.ts';
import { writesUnderWay } from './writes-under-way.ts';
import type { TurnTarget } from '../../../src/bridge/ports/target.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { type RecordingLog, recordingLog } from '../../kit/log.ts';

let folder: string;
let db: Db;
let isWriting: () => boolean;
let clock: VirtualClock;
let orders: SqliteOrders;
let bridge: Bridge;
/** Messages whose turns the hub was told to end. */
let calledOff: string[];
let log: RecordingLog;

/** Until the signal says that nobody waits any more. */
const held = <T>(signal: AbortSignal, cut: T) =>
  new Promise<T>((resolve) => {
    signal.addEventListener('abort', () => resolve(cut));
  });

const target: TurnTarget = {
  ...HUB,
  send: ({ messageId: ticket }) => Promise.resolve({ kind: 'accepted', ticket }),
  wait: (_workspace, _ticket, signal) => held(signal, { kind: 'pending' }),
  cancel: (workspace, id) => {
    calledOff.push(`${workspace} ${id}`);
    return Promise.resolve('over');
  },
};

beforeEach(() => {
  folder = temporaryFolder();
  db = Db.open(join(folder, 'bridge.db'), log);
  isWriting = writesUnderWay(db);
  clock = new VirtualClock(Date.UTC(2026, 0, 5));
  orders = new SqliteOrders({ db, app: message.appId, clock });
  calledOff = [];
  log = recordingLog();
});

afterEach(async () => {
  await stop();
  db.close();
});

async function boot(toAgent: TurnTarget = target): Promise<void> {
  bridge = createBridge({ db, clock, target: toAgent, orders, log, turnTimeoutMs: 60_000 });
  await bridge.start();
}

async function stop(): Promise<void> {
  const stopped = bridge.stop();
  await run(1_000);
  await stopped;
}

const run = (durationMs: number) => passTime(clock, { isWriting, durationMs });

async function say(id: string): Promise<void> {
  const said = { ...message, messageId: messageId(id), sentAtMs: clock.nowMs() };
  await bridge.intake.admit({ kind: 'message', message: said });
  await run(100);
}

/** By its own connection, as from another process. */
async function drop(id: string): Promise<void> {
  const outside = Db.open(join(folder, 'bridge.db'), log);
  await new SqliteOrders({ db: outside, app: message.appId, clock }).place('turn_drop', id);
  outside.close();
}

const atHub = (id: string) =>
  `agent ${platformMessageId({ run: 1, message: { ...message, messageId: messageId(id) } })}`;

test('a dropped turn is called off while its agent works on it, but not if the hub never got it', async () => {
  await boot();
  await say('one');
  await say('two');
  await drop('two');
  await run(600);
  expect(calledOff).toEqual([]);
  await drop('one');
  await run(600);
  expect(calledOff).toEqual([atHub('one')]);
});

test('a dropped turn is called off before the hub has confirmed it', async () => {
  await boot({
    ...target,
    send: (_turn, signal) => held(signal, { kind: 'unknown', detail: 'cut' }),
  });
  await say('one');
  await drop('one');
  await run(600);
  expect(calledOff).toEqual([atHub('one')]);
});

test('a dropped turn is called off after its time was over', async () => {
  await boot();
  await say('one');
  await run(61_000);
  expect(calledOff).toEqual([]);
  await drop('one');
  await run(600);
  expect(calledOff).toEqual([atHub('one')]);
});

test('a turn that was dropped while the daemon was off is called off at the start', async () => {
  await boot();
  await say('one');
  await stop();
  await drop('one');
  await boot();
  await run(100);
  expect(calledOff).toEqual([atHub('one')]);
});

test('a turn that was held in doubt and dropped is called off by the next process too', async () => {
  await boot({
    ...target,
    deduplicates: false,
    send: () => Promise.resolve({ kind: 'unknown', detail: 'no answer' }),
    cancel: () => Promise.resolve('not_reached'),
  });
  await say('one');
  await drop('one');
  await run(600);
  await stop();
  await boot();
  await run(100);
  expect(calledOff).toEqual([atHub('one')]);
});

test('a turn is dropped even if the hub can not call it off', async () => {
  const { cancel: _cancel, ...without } = target;
  await boot(without);
  await say('one');
  await drop('one');
  await run(600);
  expect(calledOff).toEqual([]);
  expect(bridge.status().running).toBe(0);
  expect(log.events().filter((event) => event.endsWith('_bug'))).toEqual([]);
});

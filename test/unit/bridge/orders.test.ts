/** Orders of an operator: the whole bridge with the real journal on a virtual clock. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import { step } from '../../../src/bridge/turns/turn.ts';
import { messageId, turnId } from '../../../src/core/ids.ts';
import type { TurnState } from '../../../src/core/turn.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { SqliteOrders } from '../../../src/store/sqlite/bridge/orders.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { message, target as agent, turnIn } from './samples.ts';
import { createBridge, HUB, passTime } from './whole-bridge.ts';
import { writesUnderWay } from './writes-under-way.ts';
import { ORDERS_FIT, type OrderKind } from '../../../src/bridge/ports/orders.ts';
import type { DeliveryResult, Outgoing } from '../../../src/bridge/ports/delivery.ts';
import type { TurnTarget } from '../../../src/bridge/ports/target.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { type RecordingLog, recordingLog } from '../../kit/log.ts';

const DAY_MS = 24 * 3_600_000;
const REFUSED: DeliveryResult = { ok: false, action: 'give_up', code: 230022, detail: 'no' };

let folder: string;
let daemon: Db;
/** Another process's connection to the same file. */
let outside: Db;
let isWriting: () => boolean;
let clock: VirtualClock;
let bridge: Bridge | undefined;
let orders: SqliteOrders;
let journal: SqliteJournal;
/** What the agent got; it answers when a test says so. */
let asked: string[];
let answer: ((text: string) => void) | undefined;
let sent: { out: Outgoing; key: string }[];
let lark: () => DeliveryResult;
let log: RecordingLog;

const target: TurnTarget = {
  ...HUB,
  send: ({ text }) => {
    asked.push(text);
    return Promise.resolve({ kind: 'accepted', ticket: text });
  },
  wait: (_workspace, _ticket, signal) =>
    new Promise((resolve) => {
      answer = (text) =>
        resolve(
          text === 'fail' ? { kind: 'failed', detail: 'it broke' } : { kind: 'answered', text },
        );
      signal.addEventListener('abort', () => resolve({ kind: 'pending' }));
    }),
};

beforeEach(() => {
  folder = temporaryFolder();
  clock = new VirtualClock(Date.UTC(2026, 0, 5));
  daemon = Db.open(join(folder, 'bridge.db'), log);
  outside = Db.open(join(folder, 'bridge.db'), log);
  isWriting = writesUnderWay(daemon);
  orders = new SqliteOrders({ db: outside, app: message.appId, clock });
  journal = new SqliteJournal({ db: outside, app: message.appId, clock });
  asked = [];
  answer = undefined;
  sent = [];
  lark = () => ({ ok: true, id: `om_out_${sent.length}` });
  log = recordingLog();
});

afterEach(async () => {
  await stop();
  daemon.close();
  outside.close();
});

async function boot(change: Partial<TurnTarget> = {}): Promise<void> {
  bridge = createBridge({
    db: daemon,
    clock,
    log,
    target: { ...target, ...change },
    lark: {
      form: contentForm,
      deliver: (out, key) => {
        sent.push({ out, key });
        return Promise.resolve(lark());
      },
      history: () => Promise.resolve([]),
    },
  });
  await bridge.start();
}

async function stop(): Promise<void> {
  const stopped = bridge?.stop();
  bridge = undefined;
  await run(1_000);
  await stopped;
}

const run = (durationMs: number) => passTime(clock, { isWriting, durationMs });

async function say(id: string): Promise<void> {
  await bridge?.intake.admit({
    kind: 'message',
    message: {
      ...message,
      messageId: messageId(id),
      sentAtMs: clock.nowMs(),
      parts: [{ kind: 'text', text: id }],
    },
  });
  await run(100);
}

async function answered(text: string): Promise<void> {
  answer?.(text);
  await run(300);
}

/** Places an order as another process does, and lets the daemon look. */
async function ordered(kind: OrderKind, subject: string) {
  const id = await orders.place(kind, subject);
  await run(600);
  return (await orders.order(id))?.result;
}

const phaseOf = async (id: string) => (await journal.turn(turnId(id)))?.state.phase;
const shownTexts = () =>
  sent.flatMap(({ out }) =>
    (out.kind === 'reply' || out.kind === 'send') && out.content.kind !== 'choice'
      ? [out.content.text]
      : [],
  );
const letters = () => journal.deadLetters({ limit: 10 });

/** Leaves an answer that Lark refused, and the notice of it. */
async function deadLetter(): Promise<string> {
  await say('one');
  lark = () => {
    lark = () => ({ ok: true, id: `om_out_${sent.length}` });
    return REFUSED;
  };
  await answered('the answer');
  const [letter] = await letters();
  return letter?.key ?? 'none';
}

describe('an order about a turn', () => {
  test('a failed turn runs again', async () => {
    await boot();
    await say('one');
    await answered('fail');
    expect(await phaseOf('one')).toBe('failed');
    expect(await ordered('turn_retry', 'one')).toEqual({ outcome: 'done', phase: 'waiting' });
    await run(100);
    expect(asked).toEqual(['one', 'one']);
    await answered('now it works');
    expect(shownTexts().at(-1)).toBe('now it works');
  });

  test('a waiting turn is dropped and never begins', async () => {
    await boot();
    await say('one');
    await say('two');
    expect(await ordered('turn_drop', 'two')).toEqual({ outcome: 'done', phase: 'dropped' });
    await answered('first');
    expect(asked).toEqual(['one']);
  });

  test('a running turn is dropped: the next turn of its chat begins, and a late answer is not shown', async () => {
    await boot();
    await say('one');
    const late = answer;
    await say('two');
    expect(await ordered('turn_drop', 'one')).toEqual({ outcome: 'done', phase: 'dropped' });
    expect(asked).toEqual(['one', 'two']);
    late?.('too late');
    await answered('second');
    expect(shownTexts()).toEqual(['second']);
  });

  test('a running turn is not dropped if its answer would not name it', async () => {
    await boot({
      correlates: false,
      send: () => Promise.resolve({ kind: 'accepted_uncorrelated' }),
    });
    await say('one');
    expect(await ordered('turn_drop', 'one')).toEqual({ outcome: 'refused', phase: 'accepted' });
  });

  test('an order that is not possible is refused with the phase of its subject', async () => {
    await boot();
    await say('one');
    await answered('fine');
    expect(await ordered('turn_retry', 'one')).toEqual({ outcome: 'refused', phase: 'answered' });
    expect(await ordered('turn_drop', 'nobody')).toEqual({ outcome: 'refused', phase: undefined });
    expect(asked).toEqual(['one']);
  });

  test('a turn whose text was deleted is not run', async () => {
    await boot();
    await say('one');
    await answered('fail');
    await stop();
    await run(DAY_MS);
    await boot();
    await run(11 * 60_000);
    expect((await journal.turn(turnId('one')))?.message.parts).toEqual([]);
    expect(await ordered('turn_retry', 'one')).toEqual({ outcome: 'refused', phase: 'failed' });
  });

  test('the table of possible orders agrees with the turn', () => {
    const engaged = { attempt: 0, target: agent, deadlineMs: 0 };
    const states: Record<TurnState['phase'], TurnState[]> = {
      waiting: [{ phase: 'waiting', attempt: 0, notBeforeMs: 0 }],
      sending: [{ phase: 'sending', ...engaged }],
      accepted: [{ phase: 'accepted', ticket: 'q', ...engaged }],
      overdue: ['q', undefined].map((ticket) => ({
        phase: 'overdue',
        target: agent,
        sinceMs: 0,
        ticket,
      })),
      held: [{ phase: 'held', why: 'unknown' }],
      kept: [{ phase: 'kept', why: 'guest' }],
      command: [{ phase: 'command', action: 'run', about: [] }],
      answered: [{ phase: 'answered' }],
      failed: [{ phase: 'failed', reason: 'x' }],
      dropped: [{ phase: 'dropped', why: 'operator' }],
    };
    const rules = { turnTimeoutMs: 1, deduplicates: true, nowMs: 0 };
    const events = {
      turn_retry: { kind: 'chosen', action: 'retry', by: 'operator' },
      turn_drop: { kind: 'dropped_by_operator', correlates: true },
    } as const;
    for (const kind of ['turn_retry', 'turn_drop'] as const) {
      const fitting = Object.entries(states).flatMap(([phase, some]) =>
        some.some((state) => step(turnIn(state), events[kind], rules)) ? [phase] : [],
      );
      expect(fitting.toSorted()).toEqual(ORDERS_FIT[kind].toSorted());
    }
  });
});

describe('an order about a dead letter', () => {
  test('the letter is sent again under its own key, and shown once', async () => {
    await boot();
    const key = await deadLetter();
    expect(await ordered('letter_replay', key)).toEqual({ outcome: 'done', phase: 'pending' });
    const tries = sent.filter((one) => one.key === key);
    expect(tries).toHaveLength(2);
    expect(await letters()).toEqual([]);
    expect((await journal.out(key))?.state.phase).toBe('sent');
  });

  test('an old letter is tried for as long as a new one', async () => {
    await boot();
    const key = await deadLetter();
    await stop();
    await run(3 * DAY_MS);
    await boot();
    let refusals = 2;
    lark = () =>
      (refusals -= 1) >= 0
        ? { ok: false, action: 'retry', code: undefined, detail: 'weather' }
        : { ok: true, id: 'om_at_last' };
    await ordered('letter_replay', key);
    await run(60_000);
    expect((await journal.out(key))?.state).toMatchObject({ phase: 'sent', larkId: 'om_at_last' });
  });

  test('a dropped letter can not be sent again', async () => {
    await boot();
    const key = await deadLetter();
    expect(await ordered('letter_drop', key)).toEqual({ outcome: 'done', phase: 'dropped' });
    expect(await ordered('letter_replay', key)).toEqual({ outcome: 'refused', phase: 'dropped' });
    expect(await letters()).toEqual([]);
  });
});

describe('orders, starts and stops', () => {
  test('orders from the time without a daemon are carried out at the start, before any turn begins', async () => {
    await boot();
    await say('one');
    await say('two');
    await stop();
    const id = await orders.place('turn_drop', 'two');
    const other = await orders.place('turn_drop', 'one');
    await boot();
    await run(100);
    expect((await orders.order(id))?.result?.outcome).toBe('done');
    expect((await orders.order(other))?.result?.outcome).toBe('done');
    expect(asked).toEqual(['one']);
  });

  test('a turn that an order lets run before the start begins once', async () => {
    await boot();
    const key = await deadLetter();
    await say('two');
    await answered('fail');
    await stop();
    await orders.place('turn_retry', 'two');
    await orders.place('letter_replay', key);
    const before = asked.length;
    let waits = 0;
    await boot({
      wait: (...waiting) => {
        waits += 1;
        return target.wait(...waiting);
      },
    });
    expect(bridge?.status()).toMatchObject({ waiting: 0, outbox: 0 });
    await run(1_000);
    expect(asked.length - before).toBe(1);
    expect(waits).toBe(1);
    await answered('fine');
    expect(shownTexts().filter((text) => text === 'fine')).toHaveLength(1);
  });

  test('an order is not carried out twice if the process dies before it stores the result', async () => {
    await boot();
    const key = await deadLetter();
    await say('two');
    await answered('fail');
    const retry = await orders.place('turn_retry', 'two');
    const replay = await orders.place('letter_replay', key);
    await run(600);
    await answered('fail');
    lark = () => REFUSED;
    await stop();
    // As if the results had not been written.
    await outside.write(() => outside.run('UPDATE orders SET outcome = NULL, phase = NULL'));
    await outside.write(() => outside.run(`UPDATE outbox SET phase = 'dead' WHERE key = ?`, key));
    const before = { asked: asked.length, sent: sent.length };
    await boot();
    await run(1_000);
    expect({ asked: asked.length, sent: sent.length }).toEqual(before);
    expect((await orders.order(retry))?.result).toEqual({ outcome: 'done', phase: 'failed' });
    expect((await orders.order(replay))?.result).toEqual({ outcome: 'done', phase: 'dead' });
  });

  test('orders are read only after another process has written', async () => {
    await boot();
    let looks = 0;
    const open = SqliteOrders.prototype.open;
    SqliteOrders.prototype.open = function counted() {
      looks += 1;
      return open.call(this);
    };
    try {
      await run(600);
      looks = 0;
      await say('one');
      await answered('fine');
      await run(10_000);
      expect(looks).toBe(0);
      await ordered('turn_drop', 'nobody');
      expect(looks).toBe(1);
    } finally {
      SqliteOrders.prototype.open = open;
    }
  });

  test('a bug in one order does not stop the next order', async () => {
    await boot();
    await say('one');
    await answered('fail');
    await outside.write(() =>
      outside.run(
        `INSERT INTO turns (app_id, message_id, chat_id, phase, state, message, received_at_ms,
           admitted_at_ms) VALUES (?, 'broken', 'oc_1', 'held', '{}', 'null', 0, 0)`,
        message.appId,
      ),
    );
    await orders.place('turn_retry', 'broken');
    expect(await ordered('turn_retry', 'one')).toMatchObject({ outcome: 'done' });
    expect(log.events().filter((event) => event === 'order_bug').length).toBeGreaterThan(0);
    await outside.write(() => outside.run(`DELETE FROM turns WHERE message_id = 'broken'`));
  });

  test('orders about other apps are not carried out', async () => {
    await boot();
    const other = new SqliteOrders({
      db: outside,
      app: 'cli_ffffffffffffffff' as typeof message.appId,
      clock,
    });
    const id = await other.place('turn_drop', 'one');
    await say('one');
    await run(600);
    expect((await other.order(id))?.result).toBeUndefined();
    expect(await orders.order(id)).toBeUndefined();
  });
});

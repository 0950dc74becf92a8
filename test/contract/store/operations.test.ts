/** What the journal promises to whoever looks at it from beside the daemon, and leaves orders there. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { appId, chatId, messageId, turnId, workspaceId } from '../../../src/core/ids.ts';
import type { TurnState } from '../../../src/core/turn.ts';
import type { OutboxDraft } from '../../../src/bridge/ports/outbox.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { SqliteOrders } from '../../../src/store/sqlite/bridge/orders.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { draftOf, message } from '../../unit/bridge/samples.ts';
import type { TurnChange } from '../../../src/bridge/ports/changes.ts';
import { silentLog } from '../../kit/log.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { clockWithoutTimers } from '../../kit/clock.ts';

const DAY_MS = 24 * 3_600_000;
const WAITING: TurnState = { phase: 'waiting', attempt: 0, notBeforeMs: 0 };
const target = workspaceId('w');
const SENDING: TurnState = { phase: 'sending', attempt: 0, target, deadlineMs: 9 };
const ACCEPTED: TurnState = { ...SENDING, phase: 'accepted', ticket: 'q' };
const ANSWERED: TurnState = { phase: 'answered' };
const CAUSE = { agent: 'shout', detail: 'It ended with exit code 3.' };
const FAILED: TurnState = { phase: 'failed', reason: 'agent_failed', cause: CAUSE };

let folder: string;
let inside: Db;
let outside: Db;
let nowMs: number;

const clock = clockWithoutTimers(() => nowMs);
const open = () => Db.open(join(folder, 'bridge.db'), silentLog);
const journalOn = (db: Db, app = message.appId) => new SqliteJournal({ db, app, clock });
const ordersOn = (db: Db, app = message.appId) => new SqliteOrders({ db, app, clock });

beforeEach(() => {
  folder = temporaryFolder();
  nowMs = 1_000;
  inside = open();
  outside = open();
});

afterEach(() => {
  inside.close();
  outside.close();
});

function admit(id: string, state: TurnState = WAITING, chat = 'oc_1') {
  return journalOn(inside).admit({
    message: { ...message, messageId: messageId(id), chatId: chatId(chat) },
    receivedAtMs: nowMs - 10,
    state,
    out: [],
  });
}

/** One step of a turn, a second after the one before. */
function go(id: string, state: TurnState, change: Partial<TurnChange> = {}) {
  nowMs += 1_000;
  return journalOn(inside).changeTurn(turnId(id), () => ({ state, out: [], ...change }));
}

const draft = (key: string, change: Partial<OutboxDraft> = {}) =>
  draftOf(key, { createdAtMs: nowMs, ...change });

describe('the life of a turn', () => {
  test('a run that failed keeps what its program said last, until the message is recalled', async () => {
    await admit('om_1');
    await go('om_1', SENDING);
    await go('om_1', FAILED, { lastWords: 'no key' });
    const cause = async () => (await journalOn(outside).life(turnId('om_1')))?.runs[0]?.cause;
    expect(await cause()).toEqual({ ...CAUSE, lastWords: 'no key' });
    const recalled = { phase: 'dropped', why: 'recalled' } as const;
    await go('om_1', recalled, { withdrawn: { dropsOut: true } });
    expect(await cause()).toEqual(CAUSE);
  });

  test('each run has its times and its end', async () => {
    await admit('om_1');
    await go('om_1', SENDING);
    await go('om_1', { ...WAITING, attempt: 1 });
    await go('om_1', SENDING);
    await go('om_1', ACCEPTED);
    await go('om_1', FAILED);
    await go('om_1', WAITING, { run: 2 });
    await go('om_1', SENDING);
    await go('om_1', ANSWERED, { out: [draft('a')] });
    const life = await journalOn(outside).life(turnId('om_1'));
    expect(life).toMatchObject({ admittedAtMs: 1_000, endedAtMs: 9_000, ahead: 0 });
    expect(life?.turn).toMatchObject({ receivedAtMs: 990, run: 2, state: ANSWERED });
    expect(life?.runs).toEqual([
      {
        run: 1,
        tries: 2,
        startedAtMs: 2_000,
        acceptedAtMs: 5_000,
        endedAtMs: 6_000,
        endedAs: 'failed',
        reason: 'agent_failed',
        cause: CAUSE,
      },
      {
        run: 2,
        tries: 1,
        startedAtMs: 8_000,
        acceptedAtMs: undefined,
        endedAtMs: 9_000,
        endedAs: 'answered',
        reason: undefined,
        cause: undefined,
      },
    ]);
    expect(life?.out.map(({ key }) => key)).toEqual(['a']);
  });

  test('a message that is only shown in between is not a step of it', async () => {
    await admit('om_1');
    await go('om_1', SENDING);
    await go('om_1', SENDING, { out: [draft('receipt')] });
    const life = await journalOn(outside).life(turnId('om_1'));
    expect(life?.runs).toMatchObject([{ tries: 1, startedAtMs: 2_000, endedAtMs: undefined }]);
  });

  test('a run that was given up for another has ended', async () => {
    await admit('om_1');
    await go('om_1', SENDING);
    await go('om_1', { phase: 'overdue', target, ticket: undefined, sinceMs: 3 });
    await go('om_1', WAITING, { run: 2 });
    const life = await journalOn(outside).life(turnId('om_1'));
    expect(life?.runs).toMatchObject([{ run: 1, endedAs: 'overdue', endedAtMs: 4_000 }]);
  });

  test('what was settled when it came has ended then', async () => {
    await admit('om_1', ANSWERED);
    const life = await journalOn(outside).life(turnId('om_1'));
    expect(life).toMatchObject({ endedAtMs: 1_000, runs: [] });
  });

  test('the time that a step names counts, not that of the write', async () => {
    await admit('om_1');
    await go('om_1', SENDING, { atMs: 1_500 });
    await go('om_1', ANSWERED, { atMs: 1_600 });
    const life = await journalOn(outside).life(turnId('om_1'));
    expect(life).toMatchObject({ endedAtMs: 1_600, runs: [{ startedAtMs: 1_500 }] });
  });

  test('only open turns of the same chat are ahead', async () => {
    for (const [id, chat] of [
      ['om_done', 'oc_1'],
      ['om_held', 'oc_1'],
      ['om_else', 'oc_2'],
      ['om_first', 'oc_1'],
      ['om_1', 'oc_1'],
      ['om_after', 'oc_1'],
    ] as const) {
      await admit(id, WAITING, chat);
    }
    await go('om_done', ANSWERED);
    await go('om_held', { phase: 'held', why: 'stale' });
    expect((await journalOn(outside).life(turnId('om_1')))?.ahead).toBe(1);
  });

  test('old runs are deleted, running ones are not', async () => {
    for (const id of ['om_done', 'om_open']) {
      await admit(id);
      await go(id, SENDING);
    }
    await go('om_done', ANSWERED);
    const rules = { endedBeforeMs: DAY_MS, deadBeforeMs: 0, keepIds: 100, limit: 100 };
    await journalOn(inside).prune(rules);
    expect((await journalOn(outside).life(turnId('om_done')))?.runs).toEqual([]);
    expect((await journalOn(outside).life(turnId('om_open')))?.runs).toHaveLength(1);
  });
});

describe('what an operator looks for', () => {
  test('the turn of a reply', async () => {
    const journal = journalOn(inside);
    await admit('om_1');
    await journal.enqueue([draft('a'), draft('b', { turn: undefined })]);
    await journal.changeOut('a', () => ({ state: { phase: 'sent', larkId: 'om_a', atMs: 2 } }));
    await journal.changeOut('b', () => ({ state: { phase: 'sent', larkId: 'om_b', atMs: 2 } }));
    expect(await journalOn(outside).turnOfReply(messageId('om_a'))).toBe('om_1');
    expect(await journalOn(outside).turnOfReply(messageId('om_b'))).toBeUndefined();
    expect(await journalOn(outside).turnOfReply(messageId('om_1'))).toBeUndefined();
  });

  test('dead letters, newest first, also of one chat', async () => {
    const journal = journalOn(inside);
    await journal.enqueue([draft('a'), draft('b', { chatId: chatId('oc_2') }), draft('c')]);
    await journal.enqueue([draft('alive')]);
    for (const key of ['a', 'b', 'c']) {
      await journal.changeOut(key, () => ({ state: { phase: 'dead', atMs: 5 }, lastError: 'no' }));
    }
    const keys = async (query: { chatId?: typeof message.chatId; limit: number }) =>
      (await journalOn(outside).deadLetters(query)).map(({ key }) => key);
    expect(await keys({ limit: 10 })).toEqual(['c', 'b', 'a']);
    expect(await keys({ limit: 1 })).toEqual(['c']);
    expect(await keys({ chatId: chatId('oc_2'), limit: 10 })).toEqual(['b']);
  });

  test('turns by phase and chat', async () => {
    await admit('om_1');
    await admit('om_2', FAILED);
    await admit('om_3', FAILED, 'oc_2');
    const ids = async (query: Parameters<SqliteJournal['turns']>[0]) =>
      (await journalOn(outside).turns(query)).map(({ id }) => id);
    expect(await ids({ limit: 2 })).toEqual(['om_3', 'om_2']);
    expect(await ids({ phases: ['failed'], limit: 9 })).toEqual(['om_3', 'om_2']);
    expect(await ids({ phases: ['failed'], chatId: message.chatId, limit: 9 })).toEqual(['om_2']);
  });

  test('counts; of the failed ones only those since a time, of one app alone', async () => {
    await admit('om_old', FAILED);
    nowMs = 5_000;
    for (const [id, state] of [
      ['om_1', WAITING],
      ['om_2', SENDING],
      ['om_3', ACCEPTED],
      ['om_4', { phase: 'held', why: 'stale' }],
      ['om_5', FAILED],
      ['om_6', ANSWERED],
    ] as const) {
      await admit(id, state);
    }
    const journal = journalOn(inside);
    await journal.enqueue([draft('dead')]);
    await journal.changeOut('dead', () => ({ state: { phase: 'dead', atMs: 5 } }));
    const counted = { waiting: 1, running: 2, held: 1, failed: 1, deadLetters: 1 };
    expect(await journalOn(outside).counts(4_000)).toEqual(counted);
    const none = { waiting: 0, running: 0, held: 0, failed: 0, deadLetters: 0 };
    expect(await journalOn(outside, appId('cli_ffffffffffffffff')).counts(0)).toEqual(none);
  });
});

describe('orders', () => {
  test('stay until they have a result, in the order in which they were placed', async () => {
    const [mine, theirs] = [ordersOn(outside), ordersOn(inside)];
    const first = await mine.place('turn_retry', 'om_1');
    const second = await mine.place('letter_drop', 'out_x');
    expect(await theirs.open()).toEqual([
      { id: first, kind: 'turn_retry', subject: 'om_1', placedAtMs: 1_000, result: undefined },
      { id: second, kind: 'letter_drop', subject: 'out_x', placedAtMs: 1_000, result: undefined },
    ]);
    await theirs.end(first, { outcome: 'done', phase: 'waiting' });
    await theirs.end(second, { outcome: 'refused', phase: undefined });
    expect(await theirs.open()).toEqual([]);
    expect((await mine.order(first))?.result).toEqual({ outcome: 'done', phase: 'waiting' });
    expect((await mine.order(second))?.result).toEqual({ outcome: 'refused', phase: undefined });
    expect(await mine.order(99)).toBeUndefined();
  });

  test('what another connection wrote is noticed, once; what this one wrote is not', async () => {
    const orders = ordersOn(inside);
    expect(await orders.writtenOutside()).toBe(true);
    expect(await orders.writtenOutside()).toBe(false);
    await admit('om_1');
    expect(await orders.writtenOutside()).toBe(false);
    await ordersOn(outside).place('turn_drop', 'om_1');
    expect(await orders.writtenOutside()).toBe(true);
    expect(await orders.writtenOutside()).toBe(false);
  });

  test('old ones with a result are forgotten, and no number is given twice', async () => {
    const orders = ordersOn(inside);
    const done = await orders.place('turn_drop', 'om_1');
    const left = await orders.place('turn_drop', 'om_2');
    await orders.end(done, { outcome: 'done', phase: 'dropped' });
    const rules = { endedBeforeMs: DAY_MS, deadBeforeMs: 0, keepIds: 100, limit: 100 };
    const prune = () => journalOn(inside).prune(rules);
    await prune();
    expect((await orders.open()).map(({ id }) => id)).toEqual([left]);
    expect(await orders.order(done)).toBeUndefined();
    await orders.end(left, { outcome: 'done', phase: 'dropped' });
    await prune();
    expect(await orders.place('turn_drop', 'om_3')).toBeGreaterThan(left);
  });
});

test('an event changes a row once, and is remembered', async () => {
  const journal = journalOn(inside);
  await journal.enqueue([draft('a')]);
  const replay = () =>
    journal.changeOut(
      'a',
      () => ({ state: { phase: 'pending', dueAtMs: 5 }, replayedAtMs: nowMs }),
      'order:1',
    );
  expect(await journal.isDone('order:1')).toBe(false);
  expect(await replay()).toMatchObject({ changed: true, row: { replayedAtMs: 1_000 } });
  nowMs = 2_000;
  expect(await replay()).toMatchObject({ changed: false, row: { replayedAtMs: 1_000 } });
  expect(await journal.isDone('order:1')).toBe(true);
  const nothing = await journal.changeOut('a', () => undefined, 'order:2');
  expect(nothing.changed).toBe(false);
  expect(await journal.isDone('order:2')).toBe(false);
});

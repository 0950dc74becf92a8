/** The operator's commands on a state directory that was prepared for them, in this process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { messageId, turnId } from '../../../src/core/ids.ts';
import type { TurnState } from '../../../src/core/turn.ts';
import { acquireInstanceLock } from '../../../src/host/instance-lock.ts';
import { DaemonTable } from '../../../src/store/sqlite/bridge/daemon.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { SqliteOrders } from '../../../src/store/sqlite/bridge/orders.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { tryFileLock } from '../../../src/store/sqlite/file-lock.ts';
import { message } from '../bridge/samples.ts';
import { runProgram } from './program.ts';
import { silentLog } from '../../kit/log.ts';

const clock = { nowMs: () => Date.now(), after: () => () => {} };

let home: string;
let stateDir: string;
let db: Db;
let orders: SqliteOrders;
let journal: SqliteJournal;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'operator-'));
  stateDir = join(home, 'state');
  db = Db.open(join(stateDir, 'bridge.db'), silentLog);
  const parts = { db, app: message.appId, clock };
  orders = new SqliteOrders(parts);
  journal = new SqliteJournal(parts);
  const status = JSON.stringify({ app_id: message.appId });
  await new DaemonTable(db).write({ pid: 1, atMs: 1_000, status });
});

afterEach(() => {
  db.close();
  rmSync(home, { recursive: true, force: true });
});

const run = (...words: string[]) =>
  runProgram(words, { HOME: home, LARK_CHANNEL_STATE_DIR: stateDir });

function admit(id: string, state: TurnState) {
  const said = { ...message, messageId: messageId(id) };
  return journal.admit({ message: said, receivedAtMs: 1_000, state, out: [] });
}

describe('orders', () => {
  test('without a daemon one is kept for the next start, for the bot that ran last', async () => {
    await admit('om_1', { phase: 'failed', reason: 'agent_failed' });
    const { code, stdout } = await run('turns', 'retry', 'om_1', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'turn_retry',
      subject: 'om_1',
      outcome: 'at_next_start',
    });
    expect(await orders.open()).toMatchObject([{ kind: 'turn_retry', subject: 'om_1' }]);
    expect((await run('turns', 'retry', 'om_1')).stdout).toContain('at its next start');
    expect((await journal.turn(turnId('om_1')))?.state.phase).toBe('failed');
  });

  test.each([
    ['retry', { phase: 'answered' }, 'om_1 is answered'],
    ['drop', { phase: 'dropped', why: 'operator' }, 'om_1 is dropped'],
  ] as const)('turns %s that makes no sense leaves no order', async (word, state, why) => {
    await admit('om_1', state);
    const { code, stdout, stderr } = await run('turns', word, 'om_1');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^error: [^\n]+\nnext: [^\n]+\n$/);
    expect(stderr).toContain(why);
    expect(await orders.open()).toEqual([]);
  });

  test('a turn whose text is gone is not ordered to run', async () => {
    await admit('om_1', { phase: 'failed', reason: 'agent_failed' });
    await journal.prune({ endedBeforeMs: 2_000, deadBeforeMs: 0, keepIds: 10, limit: 10 });
    const { code, stderr } = await run('turns', 'retry', 'om_1');
    expect(code).toBe(1);
    expect(stderr).toContain('send the message again');
    expect(await orders.open()).toEqual([]);
  });

  test('a daemon that is not in time: exit code 6, and the order is kept', async () => {
    await admit('om_1', { phase: 'held', why: 'unknown' });
    const lock = acquireInstanceLock({ stateDir, home, tryLock: tryFileLock });
    try {
      const { code, stderr } = await run('turns', 'drop', 'om_1');
      expect(code).toBe(6);
      expect(stderr).toContain('next: The order is kept');
      expect(await orders.open()).toHaveLength(1);
    } finally {
      lock.release();
    }
  });

  test("the daemon's word counts: what it refuses is an error", async () => {
    await admit('om_1', { phase: 'held', why: 'unknown' });
    const lock = acquireInstanceLock({ stateDir, home, tryLock: tryFileLock });
    try {
      const running = run('turns', 'drop', 'om_1');
      await expect.poll(() => orders.open()).toHaveLength(1);
      const [order] = await orders.open();
      await orders.end(order?.id ?? 0, { outcome: 'refused', phase: 'answered' });
      const { code, stderr } = await running;
      expect(code).toBe(1);
      expect(stderr).toContain('om_1 is answered');
    } finally {
      lock.release();
    }
  });
});

describe('lists', () => {
  test('filter, limit, and say so if there is nothing', async () => {
    expect((await run('turns')).stdout).toBe('No such turns.\n');
    expect((await run('dead-letters')).stdout).toBe('No dead letters.\n');
    await admit('om_1', { phase: 'held', why: 'stale' });
    await admit('om_2', { phase: 'answered' });
    const { stdout } = await run('turns', 'list', '--chat', message.chatId, '--limit', '1');
    expect(stdout).toMatch(/^TURN .*\nom_2 .* answered\n$/);
    expect((await run('turns', '--phase', 'held')).stdout).toMatch(/\nom_1 .* held +stale\n$/);
    expect((await run('turns', '--chat', 'oc_other')).stdout).toBe('No such turns.\n');
  });

  test.each([
    ['--limit', '0', 'from 1 to 10000'],
    ['--limit', 'many', 'from 1 to 10000'],
    ['--phase', 'lost', 'must be one of waiting'],
  ])('turns list %s %s: exit code 2', async (flag, value, why) => {
    const { code, stdout, stderr } = await run('turns', 'list', flag, value);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(why);
  });
});

describe('where a turn is', () => {
  const target = 'ws_1' as never;
  test.each([
    [{ phase: 'waiting', attempt: 0, notBeforeMs: 0 }, 'the next one of its chat'],
    [{ phase: 'waiting', attempt: 3, notBeforeMs: 0 }, 'did not take it 3 times'],
    [{ phase: 'sending', attempt: 0, target, deadlineMs: 0 }, 'being sent to ws_1'],
    [{ phase: 'accepted', attempt: 0, target, ticket: 'q', deadlineMs: 0 }, 'ws_1 works on it'],
    [{ phase: 'overdue', target, ticket: 'q', sinceMs: 0 }, 'If its answer still comes'],
    [{ phase: 'overdue', target, ticket: undefined, sinceMs: 0 }, "can't say to which turn"],
    [{ phase: 'held', why: 'unknown' }, 'turns retry om_1'],
    [{ phase: 'command', action: 'run', about: [] }, 'a command to the bridge'],
    [{ phase: 'answered' }, 'It is answered'],
    [{ phase: 'failed', reason: 'timed_out' }, 'It failed (timed_out)'],
    [{ phase: 'dropped', why: 'recalled' }, 'It was dropped (recalled)'],
  ] as const)('%j', async (state, said) => {
    await admit('om_1', state);
    const { code, stdout } = await run('turns', 'show', 'om_1');
    expect(code).toBe(0);
    expect(stdout).toContain(said);
    expect(stdout).not.toContain('hello');
    const json = (await run('turns', 'show', 'om_1', '--json', '--text')).stdout;
    expect(JSON.parse(json)).toMatchObject({ id: 'om_1', phase: state.phase, text: 'hello' });
  });
});

test('turns tell of a failed one which agent it was and what that ended with', async () => {
  const cause = { agent: 'shout', detail: "The agent's program ended with exit code 3." };
  await admit('om_1', { phase: 'failed', reason: 'agent_failed', cause });
  for (const words of [
    ['turns', 'list'],
    ['turns', 'show', 'om_1'],
    ['trace', 'om_1'],
  ]) {
    const { stdout } = await run(...words);
    expect(stdout).toContain('shout');
    expect(stdout).toContain('exit code 3');
  }
  const { stdout } = await run('turns', 'list', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ turns: [{ reason: 'agent_failed', ...cause }] });
});

test('status tells the counts', async () => {
  await admit('om_1', { phase: 'held', why: 'stale' });
  expect((await run('status')).stdout).toContain('Turns    0 waiting, 0 running, 1 held, 0 failed');
});

test('status ends with 1 where no daemon runs, and tells all the same', async () => {
  const { code, stdout, stderr } = await run('status', '--json');
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({ running: false, health: { ready: false } });
});

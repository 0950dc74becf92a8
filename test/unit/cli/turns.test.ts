/** `lark-bridge turns`: the list on a terminal and in a pipe, followed, and many turns that start again. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { messageId, turnId } from '../../../src/core/ids.ts';
import type { TurnState } from '../../../src/core/turn.ts';
import { acquireInstanceLock } from '../../../src/host/instance-lock.ts';
import { DaemonTable } from '../../../src/store/sqlite/bridge/daemon.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { SqliteOrders } from '../../../src/store/sqlite/bridge/orders.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { tryFileLock } from '../../../src/store/sqlite/file-lock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';
import { message } from '../bridge/samples.ts';
import { runProgram, startProgram } from './program.ts';

const clock = { nowMs: () => Date.now(), after: () => () => {} };
const FAILED: TurnState = { phase: 'failed', reason: 'agent_failed' };

let home: string;
let db: Db;
let journal: SqliteJournal;
let orders: SqliteOrders;

beforeEach(async () => {
  home = temporaryFolder();
  db = Db.open(`${home}/bridge.db`, silentLog);
  const parts = { db, app: message.appId, clock };
  journal = new SqliteJournal(parts);
  orders = new SqliteOrders(parts);
  const status = JSON.stringify({ app_id: message.appId });
  await new DaemonTable(db).write({ pid: 1, atMs: 1_000, status });
});
afterEach(() => db.close());

const env = () => ({ HOME: home, LARK_CHANNEL_STATE_DIR: home });
const turns = (...words: string[]) => runProgram(['turns', ...words], env());

function admit(id: string, state: TurnState, agoMs = 0) {
  const said = { ...message, messageId: messageId(id) };
  return journal.admit({ message: said, receivedAtMs: Date.now() - agoMs, state, out: [] });
}

const LONG = 'om_4acdc2f17ed2115e09ae0526e69af052';

describe('the list', () => {
  test('has heads and ages, and nothing is cut in a pipe', async () => {
    await admit(LONG, FAILED, 3 * 60_000);
    expect((await turns()).stdout.split('\n')).toEqual([
      'TURN                                 CHAT  AGE  AGENT  TOOK  PHASE   WHY',
      `${LONG}  oc_1  3m   -      -     failed  agent_failed`,
      '',
    ]);
  });

  test.each([60, 80])(
    'fits a terminal of %i columns, and what it shows of an id is enough',
    async (columns) => {
      const cause = { agent: 'shout', detail: `It ended ${'so '.repeat(60)}.` };
      await admit(LONG, { ...FAILED, cause });
      const { stdout } = await runProgram(['turns'], env(), { columns });
      expect(stdout.split('\n').map((line) => line.length)).toSatisfy((all: number[]) =>
        all.every((one) => one <= columns),
      );
      const [, shown = ''] = /^(om_\S+…)/m.exec(stdout) ?? [];
      expect(shown.length).toBeLessThan(LONG.length);
      expect((await turns('show', shown)).stdout).toContain(LONG);
      expect((await runProgram(['trace', shown], env())).stdout).toContain(LONG);
      await admit(`${shown.slice(0, -1)}x`, FAILED);
      const { code, stderr } = await turns('show', shown);
      expect(code).toBe(2);
      expect(stderr).toContain('several ids begin with');
    },
  );

  test('--failed and --since leave the others out', async () => {
    await admit('om_1', FAILED, 3 * 3_600_000);
    await admit('om_2', FAILED, 3_600_000);
    await admit('om_3', { phase: 'answered' });
    const ids = async (...words: string[]) =>
      (
        JSON.parse((await turns(...words, '--json')).stdout) as { turns: { id: string }[] }
      ).turns.map(({ id }) => id);
    expect(await ids('--failed')).toEqual(['om_2', 'om_1']);
    expect(await ids('--failed', '--since', '2h')).toEqual(['om_2']);
    expect(await ids('--since', '5m')).toEqual(['om_3']);
    expect(await ids('--since', '2020-01-31')).toHaveLength(3);
  });

  test.each([
    [['--since', 'tuesday'], '--since'],
    [['--failed', '--phase', 'held'], '--failed'],
    [['retry'], 'no turn is named'],
    [['retry', 'om_1', '--failed'], 'exclude each other'],
  ])('%j: exit code 2', async (words, named) => {
    const { code, stdout, stderr } = await turns(...words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(named);
    expect(stderr).toMatch(/\nnext: /);
  });
});

describe('--follow', () => {
  test('shows what is there and each change once, and ends with 0 when it is stopped', async () => {
    await admit('om_1', { phase: 'waiting', attempt: 0, notBeforeMs: 0 });
    const program = startProgram(['turns', '--follow'], env());
    let shown = '';
    program.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    await expect.poll(() => shown).toMatch(/^om_1 .* waiting$/m);
    await admit('om_2', FAILED);
    await expect.poll(() => shown).toMatch(/^om_2 .* failed +agent_failed$/m);
    await journal.changeTurn(turnId('om_1'), () => ({ state: FAILED, out: [] }));
    await expect.poll(() => shown).toMatch(/^om_1 .* failed +agent_failed$/m);
    program.stop();
    expect(await program.code).toBe(0);
    expect(shown.match(/^\S+/gm)).toEqual(['TURN', 'om_1', 'om_2', 'om_1']);
  });
});

describe('retry of many', () => {
  test('without a daemon all are ordered for its next start, oldest first, and it says how many', async () => {
    await admit('om_1', FAILED, 3_600_000);
    await admit('om_2', { phase: 'answered' });
    await admit('om_3', FAILED);
    const { code, stdout } = await turns('retry', '--failed');
    expect(code).toBe(0);
    expect(stdout).toContain('2 turns will start again at its next start');
    expect((await orders.open()).map(({ subject }) => subject)).toEqual(['om_1', 'om_3']);
    expect(
      (await turns('retry', '--failed', '--since', '1d', '--chat', 'oc_other')).stdout,
    ).toContain('No turn to start again');
  });

  test('a daemon carries them out, and what it refuses is an error', async () => {
    await admit('om_1', FAILED);
    await admit('om_2', FAILED);
    const lock = acquireInstanceLock({ stateDir: home, home, tryLock: tryFileLock });
    try {
      const running = turns('retry', '--failed', '--json');
      await expect.poll(() => orders.open()).toHaveLength(2);
      const [one, two] = await orders.open();
      await orders.end(one!.id, { outcome: 'done', phase: 'waiting' });
      await orders.end(two!.id, { outcome: 'refused', phase: 'answered' });
      const { code, stdout, stderr } = await running;
      expect(code).toBe(1);
      expect(stderr).toContain('1 of 2 turns could not start again');
      expect(JSON.parse(stdout.split('\n')[0] ?? '')).toMatchObject({
        ordered: 2,
        orders: [
          { turn: 'om_1', outcome: 'done' },
          { turn: 'om_2', outcome: 'refused' },
        ],
      });
    } finally {
      lock.release();
    }
  });
});

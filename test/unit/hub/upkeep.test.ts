import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { Upkeep, HUB_PRUNE_EVERY_MS } from '../../../src/hub/domain/upkeep.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { SqliteHubStore } from '../../../src/store/sqlite/hub/hub-store.ts';
import { recordingLog } from '../../kit/log.ts';
import { temporaryFolder } from '../../kit/folder.ts';

const HOUR_MS = 3_600_000;

function rig() {
  const folder = temporaryFolder();
  const log = recordingLog();
  const db = Db.open(join(folder, 'bridge.db'), log);
  onTestFinished(() => {
    db.close();
  });
  const nowMs = Date.now();
  const timers: { delayMs: number; run: () => void }[] = [];
  const clock = {
    nowMs: () => nowMs,
    after: (delayMs: number, run: () => void) => {
      const timer = { delayMs, run };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
  };
  const store = new SqliteHubStore(db);
  return { db, log, nowMs, timers, store, clock };
}

function addItems(db: Db, count: number, completedAtMs: number | null): void {
  db.run(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
      INSERT INTO hub_items (queue_id, target_id, source_id, message_id, lane, run_by_hub, status,
        enqueued_at_ms, completed_at_ms, content)
      SELECT hex(randomblob(16)), 't', 's', hex(randomblob(16)), 'l', 1,
        ${completedAtMs === null ? "'queued'" : "'completed'"}, 0, ${completedAtMs}, '{}' FROM n`,
  );
}

function addActivity(db: Db, createdAtMs: number): void {
  db.run(
    `INSERT INTO hub_activity (id, workspace_id, activity_type, status, created_at_ms)
      VALUES (hex(randomblob(16)), 'w', 'a2a_receive', 'ok', ?)`,
    createdAtMs,
  );
}

const countOf = (db: Db, table: string) =>
  Number(db.get(`SELECT COUNT(*) AS n FROM ${table}`)?.['n']);

test('settled items go after a day, inbox rows after a month, waiting items never', async () => {
  const { db, log, nowMs, timers, store, clock } = rig();
  addItems(db, 450, nowMs - 25 * HOUR_MS);
  addItems(db, 3, nowMs - 23 * HOUR_MS);
  addItems(db, 2, null);
  addActivity(db, nowMs - 31 * 24 * HOUR_MS);
  addActivity(db, nowMs - 29 * 24 * HOUR_MS);
  const upkeep = new Upkeep({ store, clock, log });
  await upkeep.start();
  expect(timers.map(({ delayMs }) => delayMs)).toEqual([0]);
  timers.splice(0)[0]?.run();
  await expect.poll(() => log.lines).toHaveLength(1);
  expect(log.lines).toEqual([{ level: 'info', event: 'hub_pruned', items: 450, activity: 1 }]);
  expect([countOf(db, 'hub_items'), countOf(db, 'hub_activity')]).toEqual([5, 1]);

  await expect.poll(() => timers.map(({ delayMs }) => delayMs)).toEqual([HUB_PRUNE_EVERY_MS]);
  await upkeep.stop();
  expect(timers).toEqual([]);
});

test('pruning continues at the next round, also after the database refused', async () => {
  const { db, log, nowMs, timers, store, clock } = rig();
  const refusal = new BridgeError('store_unavailable', 'disk full');
  vi.spyOn(store, 'pruneItems').mockRejectedValueOnce(refusal);
  addItems(db, 1, nowMs - 25 * HOUR_MS);
  const upkeep = new Upkeep({ store, clock, log });
  await upkeep.start();
  expect(timers.map(({ delayMs }) => delayMs)).toEqual([0]);
  timers.splice(0)[0]?.run();
  await expect.poll(() => log.lines[0]?.event).toBe('hub_upkeep_failed');
  await expect.poll(() => timers).toHaveLength(1);
  timers.splice(0)[0]?.run();
  await expect.poll(() => log.lines[1]?.event).toBe('hub_pruned');
  await upkeep.stop();
  expect(countOf(db, 'hub_items')).toBe(0);
});

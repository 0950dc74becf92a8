/** Goal: a message costs the same however many came before it. Method: the plans that SQLite makes for a life of the bridge. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Db } from '../../../src/store/sqlite/db.ts';
import { live } from '../../sim/lives.ts';

const SEEDS = [1, 2, 3];

const { prepare } = Db.prototype;
/** By statement. */
let plans: Map<string, string>;

beforeEach(() => {
  plans = new Map();
  Db.prototype.prepare = function (this: Db, sql) {
    if (/^\s*(?:SELECT|UPDATE|DELETE|INSERT|WITH)/.test(sql) && !plans.has(sql)) {
      const steps = prepare.call(this, `EXPLAIN QUERY PLAN ${sql}`).all();
      plans.set(sql, steps.map(({ detail }) => String(detail)).join('; '));
    }
    return prepare.call(this, sql);
  };
});
afterEach(() => {
  Db.prototype.prepare = prepare;
});

test('no statement of the bridge reads all rows of one app by the index of their ids', async () => {
  for (const seed of SEEDS) {
    await live(seed, {}, { pairing: true, asks: true, recalls: 0.3, isBlind: false });
  }
  const wide = [...plans].filter(([, plan]) => /autoindex_\w+ \(app_id=\?\)/.test(plan));
  expect(wide).toEqual([]);
  // A life that prepares little would prove nothing.
  expect(plans.size).toBeGreaterThan(60);
});

/** Goal: a message costs the same however many came before it. Method: the plans that SQLite makes for a life of the bridge. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Db } from '../../../src/store/sqlite/db.ts';
import { live } from '../../sim/lives.ts';

const SEEDS = [1, 2, 3];

/** By the app alone; without an index; or by the order of arrival, from here to the end. */
const WIDE =
  /autoindex_\w+ \(app_id=\?\)|SCAN (?:turns|runs|outbox|questions|live_cards|events)\b(?! USING INDEX)|PRIMARY KEY \(rowid[<>]\?\)/;
/** Pruning takes the oldest rows; the others are for a start, or for an operator who asks for a list. */
const RARE =
  /\bseq IN \(|runs\.ended_at_ms >= |is_settled = 0 ORDER BY seq|phase IN \(SELECT value FROM json_each/;

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

test('no statement that a message needs reads all rows of a table that grows', async () => {
  for (const seed of SEEDS) {
    await live(seed, {}, { pairing: true, asks: true, recalls: 0.3, isBlind: false });
  }
  const wide = [...plans].filter(([sql, plan]) => WIDE.test(plan) && !RARE.test(sql));
  expect(wide).toEqual([]);
  // A life that prepares little would prove nothing.
  expect(plans.size).toBeGreaterThan(60);
});

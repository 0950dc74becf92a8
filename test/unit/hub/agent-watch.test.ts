/** Which agents nobody serves: with a real database, on a virtual clock. */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { AgentSpec } from '../../../src/hub/ports/agents.ts';
import { workspaceId } from '../../../src/core/ids.ts';
import { AgentWatch } from '../../../src/hub/domain/agent-watch.ts';
import { Directory } from '../../../src/hub/domain/directory.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { SqliteHubStore } from '../../../src/store/sqlite/hub/hub-store.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { recordingLog } from '../../kit/log.ts';

const BRIDGE = workspaceId('bridge');
const MINUTE_MS = 60_000;
const UNREACHABLE = { ok: false, reason: 'failed', detail: 'x', isUnreachable: true } as const;

async function rig(spec: AgentSpec, { openBefore = false } = {}) {
  const log = recordingLog();
  const db = Db.open(join(temporaryFolder(), 'bridge.db'), log);
  const clock = new VirtualClock();
  const store = new SqliteHubStore(db);
  const directory = new Directory(store, clock);
  const reached = { now: true, asked: 0 };
  const watch = new AgentWatch({
    store,
    bridge: BRIDGE,
    usualAgent: () => directory.defaultAgent(),
    reaches: () => {
      reached.asked += 1;
      return Promise.resolve(reached.now);
    },
    turnTimeoutMs: 10 * MINUTE_MS,
    clock,
    log,
  });
  onTestFinished(async () => {
    await watch.stop();
    db.close();
  });
  const { workspaceId: id } = await directory.addAgent({ name: 'x', spec });
  const send = () =>
    db.run(
      `INSERT INTO hub_items (queue_id, target_id, source_id, message_id, lane, run_by_hub, status,
         enqueued_at_ms, content) VALUES (hex(randomblob(16)), ?, ?, hex(randomblob(16)), 'l', 0,
         'queued', ?, '{}')`,
      id,
      BRIDGE,
      clock.nowMs(),
    );
  if (openBefore) {
    send();
    await clock.pass(MINUTE_MS);
  }
  await watch.start();
  const told = () => log.lines.map(({ level, event, agent, why }) => [level, event, agent, why]);
  return { watch, clock, log, directory, id, send, told, reached };
}

test('an agent that nobody has asked for is told once within a minute, and so is its end', async () => {
  const { watch, clock, id, told } = await rig({ kind: 'external' });
  const startMs = clock.nowMs();
  await clock.pass(40_000);
  expect(watch.unserved).toBeUndefined();
  await clock.pass(20_000);
  const unserved = { agent: 'x', why: 'never', sinceMs: startMs };
  expect(watch.unserved).toEqual(unserved);
  expect(watch.unservedOf(id)).toEqual(unserved);
  await clock.pass(10 * MINUTE_MS);
  expect(told()).toEqual([['warn', 'agent_found_unserved', 'x', 'never']]);
  watch.asked(id);
  await clock.pass(5_000);
  expect(watch.unserved).toBeUndefined();
  expect(told().slice(1)).toEqual([['info', 'agent_served_again', 'x', undefined]]);
});

test('an agent that asks is served, and is missed within a minute when it asks no more', async () => {
  const { watch, clock, id, told } = await rig({ kind: 'external' });
  for (let round = 0; round < 20; round++) {
    watch.asked(id);
    await clock.pass(30_000);
  }
  expect(told()).toEqual([]);
  const sinceMs = clock.nowMs() - 30_000;
  await clock.pass(30_000);
  expect(watch.unserved).toEqual({ agent: 'x', why: 'gone', sinceMs });
});

test('an agent that works on a turn need not ask for others, as long as a turn may take', async () => {
  const { watch, clock, id, send } = await rig({ kind: 'external' });
  send();
  watch.asked(id);
  await clock.pass(9 * MINUTE_MS);
  expect(watch.unserved).toBeUndefined();
  await clock.pass(2 * MINUTE_MS);
  expect(watch.unserved).toMatchObject({ agent: 'x', why: 'gone' });
});

test('an agent that an earlier process gave a turn is not missed before that may be over', async () => {
  const { watch, clock } = await rig({ kind: 'external' }, { openBefore: true });
  await clock.pass(9 * MINUTE_MS);
  expect(watch.unserved).toBeUndefined();
  await clock.pass(2 * MINUTE_MS);
  expect(watch.unserved).toMatchObject({ agent: 'x', why: 'never' });
});

test('an agent that is not the usual one is missed only while it has turns', async () => {
  const { watch, clock, directory, id, send } = await rig({ kind: 'external' });
  await directory.addAgent({ name: 'own', spec: { kind: 'exec', argv: ['cat'] } });
  await clock.pass(5 * MINUTE_MS);
  expect(watch.unserved).toBeUndefined();
  send();
  await clock.pass(10_000);
  expect(watch.unservedOf(id)).toMatchObject({ agent: 'x', why: 'never' });
});

test('an agent elsewhere whose address does not answer is asked until it does', async () => {
  const { watch, clock, id, told, reached } = await rig({ kind: 'a2a', url: 'http://127.0.0.1:9' });
  reached.now = false;
  watch.ended(id, UNREACHABLE);
  const sinceMs = clock.nowMs();
  await clock.pass(5 * MINUTE_MS);
  expect(watch.unserved).toEqual({ agent: 'x', why: 'unreachable', sinceMs });
  expect(reached.asked).toBeGreaterThanOrEqual(8);
  expect(told()).toEqual([['warn', 'agent_found_unserved', 'x', 'unreachable']]);
  reached.now = true;
  await clock.pass(MINUTE_MS);
  expect(watch.unserved).toBeUndefined();
  expect(told().slice(1)).toEqual([['info', 'agent_served_again', 'x', undefined]]);
});

test('a turn that an agent elsewhere answers ends its outage', async () => {
  const { watch, clock, id } = await rig({ kind: 'a2a', url: 'http://127.0.0.1:9' });
  watch.ended(id, UNREACHABLE);
  await clock.pass(5_000);
  expect(watch.unserved).toMatchObject({ why: 'unreachable' });
  watch.ended(id, { ok: true, text: 'here' });
  await clock.pass(5_000);
  expect(watch.unserved).toBeUndefined();
});

test('an agent that was removed is not said to be served again', async () => {
  const { watch, clock, directory, told } = await rig({ kind: 'external' });
  await clock.pass(MINUTE_MS);
  expect(watch.unserved).toBeDefined();
  await directory.removeAgent('x');
  await clock.pass(MINUTE_MS);
  expect(watch.unserved).toBeUndefined();
  expect(told().map(([, event]) => event)).toEqual(['agent_found_unserved']);
});

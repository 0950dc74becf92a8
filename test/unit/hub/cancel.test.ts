import { expect, onTestFinished, test } from 'vitest';
import type { Choice, Claimed } from '../../../src/hub/ports/queue.ts';
import type { QueueId } from '../../../src/hub/ports/turns.ts';
import { Dispatcher } from '../../../src/hub/domain/dispatcher.ts';
import { Settlements } from '../../../src/hub/domain/settlements.ts';
import { Rig } from '../../contract/hub/rig.ts';
import { patientClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';

test('a turn that is cancelled between its claim and its start does not keep running', async () => {
  // The hub itself begins nothing.
  const rig = await Rig.start({ maxRunning: 0 });
  const bridge = await rig.bridge();
  const agent = await rig.addAgent('helper');
  const { body } = await rig.send(bridge, agent.id);
  const turn = body.queue_id as QueueId;

  /** Claims that are in the database, and not handed over yet. */
  const claims: (() => void)[] = [];
  const claim = async (choice: Choice, atMs: number): Promise<Claimed> => {
    const claimed = await rig.store.claim(choice, atMs);
    if (claimed.items.length > 0) await new Promise<void>((resolve) => claims.push(resolve));
    return claimed;
  };
  const store = new Proxy(rig.store, {
    get: (target, name) => (name === 'claim' ? claim : (Reflect.get(target, name) as unknown)),
  });
  const dispatcher = new Dispatcher({
    store,
    settlements: new Settlements(),
    createRuntime: rig.agents.create,
    clock: patientClock,
    log: silentLog,
    maxRunning: 1,
    turnTimeoutMs: 60_000,
    onInterrupted: 'rerun',
  });
  await dispatcher.start();
  onTestFinished(() => dispatcher.stop());
  await expect.poll(() => claims).toHaveLength(1);

  const cancelled = dispatcher.cancel(turn);
  await expect.poll(async () => (await rig.store.item(turn))?.status).toBe('dropped');
  expect(rig.agents.runs).toEqual([]);
  claims[0]?.();
  await cancelled;
  expect(rig.agents.runs.filter((run) => !run.cancelled)).toEqual([]);
  // The place is free again.
  await rig.send(bridge, agent.id, { text: 'next' });
  dispatcher.wake();
  await expect.poll(() => claims).toHaveLength(2);
  claims[1]?.();
  await expect.poll(() => rig.agents.runs.at(-1)?.turn.text).toBe('next');
});

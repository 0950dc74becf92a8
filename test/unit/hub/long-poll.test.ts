import { randomUUID } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { Rig } from '../../contract/hub/rig.ts';

/** A hub of which the test sees who waits inside of it. */
async function serverRig() {
  const rig = await Rig.start();
  const { settlements } = rig.hub;
  const bridge = await rig.bridge();
  const agent = await rig.addAgent('far-away', 'external');
  const sent = await rig.send(bridge, agent.id, { messageId: randomUUID() });
  const path = `/workspaces/${agent.id}/a2a/queue/${sent.body.queue_id}?wait_secs=30`;
  const wait = (signal?: AbortSignal) =>
    fetch(rig.hub.address + path, {
      headers: { Authorization: `Bearer ${bridge.token}` },
      ...(signal === undefined ? {} : { signal }),
    });
  return { rig, settlements, wait };
}

test('a wait ends when its caller goes away', async () => {
  const { settlements, wait } = await serverRig();
  const gone = new AbortController();
  const waiting = wait(gone.signal);
  await expect.poll(() => settlements.waiting).toBe(1);
  gone.abort();
  await expect(waiting).rejects.toThrow(/abort/i);
  await expect.poll(() => settlements.waiting).toBe(0);
});

test('a wait ends when the hub stops, and one that begins later does not wait', async () => {
  const { settlements, wait } = await serverRig();
  const waiting = wait();
  await expect.poll(() => settlements.waiting).toBe(1);
  settlements.close();
  expect(await (await waiting).json()).toMatchObject({ status: 'queued' });
  expect(await (await wait()).json()).toMatchObject({ status: 'queued' });
  expect(settlements.waiting).toBe(0);
});

test('while it waits, the database is not asked', async () => {
  const { rig, settlements, wait } = await serverRig();
  const waiting = wait();
  await expect.poll(() => settlements.waiting).toBe(1);
  const reads = vi.spyOn(rig.db, 'get');
  await expect.poll(() => settlements.waiting).toBe(1);
  expect(reads).not.toHaveBeenCalled();
  settlements.close();
  await waiting;
  expect(reads).toHaveBeenCalledOnce();
});

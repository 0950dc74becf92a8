import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Secret } from '../../../src/core/secret.ts';
import { createContractServer } from '../../../src/hub/surfaces/turn-contract/routes.ts';
import { Settlements } from '../../../src/hub/domain/settlements.ts';
import { createTestLog, realClock, Rig } from '../../contract/hub/rig.ts';

/** A server alone, so that the test sees who waits inside of it. */
async function serverRig() {
  const rig = await Rig.start();
  const settlements = new Settlements();
  const server = createContractServer({
    tls: undefined,
    log: createTestLog(),
    clock: realClock,
    store: rig.store,
    provisionToken: new Secret('x'),
    settlements,
    wakeDispatcher: () => {},
    cancelTurn: () => Promise.resolve(),
  });
  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close());
  const bridge = await rig.bridge();
  const agent = await rig.addAgent('far-away', 'external');
  const sent = await rig.send(bridge, agent.id, { messageId: randomUUID() });
  const url = `${address}/workspaces/${agent.id}/a2a/queue/${sent.body.queue_id}?wait_secs=30`;
  const wait = (signal?: AbortSignal) =>
    fetch(url, {
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

import { expect, test } from 'vitest';
import { StoreRetry } from '../../../src/bridge/store-retry.ts';
import { BridgeError } from '../../../src/core/errors.ts';
import { STORE_RETRY_MS } from '../../../src/time/until-stored.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { recordingLog } from '../../kit/log.ts';

const DISK_FULL = new BridgeError('store_unavailable', 'the disk is full');

function failingWrite(failure: Error, failures: number) {
  const clock = new VirtualClock();
  const log = recordingLog();
  const retry = new StoreRetry(clock, log);
  let tries = 0;
  const write = () => {
    tries += 1;
    return tries <= failures ? Promise.reject(failure) : Promise.resolve('stored');
  };
  return { clock, log, retry, write, tries: () => tries };
}

test('a write that the database refuses is repeated and logged once, and the journal is unhealthy until then', async () => {
  const { clock, log, retry, write } = failingWrite(DISK_FULL, 3);
  const written = retry.untilStored(write);
  await clock.pass(0);
  expect(retry.healthy).toBe(false);
  await clock.pass(3 * STORE_RETRY_MS);
  expect(await written).toBe('stored');
  expect(retry.healthy).toBe(true);
  expect(log.lines).toMatchObject([{ level: 'error', event: 'write_failed' }]);
});

test('a stop ends the wait for the next try, and the write rejects with the refusal', async () => {
  const { clock, retry, write, tries } = failingWrite(DISK_FULL, Infinity);
  const written = retry.untilStored(write).catch((error: unknown) => error);
  await clock.pass(0);
  retry.stop();
  expect(await written).toBe(DISK_FULL);
  expect(clock.timers).toBe(0);
  expect(tries()).toBe(2);
  expect(retry.healthy).toBe(true);
});

test('a bug is not repeated', async () => {
  const bug = new TypeError('a bug');
  const { retry, write, tries } = failingWrite(bug, Infinity);
  await expect(retry.untilStored(write)).rejects.toBe(bug);
  expect(tries()).toBe(1);
});

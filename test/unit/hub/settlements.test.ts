import { expect, test } from 'vitest';
import { queueId } from '../../../src/hub/ports/turns.ts';
import { Settlements } from '../../../src/hub/domain/settlements.ts';

const one = queueId('one');
const other = queueId('other');

test('all who wait for an item go on when it is settled, and nobody else', async () => {
  const settlements = new Settlements();
  const end = new AbortController();
  const waits = [settlements.wait(one, end.signal), settlements.wait(one, end.signal)];
  const elsewhere = settlements.wait(other, end.signal);
  expect(settlements.waiting).toBe(3);
  settlements.notify(one);
  await Promise.all(waits);
  expect(settlements.waiting).toBe(1);
  end.abort();
  await elsewhere;
  expect(settlements.waiting).toBe(0);
});

test('a caller whose signal aborts stops waiting, and the others go on waiting', async () => {
  const settlements = new Settlements();
  const impatient = new AbortController();
  const patient = new AbortController();
  const first = settlements.wait(one, impatient.signal);
  const second = settlements.wait(one, patient.signal);
  impatient.abort();
  await first;
  expect(settlements.waiting).toBe(1);
  settlements.notify(one);
  await second;
  expect(settlements.waiting).toBe(0);
});

test('after the end nobody waits', async () => {
  const settlements = new Settlements();
  const { signal } = new AbortController();
  const before = settlements.wait(one, signal);
  settlements.close();
  await before;
  await settlements.wait(one, signal);
  expect(settlements.waiting).toBe(0);
});

test('a wait that begins while another ends is not forgotten', async () => {
  const settlements = new Settlements();
  const { signal } = new AbortController();
  const first = settlements.wait(one, signal);
  settlements.notify(one);
  const second = settlements.wait(one, signal);
  await first;
  settlements.notify(one);
  await second;
  expect(settlements.waiting).toBe(0);
});

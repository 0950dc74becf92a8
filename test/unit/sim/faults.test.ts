import { expect, test } from 'vitest';
import { Faults } from '../../../src/sim/world/faults.ts';
import { createRandom } from '../../../src/sim/world/random.ts';

test('an injected fault happens as often as given, where its conditions match, with its parameters', () => {
  const faults = new Faults(() => 1);
  faults.inject({ kind: 'rate_limited', times: 2, path: '/reply', resetSeconds: 9 });
  faults.inject({ kind: 'rate_limited', method: 'PUT' });
  expect(faults.take('rate_limited', { path: '/create', method: 'POST' })).toBeUndefined();
  expect(faults.take('rate_limited', { path: '/x/reply' })?.resetSeconds).toBe(9);
  expect(faults.take('rate_limited', { path: '/x/reply' })?.resetSeconds).toBe(9);
  expect(faults.take('rate_limited', { path: '/x/reply' })).toBeUndefined();
  expect(faults.take('rate_limited', { method: 'PUT' })?.resetSeconds).toBe(1);
  faults.inject({ kind: 'business_error', body: 'answer', code: 7 });
  expect(faults.take('business_error', { body: Buffer.from('{"text":"a card"}') })).toBeUndefined();
  expect(faults.take('business_error', { path: '/answer' })).toBeUndefined();
  expect(faults.take('business_error', { body: Buffer.from('{"text":"an answer"}') })?.code).toBe(
    7,
  );
  expect(faults.waiting()).toEqual([]);
  expect(faults.counts()).toEqual({ rate_limited: 3, business_error: 1 });
});

test('the faults of a plan happen about as often as its rates say', () => {
  const faults = new Faults(createRandom(3, 'faults'));
  faults.setPlan({ rates: { event_drop: 0.2 } });
  for (let at = 0; at < 10_000; at += 1) {
    faults.take('event_drop');
    faults.take('event_repeat');
  }
  const { event_drop: drops, event_repeat: repeats } = faults.counts();
  expect(drops).toBeGreaterThan(1_800);
  expect(drops).toBeLessThan(2_200);
  expect(repeats).toBeUndefined();
});

test('the random streams of one seed are independent, and the same each time', () => {
  const draw = (seed: number, stream: string) => {
    const random = createRandom(seed, stream);
    return Array.from({ length: 5 }, () => random());
  };
  expect(draw(1, 'a')).toEqual(draw(1, 'a'));
  expect(draw(1, 'a')).not.toEqual(draw(1, 'b'));
  expect(draw(1, 'a')).not.toEqual(draw(2, 'a'));
});

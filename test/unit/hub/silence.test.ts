/** An agent that is not heard of is told to the chat, once, and not while it may be silent. */
import { expect, test } from 'vitest';
import { SilenceWatch } from '../../../src/hub/domain/silence-watch.ts';
import { VirtualClock } from '../../kit/clock.ts';

function watch() {
  const clock = new VirtualClock();
  const told: number[] = [];
  const silence = new SilenceWatch({
    clock,
    silenceMs: 1_000,
    tell: () => told.push(clock.nowMs()),
  });
  return { clock, told, silence };
}

test('R22: silence is told once, and again only after a sign', async () => {
  const { clock, told, silence } = watch();
  await clock.pass(999);
  silence.sign();
  await clock.pass(999);
  expect(told).toHaveLength(0);
  await clock.pass(1);
  expect(told).toHaveLength(1);
  await clock.pass(10_000);
  expect(told).toHaveLength(1);
  silence.sign();
  await clock.pass(1_000);
  expect(told).toHaveLength(2);
});

test('R21: while a tool is at work or a person is asked nothing is told', async () => {
  const { clock, told, silence } = watch();
  const tool = silence.expect();
  const question = silence.expect();
  await clock.pass(60_000);
  tool();
  tool();
  await clock.pass(60_000);
  expect(told).toHaveLength(0);
  question();
  await clock.pass(999);
  expect(told).toHaveLength(0);
  await clock.pass(1);
  expect(told).toHaveLength(1);
});

test('after the end nothing is told', async () => {
  const { clock, told, silence } = watch();
  silence.end();
  silence.sign();
  await clock.pass(10_000);
  expect(told).toHaveLength(0);
});

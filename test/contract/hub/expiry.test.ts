import { expect, test } from 'vitest';
import { Rig } from './rig.ts';
import { clockWithoutTimers } from '../../kit/clock.ts';
import type { Choice } from '../../../src/hub/ports/queue.ts';

const DAY_MS = 24 * 3_600_000;

/** A clock that the test moves; nothing happens by itself. */
function movableClock() {
  let nowMs = Date.now();
  return {
    clock: clockWithoutTimers(() => nowMs),
    pass: (durationMs: number) => {
      nowMs += durationMs;
    },
    now: () => nowMs,
  };
}

test('a turn that a polling agent leaves unanswered for a day is dropped', async () => {
  const { clock, pass } = movableClock();
  const rig = await Rig.start({ clock });
  const bridge = await rig.bridge();
  const silent = await rig.addAgent('silent', 'external');
  const other = await rig.addAgent('other');
  const asked = await rig.send(bridge, silent.id);
  const status = async () =>
    (await rig.item(bridge, silent.id, asked.body.queue_id as string)).body as unknown;
  // Whatever the dispatcher is woken for, it looks at what is overdue as well.
  const wake = () => rig.send(bridge, other.id);

  pass(DAY_MS - 1000);
  await wake();
  await expect.poll(() => rig.agents.runs).toHaveLength(1);
  expect(await status()).toMatchObject({ status: 'queued' });
  pass(2000);
  await wake();
  await expect.poll(() => status()).toMatchObject({ status: 'dropped' });
  expect(await status()).toMatchObject({
    last_error: 'The agent did not answer within a day.',
    response_body: { error: { data: { reason: 'unanswered' } } },
  });
});

test('an item past its time is not begun, even if nobody has dropped it yet', async () => {
  const { clock, pass, now } = movableClock();
  const rig = await Rig.start({ clock, maxRunning: 0 });
  const bridge = await rig.bridge();
  const agent = await rig.addAgent('helper');
  const brief = await rig.send(bridge, agent.id, { expiresInSecs: 60 });
  const patient = await rig.send(bridge, agent.id);
  pass(61_000);
  const all: Choice = { slots: 10, choose: (waiting) => waiting.map((seat) => seat.queueId) };
  const { items } = await rig.store.claim(all, now());
  expect(items.map((item) => item.queueId)).toEqual([patient.body.queue_id]);
  const overdue = await rig.store.overdue(now(), now() - DAY_MS);
  expect(overdue.map((item) => item.queueId)).toEqual([brief.body.queue_id]);
});

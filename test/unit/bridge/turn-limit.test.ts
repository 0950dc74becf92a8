import { expect, onTestFinished, test } from 'vitest';
import { turnId, workspaceId } from '../../../src/core/ids.ts';
import { message } from './samples.ts';
import { createBridge, HUB, openJournal, passTime } from './whole-bridge.ts';

const MINUTE_MS = 60_000;

test('R30: a target may give its turns more time than others, and till then they are at work', async () => {
  const { db, isWriting, clock, journal } = openJournal();
  const bridge = createBridge({
    db,
    clock,
    turnsRunningMax: 1,
    turnTimeoutMs: 10 * MINUTE_MS,
    target: {
      ...HUB,
      limitMs: (target) => (target === workspaceId('agent') ? 120 * MINUTE_MS : undefined),
      send: () => Promise.resolve({ kind: 'accepted', ticket: 't' }),
      wait: (_target, _ticket, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve({ kind: 'pending' }), { once: true });
        }),
    },
  });
  await bridge.start();
  onTestFinished(async () => {
    await bridge.stop();
    db.close();
  });
  const phase = async () => (await journal.turn(turnId('om_1')))?.state.phase;
  await bridge.intake.admit({ kind: 'message', message });
  await passTime(clock, { isWriting, durationMs: 119 * MINUTE_MS });
  expect(await phase()).toBe('accepted');
  expect(bridge.status()).toMatchObject({ running: 1 });
  await passTime(clock, { isWriting, durationMs: 2 * MINUTE_MS });
  expect(await phase()).toBe('overdue');
});

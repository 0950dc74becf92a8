/** People whose message is with an agent whom nobody serves: the bridge with the real journal on a virtual clock. */
import { expect, onTestFinished, test } from 'vitest';
import { chatId, messageId } from '../../../src/core/ids.ts';
import type { UnservedAgent } from '../../../src/bridge/ports/target.ts';
import type { Outgoing } from '../../../src/bridge/ports/delivery.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';
import { message } from './samples.ts';
import { createBridge, HUB, openJournal, passTime } from './whole-bridge.ts';

async function rig() {
  const { db, clock, isWriting } = openJournal();
  const state: { unserved: UnservedAgent | undefined } = { unserved: undefined };
  const shown: string[] = [];
  const answers: (() => void)[] = [];
  const bridge = createBridge({
    db,
    clock,
    lark: {
      form: contentForm,
      deliver: (out: Outgoing) => {
        if (out.kind === 'reply') shown.push(JSON.stringify(out));
        return Promise.resolve({ ok: true, id: 'om_out' });
      },
      history: () => Promise.resolve([]),
    },
    target: {
      ...HUB,
      send: () => Promise.resolve({ kind: 'accepted', ticket: 'q' }),
      wait: (_target, _ticket, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve({ kind: 'pending' }));
          answers.push(() => resolve({ kind: 'answered', text: 'here' }));
        }),
      unserved: () => state.unserved,
    },
  });
  await bridge.start();
  onTestFinished(async () => {
    await bridge.stop();
    db.close();
  });
  const pass = (durationMs: number) => passTime(clock, { isWriting, durationMs });
  const say = async (id: string, chat: string) => {
    const said = { ...message, messageId: messageId(id), chatId: chatId(chat) };
    await bridge.intake.admit({ kind: 'message', message: said });
    await pass(0);
  };
  const notices = () => shown.filter((text) => text.includes('is not running'));
  /** The turns at work are answered, and those behind them begin. */
  const answer = async () => {
    for (const one of answers.splice(0)) one();
    await pass(1_000);
  };
  return { clock, state, pass, say, notices, answer };
}

test('each chat is told once in an outage, within a minute, and again in the next one', async () => {
  const { clock, state, pass, say, notices, answer } = await rig();
  const sinceMs = clock.nowMs();
  await say('om_1', 'oc_1');
  await pass(40_000);
  expect(notices()).toEqual([]);
  state.unserved = { agent: 'x', why: 'never', sinceMs };
  await pass(10_000);
  expect(notices()).toEqual([expect.stringContaining('nobody has asked for its work yet')]);
  await say('om_2', 'oc_2');
  await say('om_3', 'oc_1');
  await pass(5 * 60_000);
  expect(notices()).toHaveLength(2);
  // The next turn of a chat that was told.
  await answer();
  await pass(60_000);
  expect(notices()).toHaveLength(2);
  state.unserved = undefined;
  await answer();
  await say('om_4', 'oc_1');
  state.unserved = { agent: 'x', why: 'gone', sinceMs: clock.nowMs() - 120_000 };
  await pass(15_000);
  expect(notices()).toHaveLength(3);
  expect(notices().at(-1)).toContain('nobody has asked for its work for 2 minutes');
});

test('an agent that comes within seconds is not missed, and an address that does not answer ends the turn', async () => {
  const { clock, state, pass, say, notices } = await rig();
  state.unserved = { agent: 'x', why: 'gone', sinceMs: clock.nowMs() - 60_000 };
  await say('om_1', 'oc_1');
  await pass(9_000);
  expect(notices()).toEqual([]);
  state.unserved = { agent: 'x', why: 'unreachable', sinceMs: clock.nowMs() };
  await pass(60_000);
  expect(notices()).toEqual([]);
});

/** How long the hub waits for an agent that was cancelled, and what it hears of it meanwhile. */
import { expect, test } from 'vitest';
import type { AgentResult } from '../../../src/agents/runtime.ts';
import type { TurnUpdate } from '../../../src/core/turn-update.ts';
import { AgentWork, type WorkHost } from '../../../src/hub/domain/agent-work.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';

const TIMES = { timeoutMs: 60_000, cancelMs: 15_000 };

/** An agent that does not stop. */
async function deaf() {
  const clock = new VirtualClock();
  const work = new AgentWork({
    clock,
    log: silentLog,
    silenceMs: undefined,
  });
  const told: TurnUpdate[] = [];
  const ends: AgentResult[] = [];
  let host: WorkHost | undefined;
  const begin = (given: WorkHost) => {
    host = given;
    return Promise.resolve({
      result: new Promise<AgentResult>(() => {}),
      cancel: () => {},
      answer: () => false,
    });
  };
  void work.run(begin, (update) => told.push(update), TIMES).then((end) => ends.push(end));
  await clock.pass(1);
  return { clock, work, told, ends, host: host! };
}

test('R19: an agent has its time to stop, and is not waited for any longer', async () => {
  const { clock, work, ends } = await deaf();
  work.cancel();
  await clock.pass(14_000);
  work.cancel();
  expect(ends).toEqual([]);
  await clock.pass(1_000);
  expect(ends).toMatchObject([{ ok: false, reason: 'cancelled' }]);
});

test('a hub that stops waits for no agent that long, also for one that was cancelled before', async () => {
  const { clock, work, ends } = await deaf();
  work.cancel();
  await clock.pass(5_000);
  work.cancelSoon();
  await clock.pass(4_000);
  expect(ends).toMatchObject([{ ok: false, reason: 'cancelled' }]);
});

test('R2: after a stop only what the runtime itself says is heard', async () => {
  const { work, told, host } = await deaf();
  work.cancel();
  host.onUpdate({ kind: 'text_added', text: 'more' });
  host.onUpdate({ kind: 'told', what: { kind: 'still_running' } });
  expect(told).toEqual([{ kind: 'told', what: { kind: 'still_running' } }]);
});

/** The time limit of a run at the hub, while its agent waits for a person. */
import { expect, test } from 'vitest';
import type { AgentResult } from '../../../src/agents/runtime.ts';
import type { QuestionAnswer, TurnUpdate } from '../../../src/core/turn-update.ts';
import { workspaceId } from '../../../src/core/ids.ts';
import { AgentWork } from '../../../src/hub/domain/agent-work.ts';
import { Updates } from '../../../src/hub/domain/updates.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';

const HOUR_MS = 3_600_000;
const QUESTION: Extract<TurnUpdate, { kind: 'question' }> = {
  kind: 'question',
  id: '1',
  text: 'May I?',
  options: [{ id: 'yes', label: 'Yes', style: 'default' }],
};

test('it stands still from the question to the answer, whatever the agent does', async () => {
  const clock = new VirtualClock();
  const work = new AgentWork({ clock, log: silentLog, silenceMs: undefined });
  const asked: string[] = [];
  const answers: QuestionAnswer[] = [];
  let tell = (_update: TurnUpdate) => {};
  let end: AgentResult | undefined;
  void work
    .run(
      (host) => {
        tell = host.onUpdate;
        const result = new Promise<AgentResult>(() => {});
        const answer = (_id: string, given: QuestionAnswer) => answers.push(given) > 0;
        return Promise.resolve({ result, cancel: () => {}, answer });
      },
      (update) => {
        if (update.kind === 'question') asked.push(update.id);
      },
      { timeoutMs: 10_000 },
    )
    .then((result) => {
      end = result;
    });
  await clock.pass(5_000);
  tell(QUESTION);
  await clock.pass(HOUR_MS);
  expect(end).toBeUndefined();
  expect(await work.answer(asked[0] ?? '', { kind: 'cancelled' })).toBe(true);
  expect(await work.answer(asked[0] ?? '', { kind: 'cancelled' })).toBe(false);
  expect(answers).toEqual([{ kind: 'cancelled' }]);
  await clock.pass(4_999);
  expect(end).toBeUndefined();
  await clock.pass(5_000);
  expect(end).toMatchObject({ ok: false, reason: 'timed_out' });
});

const TURN = { source: workspaceId('s'), target: workspaceId('t'), requestId: 'r' };

test('a question from before somebody watches is told to them, once', async () => {
  const clock = new VirtualClock();
  const updates = new Updates(clock);
  let unseen = 0;
  const seen: TurnUpdate[] = [];
  expect(updates.tell(TURN, QUESTION)).toBe(false);
  updates.keep(TURN, QUESTION, () => {
    unseen += 1;
  });
  updates.watch(TURN, (update) => seen.push(update));
  updates.watch(TURN, (update) => seen.push(update));
  await clock.pass(HOUR_MS);
  expect(seen).toEqual([QUESTION]);
  expect(unseen).toBe(0);
});

test('one that nobody comes to see is given back, unless its turn ends before', async () => {
  const clock = new VirtualClock();
  const updates = new Updates(clock);
  let unseen = 0;
  const keep = () =>
    updates.keep(TURN, QUESTION, () => {
      unseen += 1;
    });
  keep();
  updates.forget(TURN);
  await clock.pass(HOUR_MS);
  expect(unseen).toBe(0);
  keep();
  await clock.pass(HOUR_MS);
  expect(unseen).toBe(1);
});

import { expect, test } from 'vitest';
import { turnId } from '../../../src/core/ids.ts';
import { traceOf } from '../../../src/observe/traces/trace.ts';
import { message, rowOf, turnIn } from '../bridge/samples.ts';
import type { TurnLife, TurnRun } from '../../../src/bridge/ports/journal-reader.ts';

const run = (change: Partial<TurnRun>): TurnRun => ({
  run: 1,
  tries: 1,
  startedAtMs: 2_000,
  acceptedAtMs: undefined,
  endedAtMs: undefined,
  endedAs: undefined,
  reason: undefined,
  cause: undefined,
  ...change,
});

const life = (change: Partial<TurnLife> = {}): TurnLife => ({
  turn: { ...turnIn({ phase: 'answered' }), receivedAtMs: 1_200 },
  admittedAtMs: 1_201,
  endedAtMs: undefined,
  runs: [],
  out: [],
  ahead: 0,
  ...change,
});

/** Events as `name@time`. */
const told = (one: TurnLife) =>
  traceOf(one, { text: false }).map(({ event, atMs }) => `${event}@${atMs}`);

test('a life is told in order of time, each run and each try of what was sent', () => {
  const events = told(
    life({
      endedAtMs: 7_000,
      runs: [
        run({ acceptedAtMs: 2_100, endedAtMs: 3_000, endedAs: 'failed', reason: 'agent_failed' }),
        run({ run: 2, startedAtMs: 6_000, endedAtMs: 7_000, endedAs: 'answered' }),
      ],
      out: [
        rowOf({
          key: 'notice',
          createdAtMs: 3_000,
          triedAtMs: 3_010,
          state: { phase: 'sent', larkId: 'om_a', atMs: 3_500 },
        }),
        rowOf({
          key: 'answer',
          createdAtMs: 7_000,
          triedAtMs: 7_010,
          replayedAtMs: 9_000,
          state: { phase: 'dead', atMs: 9_900 },
        }),
      ],
    }),
  );
  expect(events).toEqual([
    'said@1000',
    'received@1200',
    'admitted@1201',
    'started@2000',
    'accepted@2100',
    'failed@3000',
    'queued@3000',
    'tried@3010',
    'sent@3500',
    'started@6000',
    'answered@7000',
    'queued@7000',
    'tried@7010',
    'replayed@9000',
    'given_up@9900',
  ]);
});

test('a run that failed names its agent and what that ended with', () => {
  const cause = { agent: 'shout', detail: 'It ended with exit code 3.' };
  const failed = run({ endedAtMs: 3_000, endedAs: 'failed', reason: 'agent_failed', cause });
  expect(traceOf(life({ runs: [failed] }), { text: false }).at(-1)).toMatchObject({
    event: 'failed',
    facts: { reason: 'agent_failed', ...cause },
  });
});

test('the end of a run tells what its program said where there was no answer', () => {
  const ended = { endedAtMs: 3_000, endedAs: 'failed', reason: 'agent_failed' } as const;
  const runs = [run(ended), run({ ...ended, run: 2 })];
  const outputs = new Map([[2, { stdout: 'no credit left', stderr: '' }]]);
  const facts = traceOf(life({ runs }), { text: false, outputs })
    .filter(({ event }) => event === 'failed')
    .map((one) => one.facts);
  expect(facts).toEqual([
    { run: 1, reason: 'agent_failed' },
    { run: 2, reason: 'agent_failed', stdout: 'no credit left', stderr: '' },
  ]);
});

test('what was not sent in the end says why', () => {
  const out = [rowOf({ state: { phase: 'dropped' }, lastError: '230011: recalled' })];
  const queued = traceOf(life({ out }), { text: false }).find(({ event }) => event === 'queued');
  expect(queued?.facts).toMatchObject({ phase: 'dropped', last_error: '230011: recalled' });
});

test('each event says how long after the one before it came', () => {
  const durations = traceOf(life({ runs: [run({})] }), { text: false });
  expect(durations.map(({ afterMs }) => afterMs)).toEqual([undefined, 200, 1, 799]);
});

test("Lark's clock may be ahead of ours: the message was said first all the same", () => {
  const ahead = { ...message, sentAtMs: 5_000 };
  const events = traceOf(life({ turn: { ...turnIn({ phase: 'answered' }), message: ahead } }), {
    text: false,
  });
  expect(events.map(({ event }) => event)).toEqual(['said', 'received', 'admitted']);
  expect(events[1]?.afterMs).toBe(-4_000);
});

test('a turn that ended in the queue, and one whose time is over', () => {
  const dropped = life({
    turn: turnIn({ phase: 'dropped', why: 'recalled' }),
    endedAtMs: 4_000,
  });
  expect(traceOf(dropped, { text: false }).at(-1)).toMatchObject({
    event: 'dropped',
    facts: { reason: 'recalled' },
  });
  const late = life({
    turn: turnIn({ phase: 'overdue', target: 'w' as never, ticket: 'q', sinceMs: 5_000 }),
    runs: [run({})],
  });
  expect(told(late).at(-1)).toBe('overdue@5000');
});

test('what is still to be sent says when, after how many tries and why', () => {
  const waits = rowOf({
    attempts: 3,
    lastError: '99991400: wait',
    state: { phase: 'pending', dueAtMs: 8_000 },
  });
  expect(traceOf(life({ out: [waits] }), { text: false }).at(-1)).toMatchObject({
    event: 'next_try',
    atMs: 8_000,
    facts: { attempts: 3, last_error: '99991400: wait' },
  });
});

test('text of the chat is told only if asked for', () => {
  const one = life({ out: [rowOf({ turn: turnId('om_1') })] });
  expect(JSON.stringify(traceOf(one, { text: false }))).not.toMatch(/hello|the answer/);
  const whole = JSON.stringify(traceOf(one, { text: true }));
  expect(whole).toContain('hello');
  expect(whole).toContain('the answer');
});

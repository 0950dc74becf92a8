import { describe, expect, test } from 'vitest';
import type { OutboxRow } from '../../../src/bridge/ports/outbox.ts';
import { traceOfLife } from '../../../src/observe/traces/spans.ts';
import { rowOf, turnIn } from '../bridge/samples.ts';
import type { TurnLife, TurnRun } from '../../../src/bridge/ports/journal-reader.ts';

const run = (change: Partial<TurnRun> = {}): TurnRun => ({
  run: 1,
  tries: 1,
  startedAtMs: 2_000,
  acceptedAtMs: undefined,
  endedAtMs: 3_000,
  endedAs: 'answered',
  reason: undefined,
  cause: undefined,
  ...change,
});

const life = (change: Partial<TurnLife> = {}): TurnLife => ({
  turn: { ...turnIn({ phase: 'answered' }), receivedAtMs: 1_200 },
  admittedAtMs: 1_201,
  endedAtMs: 3_000,
  runs: [run()],
  out: [sent()],
  ahead: 0,
  ...change,
});

const sent = (change: Partial<OutboxRow> = {}): OutboxRow =>
  rowOf({
    createdAtMs: 3_000,
    triedAtMs: 3_100,
    attempts: 1,
    state: { phase: 'sent', larkId: 'om_a', atMs: 3_500 },
    ...change,
  });

/** Spans as `name from-to`, the whole first. */
function told(one: TurnLife): string[] {
  const plan = traceOfLife(one);
  if (plan === undefined) return [];
  return [plan.root, ...plan.spans].map(
    ({ name, startMs, endMs }) => `${name} ${startMs}-${endMs}`,
  );
}

const whole = [
  'message 1200-3500',
  'admit 1200-1201',
  'queue 1201-2000',
  'turn 2000-3000',
  'outbox 3000-3100',
  'lark_call 3100-3500',
];

describe('the spans of a message', () => {
  test('follow each other from its frame to its reply', () => {
    expect(told(life())).toEqual(whole);
  });

  test('leave out signs, which come and go beside it', () => {
    const sign = sent({
      key: 'sign',
      priority: 'reaction',
      body: { kind: 'react', emoji: 'Typing' },
    });
    const late = { ...sign, key: 'late', state: { phase: 'pending', dueAtMs: 9_000 } } as const;
    expect(told(life({ out: [sign, sent(), late] }))).toEqual(whole);
  });

  test('are there when all pieces of an answer are shown, or given up', () => {
    const next = sent({ key: 'next', createdAtMs: 3_000, triedAtMs: 3_600 });
    const waits = { ...next, state: { phase: 'pending', dueAtMs: 9_000 } } as const;
    expect(told(life({ out: [sent(), waits] }))).toEqual([]);
    const dead = {
      ...next,
      lastError: '230022: refused',
      state: { phase: 'dead', atMs: 4_000 },
    } as const;
    const plan = traceOfLife(life({ out: [sent(), dead] }));
    expect(plan?.root).toMatchObject({ endMs: 4_000, error: '230022: refused' });
  });

  test('are not there while the turn is open', () => {
    for (const phase of ['waiting', 'overdue'] as const) {
      const state = { phase, attempt: 1, notBeforeMs: 0 } as never;
      expect(told(life({ turn: turnIn(state), endedAtMs: undefined }))).toEqual([]);
    }
  });

  test('end with the question where a person is asked', () => {
    const turn = { ...turnIn({ phase: 'held', why: 'unknown' }), receivedAtMs: 1_200 };
    const runs = [run({ endedAs: 'held', reason: 'unknown' })];
    const plan = traceOfLife(life({ turn, runs, endedAtMs: undefined }));
    expect(plan?.root).toMatchObject({ endMs: 3_500, error: 'unknown' });
  });

  test('begin anew with another run, with what belongs to it', () => {
    const turn = { ...turnIn({ phase: 'answered' }), run: 2 };
    const runs = [
      run({ endedAs: 'failed', reason: 'agent_failed' }),
      run({ run: 2, startedAtMs: 6_000, endedAtMs: 7_000 }),
    ];
    const again = sent({
      key: 'again',
      createdAtMs: 7_000,
      triedAtMs: 7_000,
      state: { phase: 'sent', larkId: 'om_b', atMs: 7_200 },
    });
    const one = life({ turn, runs, out: [sent(), again], endedAtMs: 7_000 });
    expect(told(one)).toEqual([
      'message 6000-7200',
      'turn 6000-7000',
      'outbox 7000-7000',
      'lark_call 7000-7200',
    ]);
    expect(traceOfLife(one)?.root.error).toBeUndefined();
    expect(traceOfLife(one)?.id).not.toBe(traceOfLife(life())?.id);
  });

  test('need no agent: a message that was answered at the door', () => {
    expect(told(life({ runs: [], endedAtMs: 1_201, out: [] }))).toEqual([
      'message 1200-1201',
      'admit 1200-1201',
    ]);
  });

  test('never end before they begin, whatever somebody did to the clock', () => {
    const plan = traceOfLife(life({ admittedAtMs: 900, runs: [run({ endedAtMs: 1_000 })] }));
    for (const { startMs, endMs } of [plan!.root, ...plan!.spans]) {
      expect(endMs).toBeGreaterThanOrEqual(startMs);
    }
  });
});

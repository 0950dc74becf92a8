import { describe, expect, test } from 'vitest';
import { step } from '../../../src/bridge/turns/turn.ts';
import type { TurnEvent } from '../../../src/bridge/turns/turn-events.ts';
import type { TurnState } from '../../../src/core/turn.ts';
import { message, target, turnIn } from './samples.ts';

const rules = { turnTimeoutMs: 600_000, deduplicates: true, nowMs: 5_000 };
const waiting: TurnState = { phase: 'waiting', attempt: 0, notBeforeMs: 0 };
const sending: TurnState = { phase: 'sending', attempt: 0, target, deadlineMs: 9_000 };
const accepted: TurnState = { ...sending, phase: 'accepted', ticket: 'q1' };
const blind: TurnState = { ...sending, phase: 'accepted', ticket: undefined };
const overdue: TurnState = { phase: 'overdue', target, ticket: 'q1', sinceMs: 9_000 };

const after = (state: TurnState, event: TurnEvent, more: Partial<typeof rules> = {}) =>
  step(turnIn(state), event, { ...rules, ...more });
const sent = (result: Extract<TurnEvent, { kind: 'sent' }>['result']): TurnEvent => ({
  kind: 'sent',
  result,
  random: 1,
});

describe('a turn', () => {
  test('takes its slot with a deadline', () => {
    expect(after(waiting, { kind: 'started', target })?.state).toEqual({
      phase: 'sending',
      attempt: 0,
      target,
      deadlineMs: 605_000,
    });
  });

  test('LCM-OUT-03: a synchronous answer is shown at once', () => {
    const next = after(sending, sent({ kind: 'answered', text: 'hi' }));
    expect(next?.state).toEqual({ phase: 'answered' });
    expect(next?.show).toEqual([{ what: 'answer', text: 'hi' }, { what: 'receipt_off' }]);
  });

  test('LCM-OUT-04: a queued turn keeps its ticket and its deadline', () => {
    expect(after(sending, sent({ kind: 'accepted', ticket: 'q1' }))?.state).toEqual(accepted);
  });

  test('an answer under the ticket ends the turn', () => {
    const next = after(accepted, { kind: 'waited', result: { kind: 'answered', text: 'hi' } });
    expect(next?.state.phase).toBe('answered');
  });

  test('an empty answer gets a notice', () => {
    const next = after(sending, sent({ kind: 'answered', text: ' \n' }));
    expect(next?.show[0]).toMatchObject({ what: 'notice', name: 'empty_answer' });
  });

  test.each([
    ['zero-width spaces', '\u200B\u2060\uFEFF\n'],
    ['control sequences', '\u001B[2J\u001B[0m\0'],
  ])('an answer of only %s is empty', (_what, text) => {
    const next = after(sending, sent({ kind: 'answered', text }));
    expect(next?.show[0]).toMatchObject({ what: 'notice', name: 'empty_answer' });
  });

  test('an answer loses its terminal controls and nothing else', () => {
    const text = ' \u001B[1mbold\u001B[0m\0 and\u200B 👨‍👩‍👧\r\n';
    const next = after(sending, sent({ kind: 'answered', text }));
    expect(next?.show[0]).toEqual({ what: 'answer', text: ' bold and\u200B 👨‍👩‍👧\r\n' });
  });

  test('the notice about a failing agent is short and has no terminal controls', () => {
    const detail = `\u001B[31mit broke\u001B[0m${' again'.repeat(1_000)}`;
    const [notice] = after(sending, sent({ kind: 'failed', detail }))?.show ?? [];
    const text = notice?.what === 'notice' ? notice.text.en : '';
    expect(text).toMatch(/^The agent could not answer: it broke again/);
    expect(text.length).toBeLessThan(1_200);
    const blank = after(sending, sent({ kind: 'failed', detail: '\u001B[0m' }));
    expect(JSON.stringify(blank?.show)).toContain('it gave no reason.');
  });

  test('a failing agent leads to a notice', () => {
    const next = after(sending, sent({ kind: 'failed', detail: 'it broke' }));
    expect(next?.state).toEqual({ phase: 'failed', reason: 'agent_failed' });
    expect(next?.show[0]).toMatchObject({ what: 'notice' });
    expect(JSON.stringify(next?.show)).toContain('it broke');
  });

  test('for an agent that the hub ran itself, its name and its end are stored', () => {
    const detail = "The agent's program ended with exit code 3.";
    const next = after(sending, sent({ kind: 'failed', detail, agent: 'shout' }));
    expect(next?.state).toEqual({
      phase: 'failed',
      reason: 'agent_failed',
      cause: { agent: 'shout', detail },
    });
  });

  test.each([
    ['busy', { kind: 'busy', retryAfterMs: 2_000, detail: '' }, 7_000],
    ['unreachable', { kind: 'unreachable', detail: '' }, 5_500],
    ['unknown at a hub that deduplicates', { kind: 'unknown', detail: '' }, 5_500],
  ] as const)('%s: the turn waits and is sent again', (_name, result, notBeforeMs) => {
    expect(after(sending, sent(result))?.state).toEqual({
      phase: 'waiting',
      attempt: 1,
      notBeforeMs,
    });
  });

  test('LCM-OUT-08: a turn whose answer can not come back frees its slot, and the chat gets a notice', () => {
    const next = after(sending, sent({ kind: 'unanswerable' }));
    expect(next?.state).toEqual({ phase: 'failed', reason: 'unanswerable' });
    expect(JSON.stringify(next?.show)).toContain("can't come back to this chat");
  });

  test('if a second send might run the turn twice, the person is asked and nothing is sent again', () => {
    const next = after(sending, sent({ kind: 'unknown', detail: '' }), { deduplicates: false });
    expect(next?.state).toEqual({ phase: 'held', why: 'unknown' });
    expect(next?.show[0]).toMatchObject({ what: 'choice' });
  });

  test('the same rule counts if the process died while it sent the turn', () => {
    expect(after(sending, { kind: 'restarted' })?.state.phase).toBe('waiting');
    expect(after(sending, { kind: 'restarted' }, { deduplicates: false })?.state.phase).toBe(
      'held',
    );
  });

  test('LCM-CLI-02: a timeout frees the slot and tells the chat, and a late answer is still shown', () => {
    const next = after(accepted, { kind: 'timed_out' });
    expect(next?.state).toMatchObject({ phase: 'overdue', ticket: 'q1' });
    expect(next?.show[0]).toMatchObject({ what: 'notice', name: 'overdue' });
    const late = after(overdue, { kind: 'waited', result: { kind: 'answered', text: 'late' } });
    expect(late?.show[0]).toEqual({ what: 'answer', text: 'late' });
  });

  test('a timeout without a ticket frees the slot, and a late answer is not shown', () => {
    const next = after(blind, { kind: 'timed_out' });
    expect(next?.state).toMatchObject({ phase: 'overdue', ticket: undefined });
    expect(next?.show[0]).toMatchObject({ what: 'notice', name: 'timed_out' });
    const late: TurnState = { ...overdue, ticket: undefined };
    expect(after(late, { kind: 'late_answer' })).toEqual({
      state: { phase: 'failed', reason: 'late_answer' },
      show: [],
    });
    expect(
      after(late, { kind: 'chosen', action: 'retry', by: message.senderOpenId })?.state.phase,
    ).toBe('waiting');
    expect(
      after(overdue, { kind: 'chosen', action: 'retry', by: message.senderOpenId }),
    ).toBeUndefined();
  });

  test.each([
    ['its time was over twice', { ...overdue, isLoose: true }, { kind: 'gave_up_waiting' }],
    [
      'another answer may have been its own',
      { ...overdue, isLoose: true },
      { kind: 'late_answer' },
    ],
    ['the hub lost it', overdue, { kind: 'waited', result: { kind: 'lost', detail: '' } }],
  ] as const)(
    'a person who was told that a late answer would be shown is told that the wait is over, when %s',
    (_why, state, event) => {
      expect(after(state, event)).toMatchObject({
        state: { phase: 'failed' },
        show: [{ what: 'notice', name: 'timed_out' }, { what: 'receipt_off' }],
      });
    },
  );

  test.each([
    ['waits', waiting, true],
    ['is being sent', sending, true],
    ['is at work', accepted, true],
    ['is at work, where answers name no turn', blind, true],
    ['is overdue', overdue, false],
    ['is held', { phase: 'held', why: 'unknown' } as const, false],
    ['has failed', { phase: 'failed', reason: 'x' } as const, false],
  ])('a recall ends a turn that %s, and its text is deleted', (_what, state, freesOthers) => {
    const gathering = { phase: 'waiting', attempt: 0, notBeforeMs: 5_000, gathers: true };
    expect(after(state, { kind: 'recalled' })).toEqual({
      state: { phase: 'dropped', why: 'recalled' },
      show: [{ what: 'receipt_off' }],
      withdrawn: { dropsOut: true, ...(freesOthers && { frees: gathering }) },
    });
  });

  test('an answered turn stays answered after a recall, without the text', () => {
    const next = after({ phase: 'answered' }, { kind: 'recalled' });
    expect(next).toMatchObject({ state: { phase: 'answered' }, show: [], withdrawn: {} });
  });

  test('a stale turn runs for the first time, and any other turn runs again under new keys', () => {
    const chosen: TurnEvent = { kind: 'chosen', action: 'run', by: message.senderOpenId };
    expect(after({ phase: 'held', why: 'stale' }, chosen)).toMatchObject({ run: 1 });
    expect(after({ phase: 'held', why: 'unknown' }, chosen)).toMatchObject({ run: 2 });
    expect(
      after(
        { phase: 'failed', reason: 'x' },
        { kind: 'chosen', action: 'retry', by: message.senderOpenId },
      ),
    ).toMatchObject({
      run: 2,
      state: waiting,
    });
  });

  test.each([
    [
      'an answer twice',
      { phase: 'answered' } as const,
      { kind: 'waited', result: { kind: 'answered', text: 'x' } } as const,
    ],
    ['a start twice', sending, { kind: 'started', target } as const],
    [
      'a choice about a running turn',
      accepted,
      { kind: 'chosen', action: 'retry', by: message.senderOpenId } as const,
    ],
    [
      'a skip of what failed',
      { phase: 'failed', reason: 'x' } as const,
      { kind: 'chosen', action: 'skip', by: message.senderOpenId } as const,
    ],
  ])('%s changes nothing', (_name, state, event) => {
    expect(after(state, event)).toBeUndefined();
  });
});

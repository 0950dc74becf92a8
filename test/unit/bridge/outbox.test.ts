import { describe, expect, test } from 'vitest';
import { afterTry, isPointless } from '../../../src/bridge/outbox/after-send.ts';
import { message, rowOf } from './samples.ts';
import type { LarkAction } from '../../../src/bridge/ports.ts';

const at = { nowMs: 10_000, random: 1, asked: message };
const refused = (action: LarkAction, more: { retryAfterMs?: number } = {}) =>
  ({ ok: false, action, code: 1, detail: 'no', ...more }) as const;

describe('a row of the outbox after a try', () => {
  test('is marked only after Lark took it', () => {
    expect(afterTry(rowOf(), { ok: true, id: 'om_2' }, at).state).toEqual({
      phase: 'sent',
      larkId: 'om_2',
      atMs: 10_000,
    });
  });

  test.each(['wait', 'retry', 'unknown'] as const)('%s: the same row again, later', (action) => {
    const change = afterTry(rowOf(), refused(action), at);
    expect(change.state).toEqual({ phase: 'pending', dueAtMs: 11_000 });
    expect(change.out ?? []).toEqual([]);
  });

  test('the wait that Lark names is kept', () => {
    expect(afterTry(rowOf(), refused('wait', { retryAfterMs: 7_000 }), at).state).toEqual({
      phase: 'pending',
      dueAtMs: 17_000,
    });
  });

  test('a recalled question: to the chat with a quote, under a key of its own', () => {
    const { state, out } = afterTry(rowOf(), refused('fall_back_to_chat'), at);
    expect(state).toEqual({ phase: 'dropped' });
    expect(out).toHaveLength(1);
    expect(out?.[0]).toMatchObject({
      placement: 'chat',
      body: { kind: 'text', text: '> hello\nthe answer' },
    });
    expect(out?.[0]?.key).not.toBe('key');
  });

  test('no thread there: a plain reply', () => {
    const { out } = afterTry(rowOf({ placement: 'thread' }), refused('fall_back_from_thread'), at);
    expect(out?.[0]?.placement).toBe('reply');
  });

  test('too long: pieces that together are the text', () => {
    const text = 'line one\nline two\nline three\n';
    const { out } = afterTry(rowOf({ body: { kind: 'text', text } }), refused('split'), at);
    expect(out?.length).toBeGreaterThan(1);
    const joined = out?.map(({ body }) => (body.kind === 'text' ? body.text : '')).join('');
    expect(joined).toBe(text);
  });

  test('a refused card goes out as text', () => {
    const body = { kind: 'choice', text: 'Run?', buttons: [] } as const;
    const { out } = afterTry(rowOf({ body }), refused('fall_back_to_text'), at);
    expect(out?.[0]?.body).toEqual({ kind: 'text', text: 'Run?' });
  });

  test('an answer given up is a dead letter, and the person is told', () => {
    const { state, out } = afterTry(rowOf(), refused('give_up'), at);
    expect(state.phase).toBe('dead');
    expect(out?.[0]?.priority).toBe('notice');
  });

  test('a dead chat is not written to again', () => {
    expect(afterTry(rowOf(), refused('chat_dead'), at)).toMatchObject({
      state: { phase: 'dead' },
      out: [],
    });
  });

  test('decoration that fails is dropped without a dead letter', () => {
    const row = rowOf({ priority: 'reaction', body: { kind: 'react', emoji: 'Typing' } });
    expect(afterTry(row, refused('give_up'), at).state).toEqual({ phase: 'dropped' });
  });

  test('what Lark did not take for a day is a dead letter', () => {
    const late = { ...at, nowMs: 1_000 + 25 * 3_600_000 };
    expect(afterTry(rowOf(), refused('retry'), late).state.phase).toBe('dead');
  });

  test('a receipt that comes too late is pointless, unless it may be shown already', () => {
    const react = { body: { kind: 'react', emoji: 'Typing' }, triedAtMs: undefined } as const;
    expect(isPointless(rowOf(react), 60_000)).toBe(true);
    expect(isPointless(rowOf({ ...react, triedAtMs: 2_000 }), 60_000)).toBe(false);
  });
});

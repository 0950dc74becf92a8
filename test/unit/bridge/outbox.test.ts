import { describe, expect, test } from 'vitest';
import { afterTry, isPointless } from '../../../src/bridge/outbox/after-send.ts';
import { messageId } from '../../../src/core/ids.ts';
import { message, rowOf } from './samples.ts';
import type { LarkAction } from '../../../src/bridge/ports/delivery.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';
import type { OutboxBody } from '../../../src/bridge/ports/outbox.ts';

const at = { nowMs: 10_000, random: 1, form: contentForm, lang: 'en', asked: message } as const;
const said = (text: string): OutboxBody => ({
  kind: 'message',
  content: { kind: 'answer', text },
});
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

  test.each(['wait', 'retry', 'unknown'] as const)(
    '%s: the same row is sent again later',
    (action) => {
      const change = afterTry(rowOf(), refused(action), at);
      expect(change.state).toEqual({ phase: 'pending', dueAtMs: 11_000 });
      expect(change.out ?? []).toEqual([]);
    },
  );

  test('the wait that Lark names is kept', () => {
    expect(afterTry(rowOf(), refused('wait', { retryAfterMs: 7_000 }), at).state).toEqual({
      phase: 'pending',
      dueAtMs: 17_000,
    });
  });

  test('if the question is gone, the answer is dropped, is never sent to the chat, and nothing is quoted', () => {
    const change = afterTry(rowOf(), refused('message_gone'), at);
    expect(change).toMatchObject({ state: { phase: 'dropped' }, lastError: '1: no' });
    expect(change.out ?? []).toEqual([]);
  });

  test('if the question is gone from its thread, the answer goes under another message of the thread, with a new key', () => {
    const anchor = { replyTo: messageId('om_root'), placement: 'thread' } as const;
    const row = rowOf({ placement: 'thread' });
    const { state, out } = afterTry(row, refused('message_gone'), { ...at, anchor });
    expect(state).toEqual({ phase: 'dropped' });
    expect(out).toEqual([expect.objectContaining({ ...anchor, body: said('the answer') })]);
    expect(out?.[0]?.key).not.toBe('key');
  });

  test('if there is no thread, a plain reply is sent', () => {
    const { out } = afterTry(rowOf({ placement: 'thread' }), refused('fall_back_from_thread'), at);
    expect(out?.[0]?.placement).toBe('reply');
  });

  test('if a plain reply is refused too, the answer goes to the chat with a quote, but never from a thread', () => {
    const { out } = afterTry(rowOf(), refused('fall_back_from_thread'), at);
    expect(out?.[0]).toMatchObject({
      placement: 'chat',
      body: said('> hello\nthe answer'),
    });
    const inThread = { ...at, asked: { ...message, threadId: 'omt_1' } };
    const change = afterTry(rowOf(), refused('fall_back_from_thread'), inThread);
    expect(change.state.phase).toBe('dead');
    expect(change.out).toEqual([expect.objectContaining({ placement: 'reply' })]);
  });

  test('a text that is too long is sent in smaller pieces that are the whole text together', () => {
    const text = 'line one\nline two\nline three\n'.repeat(2_000);
    const { out } = afterTry(rowOf({ body: said(text) }), refused('split'), at);
    expect(out?.length).toBeGreaterThan(1);
    const joined = out
      ?.map(({ body }) => (body.kind === 'message' ? body.content.text : ''))
      .join('');
    expect(joined).toBe(text);
  });

  test('a short text that is refused as too long is not cut again, and becomes a file', () => {
    const body = said('twenty-four characters..');
    const { state, out } = afterTry(rowOf({ body }), refused('split'), at);
    expect(state.phase).toBe('dropped');
    const file = { kind: 'file', name: 'answer.md', text: 'twenty-four characters..' };
    expect(out?.map((draft) => draft.body)).toMatchObject([{ kind: 'message', content: file }]);
  });

  test('a piece that is still too long is not one of hundreds of files: the whole answer is given up', () => {
    const content = { kind: 'answer', text: 'short', is: 'piece' } as const;
    const row = rowOf({ body: { kind: 'message', content } });
    const { state, out, endsRest } = afterTry(row, refused('split'), at);
    expect(state.phase).toBe('dead');
    expect(endsRest).toBe(true);
    expect(out).toEqual([expect.objectContaining({ priority: 'notice' })]);
  });

  test('a refused image is sent as a file, and a refused file is named in one notice for it', () => {
    const image = {
      kind: 'file',
      as: 'image',
      name: 'a.png',
      path: '/a/1',
      text: 'a.png',
    } as const;
    const row = rowOf({ body: { kind: 'message', content: { ...image, key: 'img_1' } } });
    const asFile = afterTry(row, refused('fall_back_to_text'), at);
    expect(asFile.state.phase).toBe('dropped');
    const { body, key } = asFile.out?.[0] ?? {};
    expect(body).toEqual({ kind: 'message', content: { ...image, as: 'file' } });
    const next = afterTry(
      rowOf({ ...row, ...(body && key && { body, key }) }),
      refused('fall_back_to_text'),
      at,
    );
    expect(next.state.phase).toBe('dead');
    expect(JSON.stringify(next.out?.map((draft) => draft.body))).toContain('a.png');
  });

  test('the first words of a file are not worth a notice', () => {
    const content = { kind: 'answer', text: 'Hello', is: 'excerpt' } as const;
    const row = rowOf({ body: { kind: 'message', content } });
    for (const action of ['give_up', 'fall_back_to_text', 'unsure', 'split'] as const) {
      expect(afterTry(row, refused(action), at)).toMatchObject({ state: { phase: 'dropped' } });
    }
  });

  test.each([
    'split',
    'message_gone',
    'fall_back_from_thread',
    'fall_back_to_text',
    'give_up',
    'chat_dead',
  ] as const)('a notice about a failure is not replaced: %s', (action) => {
    const [notice] = afterTry(rowOf(), refused('give_up'), at).out ?? [];
    const change = afterTry(rowOf({ ...notice, attempts: 9 }), refused(action), at);
    expect(change).toMatchObject({ state: { phase: 'dead' } });
    expect(change.out ?? []).toEqual([]);
  });

  test('all pieces of an answer that is given up get one notice together', () => {
    const keys = ['one', 'two'].map((key) => afterTry(rowOf({ key }), refused('give_up'), at));
    const [one, two] = keys.map(({ out }) => out?.[0]?.key);
    expect(one).toBe(two);
    const later = afterTry(rowOf({ createdAtMs: 2_000 }), refused('give_up'), at);
    expect(later.out?.[0]?.key).not.toBe(one);
  });

  test('after an unknown code a row is tried a few times, and then another one takes its place', () => {
    const phaseAfter = (attempts: number) =>
      afterTry(rowOf({ attempts }), refused('unsure'), at).state.phase;
    // Then a file takes its place.
    expect([0, 1, 2].map(phaseAfter)).toEqual(['pending', 'pending', 'dropped']);
  });

  test('a refusal from something between us and Lark is tried for ten minutes and does not block the chat for a day', () => {
    const blocked = { ok: false, action: 'unsure', code: undefined, detail: 'HTTP 403' } as const;
    const phaseAt = (nowMs: number) =>
      afterTry(rowOf({ attempts: 9 }), blocked, { ...at, nowMs }).state.phase;
    expect(phaseAt(1_000 + 9 * 60_000)).toBe('pending');
    expect(phaseAt(1_000 + 11 * 60_000)).toBe('dropped');
  });

  test('a refused card is sent as text', () => {
    const content = { kind: 'choice', text: 'Run?', buttons: [] } as const;
    const body = { kind: 'message', content } as const;
    const { out } = afterTry(rowOf({ body }), refused('fall_back_to_text'), at);
    expect(out?.[0]?.body).toEqual({ kind: 'message', content: { kind: 'notice', text: 'Run?' } });
  });

  test('an answer that is given up is a dead letter, and the person gets a notice', () => {
    const { state, out } = afterTry(rowOf(), refused('give_up'), at);
    expect(state.phase).toBe('dead');
    expect(out?.[0]?.priority).toBe('notice');
  });

  test('a dead chat is not written to again', () => {
    const change = afterTry(rowOf(), refused('chat_dead'), at);
    expect(change).toMatchObject({ state: { phase: 'dead' }, endsRest: true });
    expect(change.out ?? []).toEqual([]);
  });

  test('a reaction that fails is dropped without a dead letter', () => {
    const row = rowOf({ priority: 'reaction', body: { kind: 'react', emoji: 'Typing' } });
    expect(afterTry(row, refused('give_up'), at).state).toEqual({ phase: 'dropped' });
  });

  test('a row that Lark did not accept for a day is a dead letter', () => {
    const late = { ...at, nowMs: 1_000 + 25 * 3_600_000 };
    expect(afterTry(rowOf(), refused('retry'), late).state.phase).toBe('dead');
  });

  test('a late receipt is dropped, unless it may be shown already', () => {
    const react = { body: { kind: 'react', emoji: 'Typing' }, triedAtMs: undefined } as const;
    expect(isPointless(rowOf(react), 60_000)).toBe(true);
    expect(isPointless(rowOf({ ...react, triedAtMs: 2_000 }), 60_000)).toBe(false);
  });
});

import { describe, expect, test } from 'vitest';
import { platformMessageId, turnKey } from '../../../src/bridge/outbox/keys.ts';
import { toDrafts, toOutgoing, withQuote } from '../../../src/bridge/outbox/drafts.ts';
import { turnsToDecide } from '../../../src/bridge/commands/askable.ts';
import type { ChoiceAction } from '../../../src/core/content.ts';
import { messageId, turnId } from '../../../src/core/ids.ts';
import type { Turn } from '../../../src/core/turn.ts';
import { message, rowOf, turnIn } from './samples.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';

const subject = { message, run: 1 };

describe('rows for what a turn shows', () => {
  test('LCM-OUT-06: an answer is a plain reply to the message that asked', () => {
    const [draft] = toDrafts(subject, [{ what: 'answer', text: 'hi' }], {
      nowMs: 5,
      form: contentForm,
      lang: 'en',
    });
    const out = toOutgoing(rowOf({ ...draft }));
    expect(out).toEqual({
      kind: 'reply',
      chatId: 'oc_1',
      replyTo: 'om_1',
      inThread: false,
      content: { kind: 'answer', text: 'hi' },
    });
  });

  test('a question in a thread is answered in the thread', () => {
    const inThread = { message: { ...message, threadId: 'omt_1' }, run: 1 };
    const [draft] = toDrafts(inThread, [{ what: 'answer', text: 'hi' }], {
      nowMs: 5,
      form: contentForm,
      lang: 'en',
    });
    expect(toOutgoing(rowOf({ ...draft }))).toMatchObject({ inThread: true });
  });

  test('keys are the same every time, differ by run and part, and fit into 50 characters', () => {
    expect(turnKey(subject, 'answer')).toBe(turnKey(subject, 'answer'));
    const keys = new Set([
      turnKey(subject, 'answer'),
      turnKey(subject, 'answer', 1),
      turnKey({ message, run: 2 }, 'answer'),
      turnKey({ message: { ...message, messageId: messageId('om_2') }, run: 1 }, 'answer'),
    ]);
    expect(keys.size).toBe(4);
    for (const key of keys) expect(key).toMatch(/^[\w-]{20,50}$/);
  });

  test('the id at the hub has the form of a UUID and changes with the run', () => {
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    expect(platformMessageId(subject)).toMatch(uuid);
    expect(platformMessageId({ message, run: 2 })).not.toBe(platformMessageId(subject));
  });

  test('no piece of a long answer is blank', () => {
    const text = `begin${'\n'.repeat(300 * 1024)}${'x'.repeat(40_000)}${'\n'.repeat(300 * 1024)}end`;
    const texts = toDrafts(subject, [{ what: 'answer', text }], {
      nowMs: 5,
      form: contentForm,
      lang: 'en',
    }).map(({ body }) => (body.kind === 'message' ? body.content.text.trim() : ''));
    expect(texts.map((part) => part.replaceAll(/\s+|x+/g, ''))).toEqual([
      '1/3begin',
      '2/3',
      '3/3end',
    ]);
    expect(texts.join('').match(/x/g)).toHaveLength(40_000);
  });

  test('a quote does not cut a character of several code points', () => {
    const family = '👨‍👩‍👧';
    const text = family.repeat(50);
    const isWhole = (part: string) => part.replaceAll(family, '') === '';
    const quote = withQuote(
      { kind: 'answer', text: '' },
      { asked: { ...message, parts: [{ kind: 'text', text }] }, lang: 'en' },
    ).slice(2, -2);
    expect(isWhole(quote)).toBe(true);
  });
});

describe('commands to the bridge itself', () => {
  const meant = (action: ChoiceAction, own: readonly Turn[]) =>
    turnsToDecide(action, { own, all: own });

  test('mean all stale turns together, or else the newest turn that fits', () => {
    const named = (id: string, state: Parameters<typeof turnIn>[0]) => ({
      ...turnIn(state),
      id: turnId(id),
    });
    const failed = named('c', { phase: 'failed', reason: 'x' });
    const newStale = named('b', { phase: 'held', why: 'stale' });
    const oldStale = named('a', { phase: 'held', why: 'stale' });
    const askable = [failed, newStale, oldStale];
    expect(meant('run', askable)).toEqual(['a', 'b']);
    expect(meant('retry', askable)).toEqual(['c']);
    expect(meant('skip', [failed])).toEqual([]);
    // What came later is no reason: the chat was offered this word for what failed.
    expect(meant('retry', [newStale, failed, oldStale])).toEqual(['c']);
    expect(meant('retry', [newStale, oldStale])).toEqual([]);
  });

  test('F17: `/run` and `/skip` mean own turns; `/retry` means one of others only if there is no own one', () => {
    const named = (id: string, state: Parameters<typeof turnIn>[0]) => ({
      ...turnIn(state),
      id: turnId(id),
    });
    const failed = { phase: 'failed', reason: 'x' } as const;
    const all = [named('theirs', failed), named('old', { phase: 'held', why: 'stale' })];
    expect(turnsToDecide('run', { own: [], all })).toEqual([]);
    expect(turnsToDecide('skip', { own: [], all })).toEqual([]);
    expect(turnsToDecide('retry', { own: [], all })).toEqual(['theirs']);
    expect(turnsToDecide('retry', { own: [named('mine', failed)], all })).toEqual(['mine']);
  });
});

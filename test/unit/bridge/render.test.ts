import { describe, expect, test } from 'vitest';
import { parseChoiceValue, platformMessageId, turnKey } from '../../../src/bridge/outbox/keys.ts';
import { piecesOf, toDrafts, toOutgoing, withQuote } from '../../../src/bridge/outbox/render.ts';
import { parseCommand, turnsMeant } from '../../../src/bridge/intake/commands.ts';
import { choices } from '../../../src/bridge/outbox/texts.ts';
import { messageId, turnId } from '../../../src/core/ids.ts';
import { message, rowOf, turnIn } from './samples.ts';

const subject = { message, run: 1 };

describe('rows for what a turn shows', () => {
  test('LCM-OUT-06: an answer is a plain reply to the message that asked', () => {
    const [draft] = toDrafts(subject, [{ what: 'answer', text: 'hi' }], 5);
    const out = toOutgoing(rowOf({ ...draft }));
    expect(out).toEqual({
      kind: 'reply',
      chatId: 'oc_1',
      replyTo: 'om_1',
      inThread: false,
      content: { kind: 'text', text: 'hi' },
    });
  });

  test('a question in a thread is answered in the thread', () => {
    const inThread = { message: { ...message, threadId: 'omt_1' }, run: 1 };
    const [draft] = toDrafts(inThread, [{ what: 'answer', text: 'hi' }], 5);
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

  test('CG-OUT-02: an answer can not call everybody', () => {
    const text = 'hey <at user_id="all">all</at> and a<b';
    const out = toOutgoing(rowOf({ body: { kind: 'text', text } }));
    const shown = out?.kind === 'reply' && out.content.kind === 'text' ? out.content.text : '';
    expect(shown).not.toMatch(/<\/?at[\s>]/);
    expect(shown.replaceAll('\u200B', '')).toBe(text);
  });

  test('a long text is cut at line ends, loses nothing, and splits no character', () => {
    const text = `${'é😀漢'.repeat(50)}\n`.repeat(40);
    const pieces = piecesOf(text, 1_000);
    expect(pieces.join('')).toBe(text);
    for (const piece of pieces) {
      expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(1_000);
      expect(piece).not.toMatch(/^[\uDC00-\uDFFF]|[\uD800-\uDBFF]$/);
    }
  });

  test('no piece of a long answer is blank', () => {
    const text = `begin${'\n'.repeat(300 * 1024)}end`;
    const texts = toDrafts(subject, [{ what: 'answer', text }], 5).map(({ body }) =>
      body.kind === 'text' ? body.text.trim() : '',
    );
    expect(texts).toEqual(['begin', 'end']);
  });

  test('neither a piece nor a quote halves a character of several code points', () => {
    const family = '👨‍👩‍👧';
    const text = family.repeat(50);
    const isWhole = (part: string) => part.replaceAll(family, '') === '';
    expect(piecesOf(text, 100).filter((piece) => !isWhole(piece))).toEqual([]);
    const quote = withQuote('', { ...message, parts: [{ kind: 'text', text }] }).slice(2, -2);
    expect(isWhole(quote)).toBe(true);
  });

  test('a button says which turn it is about, and only our buttons are read', () => {
    const [draft] = toDrafts(subject, [choices.unknown()], 5);
    const out = toOutgoing(rowOf({ ...draft }));
    const card = out?.kind === 'reply' && out.content.kind === 'card' ? out.content.card : '{}';
    const { body } = JSON.parse(card) as {
      body: { elements: { behaviors?: { value: Record<string, unknown> }[] }[] };
    };
    const values = body.elements.flatMap(({ behaviors }) => behaviors ?? []).map((b) => b.value);
    expect(values.map(parseChoiceValue)).toEqual([
      { action: 'retry', turn: 'om_1' },
      { action: 'skip', turn: 'om_1' },
    ]);
    expect(parseChoiceValue({ action: 'run' })).toBeUndefined();
  });
});

describe('commands to the bridge itself', () => {
  const saying = (text: string) => parseCommand({ ...message, parts: [{ kind: 'text', text }] });

  test('are whole messages, in any case', () => {
    expect([saying('/retry'), saying(' /RUN\n'), saying('/skip')]).toEqual([
      'retry',
      'run',
      'skip',
    ]);
    expect([saying('\u200B/retry\uFEFF'), saying('\u2060/run \u200B')]).toEqual(['retry', 'run']);
    expect([saying('/retry now'), saying('retry'), saying('/other')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('mean all stale turns together, else the newest that fits', () => {
    const named = (id: string, state: Parameters<typeof turnIn>[0]) => ({
      ...turnIn(state),
      id: turnId(id),
    });
    const failed = named('c', { phase: 'failed', reason: 'x' });
    const newStale = named('b', { phase: 'held', why: 'stale' });
    const oldStale = named('a', { phase: 'held', why: 'stale' });
    const askable = [failed, newStale, oldStale];
    expect(turnsMeant('run', askable)).toEqual(['a', 'b']);
    expect(turnsMeant('retry', askable)).toEqual(['c']);
    expect(turnsMeant('skip', [failed])).toEqual([]);
    // What came later is no reason: the chat was offered this word for what failed.
    expect(turnsMeant('retry', [newStale, failed, oldStale])).toEqual(['c']);
    expect(turnsMeant('retry', [newStale, oldStale])).toEqual([]);
  });
});

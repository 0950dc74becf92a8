/** LCM-OUT-09: a target that can't correlate says by a token which question it answers. */
import { beforeEach, describe, expect, test } from 'vitest';
import { chatId, turnId, workspaceId } from '../../../src/core/ids.ts';
import { withHeader } from '../../../src/wire/lark-context.ts';
import { BlindBridge, TIMEOUT_MS } from './blind-bridge.ts';

let at: BlindBridge;

beforeEach(async () => {
  at = await BlindBridge.start({ defaultChatId: chatId('oc_default') });
});

const answerTo = (question: string, text: string, more: { id?: string } = {}) =>
  at.answer(text, { replyToken: at.tokenOf(question), ...more });
const phaseOf = async (id: string) => (await at.journal.turn(turnId(id)))?.state.phase;
const shownUnder = (id: string) =>
  at.lark.shown.filter(({ replyTo }) => replyTo === id).map(({ text }) => text);

describe('the token of a turn', () => {
  test('is short and unique, and stays the same over tries, runs and restarts', async () => {
    at.says = { kind: 'unknown', detail: 'broke' };
    await at.say('one', 'oc_a');
    await at.restart();
    await at.say('again', 'oc_a', { text: '/retry' });
    const [first, second] = at.requests.map(({ reply }) => reply?.token);
    expect(first).toMatch(/^[2-9b-z]{8}$/);
    expect(second).toBe(first);
    at.says = { kind: 'answered', text: 'hi' };
    await at.say('skip', 'oc_a', { text: '/skip' });
    await at.say('two', 'oc_b');
    expect(at.tokenOf('two')).not.toBe(first);
  });

  test('F20: the header of every turn carries its token, in its second run too', async () => {
    at.says = { kind: 'unknown', detail: 'broke' };
    await at.say('one', 'oc_a');
    await at.say('again', 'oc_a', { text: '/retry' });
    const heads = at.requests.map(
      ({ context, text, reply }) => withHeader(context, text, reply).split('\n')[0],
    );
    expect(heads).toHaveLength(2);
    for (const head of heads) expect(head).toMatch(/^\[lark-channel\] .* reply_token=[2-9b-z]{8}$/);
  });

  test('is asked for only from a target that is known not to correlate', async () => {
    at.says = { kind: 'answered', text: 'hi' };
    await at.say('one', 'oc_a');
    at.says = { kind: 'accepted_uncorrelated' };
    await at.say('two', 'oc_a');
    await at.answer('hi');
    await at.say('three', 'oc_a');
    await at.restart();
    await at.answer('hi');
    await at.say('four', 'oc_a');
    expect(at.requests.map(({ reply }) => reply?.isAskedFor)).toEqual([false, false, true, true]);
  });
});

describe('an answer with a known token', () => {
  test('ends its turn, and the next turn begins', async () => {
    await at.say('one', 'oc_a');
    await at.say('two', 'oc_b');
    await answerTo('one', 'answer to one');
    expect(shownUnder('one')).toEqual(['answer to one']);
    expect(at.asked).toEqual(['one', 'two']);
  });

  test('that comes late is shown under its question, and the running turn goes on', async () => {
    await at.say('one', 'oc_a');
    await at.run(TIMEOUT_MS + 1_000);
    await at.say('two', 'oc_b');
    await answerTo('one', 'answer to one');
    expect(shownUnder('one').at(-1)).toBe('answer to one');
    expect(await phaseOf('one')).toBe('answered');
    expect(await phaseOf('two')).toBe('accepted');
    await at.answer('answer to two');
    expect(shownUnder('two')).toEqual(['answer to two']);
    expect(await at.keptAside()).toEqual([]);
  });

  test('that comes after the wait was over is shown under its question, also after a restart', async () => {
    await at.say('one', 'oc_a');
    await at.run(2 * TIMEOUT_MS + 1_000);
    expect(await phaseOf('one')).toBe('failed');
    await at.restart();
    await at.say('two', 'oc_b');
    await answerTo('one', 'answer to one');
    expect(shownUnder('one').at(-1)).toBe('answer to one');
    expect(await phaseOf('one')).toBe('answered');
  });

  test('ends the doubt after a request that broke off', async () => {
    at.says = { kind: 'unknown', detail: 'broke' };
    await at.say('one', 'oc_a');
    at.says = { kind: 'accepted_uncorrelated' };
    await at.say('two', 'oc_b');
    await answerTo('one', 'answer to one');
    expect(shownUnder('one').at(-1)).toBe('answer to one');
    expect(at.asked).toEqual(['one', 'two']);
  });

  test('ends a turn that waits to run again', async () => {
    await at.say('one', 'oc_a');
    await at.run(TIMEOUT_MS + 1_000);
    await at.say('two', 'oc_b');
    await at.say('again', 'oc_a', { text: '/retry' });
    expect(await phaseOf('one')).toBe('waiting');
    await answerTo('one', 'answer to one');
    await answerTo('two', 'answer to two');
    expect(shownUnder('one').at(-1)).toBe('answer to one');
    expect(at.asked).toEqual(['one', 'two']);
  });

  test('several answers are shown under one question, each once, in order, while another turn runs', async () => {
    await at.say('one', 'oc_a');
    await at.say('two', 'oc_b');
    await answerTo('one', 'first');
    await answerTo('one', 'second', { id: 'same' });
    await answerTo('one', 'second', { id: 'same' });
    await at.restart();
    await answerTo('one', 'second', { id: 'same' });
    await answerTo('one', 'third');
    expect(shownUnder('one')).toEqual(['first', 'second', 'third']);
    expect(shownUnder('two')).toEqual([]);
    expect(await phaseOf('two')).toBe('accepted');
  });

  test('a failure and a question are shown as such', async () => {
    await at.say('one', 'oc_a');
    await at.answer('Which?', { replyToken: at.tokenOf('one'), wants: 'input' });
    expect(await phaseOf('one')).toBe('overdue');
    await at.say('two', 'oc_b');
    await at.answer('x', { replyToken: at.tokenOf('one'), failure: 'no model' });
    expect(shownUnder('one')).toEqual(['Which?', expect.stringContaining('no model')]);
    await answerTo('one', 'after all');
    expect(shownUnder('one').at(-1)).toBe('after all');
    expect(await phaseOf('one')).toBe('answered');
  });

  test('is not shown if the person skipped the turn', async () => {
    at.says = { kind: 'unknown', detail: 'broke' };
    await at.say('one', 'oc_a');
    await at.say('skip', 'oc_a', { text: '/skip' });
    await answerTo('one', 'answer to one');
    expect(shownUnder('one').join()).not.toContain('answer to one');
    expect(await at.keptAside()).toEqual(['answer to one']);
  });

  test('is ignored if it comes from another workspace', async () => {
    await at.say('one', 'oc_a');
    await at.answer('spam', { replyToken: at.tokenOf('one'), from: workspaceId('stranger') });
    expect(shownUnder('one')).toEqual([]);
    expect(await at.keptAside()).toEqual(['spam']);
  });
});

test('an answer with an unknown token is treated as one without a token', async () => {
  await at.say('one', 'oc_a');
  await at.answer('answer to one', { replyToken: 'bcdfghjk' });
  expect(shownUnder('one')).toEqual(['answer to one']);
});

/** A target that can't say which turn an answer belongs to: whose an answer is. */
import { beforeEach, describe, expect, test } from 'vitest';
import { BlindBridge, TIMEOUT_MS } from './blind-bridge.ts';

let at: BlindBridge;

beforeEach(async () => {
  at = await BlindBridge.start();
});

const answersIn = (chat: string) => at.shownIn(chat).filter((text) => text.includes('answer to'));

describe('a target without correlation', () => {
  test('LCM-IN-11, LCM-OUT-02: one turn at a time, and each answer goes to its own chat', async () => {
    await at.say('one', 'oc_a');
    await at.say('two', 'oc_b');
    expect(at.asked).toEqual(['one']);
    await at.answer('answer to one');
    expect(at.asked).toEqual(['one', 'two']);
    await at.answer('answer to two');
    expect([at.shownIn('oc_a'), at.shownIn('oc_b')]).toEqual([
      ['answer to one'],
      ['answer to two'],
    ]);
  });

  test('MOL-INB-04: an answer that is handed over twice is shown once, also when the next turn waits', async () => {
    await at.say('one', 'oc_a');
    await at.say('two', 'oc_b');
    await at.answer('answer to one', { id: 'same' });
    await at.answer('answer to one', { id: 'same' });
    expect(at.shownIn('oc_b')).toEqual([]);
    expect(await at.keptAside()).toEqual([]);
  });

  test('LCM-OUT-07: a timeout frees the slot, and a late answer is stored for the operator and never shown in another chat', async () => {
    await at.say('one', 'oc_a');
    await at.say('two', 'oc_b');
    await at.run(TIMEOUT_MS);
    expect(at.asked).toEqual(['one', 'two']);
    expect(at.shownIn('oc_a').join()).toContain('took too long');
    await at.answer('late answer to one');
    expect(await at.keptAside()).toEqual(['late answer to one']);
    await at.answer('answer to two');
    expect(answersIn('oc_b')).toEqual(['answer to two']);
    expect(answersIn('oc_a')).toEqual([]);
  });

  test('after two turns without an answer nothing is sent for a while, and then the next turn is answered', async () => {
    for (const id of ['one', 'two', 'three']) await at.say(id, `oc_${id}`);
    await at.run(2 * TIMEOUT_MS + 5_000);
    expect(at.asked).toEqual(['one', 'two']);
    await at.run(TIMEOUT_MS);
    expect(at.asked).toEqual(['one', 'two', 'three']);
    await at.answer('answer to three');
    expect(at.shownIn('oc_three').at(-1)).toBe('answer to three');
  });

  test('after a restart the answer still belongs to the turn in the slot', async () => {
    await at.say('one', 'oc_a');
    await at.restart();
    expect(at.asked).toEqual(['one']);
    await at.answer('answer to one');
    expect(at.shownIn('oc_a')).toEqual(['answer to one']);
  });

  test('MOL-RES-02: an answer that says what went wrong is shown as a failure', async () => {
    await at.say('one', 'oc_a');
    await at.answer('Agent error: no model', { failure: 'no model' });
    expect(at.shownIn('oc_a').join()).toContain('could not answer: no model');
  });

  test('an answer that comes before the hub has confirmed its question belongs to the question', async () => {
    let receipt = () => {};
    at.says = new Promise((resolve) => {
      receipt = () => resolve({ kind: 'accepted_uncorrelated' });
    });
    await at.say('one', 'oc_a');
    await at.answer('answer to one');
    receipt();
    await at.run(TIMEOUT_MS);
    expect(at.shownIn('oc_a')).toEqual(['answer to one']);
  });
});

describe('a request in doubt, which may have arrived or not', () => {
  const BROKEN = { kind: 'unknown', detail: 'the connection broke' } as const;
  const TAKEN = { kind: 'accepted_uncorrelated' } as const;

  beforeEach(async () => {
    at.says = BROKEN;
    await at.say('one', 'oc_a');
    at.says = TAKEN;
    expect(at.shownIn('oc_a').join()).toContain('cannot tell whether it got your message');
  });

  test('MOL-RES-10: is not sent again, and its answer is shown if it comes', async () => {
    await at.answer('answer to one');
    expect(answersIn('oc_a')).toEqual(['answer to one']);
    expect(at.asked).toEqual(['one']);
    // With that it is settled, also for the next process.
    await at.restart();
    await at.say('two', 'oc_b');
    await at.answer('answer to two');
    expect(answersIn('oc_b')).toEqual(['answer to two']);
  });

  test('its answer is not shown as the answer of the next turn', async () => {
    await at.say('two', 'oc_b');
    await at.answer('answer to one');
    expect([answersIn('oc_a'), answersIn('oc_b')]).toEqual([['answer to one'], []]);
    await at.answer('answer to two');
    expect(answersIn('oc_b')).toEqual(['answer to two']);
    expect(await at.keptAside()).toEqual([]);
  });

  test('its answer is not shown so after a restart, or after the person has skipped it', async () => {
    await at.say('skip', 'oc_a', { text: '/skip' });
    await at.restart();
    await at.say('two', 'oc_b');
    await at.answer('answer to one');
    expect([...answersIn('oc_a'), ...answersIn('oc_b')]).toEqual([]);
    expect(await at.keptAside()).toEqual(['answer to one']);
  });

  test('LCM-OUT-09: nothing else is sent while its answer may come, and people who wait get a notice', async () => {
    await at.say('two', 'oc_b');
    await at.run(10_000);
    expect(at.asked).toEqual(['one']);
    expect(at.shownIn('oc_b')).toEqual([expect.stringContaining('I wait up to a minute')]);
    await at.answer('answer to one');
    expect(at.asked).toEqual(['one', 'two']);
  });

  test.each(['/skip', '/retry'])('a command of the person (%s) ends that wait', async (text) => {
    await at.say('two', 'oc_b');
    await at.say('command', 'oc_a', { text });
    if (text === '/retry') await at.answer('answer to one');
    expect(at.asked.at(-1)).toBe('two');
  });

  test.each([
    ['in the same process', false],
    ['over a restart', true],
  ])(
    'that wait ends after a minute, and the next answer belongs to the next turn (%s)',
    async (_name, restarts) => {
      await at.say('two', 'oc_b');
      await at.run(30_000);
      if (restarts) await at.restart();
      await at.run(25_000);
      expect(at.asked).toEqual(['one']);
      await at.run(10_000);
      expect(at.asked).toEqual(['one', 'two']);
      await at.answer('answer to two');
      expect(at.shownIn('oc_b').at(-1)).toBe('answer to two');
    },
  );

  test('after that wait its answer is still shown under it if no other turn was sent', async () => {
    await at.run(TIMEOUT_MS + 30_000);
    await at.answer('answer to one');
    expect(answersIn('oc_a')).toEqual(['answer to one']);
  });

  test('if it did not arrive, its answer is not expected after its time', async () => {
    await at.run(TIMEOUT_MS + 1_000);
    await at.say('two', 'oc_b');
    await at.answer('answer to two');
    expect(answersIn('oc_b')).toEqual(['answer to two']);
  });

  test('if it runs again, the first answer is shown, and the second one is not shown under other questions', async () => {
    await at.say('again', 'oc_a', { text: '/retry' });
    expect(at.asked).toEqual(['one', 'one']);
    await at.answer('answer to one');
    expect(answersIn('oc_a')).toEqual(['answer to one']);
    await at.say('two', 'oc_b');
    await at.answer('second answer to one');
    expect(answersIn('oc_b')).toEqual([]);
    expect(await at.keptAside()).toEqual(['second answer to one']);
  });

  test('if it runs again, the bridge does not wait for a second answer without end', async () => {
    await at.say('again', 'oc_a', { text: '/retry' });
    await at.answer('answer to one');
    await at.run(TIMEOUT_MS + 1_000);
    await at.say('two', 'oc_b');
    await at.answer('answer to two');
    expect(answersIn('oc_b')).toEqual(['answer to two']);
  });
});

test('the same doubt exists after a process died while it sent a turn', async () => {
  at.says = new Promise(() => {});
  await at.say('one', 'oc_a');
  at.says = { kind: 'accepted_uncorrelated' };
  await at.restart();
  expect(at.shownIn('oc_a').join()).toContain('cannot tell whether it got your message');
  await at.say('two', 'oc_b');
  expect(at.asked).toEqual(['one']);
  await at.answer('answer to one');
  expect([answersIn('oc_a'), answersIn('oc_b')]).toEqual([['answer to one'], []]);
  expect(at.asked).toEqual(['one', 'two']);
});

test('the same doubt exists if a send gets no answer in time', async () => {
  at.says = new Promise((resolve) => {
    at.clock.after(TIMEOUT_MS + 1, () => resolve({ kind: 'unknown', detail: 'no answer' }));
  });
  await at.say('one', 'oc_a');
  await at.run(TIMEOUT_MS + 1_000);
  expect(at.shownIn('oc_a').join()).toContain('took too long');
  at.says = { kind: 'accepted_uncorrelated' };
  await at.say('two', 'oc_b');
  await at.answer('answer to one');
  expect(answersIn('oc_b')).toEqual([]);
});

describe('an answer that may belong to several turns', () => {
  async function lateAndAsked(second: string, more: { threadId?: string } = {}) {
    await at.say('one', 'oc_a', more);
    await at.run(TIMEOUT_MS + 1_000);
    await at.say('two', second, more);
    expect(at.asked).toEqual(['one', 'two']);
  }

  test('LCM-OUT-09: of one chat is shown in that chat, but not as a reply', async () => {
    await lateAndAsked('oc_a');
    await at.answer('answer to one');
    expect(at.lark.shown.at(-1)).toMatchObject({ text: 'answer to one', replyTo: undefined });
    await at.answer('answer to two');
    expect(at.lark.shown.at(-1)).toMatchObject({ text: 'answer to two', replyTo: 'two' });
    expect(await at.keptAside()).toEqual([]);
  });

  test('of one thread is shown in that thread', async () => {
    await lateAndAsked('oc_a', { threadId: 'omt_1' });
    await at.answer('answer to one');
    expect(at.lark.shown.at(-1)).toMatchObject({ text: 'answer to one', replyTo: 'two' });
    expect(at.lark.shown.at(-1)?.inThread).toBe(true);
  });

  test('is shown once, even if it is handed over several times', async () => {
    await lateAndAsked('oc_a');
    await at.answer('answer to one', { id: 'same' });
    await at.answer('answer to one', { id: 'same' });
    await at.restart();
    await at.answer('answer to one', { id: 'same' });
    expect(answersIn('oc_a')).toEqual(['answer to one']);
  });

  test('of two chats is not shown, but stored for the operator', async () => {
    await lateAndAsked('oc_b');
    await at.answer('answer to one');
    expect([...answersIn('oc_a'), ...answersIn('oc_b')]).toEqual([]);
    expect(await at.keptAside()).toEqual(['answer to one']);
  });

  test('is shown under its question if it can only belong to a turn whose time is over', async () => {
    await at.say('one', 'oc_a');
    await at.run(TIMEOUT_MS + 1_000);
    await at.answer('answer to one');
    expect(at.lark.shown.at(-1)).toMatchObject({ text: 'answer to one', replyTo: 'one' });
    expect(await at.keptAside()).toEqual([]);
  });
});

/** A target whose task is not over: it is at work, or it asks the person for something (MOL-RES-16). */
import { beforeEach, describe, expect, test } from 'vitest';
import { chatId } from '../../../src/core/ids.ts';
import { BlindBridge, TIMEOUT_MS } from './blind-bridge.ts';

const TICKET = { kind: 'accepted', ticket: 'q1' } as const;
const WHICH = { kind: 'question', wants: 'input', text: 'Which branch?' } as const;
const DONE = { kind: 'answered', text: 'done' } as const;

let at: BlindBridge;

beforeEach(async () => {
  at = await BlindBridge.start({ defaultChatId: chatId('oc_default') });
});

const phaseOf = async (id: string) =>
  (await at.journal.turns({ limit: 10 })).find((turn) => turn.id === id)?.state.phase;

describe('MOL-RES-16: if the ticket leads to an unfinished task', () => {
  beforeEach(async () => {
    at.says = TICKET;
    at.holds = { kind: 'unfinished' };
    await at.say('one', 'oc_a');
    await at.run(10_000);
  });

  test('nothing is shown, and the turn goes on', async () => {
    expect(at.lark.shown).toEqual([]);
    expect(await phaseOf('one')).toBe('accepted');
  });

  test('the ticket is asked for only with pauses', async () => {
    const before = at.looks;
    await at.run(30_000);
    expect(at.looks - before).toBeLessThan(6);
  });

  test('the answer may come under the ticket', async () => {
    at.holds = DONE;
    await at.run(10_000);
    expect(at.shownIn('oc_a')).toEqual(['done']);
  });

  test('the answer may come into the inbox, and the next turn goes on', async () => {
    await at.answer('done');
    expect(at.shownIn('oc_a')).toEqual(['done']);
    at.holds = DONE;
    await at.say('two', 'oc_b');
    await at.run(10_000);
    expect(at.shownIn('oc_b')).toEqual(['done']);
  });

  test('the answer may come after a restart', async () => {
    await at.restart();
    await at.answer('done');
    expect(at.shownIn('oc_a')).toEqual(['done']);
  });

  test('the turn has a time limit like every other turn', async () => {
    await at.run(TIMEOUT_MS);
    expect(at.shownIn('oc_a').join()).toContain('taking unusually long');
    await at.run(TIMEOUT_MS);
    expect(await phaseOf('one')).toBe('failed');
    const before = at.looks;
    await at.run(TIMEOUT_MS);
    expect(at.looks).toBe(before);
  });

  test('the chat is told when the bridge stops waiting', async () => {
    await at.run(2 * TIMEOUT_MS);
    expect(at.shownIn('oc_a')).toEqual([
      expect.stringContaining('If its answer still comes'),
      expect.stringMatching(/stopped waiting .*\/retry/),
    ]);
    at.holds = DONE;
    await at.say('again', 'oc_a', { text: '/retry' });
    await at.run(10_000);
    expect(at.lark.shown.at(-1)).toMatchObject({ text: 'done', replyTo: 'one' });
  });

  test('an answer that came under the ticket while no process ran is shown, even after the time was over', async () => {
    await at.run(TIMEOUT_MS);
    await at.stop();
    await at.run(2 * TIMEOUT_MS);
    at.holds = at.clock.sleep(3_000).then(() => DONE);
    await at.restart();
    await at.run(5_000);
    expect(at.lark.shown.at(-1)).toMatchObject({ text: 'done', replyTo: 'one' });
  });
});

describe('MOL-RES-16: a question of the agent', () => {
  test.each([
    ['on the same request', WHICH, undefined],
    ['under the ticket', TICKET, WHICH],
    ['in the inbox', { kind: 'accepted_uncorrelated' } as const, undefined],
  ])('that comes %s is shown once with its text, under the message', async (_way, says, holds) => {
    at.says = says;
    at.holds = holds;
    await at.say('one', 'oc_a');
    if (says.kind === 'accepted_uncorrelated') await at.answer('Which branch?', { wants: 'input' });
    await at.run(30_000);
    expect(at.lark.shown).toMatchObject([{ text: 'Which branch?', replyTo: 'one' }]);
    expect([...at.lark.reactions.values()]).toEqual([]);
    // No end of the turn, but of its slot: the person has to be able to reply.
    expect(await phaseOf('one')).toBe('overdue');
    at.says = { kind: 'accepted_uncorrelated' };
    await at.say('two', 'oc_b');
    expect(at.asked).toEqual(['one', 'two']);
  });

  test('to sign in is shown as such', async () => {
    at.says = { kind: 'question', wants: 'sign_in', text: 'https://login/' };
    await at.say('one', 'oc_a');
    expect(at.shownIn('oc_a')).toEqual([expect.stringMatching(/sign in .*\nhttps:\/\/login\/$/)]);
  });

  test.each(['input', 'sign_in'] as const)('without a text (%s) is shown too', async (wants) => {
    at.says = { kind: 'question', wants, text: '' };
    await at.say('one', 'oc_a');
    expect(at.shownIn('oc_a').join()).toContain('did not say');
  });

  test.each([
    ['in the same process', false],
    ['after a restart', true],
  ])(
    'may be answered without another message of the person: the answer is shown under the question (%s)',
    async (_name, restarts) => {
      at.says = WHICH;
      await at.say('one', 'oc_a');
      if (restarts) await at.restart();
      await at.answer('done');
      expect(at.lark.shown.at(-1)).toMatchObject({ text: 'done', replyTo: 'one' });
      expect(await phaseOf('one')).toBe('answered');
    },
  );

  test('ends with the reply: only the answer to the reply is expected', async () => {
    at.says = WHICH;
    await at.say('one', 'oc_a');
    at.says = { kind: 'accepted_uncorrelated' };
    await at.say('main', 'oc_a');
    await at.answer('done');
    expect(at.lark.shown.at(-1)).toMatchObject({ text: 'done', replyTo: 'main' });
    await at.run(2 * TIMEOUT_MS);
    expect(at.shownIn('oc_a')).toEqual(['Which branch?', 'done']);
    expect(await phaseOf('one')).toBe('answered');
  });

  test('leads to no answer in another chat', async () => {
    at.says = WHICH;
    await at.say('one', 'oc_a');
    at.says = { kind: 'accepted_uncorrelated' };
    await at.say('two', 'oc_b');
    await at.answer('done');
    expect(at.shownIn('oc_b')).toEqual([]);
    expect(await at.keptAside()).toEqual(['done']);
  });

  test('may be answered after the wait was over: this is not taken for an unasked message', async () => {
    at.says = WHICH;
    await at.say('one', 'oc_a');
    await at.run(TIMEOUT_MS + 1_000);
    at.says = { kind: 'answered', text: 'two' };
    await at.say('two', 'oc_b');
    await at.answer('done');
    expect(at.shownIn('oc_b')).toEqual(['two']);
    expect(await at.keptAside()).toEqual(['done']);
  });
});

describe('MOL-A2A-02, LCM-OUT-11: files in an answer', () => {
  const files = ['report.pdf', 'chart.png'];

  test('are named below the text', async () => {
    at.says = { kind: 'answered', text: 'Here you are.', files };
    await at.say('one', 'oc_a');
    expect(at.shownIn('oc_a')).toEqual([
      expect.stringMatching(/^Here you are\.\n\n.*report\.pdf and chart\.png$/),
    ]);
  });

  test('without a text are an answer', async () => {
    at.says = { kind: 'answered', text: '', files };
    await at.say('one', 'oc_a');
    expect(at.shownIn('oc_a').join()).toContain('report.pdf and chart.png');
    expect(at.shownIn('oc_a').join()).not.toContain('without an answer');
  });

  test('are named wherever the answer is shown or stored', async () => {
    await at.say('one', 'oc_a');
    await at.answer('answer', { files: ['a.txt'] });
    await at.answer('unasked', { files: ['b.txt'] });
    expect(at.shownIn('oc_a')).toEqual([
      expect.stringMatching(/^answer\n\n.*a\.txt$/),
      expect.stringMatching(/^unasked\n\n.*b\.txt$/),
    ]);
    at.says = WHICH;
    await at.say('two', 'oc_a');
    at.says = { kind: 'accepted_uncorrelated' };
    await at.say('three', 'oc_b');
    await at.answer('for whom?', { files: ['c.txt'] });
    expect((await at.keptAside()).join()).toContain('c.txt');
  });

  test('are counted if there are many', async () => {
    const many = Array.from({ length: 25 }, (_, number) => `${number}.txt`);
    at.says = { kind: 'answered', text: '', files: many };
    await at.say('one', 'oc_a');
    expect(at.shownIn('oc_a').join()).toContain('19.txt, and 5 more');
  });
});

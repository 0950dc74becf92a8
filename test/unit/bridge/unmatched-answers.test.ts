/** What the agent says without being asked, and what others say. */
import { describe, expect, test } from 'vitest';
import { chatId, workspaceId } from '../../../src/core/ids.ts';
import { AGENT, BlindBridge, TIMEOUT_MS } from './blind-bridge.ts';

const HOUR_MS = 3_600_000;

describe('an unasked message', () => {
  test('LCM-OUT-05, LCM-OUT-06: goes to the chat that was active last, as a message of its own', async () => {
    const at = await BlindBridge.start({ defaultChatId: chatId('oc_default') });
    for (const chat of ['oc_a', 'oc_b', 'oc_a', 'oc_c', 'oc_b']) {
      await at.say(`om_${at.asked.length}`, chat);
      await at.answer('done');
    }
    await at.answer('good morning');
    expect(at.shownIn('oc_b').at(-1)).toBe('good morning');
    expect(at.lark.shown.filter(({ text }) => text === 'good morning')).toHaveLength(1);
    expect(at.lark.shown.at(-1)?.replyTo).toBeUndefined();
  });

  test('LCM-OUT-05, LCM-ENV-08: goes to LARK_DEFAULT_CHAT_ID before anybody has written', async () => {
    const at = await BlindBridge.start({ defaultChatId: chatId('oc_default') });
    await at.answer('good morning');
    expect(at.shownIn('oc_default')).toEqual(['good morning']);
    expect(await at.keptAside()).toEqual([]);
  });

  test('LCM-OUT-05: without any chat it is logged and not shown; the operator can read it', async () => {
    const at = await BlindBridge.start();
    await at.answer('good morning', { id: 'same' });
    await at.answer('good morning', { id: 'same' });
    expect(at.lark.shown).toEqual([]);
    expect(at.logged('unasked_dropped')).toEqual([
      expect.objectContaining({
        level: 'warn',
        answer: 'same',
        next: expect.stringContaining('LARK_DEFAULT_CHAT_ID'),
      }),
    ]);
    expect(JSON.stringify(at.log.lines)).not.toContain('good morning');
    expect(await at.keptAside()).toEqual(['good morning']);
  });

  test('is shown once, even if it is handed over several times, also after a restart', async () => {
    const at = await BlindBridge.start({ defaultChatId: chatId('oc_default') });
    await at.answer('good morning', { id: 'same' });
    await at.answer('good morning', { id: 'same' });
    await at.restart();
    await at.answer('good morning', { id: 'same' });
    expect(at.shownIn('oc_default')).toEqual(['good morning']);
    // Known by itself, not only by the message that it was shown in.
    expect(await at.journal.isHandled('same')).toBe(true);
  });

  test('is shown in pieces, in order, if it is too long for one message', async () => {
    const at = await BlindBridge.start({ defaultChatId: chatId('oc_default') });
    const lines = Array.from({ length: 3 }, (_, line) => String(line).repeat(60_000));
    await at.answer(lines.join('\n'));
    await at.run(5_000);
    expect(at.shownIn('oc_default').map((text) => text.slice(0, 5))).toEqual([
      '1/3\n0',
      '2/3\n1',
      '3/3\n2',
    ]);
  });

  test('is not shown if nothing of it is visible, and terminal controls are left out', async () => {
    const at = await BlindBridge.start({ defaultChatId: chatId('oc_default') });
    await at.answer('\u001B[0m\u200B\uFEFF', { id: 'blank' });
    await at.answer('\u001B[32mgood morning\u001B[0m');
    expect(at.shownIn('oc_default')).toEqual(['good morning']);
    expect(await at.journal.isHandled('blank')).toBe(true);
  });

  test('counts as an answer while an answer is expected', async () => {
    const at = await BlindBridge.start({ defaultChatId: chatId('oc_default') });
    await at.say('one', 'oc_a');
    await at.answer('the answer');
    expect(at.shownIn('oc_a')).toEqual(['the answer']);
    expect(at.shownIn('oc_default')).toEqual([]);
  });
});

describe('a message that may be the answer of a turn that was given up', () => {
  async function afterGivingUp() {
    const at = await BlindBridge.start({ defaultChatId: chatId('oc_default') });
    await at.say('one', 'oc_a');
    await at.run(2 * TIMEOUT_MS + 1_000);
    await at.say('two', 'oc_b');
    await at.answer('answer to two');
    return at;
  }

  test.each([
    ['in the same process', false],
    ['after a restart', true],
  ])(
    'is stored for the operator and not shown in the latest chat, but messages after it are shown there (%s)',
    async (_name, restarts) => {
      const at = await afterGivingUp();
      if (restarts) await at.restart();
      await at.answer('very late answer to one');
      expect(await at.keptAside()).toEqual(['very late answer to one']);
      await at.answer('good morning');
      expect(at.shownIn('oc_b')).toEqual(['answer to two', 'good morning']);
      await at.restart();
      await at.answer('good evening');
      expect(at.shownIn('oc_b').at(-1)).toBe('good evening');
    },
  );

  test('is taken for an unasked message after an hour', async () => {
    const at = await afterGivingUp();
    await at.run(HOUR_MS);
    await at.answer('good morning');
    expect(at.shownIn('oc_b').at(-1)).toBe('good morning');
  });
});

describe('a message of another workspace', () => {
  const STRANGER = { from: workspaceId('stranger') };

  test('LCM-OUT-02: is not an answer and is not shown', async () => {
    const at = await BlindBridge.start({ defaultChatId: chatId('oc_default') });
    await at.say('one', 'oc_a');
    await at.answer('spam', STRANGER);
    await at.answer('the answer', { from: workspaceId(AGENT.toUpperCase()) });
    await at.answer('more spam', STRANGER);
    expect(at.lark.shown.map(({ text }) => text)).toEqual(['the answer']);
    expect(await at.keptAside()).toEqual(['spam', 'more spam']);
    expect(at.logged('unasked_refused')).toHaveLength(2);
  });
});

describe('at a hub whose answers name their turns, a message without a turn', () => {
  test('is not taken for an answer while a turn runs, but stored for the operator', async () => {
    const at = await BlindBridge.start({ correlates: true, defaultChatId: chatId('oc_default') });
    at.says = { kind: 'accepted', ticket: 'q' };
    await at.say('one', 'oc_a');
    await at.answer('is it an answer?');
    expect(at.lark.shown).toEqual([]);
    expect(await at.keptAside()).toEqual(['is it an answer?']);
  });

  test('is not taken for an answer while a turn is being sent', async () => {
    const at = await BlindBridge.start({ correlates: true });
    at.says = new Promise(() => {});
    await at.say('one', 'oc_a');
    await at.answer('is it an answer?');
    expect(at.lark.shown).toEqual([]);
    expect(await at.keptAside()).toEqual(['is it an answer?']);
  });

  test('LCM-OUT-05: is an unasked message while no turn runs', async () => {
    const at = await BlindBridge.start({ correlates: true, defaultChatId: chatId('oc_default') });
    await at.answer('good morning');
    expect(at.shownIn('oc_default')).toEqual(['good morning']);
  });
});

test('an answer that comes before the open turns are known is refused, and handed over again later', async () => {
  const at = await BlindBridge.start();
  await at.say('one', 'oc_a');
  await at.stop();
  await expect(at.answer('the answer')).rejects.toMatchObject({ code: 'interrupted' });
  await at.restart();
  await at.answer('the answer');
  expect(at.shownIn('oc_a')).toEqual(['the answer']);
});

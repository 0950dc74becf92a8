/** `lark-bridge send`, beside a daemon and without one. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Rig } from './rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});

afterEach(() => rig.close());

const uploads = () => [...rig.cloud.world.uploads.values()].map(({ fileName }) => fileName);
const CARD = {
  schema: '2.0',
  body: { elements: [{ tag: 'markdown', content: 'a raw card' }] },
};

async function sent(words: readonly string[], input?: string) {
  const { code, stdout, stderr } = await rig.command(
    ['send', '--json', ...words],
    input === undefined ? {} : { input },
  );
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as { message_id: string; message_ids?: string[] };
}

describe.each(['beside a daemon', 'without a daemon'])('%s', (where) => {
  beforeEach(async () => {
    if (where === 'beside a daemon') await rig.runHere();
  });

  test('a text goes to a chat, a person and an address, and the message id is printed', async () => {
    const { user, chat } = rig.direct('Mei');
    const first = await sent(['--chat', chat.chatId, 'hello']);
    const second = await sent(['--user', user.openId], 'from **stdin**\n\n| a |\n|---|\n| 1 |');
    const third = await sent(['--email', user.email ?? '', 'by address']);
    const replies = rig.replies(chat);
    expect(replies.map(({ messageId }) => messageId)).toEqual(
      [first, second, third].map((one) => one.message_id),
    );
    expect(replies.map(({ type }) => type)).toEqual(['text', 'interactive', 'text']);
  });

  test('with files and a raw card', async () => {
    const { chat } = rig.direct('Mei');
    const file = join(rig.home, 'notes.txt');
    const card = join(rig.home, 'card.json');
    writeFileSync(file, 'notes');
    writeFileSync(card, JSON.stringify(CARD));
    const words = ['look', '--chat', chat.chatId, '--card', card, '--file', file];
    const { message_ids: ids } = await sent(words);
    const replies = rig.replies(chat);
    expect(replies.map(({ messageId }) => messageId)).toEqual(ids);
    expect(replies.map(({ type }) => type)).toEqual(['text', 'file', 'interactive']);
    expect(replies.at(-1)?.text).toContain('a raw card');
    expect(uploads()).toEqual(['notes.txt']);
  });

  test('ends with 1 when Lark refuses, and tells the reason', async () => {
    const { chat } = rig.direct('Mei');
    rig.cloud.faults.inject({ kind: 'business_error', path: '/messages', code: 230002 });
    const { code, stderr } = await rig.command(['send', '--chat', chat.chatId, 'hello']);
    expect([code, rig.replies(chat)]).toEqual([1, []]);
    expect(stderr).toContain('230002');
    expect(stderr).toContain('dead-letters show');
  });
});

test('what a card, a file or a receiver can not be ends with 2, and nothing is sent', async () => {
  const { chat } = rig.direct('Mei');
  const path = join(rig.home, 'card.json');
  const at = ['--chat', chat.chatId];
  for (const [card, reason] of [
    ['no json', 'no JSON'],
    ['[]', 'no JSON object'],
    [JSON.stringify({ text: 'x'.repeat(31 * 1024) }), '30 KB'],
  ] as const) {
    writeFileSync(path, card);
    const { code, stderr } = await rig.command(['send', ...at, '--card', path]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(reason)]);
  }
  writeFileSync(path, '');
  for (const words of [
    [...at, '--file', path],
    [...at, '--file', rig.home],
    [...at, '--file', join(rig.home, 'none')],
    [...at, '  '],
    ['hello'],
    [...at, '--user', 'ou_1', 'hello'],
    ['--chat', '../x', 'hello'],
    ['--email', 'none', 'hello'],
  ]) {
    const { code, stderr } = await rig.command(['send', ...words]);
    expect([code, stderr], words.join(' ')).toEqual([2, expect.any(String)]);
  }
  expect(rig.replies(chat)).toEqual([]);
});

test('the command as a process of its own prints the id of the message', async () => {
  const { chat } = rig.direct('Mei');
  const { code, stdout, stderr } = await rig.program(['send', '--chat', chat.chatId], {
    input: 'from a script',
  });
  expect([code, stderr]).toEqual([0, '']);
  expect(rig.replies(chat)).toMatchObject([{ messageId: stdout.trim(), text: 'from a script' }]);
});

test('a message that Lark does not take now stays in the outbox, and the next daemon sends it once', async () => {
  const { chat } = rig.direct('Mei');
  const child = rig.spawn({ words: ['send', '--chat', chat.chatId, 'later'] });
  rig.cloud.faults.inject({ kind: 'business_error', path: '/messages', code: 2200, times: 2 });
  await rig.cloud.waitFor(() => rig.cloud.calls({ path: '/messages' }).length > 0);
  await child.stop('SIGKILL');
  await rig.runHere();
  await rig.repliesIn(chat, 1);
  expect(rig.replies(chat).map(({ text }) => text)).toEqual(['later']);
});

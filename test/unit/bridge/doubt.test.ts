/** Sends whose outcome is not known for longer than Lark honours keys. */
import { expect, test } from 'vitest';
import { Delivery } from '../../../src/bridge/outbox/delivery.ts';
import { StoreRetry } from '../../../src/bridge/store-retry.ts';
import { BridgeError } from '../../../src/core/errors.ts';
import { messageId } from '../../../src/core/ids.ts';
import type { OutboxRow } from '../../../src/bridge/ports/outbox.ts';
import { settle, VirtualClock } from '../../kit/clock.ts';
import { choiceValues, english, noQuestions, message, rowOf, turnIn } from './samples.ts';
import { NO_OBSERVER } from '../../../src/bridge/ports/observer.ts';
import type { HistoryMessage } from '../../../src/bridge/ports/lark.ts';
import type { Journal } from '../../../src/bridge/ports/journal.ts';
import type { OutboxChange } from '../../../src/bridge/ports/changes.ts';
import { silentLog } from '../../kit/log.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';

const HOUR_MS = 3_600_000;
async function deliver(
  row: OutboxRow,
  history: (threadId: string | undefined, sinceMs: number) => HistoryMessage[] | BridgeError,
) {
  const clock = new VirtualClock(2 * HOUR_MS);
  let now = row;
  const sends: string[] = [];
  const journal = {
    pendingOut: () => Promise.resolve([row]),
    sentAmong: () => Promise.resolve(new Set([messageId('om_of_another_row')])),
    turn: () =>
      Promise.resolve({
        ...turnIn({ phase: 'answered' }),
        message: { ...message, threadId: 'omt_1' },
      }),
    changeOut: (_key: string, decide: (row: OutboxRow) => OutboxChange | undefined) => {
      const change = decide(now);
      now = { ...now, ...change, state: change?.state ?? now.state };
      return Promise.resolve({ row: now, changed: change !== undefined, out: [] });
    },
  } as unknown as Journal;
  const delivery = new Delivery({
    journal,
    choices: choiceValues,
    languages: english,
    questions: noQuestions,
    onQuestionNotShown: () => {},
    lark: {
      form: contentForm,
      deliver: (_out, key) => {
        sends.push(key);
        return Promise.resolve({ ok: true, id: 'om_new' });
      },
      history: (_chat, sinceMs, threadId) => {
        const found = history(threadId, sinceMs);
        return found instanceof BridgeError ? Promise.reject(found) : Promise.resolve(found);
      },
    },
    storeRetry: new StoreRetry(clock, silentLog),
    clock,
    observer: NO_OBSERVER,
    random: () => 0.5,
    log: silentLog,
    onWithdrawn: () => Promise.resolve(),
  });
  await delivery.start();
  await settle();
  await delivery.stop();
  return { sends, state: now.state };
}

const own = (text: string, parentId: string): HistoryMessage => ({
  messageId: messageId('om_shown'),
  chatId: message.chatId,
  sentAtMs: 5,
  own: true,
  parentId: messageId(parentId),
  threadId: undefined,
  deleted: false,
  text,
  inbound: undefined,
});

const inDoubt = rowOf({ triedAtMs: HOUR_MS / 2, attempts: 1 });

test('a message that the chat shows already is not sent again', async () => {
  const { sends, state } = await deliver(inDoubt, () => [own('the answer', 'om_1')]);
  expect(sends).toEqual([]);
  expect(state).toMatchObject({ phase: 'sent', larkId: 'om_shown' });
});

test.each(['card', 'post'] as const)(
  'a %s is known by its place: one there that no other row has made is of this row',
  async (form) => {
    const content = { kind: 'answer', text: '**the answer**', form } as const;
    const row = { ...inDoubt, body: { kind: 'message', content } } as const;
    const shown = { ...own('', 'om_1'), text: undefined, form };
    const earlier = { ...shown, messageId: messageId('om_of_another_row') };
    const found = await deliver(row, () => [earlier, shown]);
    expect(found.sends).toEqual([]);
    expect(found.state).toMatchObject({ phase: 'sent', larkId: 'om_shown' });
    const { sends } = await deliver(row, () => [earlier, own('**the answer**', 'om_1')]);
    expect(sends).toEqual(['key']);
  },
);

test.each([
  ['the clock was set back behind the first try', rowOf({ triedAtMs: 3 * HOUR_MS, attempts: 1 })],
  ['it was tried too often to be new', rowOf({ triedAtMs: 2 * HOUR_MS - 1, attempts: 20 })],
])('the chat is read too if %s', async (_case, row) => {
  const { sends } = await deliver(row, () => [own('the answer', 'om_1')]);
  expect(sends).toEqual([]);
});

test('a message that was tried a moment ago is sent at once under its key', async () => {
  const row = rowOf({ triedAtMs: 2 * HOUR_MS - 1, attempts: 19 });
  const { sends } = await deliver(row, () => new BridgeError('failed', 'not to be asked'));
  expect(sends).toEqual(['key']);
});

test('the message is found even if the clock was ahead', async () => {
  const shown = { ...own('the answer', 'om_1'), sentAtMs: message.sentAtMs + 5 };
  const { sends } = await deliver(inDoubt, (_thread, sinceMs) =>
    shown.sentAtMs >= sinceMs ? [shown] : [],
  );
  expect(sends).toEqual([]);
});

test('the same text under another question is not taken for the answer', async () => {
  const { sends } = await deliver(inDoubt, () => [own('the answer', 'om_other')]);
  expect(sends).toEqual(['key']);
});

test('for a message in a thread the thread is read, where Lark names the first message as the parent', async () => {
  const row = rowOf({ ...inDoubt, placement: 'thread' });
  const { sends } = await deliver(row, (threadId) =>
    threadId === 'omt_1' ? [own('the answer', 'om_root')] : [],
  );
  expect(sends).toEqual([]);
});

test('nothing is sent again while the chat can not be read', async () => {
  const { sends, state } = await deliver(inDoubt, () => new BridgeError('unreachable', 'down'));
  expect(sends).toEqual([]);
  expect(state.phase).toBe('pending');
});

test('the answer is sent again if the chat may not be read', async () => {
  const { sends } = await deliver(inDoubt, () => new BridgeError('access_denied', 'no scope'));
  expect(sends).toEqual(['key']);
});

test('within an hour the key is enough, so the chat is not read', async () => {
  let reads = 0;
  const fresh = rowOf({ triedAtMs: 2 * HOUR_MS - 60_000, attempts: 1 });
  const { sends } = await deliver(fresh, () => {
    reads += 1;
    return [];
  });
  expect([sends, reads]).toEqual([['key'], 0]);
});

/** What an agent gets of what was said before, with the real journal. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import type {
  ReadResult,
  SaidMessage,
  Surroundings,
} from '../../../src/bridge/ports/said-before.ts';
import type { TurnAnswer, TurnRequest } from '../../../src/bridge/ports/target.ts';
import { chatId, messageId, turnId } from '../../../src/core/ids.ts';
import type { InboundMessage } from '../../../src/core/message.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';
import type { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import type { Db } from '../../../src/store/sqlite/db.ts';
import type { VirtualClock } from '../../kit/clock.ts';
import { message } from './samples.ts';
import { createBridge, HUB, openJournal, passTime } from './whole-bridge.ts';

const reply: InboundMessage = {
  ...message,
  chatType: 'group',
  chatId: chatId('oc_1'),
  parentId: messageId('om_before'),
};
const inThread: InboundMessage = { ...reply, threadId: 'omt_1' };
const mention: InboundMessage = { ...reply, parts: [{ kind: 'text', text: ' ' }] };
const before = said('om_before', 'look at this');

let db: Db;
let clock: VirtualClock;
let bridge: Bridge;
let journal: SqliteJournal;
let isWriting: () => boolean;
let asked: TurnRequest[];
let told: string[];
let answer: TurnAnswer | 'later';
let ends: ((result: TurnAnswer) => void)[];
let quoted: () => Promise<ReadResult<SaidMessage | undefined>>;
let thread: (count: number) => Promise<ReadResult<readonly SaidMessage[]>>;
let names: Record<string, string>;
let findNames: () => Promise<void>;
let reads: number;
let sent: number;

beforeEach(async () => {
  ({ db, isWriting, clock, journal } = openJournal());
  asked = [];
  told = [];
  answer = { kind: 'answered', text: 'ok' };
  quoted = () => Promise.resolve({ ok: true, value: before });
  thread = () => Promise.resolve({ ok: true, value: [said('om_a', 'one'), said('om_b', 'two')] });
  names = { ou_1: 'Mei', ou_tom: 'Tom', oc_1: 'Team' };
  findNames = () => Promise.resolve();
  reads = 0;
  sent = 0;
  ends = [];
  await open();
});

afterEach(async () => {
  for (const end of ends) end({ kind: 'answered', text: 'ok' });
  await bridge.stop();
  db.close();
});

function said(id: string, text: string, more: Partial<SaidMessage> = {}): SaidMessage {
  return { messageId: messageId(id), sender: 'ou_tom', isBot: false, text, ...more };
}

const surroundings: Surroundings = {
  quotedBy: () => {
    reads += 1;
    return quoted();
  },
  threadBefore: (_message, count) => thread(count),
  latest: () => Promise.resolve({ ok: true, value: [] }),
  findNames: () => findNames(),
  nameOf: (id) => names[id],
};

async function open(): Promise<void> {
  bridge = createBridge({
    db,
    clock,
    lark: {
      form: contentForm,
      deliver: (out) => {
        if ('content' in out && out.content.kind === 'notice') told.push(out.content.text);
        sent += 1;
        return Promise.resolve({ ok: true, id: `om_out_${sent}` });
      },
      history: () => Promise.resolve([]),
      surroundings,
    },
    target: {
      ...HUB,
      send: (request) => {
        asked.push(request);
        return answer === 'later'
          ? new Promise((resolve) => ends.push(resolve))
          : Promise.resolve(answer);
      },
      wait: () => Promise.resolve({ kind: 'pending' }),
    },
  });
  await bridge.start();
}

const pass = (durationMs = 0) => passTime(clock, { isWriting, durationMs });

async function say(one: InboundMessage): Promise<void> {
  await bridge.intake.admit({ kind: 'message', message: one });
  await pass();
}

async function recall(id: string): Promise<void> {
  const { appId, chatId: chat } = reply;
  const eventId = `recall_${id}`;
  const event = {
    kind: 'recalled',
    appId,
    chatId: chat,
    messageId: messageId(id),
    eventId,
  } as const;
  await bridge.intake.admit(event);
  await pass();
}

const detailsOf = () => asked.at(-1)?.details;

test('a reply comes with the message that it replies to, and with names', async () => {
  await say(reply);
  expect(asked[0]?.text).toBe('hello');
  expect(detailsOf()).toMatchObject({
    senderName: 'Mei',
    chatName: 'Team',
    quoted: { senderName: 'Tom', text: 'look at this' },
    thread: [],
  });
});

test('a message in a thread comes with what was said there, oldest first', async () => {
  await say(inThread);
  expect(detailsOf()?.thread).toMatchObject([
    { senderName: 'Tom', text: 'one' },
    { senderName: 'Tom', text: 'two' },
  ]);
});

test('a thread that Lark does not show comes from the journal, with the answers', async () => {
  thread = () => Promise.resolve({ ok: false, reason: 'Lark refused', isPassing: false });
  const add = (id: string, text: string) =>
    say({ ...inThread, messageId: messageId(id), parts: [{ kind: 'text', text }] });
  await add('om_one', 'one');
  await add('om_gone', 'secret');
  await recall('om_gone');
  await say({ ...inThread, messageId: messageId('om_other'), threadId: 'omt_2' });
  await add('om_two', 'two');
  expect(detailsOf()?.thread?.map(({ senderName, text }) => [senderName, text])).toEqual([
    ['Mei', 'one'],
    ['Bot', 'ok'],
  ]);
});

test('a direct chat has the name of the person', async () => {
  await say(message);
  expect(detailsOf()).toMatchObject({ senderName: 'Mei', chatName: 'Mei', thread: [] });
  expect(detailsOf()?.quoted).toBeUndefined();
});

test('names that nobody knows are ids, and the plain word for a bot', async () => {
  names = {};
  quoted = () => Promise.resolve({ ok: true, value: { ...before, sender: 'cli_x', isBot: true } });
  await say(reply);
  expect(detailsOf()).toMatchObject({
    senderName: 'ou_1',
    chatName: 'oc_1',
    quoted: { senderName: 'Bot' },
  });
});

test('nobody waits for names longer than a second', async () => {
  findNames = () => new Promise(() => {});
  await say(reply);
  await pass(999);
  expect(asked).toEqual([]);
  await pass(2);
  expect(asked).toHaveLength(1);
});

test('of a long thread the last 20 messages are given', async () => {
  const all = Array.from({ length: 30 }, (_, at) => said(`om_${at}`, `${at}`));
  thread = (count) => Promise.resolve({ ok: true, value: all.slice(-count) });
  await say(inThread);
  const texts = detailsOf()?.thread?.map(({ text }) => Number(text));
  expect(texts).toEqual(Array.from({ length: 20 }, (_, at) => at + 10));
});

test('what is given is bounded: the quoted message is cut, and the oldest of the thread are left out', async () => {
  const long = 'x'.repeat(30_000);
  quoted = () => Promise.resolve({ ok: true, value: { ...before, text: long } });
  const many = Array.from({ length: 20 }, (_, at) => said(`om_${at}`, long));
  thread = () => Promise.resolve({ ok: true, value: many });
  await say(inThread);
  expect(detailsOf()?.quoted?.text).toHaveLength(20_000);
  expect(detailsOf()?.thread?.map(({ text }) => text.length)).toEqual(Array(5).fill(4_000));
  expect(detailsOf()?.thread?.at(-1)?.messageId).toBe('om_19');
});

test('an answer of the bot is quoted as the agent wrote it, and costs no call', async () => {
  answer = { kind: 'answered', text: '# Title\n\n- **one**\n- two' };
  await say(message);
  const { larkId } = (await journal.life(turnId(message.messageId)))?.out.flatMap(
    ({ state, body }) => (state.phase === 'sent' && body.kind === 'message' ? state : []),
  )[0] ?? { larkId: '' };
  const parentId = messageId(larkId);
  quoted = () =>
    Promise.resolve({ ok: true, value: said(larkId, 'a card', { sender: 'cli_x', isBot: true }) });
  await say({ ...reply, messageId: messageId('om_2'), parentId });
  expect(detailsOf()?.quoted?.text).toBe('# Title\n\n- **one**\n- two');
});

test('a message that the bridge knows is not asked for', async () => {
  await say({ ...message, messageId: messageId('om_before') });
  await say({ ...reply, messageId: messageId('om_2') });
  expect(detailsOf()?.quoted).toMatchObject({ senderName: 'Mei', text: 'hello' });
  expect(reads).toBe(0);
});

describe('a mention without words', () => {
  test('under a message makes that message the question', async () => {
    await say(mention);
    expect(asked.map(({ text }) => text)).toEqual(['look at this']);
    expect(detailsOf()?.quoted).toMatchObject({ senderName: 'Tom' });
    expect(told).toEqual([]);
  });

  test('under a message that was recalled asks nothing', async () => {
    quoted = () => Promise.resolve({ ok: true, value: undefined });
    await say(mention);
    expect(asked).toEqual([]);
    expect(told).toEqual([expect.stringMatching(/no question/)]);
    expect((await journal.turn(turnId(mention.messageId)))?.state.phase).toBe('answered');
  });

  test('under a message that can not be read is told, and the next message goes on', async () => {
    quoted = () => Promise.resolve({ ok: false, reason: 'Lark refused', isPassing: false });
    await say(mention);
    await say({ ...message, messageId: messageId('om_2') });
    expect(told).toEqual([expect.stringMatching(/could not read the message that you replied to/)]);
    expect(asked.map(({ text }) => text)).toEqual(['hello']);
  });

  test('that is edited before it is sent asks what it says then', async () => {
    answer = 'later';
    await say({ ...message, messageId: messageId('om_0') });
    await say(mention);
    const edited = {
      ...mention,
      parts: [{ kind: 'text', text: 'why?' }],
      edited: { atMs: 2_000 },
    } as const;
    await bridge.intake.admit({ kind: 'edited', message: edited, editedAtMs: 2_000 });
    for (const end of ends) end({ kind: 'answered', text: 'ok' });
    await pass();
    answer = { kind: 'answered', text: 'ok' };
    expect(asked.map(({ text }) => text)).toEqual(['hello', 'why?']);
  });
});

describe('a message that can not be read', () => {
  test('is tried again while that may help', async () => {
    const results = [
      { ok: false, reason: 'Lark is away', isPassing: true },
      { ok: true, value: before },
    ] as const;
    quoted = () => Promise.resolve(results[Math.min(reads - 1, 1)] ?? results[1]);
    await say(reply);
    await pass(1_000);
    expect(detailsOf()?.quoted?.text).toBe('look at this');
  });

  test('is told to the agent after ten seconds, and the turn goes on', async () => {
    quoted = () => new Promise(() => {});
    await say(reply);
    await pass(10_000);
    expect(detailsOf()?.quoted?.text).toMatch(/could not be read: Lark did not answer in time/);
  });
});

test('every try says the same, and a new run reads again', async () => {
  answer = { kind: 'failed', detail: 'no' };
  await say(reply);
  quoted = () => Promise.resolve({ ok: true, value: { ...before, text: 'changed' } });
  const first = (await journal.turn(turnId(reply.messageId)))?.details;
  expect(first?.quoted?.text).toBe('look at this');
  await say({
    ...reply,
    messageId: messageId('om_2'),
    parentId: undefined,
    parts: [{ kind: 'text', text: '/retry' }],
  });
  expect(detailsOf()?.quoted?.text).toBe('changed');
});

describe('what was recalled', () => {
  test('is not quoted by a later turn, nor shown in its thread, also after a restart', async () => {
    await recall('om_before');
    await recall('om_a');
    await bridge.stop();
    await open();
    await say(inThread);
    expect(detailsOf()?.quoted).toBeUndefined();
    expect(detailsOf()?.thread?.map(({ text }) => text)).toEqual(['two']);
  });

  test('is taken out of a turn that may still run', async () => {
    answer = { kind: 'failed', detail: 'no' };
    await say(inThread);
    expect(JSON.stringify(await journal.turn(turnId(inThread.messageId)))).toContain(
      'look at this',
    );
    await recall('om_before');
    await recall('om_b');
    const stored = JSON.stringify(await journal.turn(turnId(inThread.messageId)));
    expect(stored).not.toContain('look at this');
    expect(stored).not.toContain('two');
    expect(stored).toContain('one');
  });

  test('is not shown when the recall comes while it is being read', async () => {
    let end = () => {};
    findNames = () => new Promise((resolve) => (end = resolve));
    await say(inThread);
    await recall('om_before');
    end();
    await pass();
    expect(asked).toHaveLength(1);
    expect(detailsOf()?.quoted).toBeUndefined();
  });
});

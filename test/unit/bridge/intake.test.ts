/** The door of the bridge, with the real journal. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import { EventIntake, type EventIntakeParts } from '../../../src/bridge/intake/intake.ts';
import type { Admission } from '../../../src/bridge/ports/changes.ts';
import type { Journal } from '../../../src/bridge/ports/journal.ts';
import type { Outgoing } from '../../../src/bridge/ports/delivery.ts';
import { messageId, openId, turnId } from '../../../src/core/ids.ts';
import type { InboundMessage } from '../../../src/core/message.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { silentLog } from '../../kit/log.ts';
import { settle, VirtualClock } from '../../kit/clock.ts';
import { choiceValues, english, message } from './samples.ts';
import { createBridge, HUB } from './whole-bridge.ts';
import { writesUnderWay } from './writes-under-way.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';
import { temporaryFolder } from '../../kit/folder.ts';

let folder: string;
let db: Db;
let bridge: Bridge;
let journal: SqliteJournal;
let asked: string[];
let shown: Extract<Outgoing, { kind: 'reply' | 'send' }>[];
let isWriting: () => boolean;

beforeEach(async () => {
  folder = temporaryFolder();
  db = Db.open(join(folder, 'bridge.db'), silentLog);
  isWriting = writesUnderWay(db);
  const clock = new VirtualClock(message.sentAtMs);
  journal = new SqliteJournal({ db, app: message.appId, clock });
  asked = [];
  shown = [];
  bridge = createBridge({
    db,
    clock,
    lark: {
      form: contentForm,
      deliver: (out) => {
        if (out.kind === 'reply' || out.kind === 'send') shown.push(out);
        return Promise.resolve({ ok: true, id: `om_out_${shown.length}` });
      },
      history: () => Promise.resolve([]),
    },
    target: {
      ...HUB,
      send: ({ text }) => {
        asked.push(text);
        return Promise.resolve({ kind: 'answered', text });
      },
      wait: () => Promise.resolve({ kind: 'pending' }),
    },
  });
  await bridge.start();
});

afterEach(async () => {
  await bridge.stop();
  db.close();
});

const recall = () => {
  const { appId, chatId, messageId: id } = message;
  return bridge.intake.admit({ kind: 'recalled', appId, chatId, messageId: id, eventId: 'e2' });
};

const told = () =>
  shown.map((out) => ('content' in out && out.content.kind !== 'choice' ? out.content.text : ''));

test.each([
  ['before it', async (say: () => Promise<void>) => [await recall(), await say()]],
  ['while it is being written', (say: () => Promise<void>) => Promise.all([say(), recall()])],
])('a message whose recall comes %s is never run', async (_when, admit) => {
  await admit(async () => {
    await bridge.intake.admit({ kind: 'message', message });
  });
  await settle(isWriting);
  expect(asked).toEqual([]);
  const turn = await journal.turn(turnId(message.messageId));
  expect(turn?.state).toEqual({ phase: 'dropped', why: 'recalled' });
});

describe('a message that can not be read', () => {
  const { appId, chatId } = message;
  const about = { appId, chatId, messageId: message.messageId, eventId: 'e1' };
  const tell = (eventId: string, threadId?: string) =>
    bridge.intake.admit({ kind: 'unreadable', ...about, eventId, threadId });
  const toldAs = () => shown.map((out) => JSON.stringify(out.content));

  test.each([
    ['in its chat', undefined, false],
    ['in its thread', 'omt_1', true],
  ])('gets one notice, %s, as a reply to it', async (_where, threadId, inThread) => {
    await tell('e1', threadId);
    await tell('e2', threadId);
    await settle(isWriting);
    expect(shown).toMatchObject([{ kind: 'reply', chatId, replyTo: message.messageId, inThread }]);
    expect(toldAs()[0]).toContain('could not read it');
    expect(asked).toEqual([]);
  });

  test('is answered without a notice if another delivery of it could be read', async () => {
    await bridge.intake.admit({ kind: 'message', message });
    await tell('e2');
    await settle(isWriting);
    expect(toldAs().filter((text) => text.includes('read it'))).toEqual([]);
    expect(asked).toEqual(['hello']);
  });

  test('gets no notice if it was recalled', async () => {
    await recall();
    await tell('e2');
    await settle(isWriting);
    expect(shown).toEqual([]);
  });
});

test('a message without visible text asks nothing, also in a direct chat, where nobody is mentioned', async () => {
  await bridge.intake.admit({
    kind: 'message',
    message: { ...message, parts: [{ kind: 'text', text: '\u200B\uFEFF \u2060' }] },
  });
  await settle(isWriting);
  expect(asked).toEqual([]);
  expect(told()).toEqual(['I see no question in your message. What can I do for you?']);
});

describe('messages of an unsupported kind', () => {
  let sent = 0;

  const send = async (messageType: string, more: Partial<InboundMessage> = {}) => {
    sent += 1;
    const parts = [{ kind: 'unsupported', messageType }] as const;
    const one = { ...message, messageId: messageId(`om_${sent}`), parts, ...more };
    await bridge.intake.admit({ kind: 'message', message: one });
    await settle(isWriting);
  };

  test('nine pictures at once get one notice, under the first', async () => {
    const first = sent + 1;
    for (let at = 0; at < 9; at += 1) await send('image', { sentAtMs: 1_000 + at * 400 });
    expect(told()).toEqual([expect.stringContaining('(image)')]);
    expect(shown).toEqual([expect.objectContaining({ replyTo: `om_${first}` })]);
  });

  test('the time of sending counts: a picture that Lark delivers late belongs to the same group', async () => {
    await send('image', { sentAtMs: 1_000_000 });
    await send('image', { sentAtMs: 998_000 });
    expect(told()).toHaveLength(1);
  });

  test.each([
    ['a minute later', { sentAtMs: message.sentAtMs + 60_001 }],
    ['of another person', { senderOpenId: openId('ou_2') }],
    ['in a thread', { threadId: 'omt_1' }],
  ])('one %s gets its own notice', async (_which, more) => {
    await send('image');
    await send('image', more);
    expect(told()).toHaveLength(2);
  });

  test('one of another kind gets its own notice', async () => {
    await send('image');
    await send('file');
    expect(told()).toEqual([expect.stringContaining('(image)'), expect.stringContaining('(file)')]);
  });
});

describe('messages that the bridge itself answers', () => {
  test.each([
    ['no text', [{ kind: 'unsupported', messageType: 'image' }]],
    [
      'a text and something that it can not read',
      [...message.parts, { kind: 'unsupported', messageType: 'image' }],
    ],
    ['an empty text', [{ kind: 'text', text: ' \n' }]],
  ] as const)(
    'LCM-IN-06: %s gets a notice in the chat, and the agent does not get it',
    async (_what, parts) => {
      await bridge.intake.admit({ kind: 'message', message: { ...message, parts } });
      await settle(isWriting);
      expect(shown).toHaveLength(1);
      expect(asked).toEqual([]);
      expect((await journal.turn(turnId(message.messageId)))?.state.phase).toBe('answered');
    },
  );
});

describe('LCM-IN-09: the ids in memory', () => {
  const { appId, chatId } = message;
  const about = { appId, chatId };
  /** A number that any bound stays under. */
  const MANY = 20_000;
  const idOf = (n: number) => messageId(`om_${n}`);

  /** A journal that knows every message already, and counts how often it is asked. */
  function door() {
    let admissions: Admission[] = [];
    const part = new EventIntake({
      journal: {
        admit: (admission: Admission) => {
          admissions.push(admission);
          return Promise.resolve(undefined);
        },
        askable: () => Promise.resolve([]),
        turn: () => Promise.resolve(undefined),
      } as unknown as Journal,
      access: {
        guard: (admission: Admission) => admission,
      } as unknown as EventIntakeParts['access'],
      engine: {
        offer: () => {},
        forget: () => Promise.resolve(),
        typedAnswers: { meantBy: () => undefined },
      } as unknown as EventIntakeParts['engine'],
      said: undefined as unknown as EventIntakeParts['said'],
      sessions: undefined as unknown as EventIntakeParts['sessions'],
      delivery: undefined as unknown as EventIntakeParts['delivery'],
      storeRetry: undefined as unknown as EventIntakeParts['storeRetry'],
      choices: choiceValues,
      approvals: undefined as unknown as EventIntakeParts['approvals'],
      languages: english,
      clock: new VirtualClock(message.sentAtMs),
      log: silentLog,
    });
    const say = async (n: number) => {
      admissions = [];
      await part.admit({ kind: 'message', message: { ...message, messageId: idOf(n) } });
      return admissions;
    };
    const recallOf = (n: number) =>
      part.admit({ kind: 'recalled', ...about, messageId: idOf(n), eventId: `e${n}` });
    return { say, recallOf };
  }

  test('a recent message is known without a read of the journal, and the id of an old one is not kept in memory', async () => {
    const { say } = door();
    for (let n = 0; n < MANY; n += 1) await say(n);
    expect(await say(MANY - 1)).toEqual([]);
    expect(await say(0)).toHaveLength(1);
  });

  test('an old recall whose message never came is not kept in memory', async () => {
    const { say, recallOf } = door();
    for (let n = 0; n < MANY; n += 1) await recallOf(n);
    expect(await say(MANY - 1)).toMatchObject([{ state: { phase: 'dropped', why: 'recalled' } }]);
    expect(await say(0)).toMatchObject([{ state: { phase: 'waiting' } }]);
  });
});

test('`/retry` does not run an old message that waits for `/run` or `/skip`: the question is asked again', async () => {
  const say = (id: string, text: string, sentAtMs: number) =>
    bridge.intake.admit({
      kind: 'message',
      message: { ...message, messageId: messageId(id), sentAtMs, parts: [{ kind: 'text', text }] },
    });
  await say('om_old', 'old', message.sentAtMs - 60 * 60_000);
  await say('om_word', '/retry', message.sentAtMs);
  await settle(isWriting);
  expect(asked).toEqual([]);
  expect(shown).toMatchObject([{ content: { kind: 'choice' } }, { content: { kind: 'choice' } }]);
});

/** What an edit of a message does to its turn, with the real journal. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import type { Outgoing } from '../../../src/bridge/ports/delivery.ts';
import type { SendResult } from '../../../src/bridge/ports/target.ts';
import { messageId, turnId } from '../../../src/core/ids.ts';
import type { InboundMessage } from '../../../src/core/message.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';
import type { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import type { Db } from '../../../src/store/sqlite/db.ts';
import { settle, type VirtualClock } from '../../kit/clock.ts';
import { message } from './samples.ts';
import { createBridge, HUB, openJournal } from './whole-bridge.ts';

const ID = turnId(message.messageId);
const STALE_MS = 31 * 60_000;

let db: Db;
let clock: VirtualClock;
let bridge: Bridge;
let journal: SqliteJournal;
let isWriting: () => boolean;
let asked: string[];
let told: string[];
let answers: ((result: SendResult) => void)[];

beforeEach(async () => {
  ({ db, isWriting, clock, journal } = openJournal());
  asked = [];
  told = [];
  answers = [];
  bridge = createBridge({
    db,
    clock,
    lark: {
      form: contentForm,
      deliver: (out: Outgoing) => {
        if ('content' in out && out.content.kind === 'notice') told.push(out.content.text);
        return Promise.resolve({ ok: true, id: `om_out_${told.length}` });
      },
      history: () => Promise.resolve([]),
    },
    target: {
      ...HUB,
      send: ({ text }) => {
        asked.push(text);
        return new Promise((resolve) => answers.push(resolve));
      },
      wait: () => Promise.resolve({ kind: 'pending' }),
    },
  });
  await bridge.start();
});

afterEach(async () => {
  for (const end of answers) end({ kind: 'answered', text: 'ok' });
  await bridge.stop();
  db.close();
});

const first = { ...message, messageId: messageId('om_0') };

async function say(said: InboundMessage): Promise<void> {
  await bridge.intake.admit({ kind: 'message', message: said });
  await settle(isWriting);
}

async function edit(text: string, atMs: number, eventId = `e_${atMs}`): Promise<void> {
  const edited = {
    ...message,
    eventId,
    parts: [{ kind: 'text', text }],
    edited: { atMs },
  } as const;
  await bridge.intake.admit({ kind: 'edited', message: edited, editedAtMs: atMs });
  await settle(isWriting);
}

async function answer(result: SendResult = { kind: 'answered', text: 'ok' }): Promise<void> {
  answers.shift()?.(result);
  await settle(isWriting);
}

const partsOf = async () => (await journal.turn(ID))?.message.parts;

describe('a turn that waits', () => {
  beforeEach(async () => {
    await say(first);
    await say(message);
  });

  test('takes the new text', async () => {
    await edit('hello again', 2_000);
    await answer();
    expect(asked).toEqual(['hello', 'hello again']);
    expect(told).toEqual([]);
  });

  test('keeps the newest text, in whatever order edits come, and however often', async () => {
    await edit('second', 3_000);
    await edit('first', 2_000);
    await edit('not the second', 3_000, 'e_again');
    expect(await partsOf()).toEqual([{ kind: 'text', text: 'second' }]);
  });

  test('an edit brings back nothing of a message that was recalled', async () => {
    const { appId, chatId, messageId: id } = message;
    await bridge.intake.admit({ kind: 'recalled', appId, chatId, messageId: id, eventId: 'e_r' });
    await edit('hello again', 2_000);
    expect(await partsOf()).toEqual([]);
    await answer();
    expect(asked).toEqual(['hello']);
  });
});

describe('a turn at work', () => {
  beforeEach(() => say(message));

  test('keeps its text, and the person gets one line, however often they edit', async () => {
    await edit('hello again', 2_000);
    await edit('hello again', 2_000, 'e_again');
    await edit('hello once more', 3_000);
    expect(told).toEqual([expect.stringMatching(/before the change/)]);
    await answer();
    expect(asked).toEqual(['hello']);
  });

  test('that fails runs again with the newest text', async () => {
    await edit('hello again', 2_000);
    await answer({ kind: 'refused', detail: 'no' });
    await say({
      ...message,
      messageId: messageId('om_2'),
      parts: [{ kind: 'text', text: '/retry' }],
    });
    expect(asked).toEqual(['hello', 'hello again']);
    expect(await partsOf()).toEqual([{ kind: 'text', text: 'hello again' }]);
  });

  test('keeps nothing of an edit when its message is recalled', async () => {
    await edit('a secret', 2_000);
    const { appId, chatId, messageId: id } = message;
    await bridge.intake.admit({ kind: 'recalled', appId, chatId, messageId: id, eventId: 'e_r' });
    await settle(isWriting);
    expect(JSON.stringify(await journal.turn(ID))).not.toContain('a secret');
  });
});

test('a turn that may have reached the agent is one at work', async () => {
  await say(message);
  await answer({ kind: 'unknown', detail: 'it broke' });
  expect((await journal.turn(ID))?.state.phase).toBe('waiting');
  await edit('hello again', 2_000);
  expect(told).toHaveLength(1);
  expect(await partsOf()).toEqual(message.parts);
});

test('an edit of a message that was answered does nothing', async () => {
  await say(message);
  await answer();
  const before = await journal.turn(ID);
  await edit('hello again', 2_000);
  expect(await journal.turn(ID)).toEqual(before);
  expect(asked).toEqual(['hello']);
  expect(told).toEqual([]);
});

test('a failed turn runs again with the new text', async () => {
  await say(message);
  await answer({ kind: 'refused', detail: 'no' });
  await edit('hello again', 2_000);
  await say({
    ...message,
    messageId: messageId('om_2'),
    parts: [{ kind: 'text', text: '/retry' }],
  });
  expect(asked).toEqual(['hello', 'hello again']);
});

describe('an edit that adds the mention', () => {
  test('starts one turn, and no second one when it or the message comes again', async () => {
    await edit('hello again', 2_000);
    await edit('hello again', 2_000, 'e_again');
    await say(message);
    await answer();
    await edit('hello once more', 3_000);
    expect(asked).toEqual(['hello again']);
  });

  test('to an old message is a new question: nobody is asked whether it is still wanted', async () => {
    await edit('hello again', message.sentAtMs + STALE_MS);
    expect(asked).toEqual(['hello again']);
  });

  test('counts when the message comes at the same moment', async () => {
    const parts = [{ kind: 'text', text: 'hello again' }] as const;
    const edited = { ...message, parts, edited: { atMs: 2_000 } };
    await say(first);
    await Promise.all([
      bridge.intake.admit({ kind: 'message', message }),
      bridge.intake.admit({ kind: 'edited', message: edited, editedAtMs: 2_000 }),
    ]);
    await settle(isWriting);
    await answer();
    expect(asked).toEqual(['hello', 'hello again']);
  });
});

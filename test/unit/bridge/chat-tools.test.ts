/** What an agent at work does in the chat of its turn, with the real journal and files on the disk. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import type { DeliveryResult, Outgoing } from '../../../src/bridge/ports/delivery.ts';
import type { Upload } from '../../../src/bridge/ports/answer-files.ts';
import type { DatedMessage, ReadResult } from '../../../src/bridge/ports/said-before.ts';
import type { TurnAnswer } from '../../../src/bridge/ports/target.ts';
import { chatId, messageId } from '../../../src/core/ids.ts';
import type { InboundMessage, LarkContext } from '../../../src/core/message.ts';
import { AnswerFilesOnDisk } from '../../../src/files/answer-files.ts';
import { emojiNamed } from '../../../src/lark/content/emojis.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';
import type { Db } from '../../../src/store/sqlite/db.ts';
import type { VirtualClock } from '../../kit/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { message } from './samples.ts';
import { createBridge, HUB, openJournal, passTime } from './whole-bridge.ts';

const NOTES = { name: 'notes.txt', bytes: Buffer.from('all is well') };
const TURN_OVER = { refused: 'the work on this message is over' };
const of: LarkContext = {
  brand: 'feishu',
  chatId: 'oc_1',
  chatType: 'p2p',
  senderOpenId: 'ou_1',
  messageId: 'om_1',
};

let db: Db;
let clock: VirtualClock;
let bridge: Bridge;
let isWriting: () => boolean;
let folder: string;
let shown: Outgoing[];
let uploads: (Upload & { bytes: string })[];
let answerWith: ((result: TurnAnswer) => void) | undefined;
let deliver: (out: Outgoing) => DeliveryResult;
let latest: (query: { count: number; before?: string }) => ReadResult<readonly DatedMessage[]>;

beforeEach(async () => {
  ({ db, isWriting, clock } = openJournal());
  folder = temporaryFolder();
  shown = [];
  uploads = [];
  answerWith = undefined;
  deliver = () => ({ ok: true, id: `om_out_${shown.length}` });
  latest = () => ({ ok: true, value: [] });
  await open();
});

afterEach(async () => {
  answerWith?.({ kind: 'answered', text: 'ok' });
  await bridge.stop();
  db.close();
});

async function open(): Promise<void> {
  bridge = createBridge({
    db,
    clock,
    answerFiles: new AnswerFilesOnDisk(folder),
    lark: {
      form: contentForm,
      deliver: (out) => {
        shown.push(out);
        return Promise.resolve(deliver(out));
      },
      history: () => Promise.resolve([]),
      upload: (file) => {
        uploads.push({ ...file, bytes: readFileSync(file.path ?? '', 'utf8') });
        return Promise.resolve({ ok: true, id: 'file_1' });
      },
      emojiNamed,
      surroundings: {
        quotedBy: () => Promise.resolve({ ok: true, value: undefined }),
        threadBefore: () => Promise.resolve({ ok: true, value: [] }),
        latest: (_where, query) => Promise.resolve(latest(query)),
        findNames: () => Promise.resolve(),
        nameOf: (id) => ({ ou_1: 'Mei', ou_tom: 'Tom' })[id],
      },
    },
    target: {
      ...HUB,
      send: () =>
        new Promise((resolve) => {
          answerWith = resolve;
        }),
      wait: () => Promise.resolve({ kind: 'pending' }),
    },
  });
  await bridge.start();
}

const pass = (durationMs = 0) => passTime(clock, { isWriting, durationMs });

async function say(one: InboundMessage = message): Promise<void> {
  await bridge.intake.admit({ kind: 'message', message: one });
  await pass();
}

async function end(text = 'ok'): Promise<void> {
  answerWith?.({ kind: 'answered', text });
  answerWith = undefined;
  await pass();
}

async function recall(id: string): Promise<void> {
  const about = { appId: message.appId, chatId: message.chatId, messageId: messageId(id) };
  await bridge.intake.admit({ kind: 'recalled', ...about, eventId: `recall_${id}` });
  await pass();
}

const contents = () => shown.flatMap((out) => ('content' in out ? out.content : []));
const reactions = () =>
  shown.flatMap((out) => (out.kind === 'react' && out.emoji !== 'Typing' ? out : []));

describe('a file', () => {
  test('is shown under the message of the turn, after its caption and before the answer', async () => {
    await say();
    expect(await bridge.chatTools.sendFile(of, NOTES, 'The **notes**')).toEqual({});
    await pass();
    await end('done');
    expect(contents()).toMatchObject([
      { kind: 'answer', text: 'The **notes**' },
      { kind: 'file', as: 'file', name: 'notes.txt' },
      { kind: 'answer', text: 'done' },
    ]);
    expect(shown.filter(({ kind }) => kind === 'reply')).toMatchObject(
      [1, 2, 3].map(() => ({ replyTo: 'om_1', inThread: false })),
    );
    expect(uploads).toMatchObject([{ name: 'notes.txt', bytes: 'all is well' }]);
    // Lark has it, so the copy is gone.
    expect(readdirSync(folder)).toEqual([]);
  });

  test('without a caption is one message, and each call shows one', async () => {
    await say();
    await bridge.chatTools.sendFile(of, NOTES);
    await bridge.chatTools.sendFile(of, NOTES);
    await pass();
    expect(contents()).toMatchObject([{ kind: 'file' }, { kind: 'file' }]);
  });

  test('that was stored is shown by the next process, once', async () => {
    await say();
    const down = { ok: false, action: 'retry', code: undefined, detail: 'no network' } as const;
    deliver = (out) => ('content' in out ? down : { ok: true, id: 'om_out' });
    await bridge.chatTools.sendFile(of, NOTES);
    await end('done');
    expect(readdirSync(folder)).toHaveLength(1);
    await bridge.stop();
    deliver = () => ({ ok: true, id: 'om_out' });
    shown = [];
    await open();
    await pass(60_000);
    expect(contents()).toMatchObject([{ kind: 'file', name: 'notes.txt' }, { text: 'done' }]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is not sent after the end of the turn, and nothing of it stays', async () => {
    await say();
    await end();
    expect(await bridge.chatTools.sendFile(of, NOTES)).toEqual(TURN_OVER);
    await pass();
    expect(contents()).toMatchObject([{ text: 'ok' }]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is not sent if the turn ends while it is being stored', async () => {
    await say();
    const sent = bridge.chatTools.sendFile(of, NOTES);
    const recalled = recall('om_1');
    expect([{}, TURN_OVER]).toContainEqual(await sent);
    await recalled;
    await pass();
    expect(contents()).toEqual([]);
  });

  test('is not sent to another chat, or for a message that nobody knows', async () => {
    await say();
    const elsewhere = { ...of, chatId: 'oc_2' };
    expect(await bridge.chatTools.sendFile(elsewhere, NOTES)).toEqual(TURN_OVER);
    const unknown = { ...of, messageId: 'om_9' };
    expect(await bridge.chatTools.sendFile(unknown, NOTES)).toEqual(TURN_OVER);
    expect(contents()).toEqual([]);
  });

  test('that the disk does not take is refused in words', async () => {
    await say();
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'in the way');
    const { refused } = await bridge.chatTools.sendFile(of, NOTES);
    expect(refused).toMatch(/could not be kept/);
  });
});

describe('a reaction', () => {
  test('is on the message of the turn, in the spelling of Lark, once', async () => {
    await say();
    expect(await bridge.chatTools.react(of, 'thumbsup')).toEqual({});
    expect(await bridge.chatTools.react(of, 'THUMBSUP')).toEqual({});
    await pass();
    expect(reactions()).toMatchObject([{ emoji: 'THUMBSUP', messageId: 'om_1' }]);
  });

  test('that Lark does not know is refused in words', async () => {
    await say();
    expect(await bridge.chatTools.react(of, ':tada:')).toEqual({
      refused: 'Lark has no emoji of that name',
    });
    await end();
    expect(await bridge.chatTools.react(of, 'OK')).toEqual(TURN_OVER);
    expect(reactions()).toEqual([]);
  });
});

describe('the history', () => {
  const dated = (id: string, text: string, more: Partial<DatedMessage> = {}): DatedMessage => ({
    messageId: messageId(id),
    sender: 'ou_tom',
    isBot: false,
    text,
    sentAtMs: 500,
    ...more,
  });

  test('comes from Lark, with names, what the agent wrote, and without what was recalled', async () => {
    await say();
    await end('**bold**');
    const answered = shown.length;
    await recall('om_gone');
    await say({ ...message, messageId: messageId('om_2'), eventId: 'e2' });
    const queries: unknown[] = [];
    latest = (query) => {
      queries.push(query);
      const bot = { isBot: true, sender: message.appId };
      return {
        ok: true,
        value: [
          dated('om_a', 'hello'),
          dated('om_gone', 'secret'),
          dated(`om_out_${answered}`, '[card]', bot),
          dated('om_b', '[card]', bot),
        ],
      };
    };
    const read = await bridge.chatTools.readHistory(
      { ...of, messageId: 'om_2' },
      { limit: 7, before: 'om_9' },
    );
    expect(queries).toEqual([{ count: 7, before: 'om_9' }]);
    expect(read).toEqual([
      { id: 'om_a', sender: 'Tom', text: 'hello', atMs: 500 },
      { id: `om_out_${answered}`, sender: 'Bot', text: '**bold**', atMs: 500 },
      { id: 'om_b', sender: 'Bot', text: '[card]', atMs: 500 },
    ]);
  });

  test.each([
    ['of the chat', undefined, ['om_1', 'om_3']],
    ['of the thread', 'omt_1', ['om_2']],
  ])('%s comes from the journal where Lark shows none', async (_where, threadId, expected) => {
    latest = () => ({ ok: false, reason: 'no permission', isPassing: false });
    const ask = async (id: string, more: Partial<InboundMessage> = {}) => {
      await say({ ...message, messageId: messageId(id), eventId: id, ...more });
    };
    const add = async (id: string, more: Partial<InboundMessage> = {}) => {
      await ask(id, more);
      await end(`answer to ${id}`);
    };
    await add('om_1');
    await add('om_2', { threadId: 'omt_1' });
    await add('om_3');
    await add('om_4', { chatId: chatId('oc_2') });
    await ask('om_5', threadId === undefined ? {} : { threadId });
    const now = { ...of, messageId: 'om_5' };
    const read = await bridge.chatTools.readHistory(now, { limit: 50 });
    expect(read.filter(({ sender }) => sender === 'Mei').map(({ id }) => id)).toEqual(expected);
    const texts = read.flatMap(({ sender, text }) => (sender === 'Bot' ? text : []));
    expect(texts).toEqual(expected.map((id) => `answer to ${id}`));
    const older = await bridge.chatTools.readHistory(now, { limit: 50, before: 'om_3' });
    expect(older.map(({ id }) => id)).not.toContain('om_3');
    expect(await bridge.chatTools.readHistory(now, { limit: 50, before: 'om_4' })).toEqual([]);
    expect(await bridge.chatTools.readHistory(now, { limit: 1 })).toHaveLength(1);
  });

  test('is not shown after the end of the turn, nor of another chat', async () => {
    await say();
    latest = () => ({ ok: true, value: [dated('om_a', 'hello')] });
    expect(await bridge.chatTools.readHistory({ ...of, chatId: 'oc_2' }, { limit: 5 })).toEqual([]);
    expect(await bridge.chatTools.readHistory(of, { limit: 5 })).toHaveLength(1);
    await end();
    expect(await bridge.chatTools.readHistory(of, { limit: 5 })).toEqual([]);
  });
});

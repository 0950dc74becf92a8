/** Messages that come while no bridge runs, with the real journal. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HeldMessages } from '../../../src/bridge/intake/held-messages.ts';
import { messageId, turnId } from '../../../src/core/ids.ts';
import type { InboundEvent, InboundMessage } from '../../../src/core/message.ts';
import { SqliteGaps } from '../../../src/store/sqlite/bridge/gaps.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { english, message } from './samples.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';

const HOUR_MS = 60 * 60_000;

let folder: string;
let db: Db;
let journal: SqliteJournal;
let held: HeldMessages;

beforeEach(() => {
  folder = temporaryFolder();
  db = Db.open(join(folder, 'bridge.db'), silentLog);
  const clock = new VirtualClock(message.sentAtMs);
  journal = new SqliteJournal({ db, app: message.appId, clock });
  held = new HeldMessages({
    journal,
    languages: english,
    clock,
    restoredAtMs: undefined,
    prefix: '/',
  });
});

afterEach(() => {
  db.close();
});

const stateOf = async ({ messageId: id }: InboundMessage = message) =>
  (await journal.turn(turnId(id)))?.state;

test('a message is stored once for the next bridge', async () => {
  await held.admit({ kind: 'message', message });
  await held.admit({ kind: 'message', message });
  expect(await stateOf()).toMatchObject({ phase: 'waiting' });
  expect(await journal.openTurns()).toHaveLength(1);
});

test('messages are checked as a bridge checks them: an old one leads to a question, and a command is a command', async () => {
  const later = new HeldMessages({
    journal,
    languages: english,
    clock: new VirtualClock(message.sentAtMs + HOUR_MS),
    restoredAtMs: undefined,
    prefix: '/',
  });
  await later.admit({ kind: 'message', message });
  expect(await stateOf()).toEqual({ phase: 'held', why: 'stale' });
  expect(await journal.pendingOut()).toHaveLength(1);
  const command = {
    ...message,
    messageId: messageId('om_2'),
    parts: [{ kind: 'text', text: '/run' }],
  };
  await held.admit({ kind: 'message', message: command as InboundMessage });
  expect(await stateOf(command as InboundMessage)).toEqual({
    phase: 'command',
    action: 'run',
    about: ['om_1'],
  });
});

test('a settled message does not become a turn, and is known when the chat is read back', async () => {
  await held.settle(message);
  expect(await stateOf()).toEqual({ phase: 'answered' });
  expect(await journal.openTurns()).toEqual([]);
  expect(await journal.pendingOut()).toEqual([]);
  expect(await new SqliteGaps(db, message.appId).isKnown(message.messageId)).toBe(true);
});

const { appId, chatId, senderOpenId: operatorOpenId } = message;
const about = { appId, chatId, messageId: message.messageId, eventId: 'e2' };

test.each<InboundEvent>([
  { kind: 'recalled', ...about },
  { kind: 'unreadable', ...about, threadId: undefined },
  { kind: 'button', ...about, operatorOpenId, value: {} },
])('$kind is refused, so that Lark delivers it again', async (event) => {
  await expect(held.admit(event)).rejects.toMatchObject({ code: 'failed' });
});

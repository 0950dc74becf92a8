import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { appId, chatId, messageId } from '../../../src/core/ids.ts';
import type { InboundMessage } from '../../../src/core/message.ts';
import { SqliteGaps } from '../../../src/store/sqlite/bridge/gaps.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { message } from '../../unit/bridge/samples.ts';
import { silentLog } from '../../kit/log.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { clockWithoutTimers } from '../../kit/clock.ts';

let folder: string;
let db: Db;
let gaps: SqliteGaps;

beforeEach(() => {
  folder = temporaryFolder();
  db = Db.open(join(folder, 'bridge.db'), silentLog);
  gaps = new SqliteGaps(db, message.appId);
});
afterEach(() => {
  db.close();
});

let count = 0;

async function admit(receivedAtMs: number, change: Partial<InboundMessage> = {}): Promise<void> {
  count += 1;
  const admitted = { ...message, messageId: messageId(`om_${count}`), ...change };
  const clock = clockWithoutTimers(() => receivedAtMs);
  const journal = new SqliteJournal({ db, app: admitted.appId, clock });
  await journal.admit({ message: admitted, receivedAtMs, state: { phase: 'answered' }, out: [] });
}

test('threads: the most recently active first, each once, of all chats, so many', async () => {
  await admit(1_000, { threadId: 'omt_1' });
  await admit(2_000, { threadId: 'omt_2', chatId: chatId('oc_2') });
  await admit(3_000, { threadId: 'omt_1' });
  await admit(4_000);
  expect(await gaps.threads(0, 10)).toEqual([
    { chatId: message.chatId, threadId: 'omt_1', lastMessageAtMs: 3_000 },
    { chatId: 'oc_2', threadId: 'omt_2', lastMessageAtMs: 2_000 },
  ]);
  expect(await gaps.threads(0, 1)).toHaveLength(1);
});

test('threads: none that were quiet for long, and none of another app', async () => {
  await admit(1_000, { threadId: 'omt_old' });
  await admit(2_000, { threadId: 'omt_other', appId: appId('cli_ffffffffffffffff') });
  await admit(2_000, { threadId: 'omt_new' });
  expect(await gaps.threads(1_500, 10)).toMatchObject([{ threadId: 'omt_new' }]);
});

test('threads are still known when the text of their turns is forgotten', async () => {
  await admit(1_000, { threadId: 'omt_1' });
  const journal = new SqliteJournal({
    db,
    app: message.appId,
    clock: clockWithoutTimers(() => 5_000),
  });
  await journal.prune({ endedBeforeMs: 4_000, keepIds: 100, deadBeforeMs: 0, limit: 100 });
  expect(await gaps.threads(0, 10)).toMatchObject([{ threadId: 'omt_1' }]);
});

test('chats: the most recently active first, with how far each was read back', async () => {
  await admit(1_000, { chatId: chatId('oc_a') });
  await admit(2_000, { chatId: chatId('oc_b') });
  await gaps.noteRead(chatId('oc_a'), 1_500);
  expect(await gaps.chats(0, 10)).toEqual([
    { chatId: 'oc_b', lastMessageAtMs: 2_000, readUntilMs: 0 },
    { chatId: 'oc_a', lastMessageAtMs: 1_000, readUntilMs: 1_500 },
  ]);
  expect(await gaps.chats(1_500, 10)).toMatchObject([{ chatId: 'oc_b' }]);
});

test('a gap begins where the first outage began, and is there until it is closed', async () => {
  expect(await gaps.gap()).toBeUndefined();
  await gaps.openGap(1_000);
  await gaps.openGap(2_000);
  expect(await gaps.gap()).toBe(1_000);
  await gaps.closeGap();
  expect(await gaps.gap()).toBeUndefined();
});

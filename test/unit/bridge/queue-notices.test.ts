/** People whose message waits: the bridge with the real journal on a virtual clock. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chatId, messageId } from '../../../src/core/ids.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';
import { message } from './samples.ts';
import { createBridge, HUB, passTime } from './whole-bridge.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';
import { writesUnderWay } from './writes-under-way.ts';

const CHATS = 60;

test('F19: a stop does not wait until everybody in line has been told', async () => {
  const db = Db.open(join(temporaryFolder(), 'bridge.db'), silentLog);
  const isWriting = writesUnderWay(db);
  const clock = new VirtualClock(message.sentAtMs);
  let shown = 0;
  const bridge = createBridge({
    db,
    clock,
    turnTimeoutMs: 60_000,
    lark: {
      form: contentForm,
      deliver: ({ kind }) => {
        if (kind === 'reply') shown += 1;
        return Promise.resolve({ ok: true, id: 'om_out' });
      },
      history: () => Promise.resolve([]),
    },
    target: {
      ...HUB,
      send: (_turn, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve({ kind: 'unknown', detail: 'cut' }));
        }),
      wait: () => Promise.resolve({ kind: 'pending' }),
    },
  });
  await bridge.start();
  for (let at = 0; at < CHATS; at++) {
    const said = { ...message, messageId: messageId(`om_${at}`), chatId: chatId(`oc_${at}`) };
    await bridge.intake.admit({ kind: 'message', message: said });
  }
  await passTime(clock, { isWriting, durationMs: 4_500 });
  // The round in which everybody is told has begun when the stop comes: one write after another.
  const untilMs = clock.nowMs() + 1_000;
  while (clock.step(untilMs));
  await bridge.stop();
  const journal = new SqliteJournal({ db, app: message.appId, clock });
  const pending = (await journal.pendingOut()).filter(({ body }) => body.kind === 'message');
  db.close();
  const told = shown + pending.length;
  expect(told).toBeGreaterThan(0);
  expect(told).toBeLessThan(CHATS / 2);
});

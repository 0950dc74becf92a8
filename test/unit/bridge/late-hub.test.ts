/** A hub that was away at the start says only later that it can tell answers apart. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import { chatId, messageId, workspaceId } from '../../../src/core/ids.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { settle, VirtualClock } from '../../kit/clock.ts';
import { message } from './samples.ts';
import { createBridge } from './whole-bridge.ts';
import { writesUnderWay } from './writes-under-way.ts';
import type { WaitResult } from '../../../src/bridge/ports/target.ts';
import { silentLog } from '../../kit/log.ts';
import { temporaryFolder } from '../../kit/folder.ts';

let folder: string;
let db: Db;
let bridge: Bridge;
let isWriting: () => boolean;
let correlates: boolean;
/** What the agent got, in the order in which it did. */
let asked: string[];
let answers: Map<string, (result: WaitResult) => void>;

beforeEach(async () => {
  folder = temporaryFolder();
  db = Db.open(join(folder, 'bridge.db'), silentLog);
  isWriting = writesUnderWay(db);
  const clock = new VirtualClock(message.sentAtMs);
  correlates = false;
  asked = [];
  answers = new Map();
  bridge = createBridge({
    db,
    clock,
    target: {
      get correlates() {
        return correlates;
      },
      deduplicates: true,
      currentTarget: () => Promise.resolve(workspaceId('agent')),
      send: ({ text }) => {
        asked.push(text);
        return Promise.resolve({ kind: 'accepted', ticket: text });
      },
      wait: (_workspace, ticket, signal) =>
        new Promise((resolve) => {
          answers.set(ticket, resolve);
          signal.addEventListener('abort', () => resolve({ kind: 'pending' }));
        }),
    },
  });
  await bridge.start();
});

afterEach(async () => {
  await bridge.stop();
  db.close();
});

async function say(text: string, chat = 'oc_1'): Promise<void> {
  const said = {
    ...message,
    messageId: messageId(`om_${text}`),
    chatId: chatId(chat),
    parts: [{ kind: 'text' as const, text }],
  };
  await bridge.intake.admit({ kind: 'message', message: said });
  await settle(isWriting);
}

async function answer(text: string): Promise<void> {
  answers.get(text)?.({ kind: 'answered', text });
  await settle(isWriting);
}

test('until the hub is known one turn runs at a time, after that one per chat, in the order of the chat', async () => {
  await say('a1');
  await say('a2');
  await say('b1', 'oc_2');
  expect(asked).toEqual(['a1']);
  correlates = true;
  await say('a3');
  expect(asked).toEqual(['a1', 'b1']);
  await answer('a1');
  expect(asked).toEqual(['a1', 'b1', 'a2']);
  await answer('a2');
  expect(asked).toEqual(['a1', 'b1', 'a2', 'a3']);
});

/** The door of the bridge, with the real journal. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import { turnId, workspaceId } from '../../../src/core/ids.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { settle, VirtualClock } from '../../sim/virtual-clock.ts';
import { message } from './samples.ts';
import { createBridge } from './whole-bridge.ts';
import { writesUnderWay } from './writes-under-way.ts';
import type { Outgoing } from '../../../src/bridge/ports.ts';

const log = { debug() {}, info() {}, warn() {}, error() {} };

let folder: string;
let db: Db;
let bridge: Bridge;
let journal: SqliteJournal;
let asked: string[];
let shown: Extract<Outgoing, { kind: 'reply' | 'send' }>[];
let isWriting: () => boolean;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'intake-'));
  db = Db.open(join(folder, 'bridge.db'), log);
  isWriting = writesUnderWay(db);
  const clock = new VirtualClock(message.sentAtMs);
  journal = new SqliteJournal({ db, app: message.appId, clock });
  asked = [];
  shown = [];
  bridge = createBridge({
    db,
    clock,
    lark: {
      deliver: (out) => {
        if (out.kind === 'reply' || out.kind === 'send') shown.push(out);
        return Promise.resolve({ ok: true, id: 'om_out' });
      },
      history: () => Promise.resolve([]),
    },
    target: {
      correlates: true,
      deduplicates: true,
      currentTarget: () => Promise.resolve(workspaceId('agent')),
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
  rmSync(folder, { recursive: true, force: true });
});

const { appId, chatId, messageId } = message;
const recall = () =>
  bridge.intake.admit({ kind: 'recalled', appId, chatId, messageId, eventId: 'e2' });

test.each([
  ['before it', async (say: () => Promise<void>) => [await recall(), await say()]],
  ['while it is being written', (say: () => Promise<void>) => Promise.all([say(), recall()])],
])('a message whose recall comes %s is never run', async (_when, admit) => {
  await admit(() => bridge.intake.admit({ kind: 'message', message }));
  await settle(isWriting);
  expect(asked).toEqual([]);
  const turn = await journal.turn(turnId(message.messageId));
  expect(turn?.state).toEqual({ phase: 'dropped', why: 'recalled' });
});

describe('a message that nobody can read', () => {
  const about = { appId, chatId, messageId, eventId: 'e1' };
  const tell = (eventId: string, threadId?: string) =>
    bridge.intake.admit({ kind: 'unreadable', ...about, eventId, threadId });
  const told = () => shown.map((out) => [out.kind, JSON.stringify(out.content)]);

  test.each([
    ['in its chat', undefined, false],
    ['in its thread', 'omt_1', true],
  ])('is told of once, %s, under it', async (_where, threadId, inThread) => {
    await tell('e1', threadId);
    await tell('e2', threadId);
    await settle(isWriting);
    expect(shown).toMatchObject([{ kind: 'reply', chatId, replyTo: messageId, inThread }]);
    expect(told()[0]?.[1]).toMatch(/could not read it.*无法读取/);
    expect(asked).toEqual([]);
  });

  test('is answered and not told of if another delivery of it could be read', async () => {
    await bridge.intake.admit({ kind: 'message', message });
    await tell('e2');
    await settle(isWriting);
    expect(told().filter(([, text]) => text?.includes('read it'))).toEqual([]);
    expect(asked).toEqual(['hello']);
  });

  test('is not told of if it was taken back', async () => {
    await recall();
    await tell('e2');
    await settle(isWriting);
    expect(shown).toEqual([]);
  });
});

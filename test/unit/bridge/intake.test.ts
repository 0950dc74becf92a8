/** The door of the bridge, with the real journal. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import { Inbox, type IntakeParts } from '../../../src/bridge/intake/intake.ts';
import type { Admission, Journal, Outgoing } from '../../../src/bridge/ports.ts';
import { messageId as messageIdOf, turnId, workspaceId } from '../../../src/core/ids.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { silentLog } from '../../kit/log.ts';
import { settle, VirtualClock } from '../../kit/clock.ts';
import { message } from './samples.ts';
import { createBridge } from './whole-bridge.ts';
import { writesUnderWay } from './writes-under-way.ts';

let folder: string;
let db: Db;
let bridge: Bridge;
let journal: SqliteJournal;
let asked: string[];
let shown: Outgoing[];
let isWriting: () => boolean;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'intake-'));
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
      deliver: (action) => {
        shown.push(action);
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

describe('what the bridge answers itself', () => {
  test.each([
    ['no text', [{ kind: 'unsupported', messageType: 'image' }]],
    [
      'a text and something that it can not read',
      [...message.parts, { kind: 'unsupported', messageType: 'image' }],
    ],
    ['an empty text', [{ kind: 'text', text: ' \n' }]],
  ] as const)('LCM-IN-06: %s is told in the chat, and not passed on', async (_what, parts) => {
    await bridge.intake.admit({ kind: 'message', message: { ...message, parts } });
    await settle(isWriting);
    expect(shown).toHaveLength(1);
    expect(asked).toEqual([]);
    expect((await journal.turn(turnId(message.messageId)))?.state.phase).toBe('answered');
  });
});

describe('LCM-IN-09: what it remembers of ids', () => {
  /** A number that any bound stays under. */
  const MANY = 20_000;
  const idOf = (n: number) => messageIdOf(`om_${n}`);

  /** A journal that knows every message already, and counts how often it is asked. */
  function door() {
    let admissions: Admission[] = [];
    const part = new Inbox({
      journal: {
        admit: (admission: Admission) => {
          admissions.push(admission);
          return Promise.resolve(undefined);
        },
        askable: () => Promise.resolve([]),
        turn: () => Promise.resolve(undefined),
      } as unknown as Journal,
      engine: undefined as unknown as IntakeParts['engine'],
      delivery: undefined as unknown as IntakeParts['delivery'],
      persistence: undefined as unknown as IntakeParts['persistence'],
      clock: new VirtualClock(message.sentAtMs),
      log: silentLog,
    });
    const say = async (n: number) => {
      admissions = [];
      await part.admit({ kind: 'message', message: { ...message, messageId: idOf(n) } });
      return admissions;
    };
    const recallOf = (n: number) =>
      part.admit({ kind: 'recalled', appId, chatId, messageId: idOf(n), eventId: `e${n}` });
    return { say, recallOf };
  }

  test('a message that came lately is known without a look into the journal; one of long ago is not kept in mind', async () => {
    const { say } = door();
    for (let n = 0; n < MANY; n += 1) await say(n);
    expect(await say(MANY - 1)).toEqual([]);
    expect(await say(0)).toHaveLength(1);
  });

  test('nor is a recall of long ago whose message never came', async () => {
    const { say, recallOf } = door();
    for (let n = 0; n < MANY; n += 1) await recallOf(n);
    expect(await say(MANY - 1)).toMatchObject([{ state: { phase: 'dropped', why: 'recalled' } }]);
    expect(await say(0)).toMatchObject([{ state: { phase: 'waiting' } }]);
  });
});

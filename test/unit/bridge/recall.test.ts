/** A message that is taken back, at any time of its turn: the bridge with the real journal on a virtual clock. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bridge, BridgeParts } from '../../../src/bridge/bridge.ts';
import { platformMessageId } from '../../../src/bridge/outbox/keys.ts';
import { messageId, turnId } from '../../../src/core/ids.ts';
import type { InboundMessage } from '../../../src/core/message.ts';
import type { OutboxRow } from '../../../src/bridge/ports/outbox.ts';
import { BridgeError } from '../../../src/core/errors.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { pause } from '../../../src/time/wait.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { message } from './samples.ts';
import { createBridge, HUB, passTime } from './whole-bridge.ts';
import { writesUnderWay } from './writes-under-way.ts';
import type { CancelResult, SendResult, TurnTarget } from '../../../src/bridge/ports/target.ts';
import type { DeliveryResult, Outgoing } from '../../../src/bridge/ports/delivery.ts';
import type { HistoryMessage } from '../../../src/bridge/ports/lark.ts';
import type { Journal } from '../../../src/bridge/ports/journal.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { type RecordingLog, recordingLog } from '../../kit/log.ts';

const SECRET = 'the withdrawn words';
const LONG_MS = 11 * 60_000;

let folder: string;
let db: Db;
let clock: VirtualClock;
let bridge: Bridge;
let journal: SqliteJournal;
let isWriting: () => boolean;
let log: RecordingLog;
/** What the chats show, and messages that Lark refuses replies to. */
let shown: Outgoing[];
let gone: Set<string>;
let history: HistoryMessage[] | BridgeError;
/** Lark takes nothing for now. */
let isAway: boolean;
/** What the agent answers under a ticket, once there is something. */
let answers: Map<string, string>;
let cancelled: string[];
let cancelSays: CancelResult;
let sendSays: SendResult | undefined;
let asked: string[];

function deliver(out: Outgoing): DeliveryResult {
  if (isAway) return { ok: false, action: 'wait', code: 230020, detail: 'away' };
  const to = out.kind === 'reply' ? out.replyTo : undefined;
  if (to !== undefined && gone.has(to)) {
    return { ok: false, action: 'message_gone', code: 230011, detail: 'recalled' };
  }
  if ('content' in out) shown.push(out);
  return { ok: true, id: `om_out_${shown.length}` };
}

const target: TurnTarget = {
  ...HUB,
  send: ({ messageId: ticket, text }) => {
    asked.push(text);
    return Promise.resolve(sendSays ?? { kind: 'accepted', ticket });
  },
  wait: async (_workspace, ticket, signal) => {
    while (!signal.aborted && !answers.has(ticket)) await pause(clock, signal, 1_000);
    const text = answers.get(ticket);
    return text === undefined ? { kind: 'pending' } : { kind: 'answered', text };
  },
  cancel: (_workspace, id) => {
    cancelled.push(id);
    return Promise.resolve(cancelSays);
  },
};

beforeEach(async () => {
  folder = temporaryFolder();
  db = Db.open(join(folder, 'bridge.db'), log);
  isWriting = writesUnderWay(db);
  clock = new VirtualClock(Date.UTC(2026, 0, 5));
  journal = new SqliteJournal({ db, app: message.appId, clock });
  log = recordingLog();
  shown = [];
  gone = new Set();
  history = [];
  isAway = false;
  answers = new Map();
  cancelled = [];
  cancelSays = 'over';
  sendSays = undefined;
  asked = [];
  await boot();
});

afterEach(async () => {
  await stop();
  db.close();
});

async function boot(more: Pick<Partial<BridgeParts>, 'journal'> = {}): Promise<void> {
  bridge = createBridge({
    db,
    clock,
    target,
    log,
    turnTimeoutMs: 60_000,
    lark: {
      form: contentForm,
      deliver: (out) => Promise.resolve(deliver(out)),
      history: () =>
        history instanceof BridgeError ? Promise.reject(history) : Promise.resolve(history),
    },
    ...more,
  });
  await bridge.start();
}

async function stop(): Promise<void> {
  const stopped = bridge.stop();
  await run(1_000);
  await stopped;
}

const run = (durationMs: number) => passTime(clock, { isWriting, durationMs });

async function say(id: string, more: Partial<InboundMessage> = {}): Promise<void> {
  const said: InboundMessage = {
    ...message,
    messageId: messageId(id),
    sentAtMs: clock.nowMs(),
    parts: [{ kind: 'text', text: `${SECRET} ${id}` }],
    ...more,
  };
  await bridge.intake.admit({ kind: 'message', message: said });
  await run(100);
}

/** Lark refuses replies to it from now on; the event comes unless it is lost. */
async function takeBack(id: string, { heard = true } = {}): Promise<void> {
  gone.add(id);
  const { appId, chatId } = message;
  const event = { kind: 'recalled', appId, chatId, messageId: messageId(id) } as const;
  if (heard) await bridge.intake.admit({ ...event, eventId: `recall_${id}` });
  await run(100);
}

const atHub = (id: string, times = 1) =>
  platformMessageId({ run: times, message: { ...message, messageId: messageId(id) } });

const answer = async (id: string, text = `about ${SECRET} ${id}`) => {
  answers.set(atHub(id), text);
  await run(3_000);
};

const stateOf = async (id: string) => (await journal.turn(turnId(id)))?.state;
const RECALLED = { phase: 'dropped', why: 'recalled' } as const;
const THREAD = { threadId: 'omt_1', rootId: messageId('om_root') } as const;

/** All that the journal still knows, and all that was logged. */
async function kept(id: string): Promise<string> {
  const turn = await journal.turn(turnId(id));
  return JSON.stringify([turn, log.lines]);
}

describe('a recall while the agent works', () => {
  test.each([
    ['in the main chat', {}],
    ['in a thread', THREAD],
  ])('ends the run, and nothing is shown anywhere (%s)', async (_where, more) => {
    await say('om_1', more);
    await takeBack('om_1');
    expect(cancelled).toEqual([atHub('om_1')]);
    expect(bridge.status().running).toBe(0);
    await answer('om_1');
    await run(LONG_MS);
    expect(shown).toEqual([]);
    expect(await stateOf('om_1')).toEqual(RECALLED);
    expect(await kept('om_1')).not.toContain(SECRET);
  });

  test('lets the next turn of the chat begin at once', async () => {
    await say('om_1');
    await say('om_2');
    await takeBack('om_1');
    await answer('om_2', 'fine');
    expect(shown).toMatchObject([{ replyTo: 'om_2', content: { text: 'fine' } }]);
  });

  test('after the time was over: the late answer is not shown', async () => {
    await say('om_1', THREAD);
    await run(61_000);
    shown = [];
    await takeBack('om_1');
    expect(cancelled).toEqual([atHub('om_1')]);
    await answer('om_1');
    expect(shown).toEqual([]);
  });

  test('while it is not known whether the hub has the turn: the hub is told to end it', async () => {
    sendSays = { kind: 'unknown', detail: 'cut' };
    await say('om_1');
    await takeBack('om_1');
    expect(cancelled).toEqual([atHub('om_1')]);
  });

  test('at a hub that does not answer: the hub is told again until it answers', async () => {
    cancelSays = 'not_reached';
    await say('om_1');
    await takeBack('om_1');
    await run(60_000);
    expect(cancelled.length).toBeGreaterThan(3);
    cancelSays = 'over';
    await run(60_000);
    const { length } = cancelled;
    await run(60_000);
    expect(cancelled).toHaveLength(length);
  });

  test('before a crash: the next process tells the hub once', async () => {
    cancelSays = 'not_reached';
    await say('om_1');
    await takeBack('om_1');
    await stop();
    cancelled = [];
    cancelSays = 'over';
    await boot();
    await run(100);
    expect(cancelled).toEqual([atHub('om_1')]);
    await stop();
    await boot();
    await run(100);
    expect(cancelled).toHaveLength(1);
  });

  test('a failed turn can not be run again after its message was recalled', async () => {
    sendSays = { kind: 'failed', detail: 'it broke' };
    await say('om_1');
    await takeBack('om_1');
    asked = [];
    await say('om_2', { parts: [{ kind: 'text', text: '/retry' }] });
    await run(1_000);
    expect(asked).toEqual([]);
  });
});

describe('a recall without an event', () => {
  test('in the main chat: the answer is not shown, and nothing is quoted', async () => {
    await say('om_1');
    await takeBack('om_1', { heard: false });
    await answer('om_1');
    await run(LONG_MS);
    expect(shown).toEqual([]);
    expect(await kept('om_1')).not.toContain(SECRET);
  });

  test('in a thread: the answer stays in it, under its root', async () => {
    await say('om_1', THREAD);
    await takeBack('om_1', { heard: false });
    await answer('om_1', 'the answer');
    expect(shown).toEqual([
      expect.objectContaining({
        kind: 'reply',
        replyTo: 'om_root',
        inThread: true,
        content: { kind: 'answer', text: 'the answer' },
      }),
    ]);
  });

  test('in a thread without its root: the answer goes under another message of the thread', async () => {
    gone.add('om_root');
    await say('om_0', THREAD);
    await answer('om_0', 'before');
    await say('om_1', THREAD);
    await takeBack('om_1', { heard: false });
    await answer('om_1', 'the answer');
    expect(shown).toMatchObject([
      { replyTo: 'om_0' },
      { kind: 'reply', replyTo: 'om_out_1', inThread: true, content: { text: 'the answer' } },
    ]);
  });

  const inHistory = (id: string, deleted = false): HistoryMessage => ({
    messageId: messageId(id),
    chatId: message.chatId,
    sentAtMs: 0,
    own: false,
    parentId: undefined,
    threadId: THREAD.threadId,
    deleted,
    text: undefined,
    inbound: undefined,
  });

  test('in such a thread a message of other people is found in the history', async () => {
    gone.add('om_root');
    history = [inHistory('om_root'), inHistory('om_other'), inHistory('om_late', true)];
    await say('om_1', THREAD);
    await takeBack('om_1', { heard: false });
    await answer('om_1', 'the answer');
    expect(shown).toMatchObject([{ kind: 'reply', replyTo: 'om_other', inThread: true }]);
  });

  test.each([
    ['nothing is left of the thread', []],
    ['the history may not be read', new BridgeError('access_denied', 'no')],
  ])(
    'in a thread, and %s: the answer is not shown, and never in the main chat',
    async (_why, found) => {
      gone.add('om_root');
      history = found;
      await say('om_1', { ...THREAD, rootId: messageId('om_1') });
      await takeBack('om_1', { heard: false });
      await answer('om_1', 'the answer');
      await run(LONG_MS);
      expect(shown).toEqual([]);
      expect(bridge.status().outbox).toBe(0);
    },
  );

  test('that a notice finds while the turn waits: the turn is never run', async () => {
    await say('om_1');
    await say('om_2');
    await takeBack('om_2', { heard: false });
    await run(8_000);
    await answer('om_1', 'fine');
    await run(60_000);
    expect(asked).toEqual([`${SECRET} om_1`]);
    expect(await stateOf('om_2')).toEqual(RECALLED);
  });
});

describe('a recall after the answer', () => {
  test('in the main chat: rows that Lark has not accepted yet are dropped', async () => {
    await say('om_1');
    isAway = true;
    await answer('om_1', 'word '.repeat(50_000));
    await takeBack('om_1');
    isAway = false;
    await run(LONG_MS);
    expect(shown).toEqual([]);
    expect(await kept('om_1')).not.toContain(SECRET);
  });

  test('in a thread: the answer stays in the thread', async () => {
    await say('om_1', THREAD);
    isAway = true;
    await answer('om_1', 'the answer');
    await takeBack('om_1');
    isAway = false;
    await run(LONG_MS);
    expect(shown).toMatchObject([{ kind: 'reply', replyTo: 'om_root' }]);
  });
});

describe('the question about old messages', () => {
  const OLD = { sentAtMs: Date.UTC(2026, 0, 4) };

  test('is asked under another waiting message if its message is recalled', async () => {
    isAway = true;
    await say('om_1', OLD);
    await say('om_2', OLD);
    await takeBack('om_1');
    isAway = false;
    await run(LONG_MS);
    expect(shown).toMatchObject([{ kind: 'reply', replyTo: 'om_2', content: { kind: 'choice' } }]);
  });

  test.each([
    ['', true],
    [', though no event tells of the recall', false],
  ])('is not asked if no message waits any more%s', async (_how, heard) => {
    isAway = true;
    await say('om_1', OLD);
    await takeBack('om_1', { heard });
    isAway = false;
    await run(LONG_MS);
    expect(shown).toEqual([]);
    expect(await stateOf('om_1')).toEqual(RECALLED);
  });

  test('leaves no turn waiting if its message is gone and the process dies then', async () => {
    await stop();
    await boot({ journal: dyingOnceDropped() });
    isAway = true;
    await say('om_1', OLD);
    await takeBack('om_1', { heard: false });
    isAway = false;
    await run(LONG_MS);
    await boot();
    await run(LONG_MS);
    expect(shown).toEqual([]);
    expect(await stateOf('om_1')).toEqual(RECALLED);
  });
});

/** A journal whose process is dead from the commit on that drops a row of the outbox. */
function dyingOnceDropped(): Journal {
  let isDead = false;
  return new Proxy<Journal>(journal, {
    get: (real, name: keyof Journal) => {
      const method = real[name].bind(real) as (...args: unknown[]) => Promise<unknown>;
      return async (...args: unknown[]) => {
        const done = isDead ? undefined : await method(...args);
        const { row } = (done ?? {}) as { row?: OutboxRow };
        isDead ||= row?.state.phase === 'dropped';
        return isDead ? new Promise(() => {}) : done;
      };
    },
  });
}

test('a picture that was recalled before it came gets no notice', async () => {
  await takeBack('om_1');
  gone.clear();
  await say('om_1', { parts: [{ kind: 'unsupported', messageType: 'image' }] });
  expect(shown).toEqual([]);
});

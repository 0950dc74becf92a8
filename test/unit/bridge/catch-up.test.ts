import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CatchUp, GAP_THREADS_MAX } from '../../../src/bridge/catch-up.ts';
import { BridgeError } from '../../../src/core/errors.ts';
import { chatId, messageId, type ChatId } from '../../../src/core/ids.ts';
import type { InboundEvent, InboundMessage } from '../../../src/core/message.ts';
import { settle, VirtualClock } from '../../kit/clock.ts';
import { message } from './samples.ts';
import type { ChatRecord, GapJournal, ThreadRecord } from '../../../src/bridge/ports/gaps.ts';
import type { HistoryMessage, LarkGateway } from '../../../src/bridge/ports/lark.ts';
import { type RecordingLog, recordingLog } from '../../kit/log.ts';

const MINUTE_MS = 60_000;
const NOW_MS = 1_000 * MINUTE_MS;

let clock: VirtualClock;
let connectedSinceMs: number | undefined;
let onUp: () => void;
let lastEventAtMs: number | undefined;
let history: HistoryMessage[];
/** What is inside of threads, and does not show in their chat. */
let inThreads: Record<string, HistoryMessage[] | BridgeError>;
/** Threads that the journal knows. */
let threads: ThreadRecord[];
let chats: ChatRecord[];
/** Chats and threads that were read, with how many pages at most. */
let places: [place: string, pagesMax: number | undefined][];
let reads: number;
let onRead: () => void;
let threadReads: string[];
let refusal: BridgeError | undefined;
let admitted: InboundMessage[];
let edits: InboundEvent[];
let restarts: number;
let log: RecordingLog;
let gapMs: number | undefined;
let known: Set<string>;
let running: CatchUp | undefined;

beforeEach(() => {
  clock = new VirtualClock(NOW_MS);
  connectedSinceMs = NOW_MS;
  onUp = () => {};
  chats = [record(message.chatId, 0)];
  places = [];
  lastEventAtMs = undefined;
  history = [];
  inThreads = {};
  threads = [];
  reads = 0;
  onRead = () => {};
  threadReads = [];
  refusal = undefined;
  admitted = [];
  edits = [];
  restarts = 0;
  log = recordingLog();
  gapMs = undefined;
  known = new Set();
});

afterEach(() => running?.stop());

function record(chat: ChatId, agoMs: number): ChatRecord {
  // 0: always active.
  const lastMessageAtMs = agoMs === 0 ? 0 : NOW_MS - agoMs;
  return { chatId: chat, lastMessageAtMs, readUntilMs: 0 };
}

const readUntil = new Map<ChatId, number>();
const journal: GapJournal = {
  gap: () => Promise.resolve(gapMs),
  openGap: (fromMs) => Promise.resolve(void (gapMs ??= fromMs)),
  closeGap: () => Promise.resolve(void (gapMs = undefined)),
  chats: (activeSinceMs, limit) =>
    Promise.resolve(
      chats
        .map((chat) => ({ ...chat, readUntilMs: readUntil.get(chat.chatId) ?? 0 }))
        .filter(({ lastMessageAtMs }) => lastMessageAtMs === 0 || lastMessageAtMs >= activeSinceMs)
        .slice(0, limit),
    ),
  threads: (_activeSinceMs, limit) => Promise.resolve(threads.slice(0, limit)),
  noteRead: (chat, untilMs) => Promise.resolve(void readUntil.set(chat, untilMs)),
  isKnown: (id) => Promise.resolve(known.has(id)),
};

const lark: Pick<LarkGateway, 'history'> = { history: () => Promise.resolve([]) };

async function start(
  lastAliveMs: number | undefined,
  readBefore: ReadonlyMap<ChatId, number> = new Map(),
): Promise<void> {
  readUntil.clear();
  for (const [chat, untilMs] of readBefore) readUntil.set(chat, untilMs);
  lark.history = (chat, _sinceMs, thread, pagesMax) => {
    onRead();
    places.push([thread ?? chat, pagesMax]);
    if (thread !== undefined) {
      threadReads.push(thread);
      const inThread = inThreads[thread] ?? [];
      return inThread instanceof BridgeError ? Promise.reject(inThread) : Promise.resolve(inThread);
    }
    reads += 1;
    return refusal === undefined ? Promise.resolve(history) : Promise.reject(refusal);
  };
  running = new CatchUp({
    journal,
    lark: { history: (...asked) => lark.history(...asked) },
    intake: {
      admit: (event) => {
        if (event.kind === 'message') admitted.push(event.message);
        if (event.kind === 'edited') edits.push(event);
        return Promise.resolve();
      },
    },
    connection: {
      connectedSinceMs: () => connectedSinceMs,
      lastEventAtMs: () => lastEventAtMs,
      restart: () => (restarts += 1),
      onUp: (listener) => (onUp = listener),
    },
    lastAliveMs,
    clock,
    log,
  });
  await running.start();
  await run(0);
}

async function run(durationMs: number): Promise<void> {
  const untilMs = clock.nowMs() + durationMs;
  do await settle();
  while (clock.step(untilMs));
  await settle();
}

function said(id: string, agoMs: number, change: Partial<HistoryMessage> = {}): HistoryMessage {
  const sentAtMs = clock.nowMs() - agoMs;
  return {
    messageId: messageId(id),
    chatId: message.chatId,
    sentAtMs,
    own: false,
    parentId: undefined,
    threadId: undefined,
    deleted: false,
    text: undefined,
    inbound: { ...message, messageId: messageId(id), sentAtMs },
    ...change,
  };
}

describe('after a long outage', () => {
  test('after a long outage, unknown messages are admitted in order', async () => {
    known.add('om_known');
    history = [
      said('om_a', 40 * MINUTE_MS),
      said('om_known', 30 * MINUTE_MS),
      said('om_own', 20 * MINUTE_MS, { own: true, inbound: undefined }),
      said('om_gone', 15 * MINUTE_MS, { deleted: true }),
      said('om_b', 12 * MINUTE_MS),
    ];
    await start(NOW_MS - 60 * MINUTE_MS);
    expect(admitted.map(({ messageId: id }) => id)).toEqual(['om_a', 'om_b']);
    expect(gapMs).toBeUndefined();
  });

  test('the first start reads nothing', async () => {
    await start(undefined);
    expect(reads).toBe(0);
  });

  test('nothing is read before the connection is up again', async () => {
    connectedSinceMs = undefined;
    await start(NOW_MS - 60 * MINUTE_MS);
    expect(reads).toBe(0);
    connectedSinceMs = clock.nowMs();
    await run(MINUTE_MS);
    expect(reads).toBe(1);
  });

  test('an outage of a running bridge is read back too', async () => {
    await start(undefined);
    connectedSinceMs = undefined;
    await run(20 * MINUTE_MS);
    history = [said('om_a', 5 * MINUTE_MS)];
    connectedSinceMs = clock.nowMs();
    await run(MINUTE_MS);
    expect(admitted).toHaveLength(1);
  });

  test('a read that fails is tried again, and the gap stays open until then', async () => {
    refusal = new BridgeError('unreachable', 'down');
    history = [said('om_a', 20 * MINUTE_MS)];
    await start(NOW_MS - 60 * MINUTE_MS);
    expect(gapMs).toBe(NOW_MS - 60 * MINUTE_MS);
    refusal = undefined;
    await run(MINUTE_MS);
    expect(admitted).toHaveLength(1);
    expect(gapMs).toBeUndefined();
  });

  test('a missing permission gives one warning, and the read is not tried again', async () => {
    refusal = new BridgeError('access_denied', 'no scope');
    await start(NOW_MS - 60 * MINUTE_MS);
    await run(5 * MINUTE_MS);
    expect(reads).toBe(1);
    expect(log.warnings()).toEqual(['history_denied']);
  });
});

/** The link is lost for so long, and comes back. */
async function loseLink(durationMs: number): Promise<void> {
  connectedSinceMs = undefined;
  await run(durationMs);
  connectedSinceMs = clock.nowMs();
  onUp();
  await run(0);
}

test('edits from an outage are handed over, also of messages that are known', async () => {
  const editedAtMs = NOW_MS - 5 * MINUTE_MS;
  const given = said('om_a', 30 * MINUTE_MS);
  const inbound = { ...message, messageId: messageId('om_a'), edited: { atMs: editedAtMs } };
  known.add('om_a');
  history = [{ ...given, inbound }, said('om_b', 20 * MINUTE_MS)];
  await start(NOW_MS - 60 * MINUTE_MS);
  expect(edits).toEqual([{ kind: 'edited', message: inbound, editedAtMs }]);
  expect(admitted.map(({ messageId: id }) => id)).toEqual(['om_b']);
  expect(log.lines.find(({ event }) => event === 'gap_read')).toMatchObject({ found: 1 });
});

describe('after an outage of seconds', () => {
  const chatNames = (count: number) => Array.from({ length: count }, (_, at) => `oc_${at}`);

  test('messages from the outage are admitted at once, in order', async () => {
    await start(undefined);
    await run(7_000);
    expect(reads).toBe(0);
    known.add('om_known');
    history = [said('om_b', 1_000), said('om_known', 2_000), said('om_a', 3_000)];
    await loseLink(4_000);
    expect(admitted.map(({ messageId: id }) => id)).toEqual(['om_a', 'om_b']);
    expect(places).toEqual([[message.chatId, 1]]);
    // And not again and again.
    await run(5 * MINUTE_MS);
    expect(reads).toBe(1);
    expect(gapMs).toBeUndefined();
  });

  test('the read begins before the loss was noticed, because a dead link is noticed late', async () => {
    await start(undefined);
    await run(MINUTE_MS);
    let fromMs = 0;
    history = [];
    const { history: read } = lark;
    lark.history = (...asked) => {
      [, fromMs] = asked;
      return read(...asked);
    };
    const lostAtMs = clock.nowMs();
    await loseLink(2_000);
    expect(fromMs).toBeLessThanOrEqual(lostAtMs - 50_000);
    expect(fromMs).toBeGreaterThan(lostAtMs - 2 * MINUTE_MS);
  });

  test('a restart is an outage too, but several restarts after each other cost no more calls', async () => {
    history = [said('om_a', 2_000)];
    await start(NOW_MS - 5_000);
    expect(admitted).toHaveLength(1);
    const before = new Map(readUntil);
    await running?.stop();
    await start(NOW_MS, before);
    expect(reads).toBe(1);
    // What was read after a loss of the link keeps nobody from that.
    await loseLink(2_000);
    expect(reads).toBe(2);
    expect(readUntil).toEqual(before);
  });

  test('a few chats and threads are read each time, the latest first', async () => {
    await start(undefined);
    chats = chatNames(9).map((name, at) => record(chatId(name), (2 * at + 2) * 1_000));
    threads = [{ ...threadRecord('omt_1'), lastMessageAtMs: NOW_MS - 3_000 }];
    await loseLink(2_000);
    const latest = ['oc_0', 'omt_1', 'oc_1', 'oc_2', 'oc_3'];
    expect(places).toEqual(latest.map((name) => [name, 1]));
  });

  test('chats without messages for an hour are not read', async () => {
    chats = [record(message.chatId, 61 * MINUTE_MS)];
    await start(NOW_MS - 5_000);
    expect(reads).toBe(0);
  });

  test('the calls in an hour have a bound, however often the link is lost', async () => {
    await start(undefined);
    chats = chatNames(9).map((name) => record(chatId(name), 1_000));
    for (let round = 0; round < 20; round += 1) await loseLink(30_000);
    expect(reads).toBe(30);
    await run(61 * MINUTE_MS);
    chats = [record(message.chatId, 0)];
    const before = reads;
    await loseLink(30_000);
    expect(reads).toBe(before + 1);
  });

  test('a read that failed is tried again', async () => {
    await start(undefined);
    refusal = new BridgeError('unreachable', 'down');
    history = [said('om_a', 0)];
    await loseLink(2_000);
    expect(admitted).toEqual([]);
    refusal = undefined;
    await run(15_000);
    expect(admitted).toHaveLength(1);
  });

  test('a chat that may not be read is tried only once', async () => {
    await start(undefined);
    refusal = new BridgeError('access_denied', 'no scope');
    await loseLink(2_000);
    await loseLink(2_000);
    expect(reads).toBe(1);
    expect(log.warnings()).toEqual(['history_denied']);
  });

  test('a chat is not noted as read if there may be more than one page', async () => {
    history = Array.from({ length: 50 }, (_, at) => said(`om_${at}`, 1_000));
    await start(NOW_MS - 5_000);
    expect(admitted).toHaveLength(50);
    expect(readUntil.size).toBe(0);
  });
});

const threadRecord = (threadId: string): ThreadRecord => ({
  chatId: message.chatId,
  threadId,
  lastMessageAtMs: 0,
});

describe('threads', () => {
  test('known threads are read too, and all messages are admitted in order', async () => {
    threads = [threadRecord('omt_1'), threadRecord('omt_2')];
    history = [said('om_a', 40 * MINUTE_MS), said('om_d', 10 * MINUTE_MS)];
    inThreads = {
      omt_1: [said('om_c', 20 * MINUTE_MS, { threadId: 'omt_1' })],
      omt_2: [said('om_b', 30 * MINUTE_MS, { threadId: 'omt_2' })],
    };
    known.add('om_known');
    await start(NOW_MS - 60 * MINUTE_MS);
    expect(admitted.map(({ messageId: id }) => id)).toEqual(['om_a', 'om_b', 'om_c', 'om_d']);
    expect(threadReads).toEqual(['omt_1', 'omt_2']);
    expect(gapMs).toBeUndefined();
  });

  test('a new thread is found by its first message and read once', async () => {
    threads = [threadRecord('omt_known')];
    history = [
      said('om_root', 40 * MINUTE_MS, { threadId: 'omt_new', inbound: undefined }),
      said('om_more', 39 * MINUTE_MS, { threadId: 'omt_known' }),
    ];
    inThreads = {
      omt_new: [
        said('om_root', 40 * MINUTE_MS, { threadId: 'omt_new', inbound: undefined }),
        said('om_a', 30 * MINUTE_MS, { threadId: 'omt_new' }),
      ],
    };
    await start(NOW_MS - 60 * MINUTE_MS);
    expect(threadReads).toEqual(['omt_known', 'omt_new']);
    expect(admitted.map(({ messageId: id }) => id)).toEqual(['om_more', 'om_a']);
  });

  test('a message that both the chat and the thread show is admitted once', async () => {
    const root = said('om_root', 40 * MINUTE_MS, { threadId: 'omt_1' });
    history = [root];
    inThreads = { omt_1: [root] };
    await start(NOW_MS - 60 * MINUTE_MS);
    expect(admitted).toHaveLength(1);
  });

  test('the number of threads that are read has a bound, because each one costs a call', async () => {
    threads = Array.from({ length: GAP_THREADS_MAX - 1 }, (_, at) => threadRecord(`omt_${at}`));
    history = ['omt_x', 'omt_y'].map((threadId, at) =>
      said(`om_${at}`, (40 - at) * MINUTE_MS, { threadId, inbound: undefined }),
    );
    await start(NOW_MS - 60 * MINUTE_MS);
    expect(threadReads).toHaveLength(GAP_THREADS_MAX);
    // Of those that were begun meanwhile the newest.
    expect(threadReads.at(-1)).toBe('omt_y');
  });

  test('the other threads are read if one is gone', async () => {
    threads = [threadRecord('omt_gone'), threadRecord('omt_1')];
    inThreads = {
      omt_gone: new BridgeError('failed', 'the topic does not exist'),
      omt_1: [said('om_a', 30 * MINUTE_MS)],
    };
    await start(NOW_MS - 60 * MINUTE_MS);
    expect(admitted).toHaveLength(1);
    expect(gapMs).toBeUndefined();
    expect(log.warnings()).toEqual([]);
  });

  test('if reading one thread fails, the gap stays open and everything is read again', async () => {
    threads = [threadRecord('omt_1')];
    inThreads = { omt_1: new BridgeError('unreachable', 'down') };
    await start(NOW_MS - 60 * MINUTE_MS);
    expect(gapMs).toBeDefined();
    inThreads = { omt_1: [said('om_a', 30 * MINUTE_MS)] };
    await run(MINUTE_MS);
    expect(admitted).toHaveLength(1);
    expect(gapMs).toBeUndefined();
  });

  test('no thread is read if its chat may not be read', async () => {
    threads = [threadRecord('omt_1')];
    refusal = new BridgeError('access_denied', 'no scope');
    await start(NOW_MS - 60 * MINUTE_MS);
    expect(threadReads).toEqual([]);
    expect(log.warnings()).toEqual(['history_denied']);
  });

  test('a stop during the read leaves the gap open', async () => {
    threads = [threadRecord('omt_1')];
    history = [said('om_a', 30 * MINUTE_MS)];
    onRead = () => void running?.stop();
    await start(NOW_MS - 60 * MINUTE_MS);
    expect(admitted).toEqual([]);
    expect(gapMs).toBeDefined();
  });
});

describe('a connection without events', () => {
  test('is kept if there were no messages, and is checked less and less often', async () => {
    await start(undefined);
    await run(24 * 60 * MINUTE_MS);
    expect(restarts).toBe(0);
    expect(reads).toBeGreaterThan(3);
    expect(reads).toBeLessThan(12);
  });

  test('is made again if it missed messages, and they are admitted', async () => {
    await start(undefined);
    await run(5 * MINUTE_MS);
    history = [said('om_a', 0)];
    await run(10 * MINUTE_MS);
    expect(restarts).toBe(1);
    expect(admitted.map(({ messageId: id }) => id)).toEqual(['om_a']);
    expect(log.warnings()).toEqual(['connection_deaf']);
  });

  test('is checked in the thread with the latest message for the bot', async () => {
    threads = [threadRecord('omt_1')];
    await start(undefined);
    await run(5 * MINUTE_MS);
    inThreads = { omt_1: [said('om_a', 0, { threadId: 'omt_1' })] };
    await run(10 * MINUTE_MS);
    expect(restarts).toBe(1);
    expect(threadReads[0]).toBe('omt_1');
    expect(admitted.map(({ messageId: id }) => id)).toEqual(['om_a']);
  });

  test('is not checked if it brings events', async () => {
    await start(undefined);
    for (let minute = 0; minute < 60; minute += 5) {
      lastEventAtMs = clock.nowMs();
      await run(5 * MINUTE_MS);
    }
    expect(reads).toBe(0);
  });
});

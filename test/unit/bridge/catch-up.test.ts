import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CatchUp, GAP_THREADS_MAX } from '../../../src/bridge/catch-up.ts';
import { BridgeError } from '../../../src/core/errors.ts';
import { messageId, type ChatId } from '../../../src/core/ids.ts';
import type { InboundMessage } from '../../../src/core/message.ts';
import { settle, VirtualClock } from '../../kit/clock.ts';
import { message } from './samples.ts';
import type {
  ChatRecord,
  GapJournal,
  HistoryMessage,
  ThreadRecord,
} from '../../../src/bridge/ports.ts';

const MINUTE_MS = 60_000;
const NOW_MS = 1_000 * MINUTE_MS;

let clock: VirtualClock;
let connectedSinceMs: number | undefined;
let lastEventAtMs: number | undefined;
let history: HistoryMessage[];
/** What is inside of threads, and does not show in their chat. */
let inThreads: Record<string, HistoryMessage[] | BridgeError>;
/** Threads that the journal knows. */
let threads: ThreadRecord[];
let reads: number;
let onRead: () => void;
let threadReads: string[];
let refusal: BridgeError | undefined;
let admitted: InboundMessage[];
let restarts: number;
let warnings: string[];
let gapMs: number | undefined;
let known: Set<string>;
let running: CatchUp | undefined;

beforeEach(() => {
  clock = new VirtualClock(NOW_MS);
  connectedSinceMs = NOW_MS;
  lastEventAtMs = undefined;
  history = [];
  inThreads = {};
  threads = [];
  reads = 0;
  onRead = () => {};
  threadReads = [];
  refusal = undefined;
  admitted = [];
  restarts = 0;
  warnings = [];
  gapMs = undefined;
  known = new Set();
});

afterEach(() => running?.stop());

const readUntil = new Map<ChatId, number>();
const journal: GapJournal = {
  gap: () => Promise.resolve(gapMs),
  openGap: (fromMs) => Promise.resolve(void (gapMs ??= fromMs)),
  closeGap: () => Promise.resolve(void (gapMs = undefined)),
  chats: () =>
    Promise.resolve<ChatRecord[]>([
      {
        chatId: message.chatId,
        lastMessageAtMs: 0,
        readUntilMs: readUntil.get(message.chatId) ?? 0,
      },
    ]),
  threads: (_activeSinceMs, limit) => Promise.resolve(threads.slice(0, limit)),
  noteRead: (chat, untilMs) => Promise.resolve(void readUntil.set(chat, untilMs)),
  isKnown: (id) => Promise.resolve(known.has(id)),
};

async function start(lastAliveMs: number | undefined): Promise<void> {
  readUntil.clear();
  running = new CatchUp({
    journal,
    lark: {
      history: (_chat, _sinceMs, thread) => {
        onRead();
        if (thread !== undefined) {
          threadReads.push(thread);
          const inThread = inThreads[thread] ?? [];
          return inThread instanceof BridgeError
            ? Promise.reject(inThread)
            : Promise.resolve(inThread);
        }
        reads += 1;
        return refusal === undefined ? Promise.resolve(history) : Promise.reject(refusal);
      },
    },
    intake: {
      admit: (event) => {
        if (event.kind === 'message') admitted.push(event.message);
        return Promise.resolve();
      },
    },
    line: {
      connectedSinceMs: () => connectedSinceMs,
      lastEventAtMs: () => lastEventAtMs,
      restart: () => (restarts += 1),
    },
    lastAliveMs,
    clock,
    log: {
      debug() {},
      info() {},
      warn: (event) => warnings.push(event),
      error: (event) => warnings.push(event),
    },
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

describe('while it was away', () => {
  test('after a long outage, what is not known is taken up, in order', async () => {
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

  test('a short outage costs no call: Lark redelivers by itself', async () => {
    await start(NOW_MS - 5 * MINUTE_MS);
    expect(reads).toBe(0);
  });

  test('the first start has nothing to catch up with', async () => {
    await start(undefined);
    expect(reads).toBe(0);
  });

  test('nothing is read before somebody listens again', async () => {
    connectedSinceMs = undefined;
    await start(NOW_MS - 60 * MINUTE_MS);
    expect(reads).toBe(0);
    connectedSinceMs = clock.nowMs();
    await run(MINUTE_MS);
    expect(reads).toBe(1);
  });

  test('an outage while it runs is read back too', async () => {
    await start(undefined);
    connectedSinceMs = undefined;
    await run(20 * MINUTE_MS);
    history = [said('om_a', 5 * MINUTE_MS)];
    connectedSinceMs = clock.nowMs();
    await run(MINUTE_MS);
    expect(admitted).toHaveLength(1);
  });

  test('a read that fails is tried again; the gap stays open meanwhile', async () => {
    refusal = new BridgeError('unreachable', 'down');
    history = [said('om_a', 20 * MINUTE_MS)];
    await start(NOW_MS - 60 * MINUTE_MS);
    expect(gapMs).toBe(NOW_MS - 60 * MINUTE_MS);
    refusal = undefined;
    await run(MINUTE_MS);
    expect(admitted).toHaveLength(1);
    expect(gapMs).toBeUndefined();
  });

  test('a missing permission is one warning and no endless tries', async () => {
    refusal = new BridgeError('access_denied', 'no scope');
    await start(NOW_MS - 60 * MINUTE_MS);
    await run(5 * MINUTE_MS);
    expect(reads).toBe(1);
    expect(warnings).toEqual(['history_denied']);
  });
});

const threadRecord = (threadId: string): ThreadRecord => ({
  chatId: message.chatId,
  threadId,
  lastMessageAtMs: 0,
});

describe('threads, which a chat does not show', () => {
  test('known ones are read too, and what was said in them comes in order with the rest', async () => {
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

  test('one that was begun meanwhile is found by its first message, and read once', async () => {
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

  test('a message that the chat and the thread show is taken up once', async () => {
    const root = said('om_root', 40 * MINUTE_MS, { threadId: 'omt_1' });
    history = [root];
    inThreads = { omt_1: [root] };
    await start(NOW_MS - 60 * MINUTE_MS);
    expect(admitted).toHaveLength(1);
  });

  test('so many are read and no more: each one costs a call', async () => {
    threads = Array.from({ length: GAP_THREADS_MAX - 1 }, (_, at) => threadRecord(`omt_${at}`));
    history = ['omt_x', 'omt_y'].map((threadId, at) =>
      said(`om_${at}`, (40 - at) * MINUTE_MS, { threadId, inbound: undefined }),
    );
    await start(NOW_MS - 60 * MINUTE_MS);
    expect(threadReads).toHaveLength(GAP_THREADS_MAX);
    // Of those that were begun meanwhile the newest.
    expect(threadReads.at(-1)).toBe('omt_y');
  });

  test('one that is gone keeps nobody from the others', async () => {
    threads = [threadRecord('omt_gone'), threadRecord('omt_1')];
    inThreads = {
      omt_gone: new BridgeError('failed', 'the topic does not exist'),
      omt_1: [said('om_a', 30 * MINUTE_MS)],
    };
    await start(NOW_MS - 60 * MINUTE_MS);
    expect(admitted).toHaveLength(1);
    expect(gapMs).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  test('bad weather in one of them keeps the gap open, and all of it is read again', async () => {
    threads = [threadRecord('omt_1')];
    inThreads = { omt_1: new BridgeError('unreachable', 'down') };
    await start(NOW_MS - 60 * MINUTE_MS);
    expect(gapMs).toBeDefined();
    inThreads = { omt_1: [said('om_a', 30 * MINUTE_MS)] };
    await run(MINUTE_MS);
    expect(admitted).toHaveLength(1);
    expect(gapMs).toBeUndefined();
  });

  test('of a chat that may not be read none is asked for', async () => {
    threads = [threadRecord('omt_1')];
    refusal = new BridgeError('access_denied', 'no scope');
    await start(NOW_MS - 60 * MINUTE_MS);
    expect(threadReads).toEqual([]);
    expect(warnings).toEqual(['history_denied']);
  });

  test('a stop in the middle leaves the gap open', async () => {
    threads = [threadRecord('omt_1')];
    history = [said('om_a', 30 * MINUTE_MS)];
    onRead = () => void running?.stop();
    await start(NOW_MS - 60 * MINUTE_MS);
    expect(admitted).toEqual([]);
    expect(gapMs).toBeDefined();
  });
});

describe('a connection without events', () => {
  test('that is only quiet is left alone, and proven ever more rarely', async () => {
    await start(undefined);
    await run(24 * 60 * MINUTE_MS);
    expect(restarts).toBe(0);
    expect(reads).toBeGreaterThan(3);
    expect(reads).toBeLessThan(12);
  });

  test('that is deaf is made anew, and what it missed is taken up', async () => {
    await start(undefined);
    await run(5 * MINUTE_MS);
    history = [said('om_a', 0)];
    await run(10 * MINUTE_MS);
    expect(restarts).toBe(1);
    expect(admitted.map(({ messageId: id }) => id)).toEqual(['om_a']);
    expect(warnings).toEqual(['connection_deaf']);
  });

  test('is proven in the thread where the bot was spoken to last', async () => {
    threads = [threadRecord('omt_1')];
    await start(undefined);
    await run(5 * MINUTE_MS);
    inThreads = { omt_1: [said('om_a', 0, { threadId: 'omt_1' })] };
    await run(10 * MINUTE_MS);
    expect(restarts).toBe(1);
    expect(threadReads[0]).toBe('omt_1');
    expect(admitted.map(({ messageId: id }) => id)).toEqual(['om_a']);
  });

  test('that brings events is not put to the proof', async () => {
    await start(undefined);
    for (let minute = 0; minute < 60; minute += 5) {
      lastEventAtMs = clock.nowMs();
      await run(5 * MINUTE_MS);
    }
    expect(reads).toBe(0);
  });
});

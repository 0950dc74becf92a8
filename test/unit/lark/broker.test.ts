import { describe, expect, test } from 'vitest';
import {
  CALL_LIMITS,
  type CallSpec,
  createCallBroker,
  LIFTED_CALL_LIMITS,
  type Worked,
} from '../../../src/lark/outbound/broker.ts';
import type { CallLimits } from '../../../src/lark/outbound/call-queue.ts';
import { random } from './captured.ts';
import { settle, VirtualClock } from '../../kit/clock.ts';
import type { CallPriority } from '../../../src/bridge/ports/delivery.ts';

function setup(limits: Partial<CallLimits> = {}) {
  const clock = new VirtualClock();
  const counted: CallPriority[] = [];
  const broker = createCallBroker({
    clock,
    limits: { ...LIFTED_CALL_LIMITS, ...limits },
    countCall: (priority) => counted.push(priority),
  });
  const started: string[] = [];
  const ends = new Map<string, (worked: Worked<string>) => void>();
  /** A call that goes on until `end`. */
  function call(name: string, spec: Partial<CallSpec> = {}): Promise<string> {
    return broker.run({ api: 'reply', priority: 'answer', ...spec }, () => {
      started.push(name);
      return new Promise((resolve) => ends.set(name, resolve));
    });
  }
  /** A call that ends at once. */
  function quick(name: string, spec: Partial<CallSpec> = {}): Promise<string> {
    const done = call(name, spec);
    return ends.get(name) === undefined ? done : (end(name), done);
  }
  function end(name: string, worked: Partial<Worked<string>> = {}): void {
    ends.get(name)?.({ value: name, ...worked });
  }
  return { clock, broker, counted, started, call, quick, end };
}

describe('priority', () => {
  test('the highest priority goes first; calls of equal priority go in the order in which they came', async () => {
    const { broker, call, end, started, counted } = setup({ runningMax: 1 });
    void call('first');
    const waiting: [string, CallPriority][] = [
      ['a', 'background'],
      ['b', 'reaction'],
      ['c', 'stream'],
      ['d', 'answer'],
      ['e', 'notice'],
      ['f', 'answer'],
    ];
    for (const [name, priority] of waiting) void call(name, { priority });
    expect(broker.waiting()).toBe(6);
    expect(broker.waiting('answer')).toBe(2);
    for (const name of ['first', 'd', 'f', 'e', 'c', 'b', 'a']) {
      await settle();
      expect(started.at(-1)).toBe(name);
      end(name);
    }
    await settle();
    expect(broker.waiting() + broker.running()).toBe(0);
    expect(counted).toEqual([
      'answer',
      'answer',
      'answer',
      'notice',
      'stream',
      'reaction',
      'background',
    ]);
  });

  test('an answer that comes last goes first when a limit allows a call', async () => {
    const { call, clock, started, end } = setup({ api: [{ hitsMax: 1, windowMs: 1_000 }] });
    void call('first');
    void call('reaction', { priority: 'reaction' });
    void call('answer');
    end('first');
    await clock.pass(999);
    expect(started).toEqual(['first']);
    await clock.pass(1);
    expect(started).toEqual(['first', 'answer']);
    await clock.pass(1_000);
    expect(started).toEqual(['first', 'answer', 'reaction']);
  });
});

describe('order', () => {
  test('calls of one chat and priority go one after another; other chats go on', async () => {
    const { call, end, started } = setup();
    for (const name of ['a1', 'a2', 'a3']) void call(name, { lane: 'a' });
    for (const name of ['b1', 'b2']) void call(name, { lane: 'b' });
    void call('a-reaction', { lane: 'a', priority: 'reaction' });
    await settle();
    expect(started).toEqual(['a1', 'b1', 'a-reaction']);
    end('a1');
    await settle();
    expect(started.slice(3)).toEqual(['a2']);
    end('b1');
    end('a2');
    await settle();
    expect(started.slice(4).toSorted()).toEqual(['a3', 'b2']);
  });

  test('a call of another API does not overtake one of its chat that has to wait', async () => {
    const { call, clock, started, end } = setup();
    void call('a1', { lane: 'a' });
    end('a1', { coolDown: { scope: 'api', durationMs: 5_000 } });
    await settle();
    void call('a2', { lane: 'a' });
    void call('a3', { lane: 'a', api: 'create' });
    void call('b1', { lane: 'b', api: 'create' });
    await clock.pass(4_999);
    expect(started).toEqual(['a1', 'b1']);
    await clock.pass(1);
    expect(started).toEqual(['a1', 'b1', 'a2']);
  });

  test('work that throws frees its lane', async () => {
    const { broker, call, started } = setup();
    const broken = broker.run({ api: 'x', priority: 'answer', lane: 'a' }, () => {
      throw new Error('a bug');
    });
    await expect(broken).rejects.toThrow('a bug');
    void call('next', { lane: 'a' });
    await settle();
    expect(started).toEqual(['next']);
  });

  test('chats take turns', async () => {
    const { call, end, started } = setup({ runningMax: 1 });
    void call('first');
    for (const name of ['a1', 'a2', 'a3', 'a4']) void call(name, { lane: 'a' });
    for (const name of ['b1', 'b2']) void call(name, { lane: 'b' });
    for (let left = 7; left > 0; left--) {
      end(started.at(-1) ?? '');
      await settle();
    }
    expect(started).toEqual(['first', 'a1', 'b1', 'a2', 'b2', 'a3', 'a4']);
  });
});

describe('pace', () => {
  test('five messages a second to one chat, whatever their priority; reactions are not messages', async () => {
    const { call, quick, clock, started } = setup({ chat: { hitsMax: 5, windowMs: 1_000 } });
    for (let n = 1; n <= 7; n++)
      void call(`a${n}`, { pacedBy: 'a', ...(n > 5 && { priority: 'notice' as const }) });
    void quick('r', { priority: 'reaction', lane: 'a' });
    void quick('b', { pacedBy: 'b' });
    await clock.pass(999);
    expect(started).toEqual(['a1', 'a2', 'a3', 'a4', 'a5', 'r', 'b']);
    await clock.pass(1);
    expect(started.slice(7)).toEqual(['a6', 'a7']);
  });

  test('each API has its own windows', async () => {
    const { call, clock, started } = setup({
      api: [
        { hitsMax: 2, windowMs: 1_000 },
        { hitsMax: 3, windowMs: 60_000 },
      ],
    });
    for (let n = 1; n <= 4; n++) void call(`r${n}`);
    for (let n = 1; n <= 2; n++) void call(`c${n}`, { api: 'create' });
    await clock.pass(0);
    expect(started).toEqual(['r1', 'r2', 'c1', 'c2']);
    await clock.pass(1_000);
    expect(started.slice(4)).toEqual(['r3']);
    await clock.pass(58_999);
    expect(started.slice(5)).toEqual([]);
    await clock.pass(1);
    expect(started.slice(5)).toEqual(['r4']);
  });

  test("the product's own limits: 5 a second to a chat, 50 a second and 1,000 a minute for an API", () => {
    expect(CALL_LIMITS).toMatchObject({
      api: [{ hitsMax: 50 }, { hitsMax: 1_000 }],
      chat: { hitsMax: 5 },
    });
    const windowsMs = [...CALL_LIMITS.api, CALL_LIMITS.chat].map((rate) => rate.windowMs);
    expect(windowsMs.map((ms) => Math.floor(ms / 1_000))).toEqual([1, 60, 1]);
  });
});

describe('cool-down', () => {
  test('after a 429 every caller of the API waits, and nobody else', async () => {
    const { call, quick, end, clock, started } = setup();
    void call('r1', { lane: 'a' });
    end('r1', { coolDown: { scope: 'api', durationMs: 3_000 } });
    await settle();
    void quick('r2', { lane: 'b' });
    void quick('r3', { priority: 'notice' });
    void quick('c1', { api: 'create' });
    await clock.pass(2_999);
    expect(started).toEqual(['r1', 'c1']);
    await clock.pass(1);
    expect(started).toEqual(['r1', 'c1', 'r2', 'r3']);
  });

  test('after 230020 only the chat waits', async () => {
    const { call, quick, end, clock, started } = setup();
    void call('a1', { pacedBy: 'a' });
    end('a1', { coolDown: { scope: 'chat', durationMs: 1_000 } });
    await settle();
    void quick('a2', { pacedBy: 'a', api: 'create' });
    void quick('b1', { pacedBy: 'b' });
    await clock.pass(999);
    expect(started).toEqual(['a1', 'b1']);
    await clock.pass(1);
    expect(started).toEqual(['a1', 'b1', 'a2']);
  });
});

describe('bounds', () => {
  test('the number of calls at once has a bound', async () => {
    const { broker, call, end, started } = setup({ runningMax: 3 });
    for (let n = 1; n <= 5; n++) void call(`${n}`);
    expect([broker.running(), broker.waiting()]).toEqual([3, 2]);
    end('2');
    await settle();
    expect(started).toEqual(['1', '2', '3', '4']);
  });

  test('a call beyond the bound of waiting calls is refused, and does not begin', async () => {
    const { call, started } = setup({ runningMax: 1, waitingMax: 2 });
    for (const name of ['running', 'w1', 'w2']) void call(name);
    await expect(call('w3')).rejects.toMatchObject({ code: 'failed' });
    expect(started).toEqual(['running']);
  });

  test('the pace of a bounded number of chats is kept; a chat beyond that starts again', async () => {
    const { broker, quick, clock, started } = setup({
      chatsPacedMax: 10,
      chat: { hitsMax: 1, windowMs: 1_000 },
    });
    for (let n = 0; n < 50; n++) {
      void quick(`chat${n}`, { lane: `chat${n}`, pacedBy: `chat${n}` });
      await settle();
    }
    void quick('again0', { lane: 'chat0', pacedBy: 'chat0' });
    void quick('again49', { lane: 'chat49', pacedBy: 'chat49' });
    await settle();
    expect(started.slice(50)).toEqual(['again0']);
    await clock.pass(1_000);
    expect(started.slice(50)).toEqual(['again0', 'again49']);
    expect([broker.waiting(), clock.timers]).toEqual([0, 0]);
  });

  test('stop ends the wait of waiting calls; running calls go on', async () => {
    const { broker, call, end, started, clock } = setup({ runningMax: 1 });
    const running = call('running');
    const waiting = call('waiting');
    broker.stop();
    await expect(waiting).rejects.toMatchObject({ code: 'interrupted' });
    await expect(call('late')).rejects.toMatchObject({ code: 'interrupted' });
    end('running');
    await expect(running).resolves.toBe('running');
    await clock.pass(10_000);
    expect(started).toEqual(['running']);
    expect([broker.waiting(), broker.running(), clock.timers]).toEqual([0, 0, 0]);
  });
});

test('a clock that is set back blocks no call', async () => {
  const { quick, clock, started } = setup({ chat: { hitsMax: 1, windowMs: 1_000 } });
  void quick('1', { pacedBy: 'a' });
  clock.set(clock.nowMs() - 3_600_000);
  void quick('2', { pacedBy: 'a' });
  await settle();
  expect(started).toEqual(['1', '2']);
});

test.each([1, 2, 3, 4, 5])(
  'nothing is lost, overtaken or too fast, whatever comes (SEED=%i)',
  async (seed) => {
    const next = random(seed);
    const clock = new VirtualClock();
    const limits = { ...CALL_LIMITS, runningMax: 4, chatsPacedMax: 50 };
    const broker = createCallBroker({ clock, limits });
    const started: { chat: string; priority: CallPriority; n: number; atMs: number }[] = [];
    const ended: Promise<unknown>[] = [];
    const priorities: CallPriority[] = ['answer', 'notice', 'stream', 'reaction', 'background'];
    let running = 0;
    for (let n = 0; n < 400; n++) {
      const chat = `chat${Math.floor(next() * 6)}`;
      const priority = priorities[Math.floor(next() * 5)] ?? 'answer';
      const tookMs = Math.floor(next() * 400);
      const cool = next() < 0.02;
      ended.push(
        broker.run({ api: 'reply', priority, lane: chat, pacedBy: chat }, async () => {
          started.push({ chat, priority, n, atMs: clock.nowMs() });
          running += 1;
          expect(running).toBeLessThanOrEqual(4);
          await new Promise<void>((resolve) => clock.after(tookMs, resolve));
          running -= 1;
          return {
            value: n,
            ...(cool && { coolDown: { scope: 'chat', durationMs: 1_000 } as const }),
          };
        }),
      );
      if (next() < 0.2) await clock.pass(Math.floor(next() * 500));
    }
    await clock.pass(600_000);
    expect((await Promise.all(ended)).length).toBe(400);
    for (const { chat, priority, n, atMs } of started) {
      const sameChat = started.filter((other) => other.chat === chat);
      expect(
        sameChat.filter((other) => other.atMs >= atMs && other.atMs < atMs + 1_000).length,
      ).toBeLessThanOrEqual(5);
      const later = sameChat.slice(sameChat.findIndex((other) => other.n === n) + 1);
      expect(later.filter((other) => other.priority === priority && other.n < n)).toEqual([]);
    }
  },
);

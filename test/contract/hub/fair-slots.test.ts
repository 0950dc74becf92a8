/** Who waits for whom at the hub, counted on a virtual clock: the whole hub on a real SQLite file. */
import { randomUUID } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { AgentRuntime, AgentTurn } from '../../../src/agents/runtime.ts';
import { workspaceId, type WorkspaceId } from '../../../src/core/ids.ts';
import { FairSlots } from '../../../src/hub/domain/fair-slots.ts';
import type { NewMessage } from '../../../src/hub/domain/turns.ts';
import type { HubOptions } from '../../../src/hub/hub.ts';
import type { Sent } from '../../../src/hub/ports/queue.ts';
import { queueId } from '../../../src/hub/ports/turns.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { passTime } from '../../unit/bridge/whole-bridge.ts';
import { writesUnderWay } from '../../unit/bridge/writes-under-way.ts';
import { Rig } from './rig.ts';

const SLOTS = 8;
const TURN_MS = 30_000;
const HANG = 'hang';
/** It also ignores that it is cancelled. */
const DEAF = 'hang on';

/** A hub with a bridge in its process. Its agent takes a while for each turn, or hangs. */
async function startRig() {
  const clock = new VirtualClock();
  /** When the agent got each text. */
  const begun = new Map<string, number>();
  let hanging = 0;
  const prompt = ({ text }: AgentTurn): ReturnType<AgentRuntime['prompt']> => {
    begun.set(text, clock.nowMs());
    let cancel = () => {};
    const cancelled = new Promise<'cancelled'>((resolve) => {
      if (!text.startsWith(DEAF)) cancel = () => resolve('cancelled');
    });
    if (text.startsWith(HANG)) hanging += 1;
    const done = text.startsWith(HANG) ? new Promise<never>(() => {}) : clock.sleep(TURN_MS);
    const result = Promise.race([done, cancelled]).then((how) => {
      if (text.startsWith(HANG)) hanging -= 1;
      return how === 'cancelled'
        ? ({ ok: false, reason: 'cancelled', detail: 'It was cancelled.' } as const)
        : ({ ok: true, text: 'done' } as const);
    });
    return { result, cancel, answer: () => false };
  };
  const runtime = { start: () => Promise.resolve(), stop: () => Promise.resolve(), prompt };
  const options: { -readonly [name in keyof HubOptions]?: HubOptions[name] } = {
    clock,
    maxRunning: SLOTS,
    turnTimeoutMs: 600_000,
    createRuntime: () => runtime,
  };
  const rig = await Rig.start(options);
  const own = await rig.directory.provisionWorkspace('lark-bridge');
  options.bridge = own;
  await rig.restart({ clean: true });
  const { id } = await rig.addAgent('helper');
  const isWriting = writesUnderWay(rig.db);
  const pass = (durationMs: number) => passTime(clock, { isWriting, durationMs });
  onTestFinished(async () => {
    await Promise.all([rig.hub.stop(), pass(10_000)]);
  });
  const messageOf = (source: WorkspaceId, text: string): NewMessage => ({
    source,
    named: true,
    target: { id: workspaceId(id), hubRun: true },
    requestId: text,
    content: {
      message: { role: 'user', messageId: text, contextId: text, parts: [{ kind: 'text', text }] },
    },
  });
  const send = (source: WorkspaceId, text: string) => rig.hub.turns.send(messageOf(source, text));
  /** As the bridge sends: in its own commit. */
  const join = async (text: string) => {
    const joined = rig.hub.turns.join(messageOf(own, text));
    await rig.db.write(() => joined.store());
    // The end is stored by the hub.
    const sent = joined.sent();
    if (sent?.kind === 'item') rig.hub.turns.unexpectEnd(sent.item.queueId);
  };
  return { rig, clock, own, send, join, pass, begun, hanging: () => hanging };
}

const newTenant = () => workspaceId(randomUUID());

/** In whole turns, how long each text waited. */
function waits(begun: ReadonlyMap<string, number>, texts: readonly string[], sinceMs: number) {
  return texts.map((text) => Math.ceil(((begun.get(text) ?? Infinity) - sinceMs) / TURN_MS));
}

test('F7: chats and other tenants wait only for each other, whatever 1,000 turns of one tenant do', async () => {
  const { clock, send, join, pass, begun, hanging } = await startRig();
  const greedy = newTenant();
  await Promise.all(Array.from({ length: 1_000 }, (_, at) => send(greedy, `${HANG} ${at}`)));
  await pass(1_000);
  // Half of the slots is for others than the bridge, and of these one sender gets half.
  expect(hanging()).toBe(2);

  const sinceMs = clock.nowMs();
  const people = Array.from({ length: 10 }, (_, at) => `question ${at}`);
  for (const text of people) await join(text);
  const tenants = Array.from({ length: 4 }, (_, at) => `tenant ${at}`);
  for (const text of tenants) await send(newTenant(), text);
  await pass(3 * TURN_MS);
  expect(hanging()).toBe(2);
  // Six slots for all of them, and no tenant has more than one.
  for (const turns of waits(begun, [...people, ...tenants], sinceMs)) {
    expect(turns).toBeLessThanOrEqual(2);
  }
});

test('F7: a turn that was cancelled holds its slot until its agent has ended', async () => {
  const { rig, send, pass, hanging } = await startRig();
  const greedy = newTenant();
  for (let at = 0; at < 20; at += 1) {
    const messageId = `${DEAF} ${at}`;
    const sent = await send(greedy, messageId);
    await pass(10);
    expect(hanging()).toBeLessThanOrEqual(2);
    const { source, target } = (sent as Sent & { kind: 'item' }).item;
    await rig.hub.turns.cancel({ source, target, messageId });
  }
  expect(hanging()).toBe(2);
});

test('F7: joined turns of one commit get no more slots than there are', async () => {
  const { rig, join, pass, begun } = await startRig();
  await pass(10);
  await Promise.all(Array.from({ length: 3 * SLOTS }, (_, at) => join(`question ${at}`)));
  await pass(10);
  expect(begun.size).toBe(SLOTS);
  expect((await rig.store.dispatched()).length).toBe(SLOTS);
  await pass(3 * TURN_MS);
  expect(begun.size).toBe(3 * SLOTS);
});

describe('the rule', () => {
  const own = workspaceId('own');
  const [a, b, c] = ['a', 'b', 'c'].map(workspaceId) as [WorkspaceId, WorkspaceId, WorkspaceId];
  const seats = (source: WorkspaceId, count: number, from = 0) =>
    Array.from({ length: count }, (_, at) => ({
      queueId: queueId(`${source}${from + at}`),
      source,
    }));

  test('one sender gets half of the free slots, a second one half of the rest', () => {
    const fair = new FairSlots({ slots: 8, bridge: undefined });
    expect(fair.next(seats(a, 9), [])).toEqual(['a0', 'a1', 'a2', 'a3']);
    expect(fair.next([...seats(a, 9, 4), ...seats(b, 9)], seats(a, 4))).toEqual(['b0', 'b1']);
  });

  test('beside a bridge all others get half of the slots, and the bridge comes first among equals', () => {
    const fair = new FairSlots({ slots: 8, bridge: own });
    const waiting = [...seats(a, 9), ...seats(b, 9), ...seats(c, 9), ...seats(own, 9)];
    expect(fair.next(waiting, [])).toEqual([
      'own0',
      'a0',
      'b0',
      'c0',
      'own1',
      'own2',
      'own3',
      'own4',
    ]);
    expect(fair.next(seats(own, 9), [])).toHaveLength(8);
    expect(fair.next(seats(a, 9), seats(own, 7))).toEqual(['a0']);
  });

  test('with one slot the senders take turns, and the bridge is not left out', () => {
    const fair = new FairSlots({ slots: 1, bridge: own });
    const waiting = [...seats(a, 3), ...seats(b, 1)];
    const begun: string[] = [];
    for (let left = waiting; left.length > 0;) {
      const [next] = fair.next(left, []);
      const seat = left.find((one) => one.queueId === next);
      if (seat === undefined) break;
      fair.noteBegun(seat.source);
      begun.push(seat.queueId);
      left = left.filter((one) => one !== seat);
    }
    expect(begun).toEqual(['a0', 'b0', 'a1', 'a2']);
    expect(fair.next([...seats(a, 1), ...seats(own, 1)], [])).toEqual(['own0']);
  });
});

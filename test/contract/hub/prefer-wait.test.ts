/** `Prefer: wait=N` on a send: the answer in the same response if it comes in time, else as without it. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { messageId, openId, workspaceId, chatId } from '../../../src/core/ids.ts';
import { clientOf } from './client.ts';
import { Rig } from './rig.ts';
import { patientClock } from '../../kit/clock.ts';
import type { Clock } from '../../../src/time/clock.ts';

/** Waits of one length are the requests'; they end when a test says so. */
class RequestClock implements Clock {
  readonly waitsMs: number[] = [];
  readonly #heldMs: number;
  readonly #ends: (() => void)[] = [];

  constructor(heldMs: number) {
    this.#heldMs = heldMs;
  }

  nowMs(): number {
    return patientClock.nowMs();
  }

  after(delayMs: number, run: () => void): () => void {
    this.waitsMs.push(delayMs);
    if (delayMs !== this.#heldMs) return patientClock.after(delayMs, run);
    this.#ends.push(run);
    return () => {};
  }

  /** The time of every request that waits is over. */
  endWaits(): void {
    for (const end of this.#ends.splice(0)) end();
  }
}

async function rigWithAgent({ heldMs } = { heldMs: 7_000 }) {
  const clock = new RequestClock(heldMs);
  const rig = await Rig.start({ clock });
  const bridge = await rig.bridge();
  const agent = await rig.addAgent('helper');
  return { rig, bridge, agent, agents: rig.agents, clock };
}

/** Notes whether a promise has an outcome yet. */
function watched<T>(promise: Promise<T>) {
  const state = { promise, over: false };
  void promise.finally(() => (state.over = true)).catch(() => {});
  return state;
}

const QUEUED = { queued: true, queue_id: expect.any(String) as string };
const started = (rig: Rig, count = 1) => expect.poll(() => rig.agents.runs).toHaveLength(count);

describe('with the header', () => {
  test('the send is held until the agent answers, and the answer is the response', async () => {
    const { rig, bridge, agent, agents } = await rigWithAgent();
    const sending = watched(rig.send(bridge, agent.id, {}, { prefer: 'wait=7' }));
    await started(rig);
    expect(sending.over).toBe(false);
    agents.runs[0]?.answer('good morning');
    const { status, body } = await sending.promise;
    expect(status).toBe(200);
    expect(body).toMatchObject({
      jsonrpc: '2.0',
      id: 'request-1',
      result: { role: 'agent', parts: [{ kind: 'text', text: 'good morning' }] },
    });
    expect(body).not.toHaveProperty('queue_id');
  });

  test('an agent that fails in time is the response too', async () => {
    const { rig, bridge, agent, agents } = await rigWithAgent();
    const sending = rig.send(bridge, agent.id, {}, { prefer: 'wait=7' });
    await started(rig);
    agents.runs[0]?.finish({ ok: false, reason: 'failed', detail: 'It broke.' });
    expect(await sending).toMatchObject({
      status: 200,
      body: { id: 'request-1', error: { message: 'It broke.' } },
    });
  });

  test('when the wait is over the send is queued under an id, and the turn goes on', async () => {
    const { rig, bridge, agent, agents, clock } = await rigWithAgent();
    const sending = watched(rig.send(bridge, agent.id, {}, { prefer: 'wait=7' }));
    await started(rig);
    expect(sending.over).toBe(false);
    clock.endWaits();
    const { status, body } = await sending.promise;
    expect({ status, body }).toMatchObject({ status: 202, body: QUEUED });
    expect(agents.runs[0]?.cancelled).toBe(false);
    agents.runs[0]?.answer('late');
    const done = await rig.item(bridge, agent.id, body.queue_id, 30);
    expect(done.body.response_body.result.parts[0].text).toBe('late');
  });

  test('no request is held longer than the hub says at the registration', async () => {
    const { rig, bridge, agent, agents, clock } = await rigWithAgent();
    clock.waitsMs.length = 0;
    const sending = rig.send(bridge, agent.id, {}, { prefer: 'respond-async, wait=600' });
    await started(rig);
    expect(clock.waitsMs).toContain(30_000);
    expect(clock.waitsMs).not.toContain(600_000);
    agents.runs[0]?.answer('fine');
    expect((await sending).status).toBe(200);
  });

  test('a repeated message waits for the one turn that it has', async () => {
    const { rig, bridge, agent, agents } = await rigWithAgent();
    const again = { messageId: randomUUID() };
    await rig.send(bridge, agent.id, again);
    await started(rig);
    const sending = watched(rig.send(bridge, agent.id, again, { prefer: 'wait=7' }));
    await rig.call('GET', '/health');
    expect(sending.over).toBe(false);
    agents.runs[0]?.answer('once');
    const { status, body } = await sending.promise;
    expect([status, body.result.parts[0].text]).toEqual([200, 'once']);
    expect(agents.runs).toHaveLength(1);
    // Now that it is settled nobody waits any more.
    expect((await rig.send(bridge, agent.id, again, { prefer: 'wait=7' })).status).toBe(200);
  });

  test('a caller that hangs up leaves the turn as it is', async () => {
    const { rig, bridge, agent, agents } = await rigWithAgent();
    const gone = new AbortController();
    const again = { messageId: randomUUID() };
    const more = { prefer: 'wait=7', signal: gone.signal };
    const sending = rig.send(bridge, agent.id, again, more);
    await started(rig);
    gone.abort();
    await expect(sending).rejects.toThrow(/abort/i);
    const asked = await rig.send(bridge, agent.id, again);
    expect(asked).toMatchObject({ status: 202, body: QUEUED });
    expect(agents.runs[0]?.cancelled).toBe(false);
    agents.runs[0]?.answer('all the same');
    const done = await rig.item(bridge, agent.id, asked.body.queue_id, 30);
    expect(done.body).toMatchObject({ status: 'completed', attempts: 1 });
    expect(done.body.response_body.result.parts[0].text).toBe('all the same');
    expect(agents.runs).toHaveLength(1);
  });

  test('when the hub stops, callers that wait get the id of their turn', async () => {
    const { rig, bridge, agent, agents } = await rigWithAgent();
    const sending = rig.send(bridge, agent.id, {}, { prefer: 'wait=7' });
    await started(rig);
    const stopped = rig.restart({ clean: true });
    const { status, body } = await sending;
    expect({ status, body }).toMatchObject({ status: 202, body: QUEUED });
    await stopped;
    await started(rig);
    agents.runs[0]?.answer('after the restart');
    const done = await rig.item(bridge, agent.id, body.queue_id, 30);
    expect(done.body.response_body.result.parts[0].text).toBe('after the restart');
  });

  test('a target that polls is not waited for', async () => {
    const { rig, bridge } = await rigWithAgent();
    const far = await rig.addAgent('far-away', 'external');
    const { status, body } = await rig.send(bridge, far.id, {}, { prefer: 'wait=7' });
    expect([status, body.status]).toEqual([200, 'queued']);
  });
});

test.each([undefined, 'respond-async', 'wait=', 'wait=soon', 'wait=0', 'wait=-5'])(
  'with Prefer %s the send is answered at once: queued under an id',
  async (prefer) => {
    const { rig, bridge, agent, clock } = await rigWithAgent();
    clock.waitsMs.length = 0;
    const more = prefer === undefined ? {} : { prefer };
    const { status, body } = await rig.send(bridge, agent.id, {}, more);
    expect({ status, body }).toMatchObject({ status: 202, body: QUEUED });
    await started(rig);
    expect((await rig.item(bridge, agent.id, body.queue_id)).body.status).toBe('dispatched');
  },
);

describe('the client', () => {
  const turnFor = (target: string) => ({
    messageId: randomUUID(),
    text: 'hello',
    target: workspaceId(target),
    context: {
      brand: 'feishu' as const,
      chatId: chatId('oc_1'),
      chatType: 'p2p' as const,
      senderOpenId: openId('ou_1'),
      messageId: messageId('om_1'),
    },
  });

  test('gets an answer that comes at once with the send itself', async () => {
    const { rig, bridge, agent, agents } = await rigWithAgent();
    agents.answerWith = (turn) => ({ ok: true, text: `${turn.text}!` });
    const { client } = clientOf(rig, bridge, agent.id);
    const result = await client.send(turnFor(agent.id), new AbortController().signal);
    expect(result).toEqual({ kind: 'answered', text: 'hello!' });
  });

  test('gets a ticket after a second, and the answer under it', async () => {
    const { rig, bridge, agent, agents, clock } = await rigWithAgent({ heldMs: 1_000 });
    const { client } = clientOf(rig, bridge, agent.id);
    clock.waitsMs.length = 0;
    const { signal } = new AbortController();
    const sending = client.send(turnFor(agent.id), signal);
    await started(rig);
    expect(clock.waitsMs).toContain(1_000);
    clock.endWaits();
    const result = await sending;
    expect(result).toEqual({ kind: 'accepted', ticket: expect.any(String) as string });
    agents.runs[0]?.answer('later');
    const ticket = result.kind === 'accepted' ? result.ticket : '';
    const answer = await client.wait(workspaceId(agent.id), ticket, signal);
    expect(answer).toEqual({ kind: 'answered', text: 'later' });
  });
});

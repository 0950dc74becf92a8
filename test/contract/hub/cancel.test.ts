/** `DELETE` on a message: its sender does not want the answer any more. */
import { expect, test } from 'vitest';
import { workspaceId } from '../../../src/core/ids.ts';
import { clientOf } from './client.ts';
import { PROVISION_TOKEN, Rig, type Account, type Answer } from './rig.ts';

async function rigWithAgent() {
  const rig = await Rig.start();
  const bridge = await rig.bridge();
  const agent = await rig.addAgent('helper');
  return { rig, bridge, agent, agents: rig.agents };
}

const M1 = { messageId: 'm-1' };

const cancel = (rig: Rig, by: Account, target: string, messageId = M1.messageId): Promise<Answer> =>
  rig.call('DELETE', `/workspaces/${target}/a2a/messages/${messageId}`, {
    token: by.token,
    as: by.id,
  });

const started = (rig: Rig, count: number) => expect.poll(() => rig.agents.runs).toHaveLength(count);

const DROPPED = {
  status: 'dropped',
  last_error: 'The turn was cancelled.',
  response_body: { error: { data: { reason: 'cancelled' } } },
};

test('a hub says at the registration that it can', async () => {
  const { rig } = await rigWithAgent();
  const { body } = await rig.call('POST', '/registry/register', {
    token: PROVISION_TOKEN,
    body: {
      id: '11111111-1111-4111-8111-111111111111',
      agent_card: { name: 'somebody' },
      delivery_mode: 'poll',
    },
  });
  expect(body.capabilities).toMatchObject({ cancel: true });
});

test('its agent is stopped, callers that wait for it get the end at once, and the next turn starts', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  const chat = { contextId: 'oc_1' };
  const { body: first } = await rig.send(bridge, agent.id, { ...chat, ...M1, text: 'one' });
  await rig.send(bridge, agent.id, { ...chat, text: 'two' });
  await started(rig, 1);
  const waiting = rig.item(bridge, agent.id, first.queue_id, 30);
  const cancelled = await cancel(rig, bridge, agent.id);
  expect(cancelled).toMatchObject({ status: 200, body: DROPPED });
  expect(agents.runs[0]?.cancelled).toBe(true);
  expect((await waiting).body).toMatchObject(DROPPED);
  await started(rig, 2);
  expect(agents.runs[1]?.turn.text).toBe('two');
  expect(agents.runs[1]?.cancelled).toBe(false);
  const events = rig.log.events();
  expect(events).toContain('hub_turn_cancelled');
  expect(events).not.toContain('hub_turn_failed');
});

test('a queued turn never starts, and the turn after it does', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  const say = (text: string, more = {}) =>
    rig.send(bridge, agent.id, { contextId: 'oc_1', text, ...more });
  await say('one');
  await say('two', M1);
  await say('three');
  await started(rig, 1);
  expect(await cancel(rig, bridge, agent.id)).toMatchObject({ body: DROPPED });
  agents.runs[0]?.answer('done');
  await started(rig, 2);
  expect(agents.runs.map(({ turn }) => turn.text)).toEqual(['one', 'three']);
});

test('a turn that has its answer keeps it', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  agents.answerWith = () => ({ ok: true, text: 'done' });
  const { body } = await rig.send(bridge, agent.id, M1);
  await rig.item(bridge, agent.id, body.queue_id, 30);
  const { status, body: item } = await cancel(rig, bridge, agent.id);
  expect([status, item.status]).toEqual([200, 'completed']);
  expect(item.response_body.result.parts[0].text).toBe('done');
});

test('what an agent says after the cancel is not taken as an answer', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  agents.obeysCancel = false;
  const { body } = await rig.send(bridge, agent.id, { ...M1, contextId: 'oc_1' });
  await started(rig, 1);
  await cancel(rig, bridge, agent.id);
  agents.runs[0]?.answer('too late');
  await rig.send(bridge, agent.id, { contextId: 'oc_1' });
  await started(rig, 2);
  expect((await rig.item(bridge, agent.id, body.queue_id)).body).toMatchObject(DROPPED);
});

test('it is not run again after a crash', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  agents.obeysCancel = false;
  const { body } = await rig.send(bridge, agent.id, M1);
  await started(rig, 1);
  await cancel(rig, bridge, agent.id);
  await rig.restart({ clean: false });
  await rig.send(bridge, agent.id, { text: 'next' });
  await started(rig, 1);
  expect(agents.runs[0]?.turn.text).toBe('next');
  expect((await rig.item(bridge, agent.id, body.queue_id)).body).toMatchObject(DROPPED);
});

test('a turn of an agent that polls is ended too, and its late answer changes nothing', async () => {
  const { rig, bridge } = await rigWithAgent();
  const far = await rig.addAgent('far-away', 'external');
  const { body } = await rig.send(bridge, far.id, M1);
  const waiting = rig.item(bridge, far.id, body.queue_id, 30);
  expect(await cancel(rig, bridge, far.id)).toMatchObject({ body: DROPPED });
  expect((await waiting).body).toMatchObject(DROPPED);
  const late = await rig.send(far, bridge.id, { text: 'late', answers: body.queue_id });
  expect(late.status).toBe(200);
  expect((await rig.item(bridge, far.id, body.queue_id)).body).toMatchObject(DROPPED);
});

test('only the sender can', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  const other = await rig.addAgent('other', 'external');
  await rig.send(bridge, agent.id, M1);
  await started(rig, 1);
  for (const by of [other, agent]) {
    expect((await cancel(rig, by, agent.id)).status).toBe(404);
  }
  expect((await rig.call('DELETE', `/workspaces/${agent.id}/a2a/messages/m-1`)).status).toBe(401);
  expect((await cancel(rig, bridge, other.id)).status).toBe(404);
  expect((await cancel(rig, bridge, agent.id, 'm-2')).status).toBe(404);
  expect(agents.runs[0]?.cancelled).toBe(false);
});

test('a message whose send waits for the answer can be cancelled, and the send returns', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  const sending = rig.send(bridge, agent.id, M1, { prefer: 'wait=30' });
  await started(rig, 1);
  await cancel(rig, bridge, agent.id);
  expect(agents.runs[0]?.cancelled).toBe(true);
  expect(await sending).toMatchObject({
    status: 200,
    body: { error: { data: { reason: 'cancelled' } } },
  });
});

test('the client asks for it where the hub said that it can, and says what came of it', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  const { client, log } = clientOf(rig, bridge, agent.id);
  await rig.send(bridge, agent.id, M1);
  await started(rig, 1);
  const target = workspaceId(agent.id);
  const { signal } = new AbortController();
  // It has not registered: it does not know what the hub can.
  expect(await client.cancel(target, M1.messageId, signal)).toBe('not_reached');
  expect(agents.runs[0]?.cancelled).toBe(false);
  await client.start();
  expect(await client.cancel(target, M1.messageId, signal)).toBe('over');
  expect(agents.runs[0]?.cancelled).toBe(true);
  expect(await client.cancel(target, 'nobody', signal)).toBe('not_known');
  const events = log.lines.map(({ event }) => event);
  expect(events.filter((event) => /cancel/.test(event))).toEqual(['turn_cancelled']);
});

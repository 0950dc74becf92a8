import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { requestOf, Rig, type Account } from './rig.ts';

async function rigWithAgent() {
  const rig = await Rig.start();
  const bridge = await rig.bridge();
  const agent = await rig.addAgent('helper');
  return { rig, bridge, agent };
}

function post(rig: Rig, from: Account, to: string, body: unknown) {
  return rig.call('POST', `/workspaces/${to}/a2a`, { token: from.token, as: from.id, body });
}

test('MOL-RES-08: a caller without a token, or with a wrong one, is refused', async () => {
  const { rig, bridge, agent } = await rigWithAgent();
  const path = `/workspaces/${agent.id}/a2a`;
  const missing = await rig.call('POST', path, { body: requestOf({}) });
  expect([missing.status, missing.body]).toEqual([401, { error: 'missing caller auth token' }]);
  const wrong = await rig.call('POST', path, { token: 'lw_00', body: requestOf({}) });
  expect([wrong.status, wrong.body]).toEqual([401, { error: 'invalid caller auth token' }]);
  const nowhere = await rig.send(bridge, randomUUID());
  expect([nowhere.status, nowhere.body]).toEqual([404, { error: 'workspace not found' }]);
});

test('MOL-HDR-04: the claimed workspace must own the token', async () => {
  const { rig, bridge, agent } = await rigWithAgent();
  const body = requestOf({});
  const path = `/workspaces/${agent.id}/a2a`;
  const spoofed = await rig.call('POST', path, { token: bridge.token, as: agent.id, body });
  expect(spoofed.status).toBe(401);
  expect(spoofed.body.error).toBe('caller ID does not match workspace auth token');
  const upper = { token: bridge.token, as: bridge.id.toUpperCase(), body };
  expect(
    (
      await rig.call(
        'POST',
        path.toUpperCase().replace('WORKSPACES', 'workspaces').replace('/A2A', '/a2a'),
        upper,
      )
    ).status,
  ).toBe(202);
});

test.each(['webhook:1', 'system:x', 'test:y', 'channel:z'])(
  'MOL-HDR-06: the claim %j is refused',
  async (claim) => {
    const { rig, bridge, agent } = await rigWithAgent();
    const options = { token: bridge.token, as: claim, body: requestOf({}) };
    const answer = await rig.call('POST', `/workspaces/${agent.id}/a2a`, options);
    expect([answer.status, answer.body]).toEqual([403, { error: 'invalid caller ID' }]);
  },
);

test.each([
  ['no envelope', { method: 'message/send', params: { message: { parts: text('hi') } } }],
  ['params alone', { params: { message: { parts: text('hi') } } }],
  ['the message alone', { message: { parts: text('hi') } }],
  ['version 0.2 content', { params: { message: { role: 'user', content: 'hi' } } }],
  ['type for kind', { params: { message: { parts: [{ type: 'text', text: 'hi' }] } } }],
])('MOL-A2A-03: %s is put right', async (_name, body) => {
  const { rig, bridge, agent } = await rigWithAgent();
  const answer = await post(rig, bridge, agent.id, body);
  expect(answer.status).toBe(202);
  await expect.poll(() => rig.agents.runs).toHaveLength(1);
  expect(rig.agents.runs[0]?.turn.text).toBe('hi');
});

test.each([
  ['neither parts nor content', { params: { message: { role: 'user' } } }],
  ['parts that are none', { params: { message: { parts: 'hi' } } }],
  ['a part that is none', { params: { message: { parts: ['hi'] } } }],
  ['a part without a kind', { params: { message: { parts: [{ text: 'hi' }] } } }],
  ['an empty messageId', { params: { message: { messageId: '', parts: text('hi') } } }],
  ['a messageId with NUL', { params: { message: { messageId: 'a\0b', parts: text('hi') } } }],
  ['no message', { params: {} }],
  ['a message of null', { params: { message: null } }],
  ['params of null', { params: null }],
  ['an array', []],
  ['null', null],
  ['a number', 3],
])('MOL-RES-08: %s is refused with 400', async (_name, body) => {
  const { rig, bridge, agent } = await rigWithAgent();
  const answer = await post(rig, bridge, agent.id, body);
  expect(answer.status).toBe(400);
  expect(answer.body.error).toEqual(expect.any(String));
  expect(rig.agents.runs).toHaveLength(0);
});

test('MOL-A2A-03: a message without parts gets a hint', async () => {
  const { rig, bridge, agent } = await rigWithAgent();
  const answer = await post(rig, bridge, agent.id, { params: { message: { role: 'user' } } });
  expect(answer.body).toEqual({
    error: 'params.message needs parts, or content',
    hint: 'send "parts": [{"kind": "text", "text": "…"}]',
  });
});

test('another method than message/send is answered with a JSON-RPC error', async () => {
  const { rig, bridge, agent } = await rigWithAgent();
  const body = { jsonrpc: '2.0', id: 7, method: 'tasks/get', params: { id: 'x' } };
  const answer = await post(rig, bridge, agent.id, body);
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    jsonrpc: '2.0',
    id: 7,
    error: { code: -32601, message: 'method not found: tasks/get' },
  });
});

test('MOL-RES-14: who may read a queue item', async () => {
  const { rig, bridge, agent } = await rigWithAgent();
  const stranger = await rig.addAgent('stranger', 'external');
  const { body } = await rig.send(bridge, agent.id);
  const path = `/workspaces/${agent.id}/a2a/queue/${body.queue_id}`;
  const missing = await rig.call('GET', path);
  expect([missing.status, missing.body]).toEqual([401, { error: 'caller identity required' }]);
  expect((await rig.call('GET', path, { token: 'wrong' })).status).toBe(401);
  const denied = await rig.item(stranger, agent.id, body.queue_id);
  expect([denied.status, denied.body]).toEqual([403, { error: 'access denied' }]);
  expect((await rig.item(agent, agent.id, body.queue_id)).status).toBe(200);
  for (const [target, id] of [
    [agent.id, randomUUID()],
    [bridge.id, body.queue_id as string],
    [agent.id, 'x'],
  ] as const) {
    const none = await rig.item(bridge, target, id, 30);
    expect([none.status, none.body]).toEqual([
      404,
      { error: 'queue item not found', retryable: false },
    ]);
  }
});

test.each(['x', '-1', '1.5', ''])('wait_secs=%j is refused', async (waitSecs) => {
  const { rig, bridge, agent } = await rigWithAgent();
  const { body } = await rig.send(bridge, agent.id);
  const path = `/workspaces/${agent.id}/a2a/queue/${body.queue_id}?wait_secs=${waitSecs}`;
  expect((await rig.call('GET', path, { token: bridge.token })).status).toBe(400);
});

test('MOL-RES-11: an agent with a full queue is busy, with the time to come back', async () => {
  const { rig, bridge, agent } = await rigWithAgent();
  await rig.send(bridge, agent.id);
  rig.db.run(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
      INSERT INTO hub_items (queue_id, target_id, source_id, message_id, lane, run_by_hub, status,
        enqueued_at_ms, content)
      SELECT 'q' || i, '${agent.id}', 'sender ' || (i % 10), 'm' || i, 'one', 1, 'queued', 0, '{"params":{"message":{"parts":[]}}}' FROM n`,
  );
  const answer = await rig.send(bridge, agent.id);
  expect(answer.status).toBe(503);
  expect(answer.body).toEqual({
    error: 'workspace agent busy — retry after a short backoff',
    busy: true,
    retry_after: 30,
  });
  expect(answer.headers.get('retry-after')).toBe('30');
});

function text(words: string) {
  return [{ kind: 'text', text: words }];
}

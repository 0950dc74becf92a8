import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { requestOf, Rig, type Account } from './rig.ts';
import { clockWithoutTimers } from '../../kit/clock.ts';

async function rigWithExternal() {
  const rig = await Rig.start();
  const bridge = await rig.bridge();
  const agent = await rig.addAgent('far-away', 'external');
  return { rig, bridge, agent };
}

interface Row {
  readonly id: string;
  readonly seq: number;
  readonly summary: string;
  readonly source_id: string | null;
}

const idsOf = (body: unknown) => (body as Row[]).map(({ id }) => id);
const summariesOf = (body: unknown) => (body as Row[]).map(({ summary }) => summary);

async function notes(rig: Rig, of: Account, summaries: readonly string[]): Promise<void> {
  for (const summary of summaries) {
    const body = { activity_type: 'a2a_receive', summary };
    await rig.call('POST', `/workspaces/${of.id}/activity`, { token: of.token, body });
  }
}

test('MOL-RES-03: a turn for a workspace that polls goes to its inbox, with an id for the answer', async () => {
  const { rig, bridge, agent } = await rigWithExternal();
  const sent = await rig.send(bridge, agent.id, { text: 'a question', messageId: 'm-1' });
  expect(sent.status).toBe(200);
  expect(sent.body).toEqual({
    status: 'queued',
    delivery_mode: 'poll',
    method: 'message/send',
    queue_id: expect.any(String),
  });
  const again = await rig.send(bridge, agent.id, { text: 'a question', messageId: 'm-1' });
  expect(again.body).toEqual(sent.body);

  const inbox = await rig.inbox(agent);
  expect(inbox.body).toEqual([
    {
      id: expect.any(String),
      workspace_id: agent.id,
      activity_type: 'a2a_receive',
      source_id: bridge.id,
      target_id: agent.id,
      method: 'message/send',
      summary: 'a question',
      duration_ms: null,
      status: 'ok',
      error_detail: null,
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      seq: expect.any(Number),
      request_body: requestOf({ text: 'a question', messageId: 'm-1' }),
    },
  ]);
});

test('an answer that names its question completes it, and is in the inbox of who asked', async () => {
  const { rig, bridge, agent } = await rigWithExternal();
  const asked = await rig.send(bridge, agent.id, { text: 'a question' });
  const id = asked.body.queue_id as string;
  const waiting = rig.item(bridge, agent.id, id, 30);
  expect((await rig.item(bridge, agent.id, id)).body.status).toBe('queued');

  const answer = { text: 'an answer', messageId: 'a-1', answers: id };
  const sent = await rig.send(agent, bridge.id, answer);
  expect([sent.status, sent.body]).toEqual([
    200,
    { status: 'queued', delivery_mode: 'poll', method: 'message/send' },
  ]);
  expect((await waiting).body).toMatchObject({
    status: 'completed',
    response_body: {
      id: 'request-1',
      result: { kind: 'message', role: 'agent', parts: [{ kind: 'text', text: 'an answer' }] },
    },
  });
  await rig.send(agent, bridge.id, answer);
  await rig.send(agent, bridge.id, { text: 'a late second thought', answers: id });
  const inbox = await rig.inbox(bridge);
  expect(summariesOf(inbox.body)).toEqual(['a late second thought', 'an answer']);
  const still = await rig.item(bridge, agent.id, id);
  expect(still.body.response_body.result.parts[0].text).toBe('an answer');
});

test('only the workspace that was asked can answer', async () => {
  const { rig, bridge, agent } = await rigWithExternal();
  const stranger = await rig.addAgent('stranger', 'external');
  const asked = await rig.send(bridge, agent.id);
  const id = asked.body.queue_id as string;
  const sent = await rig.send(stranger, bridge.id, { text: 'false', answers: id });
  // To the hub it is a message like any other.
  expect(sent.body.queue_id).toEqual(expect.any(String));
  await rig.send(agent, stranger.id, { text: 'to somebody else', answers: id });
  expect((await rig.item(bridge, agent.id, id)).body.status).toBe('queued');
});

test('MOL-HDR-05: a sender that does not name itself is shown as no source', async () => {
  const { rig, bridge, agent } = await rigWithExternal();
  const path = `/workspaces/${agent.id}/a2a`;
  const body = requestOf({ messageId: 'm-1' });
  const sent = await rig.call('POST', path, { token: bridge.token, body });
  await rig.call('POST', path, { token: bridge.token, body });
  const inbox = await rig.inbox(agent);
  expect((inbox.body as Row[]).map((row) => row.source_id)).toEqual([null]);
  expect((await rig.item(bridge, agent.id, sent.body.queue_id as string)).status).toBe(200);
});

test('MOL-ACT-02: with peer_info a row names its sender, its card and its files', async () => {
  const { rig, bridge, agent } = await rigWithExternal();
  const body = requestOf({ text: 'look' });
  const file = { uri: 'https://files/1', name: 'a.txt', mimeType: 'text/plain' };
  const parts = [...body.params.message.parts, { kind: 'file', file }];
  const withFile = {
    ...body,
    params: { ...body.params, message: { ...body.params.message, parts } },
  };
  const as = { token: bridge.token, as: bridge.id };
  await rig.call('POST', `/workspaces/${agent.id}/a2a`, { ...as, body: withFile });
  const plain = await rig.inbox(agent);
  expect(plain.body[0]).not.toHaveProperty('peer_name');
  const rich = await rig.inbox(agent, '&include=peer_info');
  expect(rich.body[0]).toMatchObject({
    peer_name: 'lark-bridge',
    agent_card_url: `${rig.hub.address}/registry/discover/${bridge.id}`,
    attachments: [{ kind: 'file', uri: 'https://files/1', mime_type: 'text/plain', name: 'a.txt' }],
  });
});

test('MOL-ACT-03: newest first; after a cursor strictly later rows, oldest first', async () => {
  const { rig, agent } = await rigWithExternal();
  await notes(rig, agent, ['1', '2', '3', '4', '5']);
  const all = await rig.inbox(agent);
  expect(summariesOf(all.body)).toEqual(['5', '4', '3', '2', '1']);
  const second = (all.body as Row[])[3]?.id;
  const after = await rig.inbox(agent, `&since_id=${second}`);
  expect(summariesOf(after.body)).toEqual(['3', '4', '5']);
  const page = await rig.inbox(agent, `&since_id=${second}&limit=2`);
  expect(summariesOf(page.body)).toEqual(['3', '4']);
  const last = (all.body as Row[])[0]?.id;
  expect((await rig.inbox(agent, `&since_id=${last}`)).body).toEqual([]);
});

test('a reader misses no row although the clock goes back', async () => {
  let nowMs = Date.now();
  const rig = await Rig.start({ clock: clockWithoutTimers(() => nowMs) });
  const agent = await rig.addAgent('far-away', 'external');
  await notes(rig, agent, ['before']);
  const [cursor] = idsOf((await rig.inbox(agent)).body);
  nowMs -= 3_600_000;
  await notes(rig, agent, ['after']);
  const later = await rig.inbox(agent, `&since_id=${cursor}`);
  expect(summariesOf(later.body)).toEqual(['after']);
});

test('MOL-ACT-04: every query parameter narrows the answer', async () => {
  let nowMs = Date.parse('2026-05-01T00:00:00Z');
  const rig = await Rig.start({ clock: clockWithoutTimers(() => nowMs) });
  const bridge = await rig.bridge();
  const agent = await rig.addAgent('far-away', 'external');
  await rig.send(bridge, agent.id, { text: 'old' });
  nowMs += 600_000;
  await rig.send(bridge, agent.id, { text: 'new' });
  await rig.call('POST', `/workspaces/${agent.id}/notify`, {
    token: agent.token,
    body: { message: 'note' },
  });
  await rig.call('POST', `/workspaces/${agent.id}/activity`, {
    token: agent.token,
    body: { activity_type: 'agent_log', summary: 'log' },
  });
  const list = async (query: string) => {
    const path = `/workspaces/${agent.id}/activity?${query}`;
    return summariesOf((await rig.call('GET', path, { token: agent.token })).body);
  };
  expect(await list('')).toEqual(['log', 'note', 'new', 'old']);
  expect(await list('type=a2a_receive')).toEqual(['note', 'new', 'old']);
  expect(await list('limit=1')).toEqual(['log']);
  expect(await list('limit=1000')).toHaveLength(4);
  expect(await list('since_secs=60')).toEqual(['log', 'note', 'new']);
  expect(await list('since_secs=99999999999')).toHaveLength(4);
  expect(await list('before_ts=2026-05-01T00:10:00Z')).toEqual(['old']);
  expect(await list('before_ts=2026-05-01T02:05:00%2B02:00')).toEqual(['old']);
  expect(await list('source=canvas')).toEqual(['note']);
  expect(await list('source=agent')).toEqual(['log', 'new', 'old']);
  expect(await list(`peer_id=${bridge.id.toUpperCase()}`)).toEqual(['new', 'old']);
});

test.each([
  ['limit=0', 'limit must be a positive integer'],
  ['limit=-5', 'limit must be a positive integer'],
  ['limit=ten', 'limit must be a positive integer'],
  ['since_secs=0', 'since_secs must be a positive integer'],
  ['since_secs=x', 'since_secs must be a positive integer'],
  ['before_ts=yesterday', 'before_ts must be an RFC3339 timestamp (e.g. 2026-05-01T00:00:00Z)'],
  ['before_ts=2026', 'before_ts must be an RFC3339 timestamp (e.g. 2026-05-01T00:00:00Z)'],
  ['peer_id=me', 'peer_id must be a UUID'],
  ['source=both', "source must be 'canvas' or 'agent'"],
  ['limit=1&limit=2', 'invalid query'],
])('MOL-ACT-04: %s is refused', async (query, error) => {
  const { rig, agent } = await rigWithExternal();
  const path = `/workspaces/${agent.id}/activity?${query}`;
  const answer = await rig.call('GET', path, { token: agent.token });
  expect(answer.status).toBe(400);
  expect(answer.body.error).toBe(error);
});

test('MOL-ACT-05, MOL-ACT-06: an unknown or foreign cursor, and the all-zero probe, are gone', async () => {
  const { rig, bridge, agent } = await rigWithExternal();
  await notes(rig, bridge, ['foreign']);
  const [foreign] = idsOf((await rig.inbox(bridge)).body);
  for (const cursor of ['00000000-0000-0000-0000-000000000000', randomUUID(), foreign, 'x']) {
    const answer = await rig.inbox(agent, `&since_id=${cursor}`);
    expect(answer.status).toBe(410);
    expect(answer.body.error).toMatch(/^since_id cursor not found .*; omit since_id to reset$/);
  }
});

test('MOL-ACT-07: the mark of what was read moves forward only', async () => {
  const { rig, agent } = await rigWithExternal();
  const ack = (body: unknown) =>
    rig.call('POST', `/workspaces/${agent.id}/activity/ack`, { token: agent.token, body });
  expect((await ack({ acked_seq: 7 })).body).toEqual({ last_acked_seq: 7 });
  expect((await ack({ acked_seq: 3 })).body).toEqual({ last_acked_seq: 7 });
  expect((await ack({ acked_seq: 8 })).body).toEqual({ last_acked_seq: 8 });
  expect((await ack({ acked_seq: -1 })).status).toBe(400);
  expect((await ack({})).status).toBe(400);
});

test('MOL-ACT-08: a report is logged; one in the name of somebody else is refused', async () => {
  const { rig, bridge, agent } = await rigWithExternal();
  const report = (body: unknown) =>
    rig.call('POST', `/workspaces/${agent.id}/activity`, { token: agent.token, body });
  const full = {
    activity_type: 'task_update',
    method: 'm',
    summary: 'with\0NUL',
    target_id: bridge.id,
    status: 'error',
    error_detail: 'broke',
    duration_ms: 12,
    metadata: { a: 1 },
    response_body: 'text',
    tool_trace: [{ tool: 'x' }],
  };
  const logged = await report(full);
  expect([logged.status, logged.body]).toEqual([200, { status: 'logged' }]);
  const path = `/workspaces/${agent.id}/activity?type=task_update`;
  const rows = await rig.call('GET', path, { token: agent.token });
  expect(rows.body[0]).toMatchObject({
    source_id: agent.id,
    target_id: bridge.id,
    method: 'm',
    summary: 'with\uFFFDNUL',
    status: 'error',
    error_detail: 'broke',
    duration_ms: 12,
    request_body: { a: 1 },
    response_body: 'text',
    tool_trace: [{ tool: 'x' }],
  });
  const spoofed = await report({ activity_type: 'agent_log', source_id: bridge.id });
  expect([spoofed.status, spoofed.body]).toEqual([
    403,
    { error: 'source_id must match authenticated workspace' },
  ]);
  expect((await report({ activity_type: 'gossip' })).status).toBe(400);
  expect((await report({})).body.error).toBe('invalid request body');
});

test('MOL-ACT-09: a note of a workspace is sent and stands in its own inbox without a source', async () => {
  const { rig, agent } = await rigWithExternal();
  const notify = (body: unknown) =>
    rig.call('POST', `/workspaces/${agent.id}/notify`, { token: agent.token, body });
  const attachments = [{ uri: 'workspace:1', name: 'a.txt' }];
  const sent = await notify({ message: 'half done', attachments });
  expect([sent.status, sent.body]).toEqual([200, { status: 'sent' }]);
  const inbox = await rig.inbox(agent);
  expect(inbox.body[0]).toMatchObject({
    method: 'notify',
    source_id: null,
    summary: 'half done',
    response_body: { result: 'half done', attachments },
  });
  expect((await notify({ message: '' })).status).toBe(400);
  expect((await notify({ message: 'x', attachments: [{ uri: '', name: '' }] })).status).toBe(400);
});

test('an inbox belongs to its workspace alone', async () => {
  const { rig, bridge, agent } = await rigWithExternal();
  const { token } = bridge;
  const at = `/workspaces/${agent.id}`;
  const answers = await Promise.all([
    rig.call('GET', `${at}/activity`),
    rig.call('GET', `${at}/activity`, { token }),
    rig.call('POST', `${at}/activity`, { token, body: { activity_type: 'agent_log' } }),
    rig.call('POST', `${at}/activity/ack`, { token, body: { acked_seq: 1 } }),
    rig.call('POST', `${at}/notify`, { token, body: { message: 'x' } }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
  expect(answers[0]?.body.error).toBe('missing workspace auth token');
  expect(answers[1]?.body.error).toBe('invalid workspace auth token');
});

test('MOL-RES-12: an inbox of huge messages is given in pieces that a client can take', async () => {
  const { rig, bridge, agent } = await rigWithExternal();
  const huge = 'x'.repeat(250 * 1024);
  for (const _ of [1, 2, 3, 4, 5]) await rig.send(bridge, agent.id, { text: huge });
  await notes(rig, agent, ['the last']);
  const newest = await rig.inbox(agent);
  expect(newest.body).toHaveLength(5);
  const first = rig.db.get('SELECT MIN(id) AS id FROM hub_activity WHERE seq = 1');
  const rest = await rig.inbox(agent, `&since_id=${String(first?.['id'])}`);
  expect(summariesOf(rest.body)).toContain('the last');
});

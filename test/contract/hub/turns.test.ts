import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { Directory } from '../../../src/hub/domain/directory.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { SqliteHubStore } from '../../../src/store/sqlite/hub/hub-store.ts';
import { Rig } from './rig.ts';
import { fastClock } from '../../kit/clock.ts';
import { systemClock } from '../../../src/time/clock.ts';
import type { AgentResult } from '../../../src/agents/runtime.ts';

const LARK = {
  brand: 'feishu',
  chat_id: 'oc_1',
  chat_type: 'group',
  sender_open_id: 'ou_1',
  message_id: 'om_1',
  thread_id: 'omt_1',
  parent_id: 'om_0',
};

async function rigWithAgent(options = {}) {
  const rig = await Rig.start(options);
  const bridge = await rig.bridge();
  const agent = await rig.addAgent('helper');
  return { rig, bridge, agent, agents: rig.agents };
}

test('MOL-RES-04: a turn for an agent that the hub runs is queued under an id', async () => {
  const { rig, bridge, agent } = await rigWithAgent();
  const { status, body } = await rig.send(bridge, agent.id);
  expect(status).toBe(202);
  expect(body).toEqual({
    queued: true,
    queue_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    queue_depth: 1,
    message: 'workspace agent busy — request queued, will dispatch when capacity available',
  });
});

test('MOL-RES-13: the queue item goes from dispatched to completed with the JSON-RPC answer', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  const { body } = await rig.send(bridge, agent.id, { contextId: 'oc_1' });
  await expect.poll(() => agents.runs).toHaveLength(1);
  const running = await rig.item(bridge, agent.id, body.queue_id);
  expect(running.body).toEqual({
    queue_id: body.queue_id,
    workspace_id: agent.id,
    status: 'dispatched',
    priority: 50,
    attempts: 1,
    enqueued_at: expect.stringMatching(/Z$/),
    dispatched_at: expect.stringMatching(/Z$/),
  });
  agents.runs[0]?.answer('Здравствуй, 世界\0!');
  const done = await rig.item(bridge, agent.id, body.queue_id, 30);
  expect(done.body).toMatchObject({
    status: 'completed',
    completed_at: expect.stringMatching(/Z$/),
    response_body: {
      jsonrpc: '2.0',
      id: 'request-1',
      result: {
        kind: 'message',
        role: 'agent',
        contextId: 'oc_1',
        parts: [{ kind: 'text', text: 'Здравствуй, 世界\0!' }],
      },
    },
  });
});

test('the agent gets the text without the header line, and the Lark context from the metadata', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  const text =
    '[lark-channel] brand=feishu chat_id=oc_9 chat_type=p2p sender_open_id=x message_id=y';
  const { body } = await rig.send(bridge, agent.id, {
    text: `${text}\nhello\nworld`,
    metadata: LARK,
  });
  await expect.poll(() => agents.runs).toHaveLength(1);
  expect(agents.runs[0]?.turn).toEqual({
    turnId: body.queue_id,
    text: 'hello\nworld',
    lark: {
      brand: 'feishu',
      chatId: 'oc_1',
      chatType: 'group',
      senderOpenId: 'ou_1',
      messageId: 'om_1',
      threadId: 'omt_1',
      parentId: 'om_0',
    },
  });
});

test('metadata that is not of Lark makes no context', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  await rig.send(bridge, agent.id, { metadata: { ...LARK, brand: 'other' } });
  await expect.poll(() => agents.runs).toHaveLength(1);
  expect(agents.runs[0]?.turn.lark).toBeUndefined();
});

test.each([
  ['failed', 'The program ended with exit code 3.'],
  ['timed_out', 'The agent gave no answer within 5 seconds.'],
] as const)('an agent that %s leaves a JSON-RPC error', async (reason, detail) => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  const { body } = await rig.send(bridge, agent.id);
  await expect.poll(() => agents.runs).toHaveLength(1);
  agents.runs[0]?.finish({ ok: false, reason, detail });
  const done = await rig.item(bridge, agent.id, body.queue_id, 30);
  expect(done.body).toMatchObject({
    status: 'failed',
    last_error: detail,
    response_body: { id: 'request-1', error: { code: -32000, message: detail, data: { reason } } },
  });
});

test('an agent that throws fails its turn, and the next turn runs', async () => {
  const rig = await Rig.start({
    createRuntime: (spec) => ({
      start: () => Promise.resolve(),
      stop: () => Promise.resolve(),
      prompt: () => {
        if (spec.kind === 'exec') throw new Error('secret inside');
        const result = Promise.resolve({ ok: true, text: 'fine' } as const);
        return { result, cancel: () => {}, answer: () => false };
      },
    }),
  });
  const bridge = await rig.bridge();
  const broken = await rig.addAgent('broken');
  const echo = await rig.directory.agentNamed('echo');
  const first = await rig.send(bridge, broken.id);
  const second = await rig.send(bridge, echo.workspaceId);
  const failed = await rig.item(bridge, broken.id, first.body.queue_id, 30);
  expect(failed.body.last_error).toBe('The agent broke while it worked on this.');
  expect(JSON.stringify(failed.body)).not.toContain('secret');
  const fine = await rig.item(bridge, echo.workspaceId, second.body.queue_id, 30);
  expect(fine.body.response_body.result.parts).toEqual([{ kind: 'text', text: 'fine' }]);
});

test('a turn past its time is cancelled and fails as timed out, even if the agent does not obey', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent({
    turnTimeoutMs: 1_000,
    clock: fastClock,
  });
  agents.obeysCancel = false;
  const { body } = await rig.send(bridge, agent.id);
  const done = await rig.item(bridge, agent.id, body.queue_id, 30);
  expect(done.body.response_body.error.data).toMatchObject({ reason: 'timed_out' });
  expect(agents.runs[0]?.cancelled).toBe(true);
});

test('MOL-A2A-04: a message sent again while it waits, runs or is answered runs once', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent({ maxRunning: 1 });
  const messageId = randomUUID();
  const first = await rig.send(bridge, agent.id, { messageId });
  await expect.poll(() => agents.runs).toHaveLength(1);
  const waiting = randomUUID();
  const second = await rig.send(bridge, agent.id, { messageId: waiting });

  const whileRunning = await rig.send(bridge, agent.id, { messageId });
  expect([whileRunning.status, whileRunning.body.queue_id]).toEqual([202, first.body.queue_id]);
  const whileWaiting = await rig.send(bridge, agent.id, { messageId: waiting });
  expect([whileWaiting.status, whileWaiting.body.queue_id]).toEqual([202, second.body.queue_id]);

  agents.runs[0]?.answer('one');
  await rig.item(bridge, agent.id, first.body.queue_id, 30);
  const afterwards = await rig.send(bridge, agent.id, { messageId });
  expect(afterwards.status).toBe(200);
  expect(afterwards.body).toMatchObject({
    jsonrpc: '2.0',
    id: 'request-1',
    result: { parts: [{ kind: 'text', text: 'one' }] },
  });
  await expect.poll(() => agents.runs).toHaveLength(2);
  agents.runs[1]?.finish({ ok: false, reason: 'failed', detail: 'No.' });
  await rig.item(bridge, agent.id, second.body.queue_id, 30);
  const afterFailure = await rig.send(bridge, agent.id, { messageId: waiting });
  expect([afterFailure.status, afterFailure.body.error.message]).toEqual([200, 'No.']);
  expect(agents.runs).toHaveLength(2);
});

test('many sends of one message at the same moment make one turn', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  const messageId = randomUUID();
  const sends = Array.from({ length: 10 }, () => rig.send(bridge, agent.id, { messageId }));
  const ids = new Set((await Promise.all(sends)).map((answer) => answer.body.queue_id));
  expect(ids.size).toBe(1);
  const other = await rig.addAgent('other-sender', 'external');
  const fromOther = await rig.send(other, agent.id, { messageId });
  expect(ids).not.toContain(fromOther.body.queue_id);
  await expect.poll(() => agents.runs).toHaveLength(2);
});

test('a long poll answers as soon as the turn is settled, for everybody who waits', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  const { body } = await rig.send(bridge, agent.id);
  await expect.poll(() => agents.runs).toHaveLength(1);
  const waits = Array.from({ length: 5 }, () => rig.item(bridge, agent.id, body.queue_id, 30));
  // One that has its answer proves that the server has taken up the five before it.
  await rig.item(bridge, agent.id, body.queue_id);
  agents.runs[0]?.answer('now');
  const statuses = (await Promise.all(waits)).map((answer) => answer.body.status);
  expect(statuses).toEqual(['completed', 'completed', 'completed', 'completed', 'completed']);
});

test('a long poll whose time is over answers with the status of the moment', async () => {
  const { rig, bridge, agent } = await rigWithAgent();
  const { body } = await rig.send(bridge, agent.id);
  const answer = await rig.item(bridge, agent.id, body.queue_id, 1);
  expect([answer.status, answer.body.status]).toEqual([200, 'dispatched']);
});

test('a long poll ends at once when the hub stops, and when its caller goes away', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  const { body } = await rig.send(bridge, agent.id);
  await expect.poll(() => agents.runs).toHaveLength(1);
  const gone = new AbortController();
  const path = `/workspaces/${agent.id}/a2a/queue/${body.queue_id}?wait_secs=30`;
  const abandoned = rig.call('GET', path, { token: bridge.token, signal: gone.signal });
  const waiting = rig.item(bridge, agent.id, body.queue_id, 30);
  await rig.item(bridge, agent.id, body.queue_id);
  gone.abort();
  await expect(abandoned).rejects.toThrow(/abort/i);
  const stopped = rig.hub.stop();
  expect((await waiting).body.status).toBe('dispatched');
  await stopped;
});

test('turns of one chat run in order, one after another; chats run side by side', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  const sends = [
    { text: 'a1', contextId: 'a' },
    { text: 'a2', contextId: 'a' },
    { text: 'b1', metadata: { chat_id: 'b' } },
    { text: 'b2', metadata: { chat_id: 'b' } },
    { text: 'c1' },
    { text: 'c2' },
  ];
  for (const send of sends) await rig.send(bridge, agent.id, send);
  const started = () => agents.runs.map((run) => run.turn.text).toSorted();
  await expect.poll(() => started()).toEqual(['a1', 'b1', 'c1', 'c2']);
  agents.runs.find((run) => run.turn.text === 'a1')?.answer('');
  await expect.poll(() => started()).toEqual(['a1', 'a2', 'b1', 'c1', 'c2']);
});

test('no more agents run at once than allowed', async () => {
  // Of three slots one sender gets two.
  const { rig, bridge, agent, agents } = await rigWithAgent({ maxRunning: 3 });
  for (const text of ['1', '2', '3']) await rig.send(bridge, agent.id, { text });
  await expect.poll(() => agents.runs).toHaveLength(2);
  const last = await rig.send(bridge, agent.id, { text: '4' });
  expect(last.body.queue_depth).toBe(4);
  agents.runs[0]?.answer('');
  await expect.poll(() => agents.runs).toHaveLength(3);
  agents.runs[1]?.answer('');
  await expect.poll(() => agents.runs).toHaveLength(4);
  expect(agents.most).toBe(2);
});

test('30 turns at once are all answered, each with its own answer', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent({ maxRunning: 4 });
  agents.answerWith = (turn): AgentResult => ({ ok: true, text: `re: ${turn.text}` });
  const texts = Array.from({ length: 30 }, (_, index) => `turn ${index}`);
  const answers = await Promise.all(
    texts.map(async (text, index) => {
      const sent = await rig.send(bridge, agent.id, { text, contextId: `chat ${index % 7}` });
      const done = await rig.item(bridge, agent.id, sent.body.queue_id, 30);
      return done.body.response_body.result.parts[0].text as string;
    }),
  );
  expect(answers).toEqual(texts.map((text) => `re: ${text}`));
  expect(agents.runs).toHaveLength(30);
});

test('a clean stop loses no turn: what ran and what waited runs at the next start', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  const one = await rig.send(bridge, agent.id, { text: 'one', contextId: 'a' });
  const two = await rig.send(bridge, agent.id, { text: 'two', contextId: 'a' });
  await expect.poll(() => agents.runs).toHaveLength(1);
  agents.answerWith = (turn) => ({ ok: true, text: `re: ${turn.text}` });
  await rig.restart({ clean: true });
  const first = await rig.item(bridge, agent.id, one.body.queue_id, 30);
  const second = await rig.item(bridge, agent.id, two.body.queue_id, 30);
  expect(first.body.response_body.result.parts[0].text).toBe('re: one');
  expect(second.body.response_body.result.parts[0].text).toBe('re: two');
  // A clean stop is no crash and counts as no attempt.
  expect(first.body.attempts).toBe(1);
});

test('a turn that ends while the hub stops is not run again', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  const { body } = await rig.send(bridge, agent.id);
  await expect.poll(() => agents.runs).toHaveLength(1);
  const [run] = agents.runs;
  const restarted = rig.restart({ clean: true });
  run?.answer('just in time');
  await restarted;
  const done = await rig.item(bridge, agent.id, body.queue_id, 30);
  expect(done.body.response_body.result.parts[0].text).toBe('just in time');
  expect(agents.runs).toHaveLength(0);
});

test('the stop ends although an agent ignores it', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent({ clock: fastClock });
  agents.obeysCancel = false;
  const { body } = await rig.send(bridge, agent.id);
  await expect.poll(() => agents.runs).toHaveLength(1);
  await rig.restart({ clean: true });
  await expect.poll(() => agents.runs).toHaveLength(1);
  agents.runs[0]?.answer('again');
  const done = await rig.item(bridge, agent.id, body.queue_id, 30);
  expect(done.body.status).toBe('completed');
});

test('when the process dies, no turn is lost: it runs again with the same id', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  const { body } = await rig.send(bridge, agent.id, { text: 'hello', messageId: 'm-1' });
  await expect.poll(() => agents.runs).toHaveLength(1);
  await rig.restart({ clean: false });
  await expect.poll(() => agents.runs).toHaveLength(1);
  expect(agents.runs[0]?.turn).toMatchObject({ turnId: body.queue_id, text: 'hello' });
  const again = await rig.send(bridge, agent.id, { text: 'hello', messageId: 'm-1' });
  expect(again.body.queue_id).toBe(body.queue_id);
  agents.runs[0]?.answer('hi');
  const done = await rig.item(bridge, agent.id, body.queue_id, 30);
  expect([done.body.status, done.body.attempts]).toEqual(['completed', 2]);
});

test('MOL-RES-15: a turn that kills the process is given up after 5 attempts', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  const { body } = await rig.send(bridge, agent.id);
  for (let death = 0; death < 5; death += 1) {
    await expect.poll(() => agents.runs).toHaveLength(1);
    await rig.restart({ clean: false });
  }
  const done = await rig.item(bridge, agent.id, body.queue_id, 30);
  expect(done.body).toMatchObject({
    status: 'failed',
    attempts: 5,
    last_error: 'The agent was interrupted 5 times while it worked on this.',
    response_body: { error: { data: { reason: 'interrupted' } } },
  });
  expect(agents.runs).toHaveLength(0);
});

test('under the policy "fail" an interrupted turn fails and is not run again', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent({ onInterrupted: 'fail' });
  const { body } = await rig.send(bridge, agent.id);
  await expect.poll(() => agents.runs).toHaveLength(1);
  await rig.restart({ clean: false });
  const done = await rig.item(bridge, agent.id, body.queue_id, 30);
  expect(done.body.response_body.error).toMatchObject({
    message: 'The agent was interrupted by a restart.',
    data: { reason: 'interrupted' },
  });
  expect(agents.runs).toHaveLength(0);
});

test('an answer that the database refuses is stored when the database accepts writes again', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  const { body } = await rig.send(bridge, agent.id);
  await expect.poll(() => agents.runs).toHaveLength(1);
  rig.db.run('PRAGMA query_only = 1');
  agents.runs[0]?.answer('kept');
  await expect.poll(() => rig.log.events()).toContain('hub_result_not_stored');
  rig.db.run('PRAGMA query_only = 0');
  const done = await rig.item(bridge, agent.id, body.queue_id, 30);
  expect(done.body.response_body.result.parts[0].text).toBe('kept');
  expect(agents.runs).toHaveLength(1);
});

test("a send that can't be stored is refused, so that the caller can send it again", async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent();
  rig.db.run('PRAGMA query_only = 1');
  const refused = await rig.send(bridge, agent.id, { messageId: 'm-1' });
  expect(refused.status).toBe(503);
  expect(refused.body).toMatchObject({ busy: true, retry_after: 5 });
  expect(refused.headers.get('retry-after')).toBe('5');
  rig.db.run('PRAGMA query_only = 0');
  expect((await rig.send(bridge, agent.id, { messageId: 'm-1' })).status).toBe(202);
  await expect.poll(() => agents.runs).toHaveLength(1);
});

test('an agent that another process adds gets turns at once', async () => {
  const { rig, bridge, agents } = await rigWithAgent();
  agents.answerWith = () => ({ ok: true, text: 'here' });
  const db = Db.open(rig.path, rig.log);
  const elsewhere = new Directory(new SqliteHubStore(db), systemClock);
  const added = await elsewhere.addAgent({ name: 'newest', spec: { kind: 'exec', argv: ['x'] } });
  db.close();
  const sent = await rig.send(bridge, added.workspaceId);
  const done = await rig.item(bridge, added.workspaceId, sent.body.queue_id, 30);
  expect(done.body.status).toBe('completed');
});

test('turns that wait for a removed agent are dropped, and new turns for it are refused', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent({ maxRunning: 1 });
  const running = await rig.send(bridge, agent.id);
  await expect.poll(() => agents.runs).toHaveLength(1);
  const waiting = await rig.send(bridge, agent.id);
  await rig.directory.removeAgent('helper');
  const dropped = await rig.item(bridge, agent.id, waiting.body.queue_id, 1);
  expect(dropped.body).toMatchObject({
    status: 'dropped',
    last_error: 'The agent was removed.',
    response_body: { id: 'request-1', error: { data: { reason: 'removed' } } },
  });
  agents.runs[0]?.answer('the last words');
  const done = await rig.item(bridge, agent.id, running.body.queue_id, 30);
  expect(done.body.status).toBe('completed');
  expect((await rig.send(bridge, agent.id)).status).toBe(404);
  expect((await rig.send(agent, bridge.id)).status).toBe(401);
});

test('MOL-A2A-06: an item past expires_in_seconds is dropped and not run', async () => {
  const { rig, bridge, agent, agents } = await rigWithAgent({ maxRunning: 1 });
  await rig.send(bridge, agent.id, { text: 'first' });
  await expect.poll(() => agents.runs).toHaveLength(1);
  const brief = await rig.send(bridge, agent.id, { text: 'brief', expiresInSecs: 0.001 });
  const queued = await rig.item(bridge, agent.id, brief.body.queue_id);
  expect(queued.body.expires_at).toMatch(/Z$/);
  const done = await rig.item(bridge, agent.id, brief.body.queue_id, 30);
  expect(done.body).toMatchObject({
    status: 'dropped',
    response_body: { error: { data: { reason: 'expired' } } },
  });
  agents.runs[0]?.answer('');
  const next = await rig.send(bridge, agent.id, { text: 'next' });
  await expect.poll(() => agents.runs).toHaveLength(2);
  expect(agents.runs[1]?.turn.turnId).toBe(next.body.queue_id);
});

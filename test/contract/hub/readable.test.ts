/** F3: what any caller can store, every reader who may see it can read. */
import { expect, test } from 'vitest';
import { hostileCall, type Call, type Knowledge } from '../../attack/hostile-calls.ts';
import { seeded } from '../../sim/random.ts';
import { requestOf, Rig, type Account } from './rig.ts';

const SEEDS = [1, 2, 3, 4];
const CALLS = 250;
const CALLS_BETWEEN_READS = 50;

interface Stored {
  readonly asker: Account;
  readonly target: string;
  readonly queueId: string;
  readonly messageId: string;
}

test.each(SEEDS)('whatever the hub takes, every reader can read (seed %i)', async (seed) => {
  const rig = await Rig.start();
  const own = [
    await rig.bridge(),
    await rig.addAgent('far-away', 'external'),
    await rig.addAgent('beside', 'external'),
  ];
  const runner = await rig.addAgent('runner');
  const queueIds: string[] = [];
  const turns: Stored[] = [];
  const known: Knowledge = { own, others: own.map(({ id }) => id), agents: [runner.id], queueIds };
  const random = seeded(seed);
  let accepted = 0;
  for (let round = 1; round <= CALLS; round += 1) {
    const call = hostileCall(random, known);
    const { status, body } = await answerTo(rig, call);
    expect(status, JSON.stringify(call).slice(0, 2_000)).not.toBe(500);
    if (status < 300 && call.method === 'POST') accepted += 1;
    const turn = turnOf(call, own, body);
    if (turn !== undefined) {
      queueIds.push(turn.queueId);
      turns.push(turn);
    }
    if (round % CALLS_BETWEEN_READS === 0) await readAll(rig, own, turns);
  }
  expect(accepted).toBeGreaterThan(CALLS / 10);
  for (const { asker, target, messageId } of turns) {
    const path = `/workspaces/${target}/a2a/messages/${encodeURIComponent(messageId)}`;
    expect((await rig.call('DELETE', path, asker)).status, path).toBe(200);
  }
});

async function answerTo(rig: Rig, { method, path, headers, body }: Call) {
  // Node's `fetch` sets these two itself.
  const { Host: _host, 'Transfer-Encoding': _encoding, ...others } = headers;
  const response = await fetch(new URL(path, rig.hub.address), {
    method,
    headers: others,
    ...(body !== undefined && { body }),
  });
  const said = await response.text();
  const isJson = said.startsWith('{') || said.startsWith('[');
  return { status: response.status, body: isJson ? (JSON.parse(said) as unknown) : undefined };
}

/** The turn that a call made. */
function turnOf(call: Call, own: readonly Account[], body: unknown): Stored | undefined {
  const { queue_id: queueId } = (body ?? {}) as { queue_id?: string };
  if (queueId === undefined || call.method !== 'POST') return undefined;
  const asker = own.find(({ id }) => id === call.headers['X-Workspace-ID']);
  const sent = JSON.parse(call.body ?? '') as { params: { message: { messageId?: string } } };
  const { messageId } = sent.params.message;
  // One that has no id of its own gets one that only the hub knows.
  if (asker === undefined || messageId === undefined) return undefined;
  return { asker, target: call.path.split('/')[2] ?? '', queueId, messageId };
}

async function readAll(rig: Rig, own: readonly Account[], turns: readonly Stored[]): Promise<void> {
  const read = async (path: string, by: Account) => {
    const { status } = await rig.call('GET', path, by);
    expect(status, path).toBe(200);
  };
  for (const one of own) {
    await read(`/workspaces/${one.id}/activity?limit=500&include=peer_info`, one);
    await read(`/registry/${one.id}/peers`, one);
    await read(`/workspaces/${one.id}/state`, one);
    for (const other of own) await read(`/registry/discover/${other.id}`, one);
  }
  for (const { asker, target, queueId } of turns) {
    await read(`/workspaces/${target}/a2a/queue/${queueId}`, asker);
  }
}

test.each([2 ** 53, 2 ** 60, 1e300])(
  'the number %d is refused where one is stored',
  async (big) => {
    const rig = await Rig.start();
    const { id, token } = await rig.bridge();
    const answers = [
      await rig.call('POST', `/workspaces/${id}/activity`, {
        token,
        body: { activity_type: 'agent_log', duration_ms: big },
      }),
      await rig.call('POST', `/workspaces/${id}/activity/ack`, { token, body: { acked_seq: big } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 400]);
  },
);

test('a turn that expires after the last date can be looked at', async () => {
  const rig = await Rig.start();
  const [bridge, agent] = [await rig.bridge(), await rig.addAgent('far-away', 'external')];
  const sent = await rig.send(bridge, agent.id, { expiresInSecs: 1e300 });
  const item = await rig.item(bridge, agent.id, String(sent.body.queue_id));
  expect(item.body).toMatchObject({ expires_at: '+275760-09-13T00:00:00.000Z' });
});

test.each(['x'.repeat(256), '語'.repeat(256), '\u{1F600}'.repeat(256), "a/b?c#d%25'"])(
  'a message with the id %s can be called off by it',
  async (messageId) => {
    const rig = await Rig.start();
    const [bridge, agent] = [await rig.bridge(), await rig.addAgent('far-away', 'external')];
    expect((await rig.send(bridge, agent.id, { messageId })).status).toBe(200);
    const path = `/workspaces/${agent.id}/a2a/messages/${encodeURIComponent(messageId)}`;
    expect((await rig.call('DELETE', path, bridge)).status).toBe(200);
  },
);

test('half a character in an id is refused: it could not be found again', async () => {
  const rig = await Rig.start();
  const [bridge, agent] = [await rig.bridge(), await rig.addAgent('far-away', 'external')];
  const body = JSON.stringify(requestOf({ messageId: '\ud800' }));
  const { token } = bridge;
  const answer = await rig.call('POST', `/workspaces/${agent.id}/a2a`, { token, body });
  expect(answer.status).toBe(400);
});

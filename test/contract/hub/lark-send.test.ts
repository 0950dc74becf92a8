/** What an agent may show in Lark by `notify`, and who may. The bridge is played by the test. */
import { describe, expect, test } from 'vitest';
import type { LarkOutlet, LarkSend, LarkSendOutcome } from '../../../src/hub/ports/lark-sends.ts';
import { Rig, type Account } from './rig.ts';

const HOUR_MS = 60 * 60 * 1000;
const LARK = { chat_id: 'oc_1' };
const base64 = (text: string) => Buffer.from(text).toString('base64');

async function startRig({ messages = 1 } = {}) {
  const shown: LarkSend[] = [];
  const outcomes = new Map<string, LarkSendOutcome>();
  let isUp = true;
  const outlet: LarkOutlet = {
    outcome: (id) => Promise.resolve(isUp ? outcomes.get(id) : undefined),
    plan(send) {
      if (!isUp) return { kind: 'not_now' };
      if (send.text === 'refuse me') return { kind: 'refused', why: 'too ugly' };
      const store = (may: () => boolean) =>
        rig.db.write(() => {
          if (may()) shown.push(send);
        });
      return { kind: 'planned', messages, store };
    },
  };
  const rig = await Rig.start({ outlet });
  const agent = await rig.addAgent('far-away', 'external');
  const stop = () => {
    isUp = false;
  };
  return { rig, agent, shown, outcomes, stop };
}

async function notify(rig: Rig, from: Account, body: unknown, key?: string) {
  const response = await fetch(`${rig.hub.address}/workspaces/${from.id}/notify`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Authorization: `Bearer ${from.token}`,
      ...(key !== undefined && { 'Idempotency-Key': key }),
    },
    body: JSON.stringify(body),
  });
  const { status, headers } = response;
  return { status, headers, body: (await response.json()) as Record<string, unknown> };
}

test('MOL-ACT-09: a notice that names a place in Lark goes to the bridge, and into no inbox', async () => {
  const { rig, agent, shown } = await startRig();
  const card = { schema: '2.0' };
  const files = [{ name: 'a.txt', base64: base64('hello') }];
  const lark = { open_id: 'ou_1', card, files };
  const { status, body } = await notify(rig, agent, { message: '**hi**', lark });
  expect([status, body]).toEqual([202, { status: 'queued', id: expect.any(String) }]);
  expect(shown).toEqual([
    {
      id: body['id'],
      to: 'ou_1',
      text: '**hi**',
      card: JSON.stringify(card),
      files: [{ name: 'a.txt', bytes: Buffer.from('hello') }],
    },
  ]);
  expect((await rig.inbox(agent)).body).toEqual([]);
});

test('MOL-ACT-09: the row of a notice says what came of it at Lark', async () => {
  const { rig, agent, outcomes, stop } = await startRig();
  const [shown, refused, waiting, unknown] = await Promise.all(
    ['1', '2', '3', '4'].map(async (text) => {
      const { body } = await notify(rig, agent, { message: text, lark: LARK });
      return String(body['id']);
    }),
  );
  outcomes.set(shown ?? '', { kind: 'shown' });
  outcomes.set(refused ?? '', { kind: 'refused', why: '230002: the bot is not in the chat' });
  outcomes.set(waiting ?? '', { kind: 'waiting' });
  const rows = async () => {
    const path = `/workspaces/${agent.id}/activity?type=lark_send`;
    const { body } = await rig.call('GET', path, { token: agent.token });
    const told = new Map<unknown, unknown>();
    for (const row of body as Record<string, unknown>[]) {
      told.set(row['id'], [row['status'], row['error_detail']]);
    }
    return [shown, refused, waiting, unknown].map((id) => told.get(id));
  };
  expect(await rows()).toEqual([
    ['ok', null],
    ['error', '230002: the bot is not in the chat'],
    ['queued', null],
    ['queued', null],
  ]);
  stop();
  expect(await rows()).toEqual(Array.from({ length: 4 }, () => ['queued', null]));
});

test('the type that the sender gives a file is taken and not believed', async () => {
  const { rig, agent, shown } = await startRig();
  const files = [{ name: 'a.txt', mime_type: 'image/png', base64: base64('hello') }];
  const answer = await notify(rig, agent, { message: 'x', lark: { ...LARK, files } });
  expect(answer.status).toBe(202);
  expect(shown[0]?.files).toEqual([{ name: 'a.txt', bytes: Buffer.from('hello') }]);
});

test('with a card the message may be empty', async () => {
  const { rig, agent, shown } = await startRig();
  const lark = { email: 'mei@example.com', card: {} };
  expect((await notify(rig, agent, { message: '', lark })).status).toBe(202);
  expect(shown).toMatchObject([{ to: 'mei@example.com', text: '', card: '{}' }]);
});

const file = (more: object) => ({ ...LARK, files: [{ name: 'a', base64: 'aGk=', ...more }] });

describe.each<[string, unknown, string]>([
  ['no place', {}, 'exactly one'],
  ['two places', { ...LARK, open_id: 'ou_1' }, 'exactly one'],
  ['a person as a chat', { chat_id: 'ou_1' }, 'lark.chat_id has a wrong form'],
  ['a chat as a person', { open_id: 'oc_1' }, 'lark.open_id has a wrong form'],
  ['an id that leads elsewhere', { chat_id: 'oc_1/../x' }, 'lark.chat_id has a wrong form'],
  ['an empty id', { chat_id: '' }, 'lark.chat_id has a wrong form'],
  ['two addresses', { email: 'a@b.c,d@e.f g' }, 'lark.email has a wrong form'],
  ['a number as an id', { chat_id: 1 }, 'invalid request body'],
  ['a text as a place', 'oc_1', 'invalid request body'],
  ['nothing as a place', null, 'invalid request body'],
  ['a list as a card', { ...LARK, card: [] }, 'invalid request body'],
  ['a text as a card', { ...LARK, card: '{}' }, 'invalid request body'],
  ['a file of damaged base64', file({ base64: 'a*==' }), 'damaged'],
  ['a file of half base64', file({ base64: 'aGk' }), 'damaged'],
  ['an empty file', file({ base64: '' }), 'is empty'],
  ['a file without a name', file({ name: '' }), 'invalid request body'],
  ['a file with a number as its type', file({ mime_type: 7 }), 'invalid request body'],
  ['a file in a folder', file({ name: '../a' }), 'invalid request body'],
  ['a file with a name of two lines', file({ name: 'a\nb' }), 'invalid request body'],
  [
    'too many files',
    { ...LARK, files: Array.from({ length: 21 }, () => ({ name: 'a', base64: 'aGk=' })) },
    'invalid',
  ],
])('%s', (_what, lark, error) => {
  test('is refused with 400 in words, and nothing is stored', async () => {
    const { rig, agent, shown } = await startRig();
    const answer = await notify(rig, agent, { message: 'x', lark });
    expect([answer.status, answer.body['error']]).toEqual([400, expect.stringContaining(error)]);
    expect(shown).toEqual([]);
    expect(rig.db.all('SELECT 1 FROM hub_activity')).toEqual([]);
  });
});

test('what the bridge can not show is refused with its words, and what is too large with 413', async () => {
  const { rig, agent, shown } = await startRig();
  const refused = await notify(rig, agent, { message: 'refuse me', lark: LARK });
  expect([refused.status, refused.body]).toEqual([400, { error: 'too ugly' }]);
  const large = { ...LARK, files: [{ name: 'a', base64: base64('x'.repeat(64 * 1024)) }] };
  expect((await notify(rig, agent, { message: 'x', lark: large })).status).toBe(413);
  expect(shown).toEqual([]);
});

test('only agents that the operator added may: others get 403 in words', async () => {
  const { rig, shown } = await startRig();
  for (const guest of [await rig.register(), await rig.bridge()]) {
    const answer = await notify(rig, guest, { message: 'x', lark: LARK });
    expect(answer.status).toBe(403);
    expect(answer.body['error']).toContain('only agents that the operator added');
    expect((await notify(rig, guest, { message: 'x' })).body).toEqual({ status: 'sent' });
  }
  expect(shown).toEqual([]);
});

test('a hub without a bridge says 409, and one whose bridge does not run 503', async () => {
  const alone = await Rig.start();
  const agent = await alone.addAgent('far-away', 'external');
  const answer = await notify(alone, agent, { message: 'x', lark: LARK });
  expect([answer.status, answer.body['error']]).toEqual([
    409,
    'this hub runs without a bridge to Lark',
  ]);
  const other = await startRig();
  other.stop();
  const later = await notify(other.rig, other.agent, { message: 'x', lark: LARK });
  expect([later.status, later.body['busy'], later.headers.get('Retry-After')]).toEqual([
    503,
    true,
    '5',
  ]);
});

test('the same Idempotency-Key makes one message, at the same time and after a restart', async () => {
  const { rig, agent, shown } = await startRig();
  const send = (message = 'once', key = 'key 1') =>
    notify(rig, agent, { message, lark: LARK }, key);
  const first = await Promise.all([send(), send()]);
  await rig.restart({ clean: true });
  const answers = [...first, await send()];
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
  expect(new Set(answers.map(({ body }) => body['id'])).size).toBe(1);
  expect(shown).toHaveLength(1);
  const other = await send('another');
  expect([other.status, other.body['error']]).toEqual([
    422,
    'this Idempotency-Key was used for another message',
  ]);
  const neighbour = await rig.addAgent('neighbour', 'external');
  await notify(rig, neighbour, { message: 'once', lark: LARK }, 'key 1');
  await send('once', 'key 2');
  expect(shown).toHaveLength(3);
  expect((await send('x', 'x'.repeat(257))).status).toBe(400);
});

test('a workspace may write 60 messages an hour, also over a restart; beyond that 429 says when', async () => {
  const { rig, agent, shown } = await startRig({ messages: 20 });
  const send = (key?: string) => notify(rig, agent, { message: 'x', lark: LARK }, key);
  expect((await send('first')).status).toBe(202);
  await send();
  await send();
  await rig.restart({ clean: true });
  const over = await send();
  expect([over.status, over.body['error']]).toEqual([
    429,
    'a workspace may write 60 messages an hour to Lark',
  ]);
  expect(Number(over.headers.get('Retry-After'))).toBeGreaterThan(3_500);
  expect((await send('first')).status).toBe(202);
  const neighbour = await rig.addAgent('neighbour', 'external');
  expect((await notify(rig, neighbour, { message: 'x', lark: LARK })).status).toBe(202);
  expect(shown).toHaveLength(4);
  rig.db.run('UPDATE hub_activity SET created_at_ms = created_at_ms - ?', HOUR_MS);
  expect((await send()).status).toBe(202);
});

test('nobody can report a message to Lark, and so make room for more', async () => {
  const { rig, agent } = await startRig();
  const body = { activity_type: 'lark_send', response_body: { messages: -1000 } };
  const path = `/workspaces/${agent.id}/activity`;
  expect((await rig.call('POST', path, { token: agent.token, body })).status).toBe(400);
});

test('it counts against the quota of its workspace', async () => {
  const { rig, agent, shown } = await startRig();
  rig.db.run('UPDATE hub_usage SET stored_rows = 200000 WHERE workspace_id = ?', agent.id);
  const answer = await notify(rig, agent, { message: 'x', lark: LARK });
  expect([answer.status, answer.body['quota']]).toEqual([507, 'rows']);
  expect(shown).toEqual([]);
});

/** What holds at the platform and at our own hub alike: one client for both. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Rig } from '../hub/rig.ts';
import {
  clientOf,
  eventually,
  NEVER,
  openDouble,
  quickClock,
  textsOf,
  turnFor,
  type Subject,
} from './rig.ts';

interface Place extends Subject {
  /** What the target was given, each message once. */
  taken(): Promise<{ messageId: string; text: string }[]>;
  /** The target answers what it was given last, as it does at this place. */
  answer(text: string): Promise<void>;
  /** The target says something of its own accord. */
  speak(text: string): Promise<void>;
  /** Rows that the workspace caused itself. */
  murmur(): Promise<void>;
}

async function atDouble(): Promise<Place> {
  const double = await openDouble();
  double.mode = 'busy';
  return {
    url: double.url,
    own: double.own,
    target: double.target,
    token: double.token,
    taken: () => Promise.resolve(double.turns),
    answer: (text) => {
      const [queueId = ''] = [...double.items.keys()].slice(-1);
      const result = { kind: 'message', role: 'agent', parts: [{ kind: 'text', text }] };
      double.settle(queueId, { status: 'completed', response_body: { jsonrpc: '2.0', result } });
      return Promise.resolve();
    },
    speak: (text) => Promise.resolve(void double.say(text)),
    murmur: () => {
      double.say('my own words', { source_id: double.own });
      double.say('my own notice', { source_id: null, method: 'notify' });
      return Promise.resolve();
    },
  };
}

async function atHub(): Promise<Place> {
  const rig = await Rig.start();
  const bridge = await rig.bridge();
  const agent = await rig.addAgent('far-away', 'external');
  let asked = '';
  const taken = async () => {
    const { body } = await rig.inbox(agent);
    const rows = body as {
      request_body: { params: { message: { messageId: string; parts: { text: string }[] } } };
    }[];
    return rows.toReversed().map(({ request_body: { params } }) => ({
      messageId: params.message.messageId,
      text: params.message.parts[0]?.text ?? '',
    }));
  };
  return {
    url: rig.hub.address,
    own: bridge.id,
    target: agent.id,
    token: bridge.token,
    taken,
    answer: async (text) => {
      asked = String(
        rig.db.get('SELECT queue_id FROM hub_items ORDER BY rowid DESC LIMIT 1')?.['queue_id'],
      );
      await rig.send(agent, bridge.id, { text, answers: asked });
    },
    speak: async (text) => void (await rig.send(agent, bridge.id, { text })),
    murmur: async () => {
      await rig.send(bridge, bridge.id, { text: 'my own words' });
      const body = { message: 'my own notice' };
      await rig.call('POST', `/workspaces/${bridge.id}/notify`, { token: bridge.token, body });
    },
  };
}

describe.each([
  ['the platform', atDouble],
  ['our hub', atHub],
])('at %s', (_name, open) => {
  test('MOL-REG-01, MOL-REG-02, LCM-MODE-01: it registers as a workspace that polls', async () => {
    const place = await open();
    const { client, log } = clientOf(place);
    expect(client.status().reachable).toBe(false);
    await client.start();
    expect(log.lines.map(({ event }) => event)).toEqual(['registered']);
    expect(client.status()).toEqual({ reachable: true, detail: undefined });
  });

  test('MOL-REG-06: a token that is refused ends the start', async () => {
    const place = await open();
    const { client } = clientOf({ ...place, token: 'wst-wrong' });
    await expect(client.start()).rejects.toMatchObject({ code: 'platform_refused', exitCode: 3 });
  });

  test('MOL-HDR-04, MOL-HDR-09: a token speaks for its own workspace and for no other', async () => {
    const place = await open();
    const { client } = clientOf({ ...place, own: randomUUID() });
    await expect(client.start()).rejects.toMatchObject({ code: 'platform_refused' });
  });

  test('MOL-A2A-01, MOL-A2A-04: a turn reaches its target, once however often it is sent', async () => {
    const place = await open();
    const { client } = clientOf(place);
    await client.start();
    const turn = turnFor(place);
    const first = await client.send(turn, NEVER);
    expect(first).toEqual({ kind: 'accepted', ticket: expect.any(String) });
    expect(await client.send(turn, NEVER)).toEqual(first);
    expect(await place.taken()).toEqual([
      expect.objectContaining({
        messageId: turn.messageId,
        text: expect.stringMatching(/^\[lark-channel\] brand=feishu .*\nhello$/),
      }),
    ]);
  });

  test('MOL-RES-13: the answer is found under the ticket', async () => {
    const place = await open();
    const { client, received } = clientOf(place, { clock: quickClock });
    await client.start();
    const turn = turnFor(place);
    const sent = await client.send(turn, NEVER);
    const ticket = sent.kind === 'accepted' ? sent.ticket : '';
    const found = client.wait(turn.target, ticket, NEVER);
    await place.answer('the answer');
    expect(await found).toEqual({ kind: 'answered', text: 'the answer' });
    // And there only: the inbox gives what was said unasked.
    await place.speak('unasked');
    await eventually(() => textsOf(received)).toEqual(['unasked']);
  });

  test('MOL-RES-08: a target that does not exist is a refusal in words', async () => {
    const place = await open();
    const { client } = clientOf(place);
    await client.start();
    const sent = await client.send(turnFor({ target: randomUUID() }), NEVER);
    expect(sent).toEqual({ kind: 'refused', detail: 'workspace not found' });
  });

  test('MOL-ACT-01, MOL-ACT-03, MOL-INB-06, MOL-INB-07: what others say is handed over in order, once; what it said itself is not', async () => {
    const place = await open();
    await place.speak('one');
    await place.murmur();
    await place.speak('two');
    const first = clientOf(place, { clock: quickClock });
    await first.client.start();
    await eventually(() => textsOf(first.received)).toEqual(['one', 'two']);
    await place.speak('three');
    await eventually(() => textsOf(first.received)).toEqual(['one', 'two', 'three']);
    expect(first.received[0]?.from).toBe(place.target);
    await eventually(() => first.memory.saved.length).toBe(2);
    await first.client.stop();
    await place.speak('four');
    const second = clientOf(place, { clock: quickClock });
    second.memory.cursor = first.memory.cursor;
    await second.client.start();
    await eventually(() => textsOf(second.received)).toEqual(['four']);
  });

  test('MOL-ACT-05, MOL-INB-03: a cursor that is gone leads to the backlog, and on from there', async () => {
    const place = await open();
    await place.speak('one');
    const { client, received, memory, log } = clientOf(place, { clock: quickClock });
    memory.cursor = randomUUID();
    await client.start();
    await eventually(() => textsOf(received)).toEqual(['one']);
    await place.speak('two');
    await eventually(() => textsOf(received)).toEqual(['one', 'two']);
    const told = log.lines.filter(({ event }) => event === 'inbox_cursor_lost');
    expect(told).toHaveLength(1);
  });

  test('MOL-ACT-06: it is known to have cursors', async () => {
    const place = await open();
    const { client, log } = clientOf(place);
    await client.start();
    expect(log.lines.some(({ event }) => event === 'platform_found_wanting')).toBe(false);
  });
});

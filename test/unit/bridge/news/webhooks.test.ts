/** Webhooks: a whole bridge with the real journal on a virtual clock, and a receiver that answers as the test says. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Webhook, WebhookCall } from '../../../../src/bridge/ports/webhooks.ts';
import {
  SqliteWebhookQueue,
  SqliteWebhooks,
} from '../../../../src/store/sqlite/bridge/webhooks.ts';
import { QuestionRig } from '../question-rig.ts';

const HOUR_MS = 60 * 60 * 1000;

let rig: QuestionRig;
let calls: (Pick<WebhookCall, 'id' | 'event'> & { to: string; body: Body })[];
let isUp: boolean;

type Body = Readonly<Record<string, unknown>> & { readonly fields: readonly unknown[] };

const webhook = (id: string, more: Partial<Webhook> = {}): Webhook => ({
  id,
  url: `https://${id}.example/secret-path?token=secret`,
  kinds: ['turns', 'errors', 'questions'],
  isPrivate: false,
  withText: false,
  addedAtMs: 0,
  ...more,
});

const add = (...all: readonly Webhook[]) =>
  Promise.all(all.map((one) => new SqliteWebhooks(rig.db).add(one)));

beforeEach(async () => {
  rig = new QuestionRig();
  [calls, isUp] = [[], true];
  rig.given = {
    surroundings: { prefix: '/', version: '1', agentName: () => Promise.resolve('helper') },
    webhooks: {
      queue: new SqliteWebhookQueue(rig.db),
      call: ({ webhook: { id: to }, id, event, body }) => {
        calls.push({ to, id, event, body: JSON.parse(body) as Body });
        return Promise.resolve({ ok: isUp, detail: isUp ? 'HTTP 200' : 'HTTP 500' });
      },
    },
  };
  await rig.start();
});

afterEach(() => rig.close());

async function answered(id: string, text = 'deploy'): Promise<void> {
  await rig.say(id, text);
  await rig.answerTurn('my answer');
}

describe('CG-OUT-13: a webhook', () => {
  test('is told facts, and nothing that people and agents wrote', async () => {
    await add(webhook('one'));
    await answered('om_a', 'my words');
    await rig.say('om_b', 'more words');
    await rig.ask('q');
    await rig.endTurn({ kind: 'failed', agent: 'claude', detail: 'its own words' });
    expect(calls.map(({ event }) => event)).toEqual([
      'turn.answered',
      'question.asked',
      'turn.failed',
      'question.ended',
    ]);
    expect(calls[0]?.body).toEqual({
      id: calls[0]?.id,
      event: 'turn.answered',
      source: 'lark-bridge',
      at: '2026-01-05T00:00:01.100Z',
      level: 'info',
      title: 'Answered',
      body: '',
      fields: [
        { label: 'Chat', value: 'oc_1' },
        { label: 'Agent', value: 'helper' },
        { label: 'Took', value: '1 second' },
      ],
      chat_id: 'oc_1',
      turn_id: 'om_a',
    });
    expect(calls[2]?.body.fields).toContainEqual({ label: 'Outcome', value: 'agent_failed' });
    expect(JSON.stringify(calls)).not.toMatch(/words|my answer|q\?/);
  });

  test('gets the words too if somebody asked for it', async () => {
    await add(webhook('one', { withText: true }));
    await answered('om_a', 'my words');
    expect(calls[0]?.body.fields).toContainEqual({ label: 'Message', value: 'my words' });
    expect(calls[0]?.body['body']).toContain('my answer');
  });

  test('is told only of what it asked for; a word that is no kind counts for nothing', async () => {
    await add(webhook('one', { kinds: ['errors'] }), webhook('two', { kinds: ['all' as 'turns'] }));
    await answered('om_a');
    expect(calls).toEqual([]);
  });

  test('that does not take it is called again under the same id, in order, until it does', async () => {
    await add(webhook('one'), webhook('two'));
    isUp = false;
    await answered('om_a');
    await answered('om_b');
    await rig.restart();
    await rig.pass(60_000);
    const tries = calls.filter(({ to }) => to === 'one');
    expect(tries.length).toBeGreaterThan(2);
    expect(new Set(tries.map(({ id }) => id)).size).toBe(1);
    isUp = true;
    calls = [];
    await rig.pass(600_000);
    for (const to of ['one', 'two']) {
      const told = calls.filter((call) => call.to === to).map(({ body }) => body['turn_id']);
      expect(told).toEqual(['om_a', 'om_b']);
    }
  });

  test('is given up after a day, with a line in the log that has no path and no token', async () => {
    await add(webhook('one'));
    isUp = false;
    await answered('om_a');
    rig.clock.set(rig.clock.nowMs() + 25 * HOUR_MS);
    await rig.pass(1_000);
    expect(rig.log.warnings()).toContain('webhook_given_up');
    expect(JSON.stringify(rig.log.lines)).not.toMatch(/secret-path|token/);
    calls = [];
    await rig.pass(HOUR_MS);
    expect(calls).toEqual([]);
  });

  test('that is away misses nothing up to a bound, and what it misses is told', async () => {
    await add(webhook('one'));
    const queue = new SqliteWebhookQueue(rig.db);
    const item = { event: 'turn.answered', run: 1, chatType: 'group', atMs: rig.clock.nowMs() };
    await rig.db.write(() => {
      for (let at = 0; at < 1_200; at += 1) {
        queue.note({ id: String(at), turn: 'om_x', chatId: 'oc_1', ...item } as never);
      }
    });
    const kept = rig.db.get('SELECT count(*) AS count FROM webhook_deliveries');
    expect(kept).toEqual({ count: 1_000 });
    await rig.db.write(() => rig.db.run('DELETE FROM webhook_deliveries WHERE seq > 2'));
    await rig.restart();
    await rig.pass(1_000);
    expect(calls).toHaveLength(2);
    expect(rig.log.lines).toContainEqual(
      expect.objectContaining({ event: 'webhook_left_out', count: 200 }),
    );
  });
});

test('a webhook that hangs keeps no other waiting', async () => {
  await add(webhook('slow'), webhook('fast'));
  const given = rig.given.webhooks;
  if (given === undefined) throw new Error('no webhooks');
  await rig.stop();
  const hangs = new Promise<never>(() => {});
  const call: typeof given.call = (one) => (one.webhook.id === 'slow' ? hangs : given.call(one));
  rig.given = { ...rig.given, webhooks: { ...given, call } };
  await rig.start();
  await answered('om_a');
  await answered('om_b');
  expect(calls.map(({ body }) => body['turn_id'])).toEqual(['om_a', 'om_b']);
});

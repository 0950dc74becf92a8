/** What one workspace may have at the hub, and that it is counted right. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { workspaceId } from '../../../src/core/ids.ts';
import { failure } from '../../../src/hub/domain/outcomes.ts';
import { QUOTA } from '../../../src/hub/ports/quota.ts';
import { queueId } from '../../../src/hub/ports/turns.ts';
import { REGISTERED_WORKSPACES_MAX } from '../../../src/hub/ports/workspaces.ts';
import { UsageTable } from '../../../src/store/sqlite/hub/usage.ts';
import { USAGE_SUM } from '../../../src/store/sqlite/hub/usage-schema.ts';
import { seeded } from '../../sim/random.ts';
import { PROVISION_TOKEN, Rig, type Account } from './rig.ts';

const NEVER_EMPTY = 'stored_rows <> 0 OR stored_bytes <> 0 OR waiting <> 0 OR asked <> 0';

function counted(rig: Rig) {
  return rig.db.all(
    `SELECT workspace_id, stored_rows, stored_bytes, waiting, asked FROM hub_usage
      WHERE ${NEVER_EMPTY} ORDER BY workspace_id`,
  );
}

function summed(rig: Rig) {
  return rig.db.all(`SELECT * FROM (${USAGE_SUM}) WHERE ${NEVER_EMPTY} ORDER BY workspace_id`);
}

function ready(rig: Rig) {
  return rig.db.all('SELECT seq FROM hub_ready ORDER BY seq').map((row) => row['seq']);
}

function readyByLooking(rig: Rig) {
  const sql = `SELECT seq FROM hub_items WHERE status = 'queued' AND run_by_hub = 1 AND seq IN (
      SELECT MIN(seq) FROM hub_items WHERE status IN ('queued', 'dispatched')
      GROUP BY target_id, source_id, lane) ORDER BY seq`;
  return rig.db.all(sql).map((row) => row['seq']);
}

/** As if it had stored so much. */
function fill(rig: Rig, { id }: Account, column: string, value: number): void {
  rig.db.run(
    `INSERT INTO hub_usage (workspace_id, stored_rows, stored_bytes, waiting, asked)
      VALUES (?, 0, 0, 0, 0) ON CONFLICT DO NOTHING`,
    id,
  );
  rig.db.run(`UPDATE hub_usage SET ${column} = ? WHERE workspace_id = ?`, value, id);
}

async function startRig() {
  const rig = await Rig.start();
  const tenant = await rig.bridge();
  const agent = await rig.addAgent('helper');
  const poller = await rig.addAgent('far-away', 'external');
  return { rig, tenant, agent, poller };
}

const post = (rig: Rig, from: Account, path: string, body: object) =>
  rig.call('POST', path, { token: from.token, as: from.id, body });

const notify = (rig: Rig, from: Account) =>
  post(rig, from, `/workspaces/${from.id}/notify`, { message: 'hello' });

test.each([1, 2, 3])(
  'F13: what is counted is what is there, after random work and deaths (SEED=%i)',
  async (seed) => {
    const random = seeded(seed);
    const { rig, tenant, agent, poller } = await startRig();
    const accounts = [tenant, agent, poller];
    const one = <Item>(items: readonly Item[]) =>
      items[Math.floor(random() * items.length)] as Item;
    const ids = () => rig.db.all('SELECT queue_id FROM hub_items').map((row) => row['queue_id']);
    const work: readonly (() => unknown)[] = [
      () =>
        rig.send(one([tenant, poller]), agent.id, {
          text: 'ü'.repeat(random() * 500),
          contextId: `lane ${Math.floor(random() * 3)}`,
        }),
      () => rig.send(tenant, poller.id, { text: 'question' }),
      () => rig.send(poller, tenant.id, { answers: String(one(ids()) ?? ''), text: 'answer' }),
      () => one(rig.agents.runs)?.answer('done'.repeat(random() * 100)),
      () => notify(rig, one(accounts)),
      () =>
        post(rig, tenant, '/registry/update-card', {
          workspace_id: tenant.id,
          agent_card: { name: 'x'.repeat(random() * 99) },
        }),
      () => {
        const atMs = Date.now();
        return rig.store.settle(
          queueId(String(one(ids()) ?? '')),
          failure('cancelled', 'No.', atMs),
        );
      },
      () => rig.store.pruneItems(Date.now() + 1, 2),
      () => rig.store.pruneActivity(Date.now() + 1, 2),
    ];
    for (let life = 0; life < 4; life += 1) {
      for (let step = 0; step < 40; step += 1) {
        // Some of it is still under way when the process dies.
        const done = Promise.resolve(one(work)()).catch(() => {});
        if (random() < 0.8) await done;
      }
      await rig.restart({ clean: false });
      expect(counted(rig)).toEqual(summed(rig));
      expect(ready(rig)).toEqual(readyByLooking(rig));
    }
    expect(counted(rig).length).toBeGreaterThan(0);
  },
);

describe('F13: one sender', () => {
  test.each([
    ['stored_bytes', QUOTA.bytes - 10, 'bytes', /256 MB/],
    ['stored_rows', QUOTA.rows, 'rows', /200,000/],
  ])('can not store more than its quota of %s', async (column, value, quota, words) => {
    const { rig, tenant, agent, poller } = await startRig();
    fill(rig, tenant, column, value);
    const refused = [
      await rig.send(tenant, agent.id),
      await rig.send(tenant, poller.id),
      await notify(rig, tenant),
      await post(rig, tenant, `/workspaces/${tenant.id}/activity`, {
        activity_type: 'agent_log',
        summary: 'something long enough',
      }),
    ];
    for (const { status, body } of refused) {
      expect(status).toBe(507);
      expect(body).toMatchObject({
        error: expect.stringMatching(words),
        quota,
        hint: expect.stringContaining('30 days'),
      });
    }
    // Others are not touched by that.
    expect((await notify(rig, poller)).status).toBe(200);
    expect((await rig.send(poller, agent.id)).status).toBe(202);
  });

  test('has room again when its rows were deleted', async () => {
    const { rig, tenant } = await startRig();
    expect((await notify(rig, tenant)).status).toBe(200);
    fill(rig, tenant, 'stored_rows', QUOTA.rows);
    expect((await notify(rig, tenant)).status).toBe(507);
    await rig.store.pruneActivity(Date.now() + 1, 10);
    expect((await notify(rig, tenant)).status).toBe(200);
  });

  test('can not have more turns without an answer than its quota, at all targets together', async () => {
    const { rig, tenant, agent, poller } = await startRig();
    fill(rig, tenant, 'waiting', QUOTA.waiting - 1);
    expect((await rig.send(tenant, agent.id, { messageId: 'last' })).status).toBe(202);
    for (const target of [agent, poller]) {
      const refused = await rig.send(tenant, target.id);
      expect(refused.status).toBe(429);
      expect(refused.headers.get('Retry-After')).toBe('30');
      expect(refused.body.error).toContain('1,000 turns');
    }
    // A repeat is no new turn.
    expect((await rig.send(tenant, agent.id, { messageId: 'last' })).status).toBe(202);
    const path = `/workspaces/${agent.id}/a2a/messages/last`;
    await rig.call('DELETE', path, { token: tenant.token, as: tenant.id });
    expect((await rig.send(tenant, agent.id)).status).toBe(202);
  });

  test('pays for its own answers, and for those of agents that the hub runs for it', async () => {
    const { rig, tenant, agent, poller } = await startRig();
    const bytesOf = ({ id }: Account) =>
      Number(
        rig.db.get('SELECT stored_bytes FROM hub_usage WHERE workspace_id = ?', id)?.[
          'stored_bytes'
        ] ?? 0,
      );
    const long = 'x'.repeat(100_000);
    const asked = await rig.send(tenant, poller.id);
    await rig.send(poller, tenant.id, { answers: asked.body.queue_id as string, text: long });
    // In the inbox of who asked, and with the turn.
    expect(bytesOf(poller)).toBeGreaterThan(2 * long.length);
    expect(bytesOf(tenant)).toBeLessThan(long.length);

    rig.agents.answerWith = () => ({ ok: true, text: long });
    const ran = await rig.send(tenant, agent.id);
    await rig.item(tenant, agent.id, ran.body.queue_id as string, 30);
    expect(bytesOf(agent)).toBe(0);
    expect(bytesOf(tenant)).toBeGreaterThan(long.length);
  });
});

test('F13: the bridge in this process finds room whatever others have sent', async () => {
  const { rig, agent } = await startRig();
  const id = await rig.directory.provisionWorkspace('lark-bridge');
  for (const column of ['stored_rows', 'stored_bytes', 'waiting']) {
    fill(rig, { id, token: '' }, column, 1_000_000_000);
  }
  fill(rig, agent, 'asked', 1_000_000);
  const sent = await rig.hub.turns.send({
    source: id,
    named: true,
    target: { id: workspaceId(agent.id), hubRun: true },
    requestId: '1',
    content: { message: { role: 'user', messageId: 'm', parts: [{ kind: 'text', text: 'hi' }] } },
  });
  expect(sent.kind).toBe('item');
});

test('F13: only so many workspaces can register', async () => {
  const rig = await Rig.start();
  rig.db.run(
    `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
      INSERT INTO hub_workspaces (id, name, origin, run_by_hub, created_at_ms)
      SELECT 'w' || n, 'w', 'registered', 0, 0 FROM numbers`,
    REGISTERED_WORKSPACES_MAX - 1,
  );
  const register = () =>
    rig.call('POST', '/registry/register', {
      token: PROVISION_TOKEN,
      body: { id: randomUUID(), agent_card: { name: 'one' }, delivery_mode: 'poll' },
    });
  expect((await register()).status).toBe(200);
  const refused = await register();
  expect(refused.status).toBe(507);
  expect(refused.body.error).toContain('10,000 workspaces');
});

test('F13: who comes near a quota is known by name, the fullest first', async () => {
  const { rig, agent, poller, tenant } = await startRig();
  fill(rig, agent, 'waiting', QUOTA.waiting * 0.9);
  fill(rig, poller, 'stored_bytes', QUOTA.bytes);
  fill(rig, tenant, 'stored_rows', QUOTA.rows * 0.7);
  expect(new UsageTable(rig.db).near(0.8)).toEqual([
    { workspace: 'far-away', quota: 'bytes', used: QUOTA.bytes },
    { workspace: 'helper', quota: 'waiting', used: QUOTA.waiting * 0.9 },
  ]);
});

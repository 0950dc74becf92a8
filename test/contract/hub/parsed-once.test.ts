/** F4: what one workspace has stored is not parsed when another one asks. */
import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { DESCRIPTION_BYTES_MAX } from '../../../src/hub/ports/workspaces.ts';
import { Rig } from './rig.ts';

const MARK = 'stored by somebody else';

/** How many stored texts with the mark are parsed by the hub from now on. */
function parsesOfMarked(): () => number {
  const parse = JSON.parse;
  let count = 0;
  JSON.parse = (text: string, ...more: []) => {
    // The test itself reads whole responses.
    if (text.includes(MARK) && !text.startsWith('[{"id"') && !text.startsWith('{"id"')) count += 1;
    return parse(text, ...more) as unknown;
  };
  onTestFinished(() => {
    JSON.parse = parse;
  });
  return () => count;
}

test('F4: 1,000 large cards cost a small request of a peer nothing, and a list of peers is bounded', async () => {
  const rig = await Rig.start();
  const peer = await rig.bridge();
  const other = await rig.addAgent('other', 'external');
  const card = JSON.stringify({ name: 'Large', note: MARK, more: '' });
  const large = card.replace('""', `"${'x'.repeat(DESCRIPTION_BYTES_MAX - card.length)}"`);
  rig.db.run(
    `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000)
      INSERT INTO hub_workspaces
        (id, name, origin, run_by_hub, created_at_ms, agent_card, card_name)
      SELECT printf('00000000-0000-4000-8000-%012d', n), 'w', 'registered', 0, 1, ?, 'Large'
      FROM numbers`,
    large,
  );
  const count = parsesOfMarked();
  const get = (path: string) => rig.call('GET', path, { token: peer.token, as: peer.id });
  expect((await get(`/workspaces/${peer.id}/state`)).status).toBe(200);
  expect((await rig.send(peer, other.id)).status).toBe(200);
  const one = await get('/registry/discover/00000000-0000-4000-8000-000000001000');
  expect(one.body).toMatchObject({ name: 'Large', agent_card: { note: MARK } });
  const { body: peers } = await get(`/registry/${peer.id}/peers`);
  expect(peers).toHaveLength(1_002);
  const cards = (peers as { agent_card: { note?: string } }[]).filter(
    ({ agent_card: shown }) => shown.note === MARK,
  );
  // 4 MB of them.
  expect(cards.length).toBe(256);
  expect((peers as { name: string }[]).filter(({ name }) => name === 'Large')).toHaveLength(1_000);
  expect(count()).toBe(0);
});

test('F4: a message is not parsed when its reader lists the inbox, nor when its answer comes', async () => {
  const rig = await Rig.start();
  const sender = await rig.bridge();
  const reader = await rig.addAgent('reader', 'external');
  const request = {
    jsonrpc: '2.0',
    id: 'request "1"',
    method: 'message/send',
    params: {
      message: {
        role: 'user',
        messageId: randomUUID(),
        parts: [
          { kind: 'text', text: MARK },
          { kind: 'file', file: { uri: 'file:///a', name: 'a.txt', mimeType: 'text/plain' } },
        ],
      },
    },
  };
  const sent = await rig.call('POST', `/workspaces/${reader.id}/a2a`, {
    token: sender.token,
    as: sender.id,
    body: request,
  });
  const count = parsesOfMarked();
  const { body: rows } = await rig.inbox(reader, '&include=peer_info');
  expect(rows).toMatchObject([
    {
      request_body: request,
      attachments: [{ kind: 'file', uri: 'file:///a', mime_type: 'text/plain', name: 'a.txt' }],
    },
  ]);
  const id = sent.body.queue_id as string;
  expect((await rig.send(reader, sender.id, { answers: id, text: 'yes' })).status).toBe(200);
  const done = await rig.item(sender, reader.id, id);
  expect(done.body.response_body.result.parts[0].text).toBe('yes');
  expect(count()).toBe(0);
});

test('F4: attachments of rows of earlier versions are still found', async () => {
  const rig = await Rig.start();
  const sender = await rig.bridge();
  const reader = await rig.addAgent('reader', 'external');
  const parts = [{ kind: 'file', file: { uri: 'file:///a', name: 'a.txt' } }];
  await rig.call('POST', `/workspaces/${reader.id}/a2a`, {
    token: sender.token,
    as: sender.id,
    body: { params: { message: { parts } } },
  });
  rig.db.run('UPDATE hub_activity SET attachments = NULL');
  const { body: rows } = await rig.inbox(reader, '&include=peer_info');
  expect(rows).toMatchObject([{ attachments: [{ uri: 'file:///a', name: 'a.txt' }] }]);
});

test('a message can answer 100 turns and not more', async () => {
  const rig = await Rig.start();
  const sender = await rig.bridge();
  const reader = await rig.addAgent('reader', 'external');
  const answering = (count: number) =>
    rig.call('POST', `/workspaces/${sender.id}/a2a`, {
      token: reader.token,
      as: reader.id,
      body: {
        params: {
          message: {
            parts: [{ kind: 'text', text: 'yes' }],
            referenceTaskIds: Array.from({ length: count }, () => 'none'),
          },
        },
      },
    });
  expect((await answering(100)).status).toBe(200);
  expect((await answering(101)).status).toBe(400);
});

/** An agent elsewhere writes to people of Lark by the hub's `notify`. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Rig, RUN } from './rig.ts';

let rig: Rig;
let agent: { workspace_id: string; api_key: string };

beforeEach(async () => {
  rig = await Rig.open();
  const { stdout } = await rig.command(['agents', 'add', 'far-away', '--json']);
  agent = JSON.parse(stdout) as typeof agent;
});

afterEach(() => rig.close());

const CARD = {
  schema: '2.0',
  body: { elements: [{ tag: 'markdown', content: 'a raw card' }] },
};

async function notify(hubUrl: string, message: string, lark: object, key?: string) {
  const response = await fetch(`${hubUrl}/workspaces/${agent.workspace_id}/notify`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Authorization: `Bearer ${agent.api_key}`,
      ...(key !== undefined && { 'Idempotency-Key': key }),
    },
    body: JSON.stringify({ message, lark }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** What the agent can read about each of its messages, the newest first. */
async function outcomes(hubUrl: string): Promise<unknown[]> {
  const path = `/workspaces/${agent.workspace_id}/activity?type=lark_send`;
  const headers = { Authorization: `Bearer ${agent.api_key}` };
  const response = await fetch(`${hubUrl}${path}`, { headers });
  const rows = (await response.json()) as { status: string; error_detail: string | null }[];
  return rows.map(({ status, error_detail: detail }) => [status, detail]);
}

test('to a chat, a person and an address, with a file and a raw card', async () => {
  const { user, chat } = rig.direct('Mei');
  const { hub_url: hub } = await (await rig.runHere()).ready();
  const files = [{ name: 'notes.txt', base64: Buffer.from('notes').toString('base64') }];
  const table = 'from **far**\n\n| a |\n|---|\n| 1 |';
  const answers = [
    await notify(hub, 'look', { chat_id: chat.chatId, card: CARD, files }),
    await rig.repliesIn(chat, 3).then(() => notify(hub, table, { open_id: user.openId })),
    await rig.repliesIn(chat, 4).then(() => notify(hub, 'hi', { email: user.email ?? '' })),
  ];
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
  const replies = await rig.repliesIn(chat, 5);
  expect(replies.map(({ type }) => type)).toEqual([
    'text',
    'file',
    'interactive',
    'interactive',
    'text',
  ]);
  expect(replies[2]?.text).toContain('a raw card');
  expect([...rig.cloud.world.uploads.values()].map(({ fileName }) => fileName)).toEqual([
    'notes.txt',
  ]);
  const folder = join(rig.stateDir, 'attachments', 'out');
  await expect.poll(() => readdirSync(folder)).toEqual([]);
  await expect.poll(() => outcomes(hub)).toEqual(Array.from({ length: 3 }, () => ['ok', null]));
});

test('what Lark would not take is refused at once, and what it refuses later is told in the row', async () => {
  const { chat } = rig.direct('Mei');
  const { hub_url: hub } = await (await rig.runHere()).ready();
  const at = { chat_id: chat.chatId };
  const large = await notify(hub, 'x', { ...at, card: { text: 'x'.repeat(31 * 1024) } });
  expect([large.status, large.body['error']]).toEqual([400, expect.stringContaining('30 KB')]);
  const empty = await notify(hub, '  ', at);
  expect([empty.status, empty.body['error']]).toEqual([400, 'there is nothing to send']);
  expect(rig.replies(chat)).toEqual([]);
  const foreign = rig.cloud.addGroup({ name: 'Without the bot' });
  expect((await notify(hub, 'x', { chat_id: foreign.chatId })).status).toBe(202);
  await expect
    .poll(() => outcomes(hub))
    .toEqual([['error', expect.stringMatching(/^230002: /) as string]]);
});

test('a kill after the answer loses nothing, and a repeat shows nothing twice', async () => {
  const { chat } = rig.direct('Mei');
  const lark = {
    chat_id: chat.chatId,
    files: [{ name: 'notes.txt', base64: Buffer.from('notes').toString('base64') }],
  };
  // Lark takes nothing before the kill.
  rig.cloud.faults.inject({ kind: 'business_error', path: '/messages', code: 2200, times: 2 });
  const first = await rig.run({ words: RUN });
  const { hub_url: hub } = await first.ready();
  const before = await notify(hub, 'later', lark, 'key');
  await first.stop('SIGKILL');
  expect(before.status).toBe(202);
  const { hub_url: again } = await (await rig.runHere()).ready();
  await rig.repliesIn(chat, 2);
  expect(await notify(again, 'later', lark, 'key')).toEqual(before);
  // Whatever the repeat had made would be shown before this.
  await notify(again, 'the last', { chat_id: chat.chatId });
  await rig.repliesIn(chat, 3);
  expect(rig.replies(chat).map(({ type }) => type)).toEqual(['text', 'file', 'text']);
  expect(rig.replies(chat).map(({ text }) => text)).toEqual([
    'later',
    expect.anything(),
    'the last',
  ]);
});

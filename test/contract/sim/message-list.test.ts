import type { Client } from '@larksuiteoapi/node-sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimChat, SimUser } from '../../../src/sim/world/model.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { codeOf, createClient } from './sdk-client.ts';

let lark: LarkCloud;
let app: SimApp;
let ada: SimUser;
let chat: SimChat;
let client: Client;

beforeEach(async () => {
  lark = await startLarkCloud({ rateLimits: false });
  app = lark.addApp();
  ada = lark.addUser({ name: 'Ada' });
  chat = lark.directChat(ada, app);
  client = createClient(lark, app);
});

afterEach(() => lark.stop());

type Params = NonNullable<Parameters<Client['im']['v1']['message']['list']>[0]>['params'];

function list(params: Partial<Params> = {}) {
  return client.im.v1.message.list({
    params: { container_id_type: 'chat', container_id: chat.chatId, ...params },
  });
}

async function texts(params: Partial<Params> = {}): Promise<string[]> {
  const { data } = await list(params);
  return (data?.items ?? []).map(
    ({ body }) => (JSON.parse(body?.content ?? '') as { text: string }).text,
  );
}

const say = (text: string, more: object = {}) => lark.say({ chat, from: ada, text, ...more });

test('the pages in both directions lose and repeat no message', async () => {
  const all = Array.from({ length: 45 }, (_, at) => `m${at}`);
  for (const text of all) say(text);
  for (const sort of ['ByCreateTimeAsc', 'ByCreateTimeDesc'] as const) {
    const seen: string[] = [];
    let token: string | undefined;
    let pages = 0;
    do {
      const { data } = await list({
        sort_type: sort,
        page_size: 20,
        ...(token && { page_token: token }),
      });
      seen.push(...(data?.items ?? []).map(({ message_id: id }) => id ?? ''));
      expect(data?.has_more).toBe(data?.page_token !== undefined);
      token = data?.page_token;
      pages += 1;
    } while (token !== undefined);
    const ids = chat.messages.map(({ messageId }) => messageId);
    expect(seen).toEqual(sort === 'ByCreateTimeAsc' ? ids : ids.toReversed());
    expect(pages).toBe(3);
  }
});

test('a page that ends with the list is the last one', async () => {
  for (const text of ['a', 'b']) say(text);
  const { data } = await list({ page_size: 2 });
  expect(data).toMatchObject({ has_more: false });
  expect(data).not.toHaveProperty('page_token');
});

test('a new message does not move the pages', async () => {
  for (const text of ['a', 'b', 'c']) say(text);
  const { data } = await list({ page_size: 2, sort_type: 'ByCreateTimeDesc' });
  say('d');
  expect(
    await texts({
      page_size: 2,
      sort_type: 'ByCreateTimeDesc',
      page_token: data?.page_token ?? '',
    }),
  ).toEqual(['a']);
});

test('a time range in seconds includes both ends', async () => {
  const first = say('first');
  lark.advance(10_000);
  const second = say('second');
  lark.advance(10_000);
  say('third');
  const at = (ms: number) => String(Math.floor(ms / 1_000));
  expect(await texts({ start_time: at(second.createdAtMs) })).toEqual(['second', 'third']);
  expect(await texts({ end_time: at(second.createdAtMs) })).toEqual(['first', 'second']);
  const only = { start_time: at(first.createdAtMs), end_time: at(first.createdAtMs) };
  expect(await texts(only)).toEqual(['first']);
  expect(await texts({ ...only, sort_type: 'ByCreateTimeDesc' })).toEqual(['first']);
});

test('a chat lists the roots of threads, and a thread lists all its messages', async () => {
  const root = say('root');
  say('plain reply', { replyTo: root });
  const inThread = say('in the thread', { replyTo: root, inThread: true });
  expect(await texts()).toEqual(['root', 'plain reply']);
  expect(
    await texts({ container_id_type: 'thread', container_id: inThread.threadId ?? '' }),
  ).toEqual(['root', 'in the thread']);
});

test('a group needs the sensitive scope', async () => {
  const group = lark.addGroup({ name: 'Team', members: [ada], apps: [app] });
  expect(await codeOf(list({ container_id: group.chatId }))).toBe(230027);
  app.scopes.add('im:message.group_msg');
  expect((await list({ container_id: group.chatId })).data?.items).toEqual([]);
});

test.each([
  ['an unknown chat', { container_id: 'oc_none' }, 230001],
  ['an unknown thread', { container_id_type: 'thread', container_id: 'omt_none' }, 230019],
  ['an unknown container', { container_id_type: 'drawer' }, 99992402],
  ['51 on a page', { page_size: 51 }, 99992402],
  ['a page token of its own', { page_token: 'abc' }, 230001],
  ['an end before the start', { start_time: '20', end_time: '10' }, 230001],
])('refuses %s', async (_what, params, code) => {
  expect(await codeOf(list(params))).toBe(code);
});

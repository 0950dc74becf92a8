import type { Client } from '@larksuiteoapi/node-sdk';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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

const text = (words: string) => JSON.stringify({ text: words });
const card = (words: string, more: object = {}) =>
  JSON.stringify({
    schema: '2.0',
    ...more,
    body: { elements: [{ tag: 'markdown', content: words }] },
  });

async function send(type: string, content: string): Promise<string> {
  const { data } = await client.im.v1.message.create({
    params: { receive_id_type: 'chat_id' },
    data: { receive_id: chat.chatId, msg_type: type, content },
  });
  return data?.message_id ?? '';
}

const put = (messageId: string, content: string, type = 'text') =>
  client.im.v1.message.update({
    path: { message_id: messageId },
    data: { msg_type: type, content },
  });
const patch = (messageId: string, content: string) =>
  client.im.v1.message.patch({ path: { message_id: messageId }, data: { content } });

describe('edit of a text', () => {
  test('changes what people see, and is marked as an edit', async () => {
    const messageId = await send('text', text('frist'));
    const { data } = await put(messageId, text('first'));
    expect(data).toMatchObject({ updated: true, body: { content: text('first') } });
    expect(lark.shows(chat)).toMatchObject([{ text: 'first', edits: 1 }]);
  });

  test('is possible 20 times', async () => {
    const messageId = await send('text', text('0'));
    for (let count = 1; count <= 20; count += 1) await put(messageId, text(String(count)));
    expect(await codeOf(put(messageId, text('21')))).toBe(230072);
    expect(lark.shows(chat)).toMatchObject([{ text: '20' }]);
  });

  test('is refused for cards, messages of others and recalled messages', async () => {
    const shown = await send('interactive', card('x'));
    expect(await codeOf(put(shown, text('x')))).toBe(230054);
    const foreign = lark.say({ chat, from: ada, text: 'hi' });
    expect(await codeOf(put(foreign.messageId, text('x')))).toBe(230071);
    const gone = await send('text', text('x'));
    lark.recall(gone);
    expect(await codeOf(put(gone, text('y')))).toBe(230011);
  });
});

describe('update of a card', () => {
  test('changes what people see', async () => {
    const messageId = await send('interactive', card('one'));
    expect((await patch(messageId, card('two'))).code).toBe(0);
    expect(lark.shows(chat)).toMatchObject([{ text: 'two' }]);
  });

  test('is possible for 14 days', async () => {
    const messageId = await send('interactive', card('one'));
    lark.advance(14 * 24 * 3_600_000 + 1);
    client = createClient(lark, app);
    expect(await codeOf(patch(messageId, card('two')))).toBe(230031);
  });

  test('is possible only if the card is shared before and after', async () => {
    const old = (more: object) => JSON.stringify({ ...more, elements: [] });
    const own = await send('interactive', old({}));
    const shared = await send('interactive', old({ config: { update_multi: true } }));
    expect(await codeOf(patch(own, old({ config: { update_multi: true } })))).toBe(230001);
    expect(await codeOf(patch(shared, old({})))).toBe(230001);
    expect((await patch(shared, old({ config: { update_multi: true } }))).code).toBe(0);
  });

  test('is refused for texts, invalid cards and large ones', async () => {
    const messageId = await send('text', text('x'));
    expect(await codeOf(patch(messageId, card('x')))).toBe(230001);
    const shown = await send('interactive', card('x'));
    expect(await codeOf(patch(shown, '{'))).toBe(230099);
    expect(await codeOf(patch(shown, card('x'.repeat(31_000))))).toBe(230025);
  });

  test('is possible 5 times a second for one message', async () => {
    lark.cloud.limits.enabled = true;
    const messageId = await send('interactive', card('0'));
    const codes = await Promise.all(
      Array.from({ length: 7 }, (_, at) =>
        patch(messageId, card(String(at))).then(
          ({ code }) => code,
          (error: { response: { data: { code: number } } }) => error.response.data.code,
        ),
      ),
    );
    expect(codes.filter((code) => code === 0)).toHaveLength(5);
    expect(codes.filter((code) => code === 230020)).toHaveLength(2);
  });
});

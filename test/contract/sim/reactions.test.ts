import type { Client } from '@larksuiteoapi/node-sdk';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimChat, SimMessage, SimUser } from '../../../src/sim/world/model.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { codeOf, createClient } from './sdk-client.ts';

let lark: LarkCloud;
let app: SimApp;
let ada: SimUser;
let chat: SimChat;
let question: SimMessage;
let client: Client;

beforeEach(async () => {
  lark = await startLarkCloud({ rateLimits: false });
  app = lark.addApp();
  ada = lark.addUser({ name: 'Ada' });
  chat = lark.directChat(ada, app);
  question = lark.say({ chat, from: ada, text: 'question' });
  client = createClient(lark, app);
});

afterEach(() => lark.stop());

const react = (emoji: string, messageId = question.messageId) =>
  client.im.v1.messageReaction.create({
    path: { message_id: messageId },
    data: { reaction_type: { emoji_type: emoji } },
  });
const unreact = (reactionId: string) =>
  client.im.v1.messageReaction.delete({
    path: { message_id: question.messageId, reaction_id: reactionId },
  });

describe('reactions', () => {
  test('are added and removed, and the app gets events for its own too', async () => {
    const { data } = await react('Typing');
    expect(data).toMatchObject({
      operator: { operator_id: app.appId, operator_type: 'app' },
      reaction_type: { emoji_type: 'Typing' },
    });
    const by = `app:${app.appId}`;
    expect(lark.shows(chat)).toMatchObject([{ reactions: [{ emoji: 'Typing', by }] }]);
    await unreact(data?.reaction_id ?? '');
    expect(lark.shows(chat)).toMatchObject([{ reactions: [] }]);
    expect(lark.deliveries().map(({ eventType }) => eventType)).toEqual([
      'im.message.receive_v1',
      'im.message.reaction.created_v1',
      'im.message.reaction.deleted_v1',
    ]);
  });

  test('are listed in pages, of one kind or of all', async () => {
    for (const emoji of ['OK', 'DONE', 'OK']) await react(emoji);
    const list = (params: object) =>
      client.im.v1.messageReaction.list({ path: { message_id: question.messageId }, params });
    const { data: first } = await list({ page_size: 2 });
    expect(first).toMatchObject({ has_more: true, items: [{}, {}] });
    const { data: rest } = await list({ page_size: 2, page_token: first?.page_token });
    expect(rest).toMatchObject({ has_more: false, items: [{}] });
    const { data: some } = await list({ reaction_type: 'DONE' });
    expect(some?.items).toHaveLength(1);
  });

  test('are refused for unknown emojis, wrong chats and reactions of others', async () => {
    expect(await codeOf(react('typing'))).toBe(231001);
    expect(await codeOf(react('OK', 'om_none'))).toBe(231003);
    const others = lark.addGroup({ name: 'Others', members: [ada] });
    const elsewhere = lark.say({ chat: others, from: ada, text: 'hi' });
    expect(await codeOf(react('OK', elsewhere.messageId))).toBe(231002);
    const { reactionId } = lark.react({ messageId: question, from: ada, emoji: 'OK' });
    expect(await codeOf(unreact(reactionId))).toBe(231007);
    expect(await codeOf(unreact('none'))).toBe(231011);
    lark.recall(question);
    expect(await codeOf(react('OK'))).toBe(231003);
  });
});

describe('urgent messages and follow-ups', () => {
  async function sendToAda(): Promise<string> {
    const { data } = await client.im.v1.message.create({
      params: { receive_id_type: 'open_id' },
      data: { receive_id: ada.openId, msg_type: 'text', content: '{"text":"look"}' },
    });
    return data?.message_id ?? '';
  }

  test('people get an urgent notice about own messages of the bot', async () => {
    const messageId = await sendToAda();
    const buzz = (id: string) =>
      client.im.v1.message.urgentApp({
        path: { message_id: id },
        params: { user_id_type: 'open_id' },
        data: { user_id_list: [ada.openId, 'ou_nobody'] },
      });
    expect((await buzz(messageId)).data).toEqual({ invalid_user_id_list: ['ou_nobody'] });
    expect([...lark.findMessage(messageId).urgentTo]).toEqual([ada.openId]);
    expect(await codeOf(buzz(question.messageId))).toBe(230012);
  });

  test('follow-ups are for the newest own message of a direct chat, for ten minutes', async () => {
    const suggest = (id: string, contents: string[]) =>
      client.im.v1.message.pushFollowUp({
        path: { message_id: id },
        data: { follow_ups: contents.map((content) => ({ content })) },
      });
    const messageId = await sendToAda();
    expect(await codeOf(suggest(messageId, []))).toBe(230007);
    await suggest(messageId, ['Yes', 'No']);
    expect(lark.findMessage(messageId).followUps).toEqual(['Yes', 'No']);
    expect(await codeOf(suggest(messageId, ['Maybe']))).toBe(230008);
    const second = await sendToAda();
    lark.say({ chat, from: ada, text: 'wait' });
    expect(await codeOf(suggest(second, ['Yes']))).toBe(230006);
    const third = await sendToAda();
    lark.advance(601_000);
    expect(await codeOf(suggest(third, ['Yes']))).toBe(230002);
  });
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { previewText, visibleText } from '../../../src/sim/cards/card-text.ts';
import { issueCardToken } from '../../../src/sim/cards/card-tokens.ts';
import { type CardRig, cardOf, md, openCardRig } from './card-rig.ts';
import { codeOf, createClient, refusalOf } from './sdk-client.ts';

let rig: CardRig;

beforeEach(async () => {
  rig = await openCardRig();
});

afterEach(() => rig.lark.stop());

describe('a card entity', () => {
  test('streams into the message that shows it, and is finished', async () => {
    const one = await rig.entity();
    expect(one.cardId).toMatch(/^\d{1,20}$/);
    await rig.sendEntity(one);
    for (const text of ['Hel', 'Hello', 'Hello world']) await rig.stream(one, text);
    expect(rig.shown()).toBe('Hello world');
    expect(previewText(one.json)).toBe('[Generating...]');
    await rig.settings(one, { config: { streaming_mode: false, summary: { content: 'Hello' } } });
    expect(previewText(one.json)).toBe('Hello');
    expect(await codeOf(rig.stream(one, 'more'))).toBe(300309);
    expect(rig.shown()).toBe('Hello world');
  });

  test('sequence numbers increase over all operations of one card', async () => {
    const one = await rig.entity();
    await rig.stream(one, 'a', { sequence: 5 });
    expect(await codeOf(rig.stream(one, 'b', { sequence: 5 }))).toBe(300317);
    rig.sequence = 3;
    expect(await codeOf(rig.settings(one, { config: { streaming_mode: false } }))).toBe(300317);
    await rig.stream(one, 'c', { sequence: 9 });
    const other = await rig.entity();
    await rig.stream(other, 'd', { sequence: 1 });
    expect(one.sequence).toBe(9);
  });

  test.each([0, -1, 1.5, 2 ** 31])('%d is not a sequence number', async (bad) => {
    expect(await codeOf(rig.stream(await rig.entity(), 'a', { sequence: bad }))).toBe(10002);
  });

  test('a refused operation does not use up its sequence number or uuid', async () => {
    const one = await rig.entity();
    expect(await codeOf(rig.stream(one, 'a', { sequence: 1, uuid: 'u', id: 'other' }))).toBe(
      300313,
    );
    await rig.stream(one, 'b', { sequence: 1, uuid: 'u' });
    expect(await codeOf(rig.stream(one, 'c', { sequence: 2, uuid: 'u' }))).toBe(200770);
    expect(await codeOf(rig.stream(one, 'c', { sequence: 2, uuid: 'x'.repeat(65) }))).toBe(10002);
  });

  test('streaming ends after ten minutes and can be turned on again', async () => {
    const one = await rig.entity();
    rig.lark.advance(10 * 60_000 - 1_000);
    await rig.stream(one, 'in time');
    rig.lark.advance(1_000);
    expect(await codeOf(rig.stream(one, 'late'))).toBe(200850);
    await rig.settings(one, { config: { streaming_mode: true } });
    await rig.stream(one, 'again');
    rig.lark.advance(10 * 60_000);
    await rig.batch(one, [{ action: 'delete_elements', params: { element_ids: ['md'] } }]);
    expect(await codeOf(rig.stream(one, 'closed'))).toBe(300309);
  });

  test('ten operations a second, then 230020', async () => {
    const one = await rig.entity();
    for (let at = 0; at < 10; at += 1) await rig.stream(one, `${at}`);
    expect(await codeOf(rig.stream(one, 'too many'))).toBe(230020);
    rig.lark.advance(1_000);
    await rig.stream(one, 'later');
  });

  test('belongs to one app', async () => {
    const one = await rig.entity();
    const stranger = createClient(rig.lark, rig.lark.addApp());
    const path = { card_id: one.cardId, element_id: 'md' };
    const data = { content: 'x', sequence: 1 };
    expect(await codeOf(stranger.cardkit.v1.cardElement.content({ path, data }))).toBe(300311);
    const nobody = { path: { ...path, card_id: '7' }, data };
    expect(await codeOf(stranger.cardkit.v1.cardElement.content(nobody))).toBe(200740);
  });

  test('expires after 14 days', async () => {
    const one = await rig.entity();
    const twoWeeksMs = 14 * 24 * 3_600_000;
    rig.lark.advance(twoWeeksMs - 1_000);
    const client = createClient(rig.lark, rig.app);
    const stream = (sequence: number) =>
      client.cardkit.v1.cardElement.content({
        path: { card_id: one.cardId, element_id: 'md' },
        data: { content: 'x', sequence },
      });
    // Streaming has ended, but the entity is not expired.
    expect(await codeOf(stream(1))).toBe(200850);
    rig.lark.advance(1_000);
    expect(await codeOf(stream(2))).toBe(200750);
  });

  test('can be sent once, by its app', async () => {
    const one = await rig.entity();
    await rig.sendEntity(one);
    expect(await refusalOf(rig.sendEntity(one))).toMatchObject({
      code: 230099,
      msg: expect.stringContaining('ErrCode: 200780') as string,
    });
    const unknown = await refusalOf(rig.sendEntity({ cardId: '7000' }));
    expect(unknown.msg).toContain('ErrCode: 11310; ErrMsg: cardid is invalid');
    expect(rig.lark.shows(rig.group)).toHaveLength(1);
  });

  test("can't be updated while the callback of a press is not answered", async () => {
    const one = await rig.entity();
    const messageId = await rig.sendEntity(one);
    const token = issueCardToken(rig.lark.cloud, { appId: rig.app.appId, messageId });
    expect(await codeOf(rig.stream(one, 'a'))).toBe(200810);
    token.acked = true;
    await rig.stream(one, 'b');
    issueCardToken(rig.lark.cloud, { appId: rig.app.appId, messageId });
    rig.lark.advance(3_000);
    await rig.stream(one, 'c');
  });

  test('is made by id_convert from a card that was sent as JSON', async () => {
    const message_id = await rig.send(cardOf([md('start')]));
    const first = await rig.client.cardkit.v1.card.idConvert({ data: { message_id } });
    const again = await rig.client.cardkit.v1.card.idConvert({ data: { message_id } });
    expect(again.data?.card_id).toBe(first.data?.card_id);
    await rig.stream({ cardId: first.data?.card_id ?? '' }, 'streamed');
    expect(rig.shown()).toBe('streamed');
    // After the message's card is replaced, the entity is not part of the message: streaming does not change it.
    const content = JSON.stringify(cardOf([md('replaced')], { update_multi: true }));
    await rig.client.im.v1.message.patch({ path: { message_id }, data: { content } });
    await rig.stream({ cardId: first.data?.card_id ?? '' }, 'streamed on');
    expect(rig.shown()).toBe('replaced');
    expect(
      await codeOf(rig.client.cardkit.v1.card.idConvert({ data: { message_id: 'om_x' } })),
    ).toBe(10002);
  });
});

describe('what the platform refuses in a card', () => {
  const many = (count: number) => Array.from({ length: count }, () => ({ tag: 'hr' }));
  const table = '| a | b |\n|---|:-:|\n| 1 | 2 |\n\n';

  test.each<[string, unknown, number]>([
    ['no JSON', '{', 200220],
    ['nothing', {}, 300307],
    ['schema 1.0', { elements: [] }, 300303],
    ['a card for one person', cardOf([], { update_multi: false }), 300302],
    ['more than 30 KB', cardOf([md('x'.repeat(31_000))]), 200860],
    ['more than 200 elements', cardOf(many(201)), 300305],
    ['two elements of one id', cardOf([md('a'), md('b')]), 300301],
    ['an id that is no name', cardOf([md('a', '1-x')]), 10002],
    ['six tables', cardOf([md(table.repeat(6))], {}), 230099],
  ])('%s', async (_what, json, code) => {
    expect(await codeOf(rig.create(json))).toBe(code);
  });

  test('a card just within the limits is accepted', async () => {
    await rig.entity(cardOf(many(200)));
    await rig.entity(cardOf([md(table.repeat(5)), md(`\`\`\`\n${table}\`\`\``, 'code')], {}));
    await rig.entity(cardOf([md(table.repeat(6))]));
  });

  test('too many tables are refused when the stream ends', async () => {
    const one = await rig.entity();
    await rig.stream(one, table.repeat(6));
    const refusal = await refusalOf(rig.settings(one, { config: { streaming_mode: false } }));
    expect(refusal.code).toBe(230099);
    expect(refusal.msg).toContain('ErrCode: 11310; ErrMsg: card table number over limit');
  });

  test('a card in a message has the same limits under other codes', async () => {
    const tables = await refusalOf(rig.send(cardOf([md(table.repeat(6))], {})));
    expect(tables).toMatchObject({ code: 230099, msg: expect.stringContaining('11310') as string });
    const elements = await refusalOf(rig.send(cardOf(many(201))));
    expect(elements.msg).toContain('ErrCode: 11310; ErrMsg: element exceeds the limit');
    expect(await codeOf(rig.send(cardOf([md('x'.repeat(31_000))])))).toBe(230025);
  });

  test("a stream can't grow beyond 30 KB, and stays as it was", async () => {
    const one = await rig.entity();
    await rig.sendEntity(one);
    await rig.stream(one, 'fits');
    expect(await codeOf(rig.stream(one, 'x'.repeat(31_000)))).toBe(200860);
    expect(await codeOf(rig.stream(one, ''))).toBe(10002);
    expect(await codeOf(rig.stream(one, 'x'.repeat(100_001)))).toBe(10002);
    expect(rig.shown()).toBe('fits');
  });

  test('only text can be streamed', async () => {
    const button = {
      tag: 'button',
      element_id: 'b',
      text: { tag: 'plain_text', element_id: 't', content: '' },
    };
    const one = await rig.entity(cardOf([button]));
    expect(await codeOf(rig.stream(one, 'x', { id: 'b' }))).toBe(300310);
    await rig.stream(one, 'Press', { id: 't' });
    expect(visibleText(one.json)).toBe('[Press]');
  });
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { issueCardToken } from '../../../src/sim/cards/card-tokens.ts';
import { type CardRig, cardOf, type Json, md, openCardRig } from './card-rig.ts';
import { codeOf, createClient } from './sdk-client.ts';

let rig: CardRig;

beforeEach(async () => {
  rig = await openCardRig();
});

afterEach(() => rig.lark.stop());

describe('the delayed update of a pressed card', () => {
  const shared = { schema: '2.0', body: { elements: [{ tag: 'markdown', content: 'after' }] } };

  async function clicked(sent: Json = { ...shared, body: { elements: [md('before')] } }) {
    const message = rig.lark.findMessage(await rig.send(sent));
    return {
      message,
      token: issueCardToken(rig.lark.cloud, {
        appId: rig.app.appId,
        messageId: message.messageId,
      }),
    };
  }

  function update(token: string, json: unknown, as = rig.client) {
    const url = '/open-apis/interactive/v1/card/update';
    return as.request({ method: 'POST', url, data: { token, card: json } });
  }

  test('works twice within 30 minutes, only after the ack', async () => {
    const { token } = await clicked();
    expect(await codeOf(update(token.token, shared))).toBe(200810);
    token.acked = true;
    expect(await update(token.token, shared)).toEqual({ code: 0, msg: 'ok' });
    expect(rig.shown()).toBe('after');
    await update(token.token, shared);
    expect(await codeOf(update(token.token, shared))).toBe(300040);
    const { token: other } = await clicked();
    other.acked = true;
    rig.lark.advance(30 * 60_000);
    expect(await codeOf(update(other.token, shared))).toBe(300030);
  });

  test('is refused for other apps, recalled cards and bad tokens', async () => {
    const { token, message } = await clicked();
    token.acked = true;
    expect(await codeOf(update('x', shared))).toBe(300020);
    expect(await codeOf(update('c-unknown', shared))).toBe(300030);
    expect(await codeOf(update(token.token, 'text'))).toBe(10002);
    const stranger = createClient(rig.lark, rig.lark.addApp());
    expect(await codeOf(update(token.token, shared, stranger))).toBe(200310);
    expect(await codeOf(update(token.token, cardOf([md('x'.repeat(31_000))])))).toBe(100000);
    expect(await codeOf(update(token.token, cardOf([md('a'), md('b')])))).toBe(11311);
    rig.lark.recall(message);
    expect(await codeOf(update(token.token, shared))).toBe(200000);
    expect(token.usesLeft).toBe(2);
  });

  test("can't change a card of schema 2.0 to 1.0", async () => {
    const { token } = await clicked();
    token.acked = true;
    expect(await codeOf(update(token.token, { elements: [] }))).toBe(200830);
  });

  test('needs open_ids for a card of schema 1.0 that is not shared', async () => {
    const old = { elements: [{ tag: 'div', text: { tag: 'lark_md', content: 'old' } }] };
    const { token } = await clicked(old);
    token.acked = true;
    const [reader = ''] = rig.group.members;
    expect(await codeOf(update(token.token, old))).toBe(300090);
    expect(await codeOf(update(token.token, { ...old, open_ids: ['ou_x'] }))).toBe(200320);
    await update(token.token, { ...old, open_ids: [reader] });
    await update(token.token, { ...old, config: { update_multi: true } });
    expect(rig.shown()).toBe('old');
  });

  test('changes an entity, too', async () => {
    const one = await rig.entity();
    const messageId = await rig.sendEntity(one);
    const token = issueCardToken(rig.lark.cloud, { appId: rig.app.appId, messageId });
    token.acked = true;
    await update(token.token, shared);
    expect(rig.shown()).toBe('after');
    expect(one.streamingSinceMs).toBeUndefined();
  });
});

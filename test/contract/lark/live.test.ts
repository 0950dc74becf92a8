/** Live cards at the simulated cloud: streaming cards, and cards that are changed through their message. */
import { expect, test } from 'vitest';
import type { LiveCardRef, LiveGateway, LiveView } from '../../../src/bridge/ports/live.ts';
import type { Content } from '../../../src/core/content.ts';
import { chatId, messageId } from '../../../src/core/ids.ts';
import { LIFTED_CALL_LIMITS } from '../../../src/lark/outbound/broker.ts';
import { type GatewayRig, startRig, withGateway } from './rig.ts';

const VIEW: LiveView = {
  heading: 'Reads · 0:01',
  steps: [{ title: 'Read', status: 'running' }],
  text: 'Hello **world**',
  stop: { label: 'Stop', value: { lark_bridge_choice: 'stop' } },
};
const ANSWER: Content = { kind: 'answer', text: '# Done\n\nAll of it.', form: 'card' };
const ending = (key: string, sequence: number) => ({ key, sequence, priority: 'answer' }) as const;

interface LiveGatewayRig extends GatewayRig {
  readonly live: LiveGateway;
  readonly shown: () => ReturnType<GatewayRig['lark']['shows']>;
  readonly open: (streams: boolean) => Promise<LiveCardRef>;
}

async function rigOf(): Promise<LiveGatewayRig> {
  const rig = withGateway(await startRig(), { limits: LIFTED_CALL_LIMITS });
  const { live } = rig.gateway;
  if (live === undefined) throw new Error('there are no live cards');
  const chat = rig.lark.directChat(rig.ann, rig.app);
  const asked = rig.lark.say({ chat, from: rig.ann, text: 'ping?' });
  const place = {
    chatId: chatId(chat.chatId),
    replyTo: messageId(asked.messageId),
    inThread: false,
  };
  let cards = 0;
  return {
    ...rig,
    live,
    shown: () => rig.lark.shows(chat).filter(({ from }) => from.startsWith('app:')),
    open: async (streams) => {
      cards += 1;
      const made = streams ? await live.create(VIEW) : undefined;
      const cardId = made?.ok === true ? made.id : undefined;
      const sent = await live.send(place, cardId ?? VIEW, `card${cards}`);
      const again = await live.send(place, cardId ?? VIEW, `card${cards}`);
      expect(again).toEqual(sent);
      if (!sent.ok) throw new Error(sent.detail);
      return { chatId: place.chatId, messageId: messageId(sent.id), cardId };
    },
  };
}

test('a card streams, changes and ends with what stays; sent again it is the same one', async () => {
  const { live, open, shown } = await rigOf();
  const card = await open(true);
  expect(shown()).toHaveLength(1);
  expect(shown()[0]?.card?.json).toMatchObject({ config: { streaming_mode: true } });
  expect(shown()[0]?.card?.buttons).toMatchObject([{ label: 'Stop' }]);
  const cardId = card.cardId ?? '';
  const longer = { ...VIEW, text: 'Hello **world** and all' };
  expect(await live.updateText({ ...card, cardId }, longer, 1)).toMatchObject({ ok: true });
  expect(shown()[0]?.text).toContain('and all');
  expect(await live.update(card, { ...longer, heading: 'Writes' }, 2)).toMatchObject({ ok: true });
  expect(shown()[0]?.text).toContain('Writes');
  expect(await live.end(card, ANSWER, ending('k', 3))).toEqual({ ok: true, id: card.messageId });
  const [last] = shown();
  expect(last?.card?.json).toMatchObject({
    config: {
      streaming_mode: false,
      summary: { content: expect.stringContaining('Done') as string },
    },
  });
  expect(last?.card?.buttons).toEqual([]);
  expect(last?.text).toContain('All of it.');
  // The response was lost, and it is sent again.
  expect(await live.end(card, ANSWER, ending('k', 4))).toMatchObject({ ok: true });
});

test('without streaming, a card is changed through its message', async () => {
  const { live, open, shown } = await rigOf();
  const card = await open(false);
  expect(shown()[0]?.card?.json).toMatchObject({ config: { streaming_mode: false } });
  expect(await live.update(card, { ...VIEW, text: 'more' }, 0)).toMatchObject({ ok: true });
  expect(shown()[0]?.text).toContain('more');
  expect(await live.end(card, ANSWER, ending('k', 0))).toMatchObject({ ok: true });
  expect(shown()[0]?.text).toContain('All of it.');
});

test('a streaming card whose right was taken away can be ended through its message', async () => {
  const { live, open, shown, app } = await rigOf();
  const card = await open(true);
  app.scopes.delete('cardkit:card:write');
  const update = await live.update(card, VIEW, 1);
  expect(update).toMatchObject({ ok: false, why: 'no_right' });
  const end = await live.end({ ...card, cardId: undefined }, ANSWER, ending('k', 0));
  expect(end).toMatchObject({ ok: true });
  expect(shown()[0]?.text).toContain('All of it.');
});

test.each([true, false])('a card that was recalled is gone (streams: %s)', async (streams) => {
  const { live, open, lark, shown } = await rigOf();
  const card = await open(streams);
  const message = lark.world.messages.get(card.messageId);
  if (message === undefined) throw new Error('no message');
  lark.recall(message);
  expect(await live.end(card, ANSWER, ending('k', 9))).toMatchObject({ ok: false, why: 'gone' });
  expect(shown()[0]?.recalled).toBe(true);
});

test('a number that is not higher is refused, and a card that nobody knows is gone', async () => {
  const { live, open } = await rigOf();
  const card = await open(true);
  expect(await live.update(card, VIEW, 5)).toMatchObject({ ok: true });
  expect(await live.update(card, VIEW, 5)).toMatchObject({ ok: false, why: 'sequence' });
  const other = { ...card, cardId: '7355372766134157313' };
  expect(await live.update(other, VIEW, 6)).toMatchObject({ ok: false, why: 'gone' });
});

test('Lark ends the streaming after ten minutes, and the card can be ended all the same', async () => {
  const { live, open, lark, shown } = await rigOf();
  const card = { ...(await open(true)), cardId: '' };
  const [cardId = ''] = lark.world.cards.keys();
  lark.advance(10 * 60_000);
  const text = { ...VIEW, text: 'too late' };
  expect(await live.updateText({ ...card, cardId }, text, 1)).toMatchObject({ why: 'closed' });
  expect(await live.end({ ...card, cardId }, ANSWER, ending('k', 2))).toMatchObject({ ok: true });
  expect(shown()[0]?.text).toContain('All of it.');
});

test.each([
  ['a notice', { kind: 'notice', text: 'It <at id=all></at> broke.' }],
  ['a plain answer', { kind: 'answer', text: 'plain\n  text' }],
] as const)('%s can stand on a card', async (_what, content) => {
  const { live, open, shown } = await rigOf();
  const card = await open(true);
  const result = await live.end(card, content, ending('k', 1));
  expect(result).toMatchObject({ ok: true });
  expect(shown()[0]?.text).not.toContain('Reads');
});

test('what is too long for a card is refused before a call is made', async () => {
  const { live, open, counted } = await rigOf();
  const card = await open(true);
  const calls = counted.length;
  const content = { kind: 'answer', text: 'x'.repeat(90_000) } as const;
  expect(await live.end(card, content, ending('k', 1))).toMatchObject({ why: 'refused' });
  expect(counted).toHaveLength(calls);
});

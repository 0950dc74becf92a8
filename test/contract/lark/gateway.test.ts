import { describe, expect, test } from 'vitest';
import { chatId, messageId } from '../../../src/core/ids.ts';
import type { Content } from '../../../src/core/content.ts';
import { CALL_LIMITS } from '../../../src/lark/outbound/broker.ts';
import type { SimChat, SimMessage } from '../../../src/sim/world/model.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { eventually, type GatewayRig, type Rig, startRig, withGateway } from './rig.ts';
import type { DeliveryResult, Outgoing } from '../../../src/bridge/ports/delivery.ts';
import { LARK_TEXT_BYTES_MAX } from '../../../src/lark/content/text.ts';

const MESSAGES = '/open-apis/im/v1/messages';
const TOKEN = '/open-apis/auth/v3/tenant_access_token/internal';
const words = (text: string): Content => ({ kind: 'answer', text });
const CHOICE: Content = {
  kind: 'choice',
  text: 'hi',
  buttons: [{ label: 'Run', action: 'run', style: 'primary' }],
};

function ask(rig: Rig): { chat: SimChat; asked: SimMessage } {
  const chat = rig.lark.directChat(rig.ann, rig.app);
  return { chat, asked: rig.lark.say({ chat, from: rig.ann, text: 'ping?' }) };
}

function toReply(asked: SimMessage, content: Content = words('pong'), inThread = false): Outgoing {
  return {
    kind: 'reply',
    chatId: chatId(asked.chatId),
    replyTo: messageId(asked.messageId),
    inThread,
    content,
  };
}

const toSend = (chat: SimChat, text: string): Outgoing => ({
  kind: 'send',
  chatId: chatId(chat.chatId),
  content: words(text),
});

const answers = (rig: Rig, chat: SimChat) =>
  rig.lark.shows(chat).filter(({ from }) => from.startsWith('app:'));

describe('what is delivered', () => {
  test('LCM-OUT-06: a reply, threaded under the message that asked', async () => {
    const rig = withGateway(await startRig());
    const { chat, asked } = ask(rig);
    const text = ' two\n  lines "quoted" \\ 你好 ';
    const result = await rig.gateway.deliver(toReply(asked, words(text)), 'k1', 'answer');
    const [shown] = answers(rig, chat);
    expect(result).toEqual({ ok: true, id: shown?.messageId });
    expect(shown).toMatchObject({ replyTo: asked.messageId, type: 'text', text });
    expect(shown?.threadId).toBeUndefined();
    expect(rig.counted).toEqual(['answer']);
  });

  test('a reply in a thread, a message of its own, a card', async () => {
    const rig = withGateway(await startRig());
    const group = rig.lark.addGroup({ name: 'G', members: [rig.ann], apps: [rig.app] });
    const asked = rig.lark.say({
      chat: group,
      from: rig.ann,
      text: '{0} ping?',
      mentions: [rig.app],
    });
    for (const [key, out] of [
      toReply(asked, words('in it'), true),
      toSend(group, 'own'),
      toReply(asked, CHOICE),
    ].entries()) {
      expect(await rig.gateway.deliver(out, `k${key}`, 'answer')).toMatchObject({ ok: true });
    }
    const shown = answers(rig, group);
    expect(shown.map(({ type, text }) => [type, text])).toEqual([
      ['text', 'in it'],
      ['text', 'own'],
      ['interactive', 'hi\n[Run]'],
    ]);
    expect(shown[0]?.threadId).toMatch(/^omt_/);
    expect(shown[1]?.replyTo).toBeUndefined();
  });

  test('a reaction, and its removal', async () => {
    const rig = withGateway(await startRig());
    const { chat, asked } = ask(rig);
    const at = { chatId: chatId(chat.chatId), messageId: messageId(asked.messageId) };
    const made = await rig.gateway.deliver(
      { kind: 'react', ...at, emoji: 'Typing', again: false },
      'k1',
      'reaction',
    );
    if (!made.ok) throw new Error(made.detail);
    expect(rig.lark.shows(chat)[0]?.reactions).toMatchObject([{ emoji: 'Typing' }]);
    const undone = await rig.gateway.deliver(
      { kind: 'unreact', ...at, reactionId: made.id },
      'k2',
      'reaction',
    );
    expect(undone).toEqual({ ok: true, id: made.id });
    expect(rig.lark.shows(chat)[0]?.reactions).toEqual([]);
  });

  test('the removal of a reaction is done when the message is recalled', async () => {
    const rig = withGateway(await startRig());
    const { chat, asked } = ask(rig);
    const at = { chatId: chatId(chat.chatId), messageId: messageId(asked.messageId) };
    const react = { kind: 'react', ...at, emoji: 'Typing', again: false } as const;
    const made = await rig.gateway.deliver(react, 'k1', 'reaction');
    if (!made.ok) throw new Error(made.detail);
    rig.lark.recall(asked);
    const out = { kind: 'unreact', ...at, reactionId: made.id } as const;
    expect(await rig.gateway.deliver(out, 'k2', 'reaction')).toEqual({ ok: true, id: made.id });
    expect(
      rig.lark
        .calls()
        .map(({ code }) => code)
        .at(-1),
    ).toBe(231003);
  });

  test('a text that is too long is not sent', async () => {
    const rig = withGateway(await startRig());
    const { asked, chat } = ask(rig);
    const fits = 'é'.repeat(LARK_TEXT_BYTES_MAX / 2);
    expect(
      await rig.gateway.deliver(toReply(asked, words(`${fits}.`)), 'k', 'answer'),
    ).toMatchObject({
      ok: false,
      action: 'split',
      code: undefined,
    });
    expect(rig.lark.calls({ path: MESSAGES })).toEqual([]);
    expect(await rig.gateway.deliver(toReply(asked, words(fits)), 'k2', 'answer')).toMatchObject({
      ok: true,
    });
    expect(answers(rig, chat)).toHaveLength(1);
  });

  test('an id that could be a path is not sent', async () => {
    const rig = withGateway(await startRig());
    const { asked, chat } = ask(rig);
    for (const bad of ['../../x', 'om_1/reactions', 'om_1?x', '', 'om 1']) {
      const at = { chatId: chatId(chat.chatId), messageId: messageId(bad) };
      for (const out of [
        { ...toReply(asked), replyTo: messageId(bad) },
        { ...toReply(asked), chatId: chatId(bad) },
        { ...toSend(chat, 'x'), chatId: chatId(bad) },
        { kind: 'react', ...at, emoji: 'OK', again: false },
        { kind: 'unreact', ...at, messageId: messageId(asked.messageId), reactionId: bad },
      ] as Outgoing[]) {
        expect(await rig.gateway.deliver(out, 'k', 'answer')).toMatchObject({
          ok: false,
          action: 'give_up',
        });
      }
    }
    expect(rig.lark.calls()).toEqual([]);
  });

  test.each(['', 'k'.repeat(51)])('the key %j is a bug', async (key) => {
    const rig = withGateway(await startRig());
    await expect(rig.gateway.deliver(toReply(ask(rig).asked), key, 'answer')).rejects.toThrow(
      'key',
    );
  });
});

describe('when no answer comes', () => {
  test.each(['response_lost', 'response_hang', 'html_502', 'request_lost'] as const)(
    '%s: it may have happened, and the same key makes sure that it has, once',
    async (kind) => {
      const rig = withGateway(await startRig({ callTimeoutMs: 200 }));
      const { chat, asked } = ask(rig);
      rig.lark.faults.inject({ kind, path: '/reply' });
      const first = await rig.gateway.deliver(toReply(asked), 'same', 'answer');
      expect(first).toMatchObject({ ok: false, action: 'unknown', code: undefined });
      const second = await rig.gateway.deliver(toReply(asked), 'same', 'answer');
      expect(second).toEqual({ ok: true, id: answers(rig, chat)[0]?.messageId });
      expect(answers(rig, chat)).toHaveLength(1);
    },
  );

  test('without a server nothing was sent', async () => {
    const rig = withGateway(await startRig());
    const { asked } = ask(rig);
    await rig.lark.stop();
    expect(await rig.gateway.deliver(toReply(asked), 'k', 'answer')).toMatchObject({
      ok: false,
      action: 'retry',
      detail: expect.stringContaining('ECONNREFUSED'),
    });
  });
});

describe('tokens', () => {
  test('all calls share one token', async () => {
    const rig = withGateway(await startRig());
    const { asked } = ask(rig);
    await Promise.all(
      Array.from({ length: 5 }, (_, n) => rig.gateway.deliver(toReply(asked), `k${n}`, 'answer')),
    );
    await rig.gateway.botInfo();
    expect(rig.lark.calls({ path: TOKEN })).toHaveLength(1);
  });

  test('a revoked token is replaced once, inside the call', async () => {
    const rig = withGateway(await startRig());
    const { chat, asked } = ask(rig);
    await rig.gateway.botInfo();
    rig.lark.revokeTokens(rig.app);
    const chats = Array.from({ length: 4 }, (_, n) =>
      rig.lark.directChat(rig.lark.addUser({ name: `P${n}` }), rig.app),
    );
    const results = await Promise.all([
      rig.gateway.deliver(toReply(asked), 'k', 'answer'),
      ...chats.map((one, n) => rig.gateway.deliver(toSend(one, 'hi'), `k${n}`, 'answer')),
    ]);
    expect(results.map(({ ok }) => ok)).toEqual([true, true, true, true, true]);
    expect(rig.lark.calls({ path: TOKEN })).toHaveLength(2);
    expect(answers(rig, chat)).toHaveLength(1);
    // The tries with the old token are calls too.
    expect(rig.counted.filter((priority) => priority === 'answer')).toHaveLength(10);
  });

  test('a token that is refused again is a fault that passes, and the call is not repeated', async () => {
    const rig = withGateway(await startRig());
    const { asked } = ask(rig);
    rig.lark.faults.inject({ kind: 'token_revoked', path: '/reply', times: 100 });
    expect(await rig.gateway.deliver(toReply(asked), 'k', 'answer')).toMatchObject({
      ok: false,
      action: 'retry',
      code: 99991663,
    });
    expect(rig.lark.calls({ path: '/reply' })).toHaveLength(2);
  });

  test('a wrong secret is told to the operator, without the secret', async () => {
    const rig = withGateway(await startRig(), { secret: 'wr0ng' });
    const { asked } = ask(rig);
    const result = await rig.gateway.deliver(toReply(asked), 'k', 'answer');
    expect(result).toMatchObject({ ok: false, action: 'tell_operator', code: 10014 });
    await expect(rig.gateway.botInfo()).rejects.toMatchObject({ code: 'credentials_refused' });
    expect(JSON.stringify([result, rig.log.lines])).not.toContain('wr0ng');
  });
});

describe('rate limits', () => {
  test('after a 429 all calls of the API wait as long as its header says', async () => {
    const clock = new VirtualClock();
    const rig = withGateway(await startRig(), { clock });
    const { asked } = ask(rig);
    const also = ask({ ...rig, ann: rig.lark.addUser({ name: 'Bob' }) }).asked;
    const { chat } = ask({ ...rig, ann: rig.lark.addUser({ name: 'Cy' }) });
    rig.lark.faults.inject({ kind: 'rate_limited', path: '/reply', resetSeconds: 7 });
    const first = await rig.gateway.deliver(toReply(asked), 'k1', 'answer');
    expect(first).toMatchObject({
      ok: false,
      action: 'wait',
      code: 99991400,
      retryAfterMs: 7_000,
    });
    const both = [
      rig.gateway.deliver(toReply(asked), 'k1', 'answer'),
      rig.gateway.deliver(toReply(also), 'k2', 'answer'),
    ];
    await clock.pass(6_999);
    expect(await rig.gateway.deliver(toSend(chat, 'another API'), 'k3', 'answer')).toMatchObject({
      ok: true,
    });
    expect(rig.lark.calls({ path: '/reply' })).toHaveLength(1);
    await clock.pass(1);
    expect(await Promise.all(both)).toMatchObject([{ ok: true }, { ok: true }]);
  });

  test('if a chat is limited, only its calls wait', async () => {
    const rig = withGateway(await startRig());
    const { chat, asked } = ask(rig);
    const other = rig.lark.directChat(rig.lark.addUser({ name: 'Bob' }), rig.app);
    rig.lark.faults.inject({ kind: 'chat_limited' });
    expect(await rig.gateway.deliver(toReply(asked), 'k1', 'answer')).toMatchObject({
      ok: false,
      action: 'wait',
      code: 230020,
      retryAfterMs: 1_000,
    });
    const again = rig.gateway.deliver(toReply(asked), 'k1', 'answer');
    expect(await rig.gateway.deliver(toSend(other, 'hi'), 'k2', 'answer')).toMatchObject({
      ok: true,
    });
    expect(answers(rig, chat)).toHaveLength(0);
    expect(await again).toMatchObject({ ok: true });
  });

  test('twelve messages to one chat come in order, and none is refused', async () => {
    const rig = withGateway(await startRig());
    const { chat } = ask(rig);
    const texts = Array.from({ length: 12 }, (_, n) => `part ${n}`);
    const results = await Promise.all(
      texts.map((text, n) => rig.gateway.deliver(toSend(chat, text), `k${n}`, 'answer')),
    );
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(answers(rig, chat).map(({ text }) => text)).toEqual(texts);
  });

  test('an answer goes before calls that no person waits for', async () => {
    const rig = withGateway(await startRig({ rateLimits: false }), {
      limits: { ...CALL_LIMITS, api: [], chat: { hitsMax: Infinity, windowMs: 0 }, runningMax: 1 },
    });
    const { chat, asked } = ask(rig);
    const at = { chatId: chatId(chat.chatId), messageId: messageId(asked.messageId) };
    const order: string[] = [];
    const note = (name: string) => (result: DeliveryResult) =>
      void order.push(result.ok ? name : result.detail);
    await Promise.all([
      rig.gateway.deliver(toSend(chat, 'first'), 'k0', 'notice').then(note('first')),
      rig.gateway
        .deliver({ kind: 'react', ...at, emoji: 'OK', again: false }, 'k1', 'reaction')
        .then(note('reaction')),
      rig.gateway.deliver(toSend(chat, 'notice'), 'k2', 'notice').then(note('notice')),
      rig.gateway.deliver(toReply(asked), 'k3', 'answer').then(note('answer')),
    ]);
    expect(order).toEqual(['first', 'answer', 'notice', 'reaction']);
  });
});

describe('refusals in Lark’s own form', () => {
  async function refused(
    make: (rig: GatewayRig) => Parameters<GatewayRig['gateway']['deliver']>[0],
  ): Promise<DeliveryResult> {
    const rig = withGateway(await startRig());
    return rig.gateway.deliver(make(rig), 'k', 'answer');
  }

  test('the message was recalled', async () => {
    const result = await refused((rig) => {
      const { asked } = ask(rig);
      rig.lark.recall(asked);
      return toReply(asked);
    });
    expect(result).toMatchObject({ ok: false, action: 'message_gone', code: 230011 });
  });

  test('the bot was removed from the group', async () => {
    const result = await refused(({ lark, ann, app }) => {
      const group = lark.addGroup({ name: 'G', members: [ann], apps: [app] });
      lark.removeBot(group, app, ann);
      return toSend(group, 'hello?');
    });
    expect(result).toMatchObject({ ok: false, action: 'chat_dead' });
  });

  test('if it is not known whether a reaction was made, Lark is asked before it is made again', async () => {
    const rig = withGateway(await startRig());
    const { chat, asked } = ask(rig);
    rig.lark.react({ messageId: asked, from: rig.ann, emoji: 'Typing' });
    const at = { chatId: chatId(chat.chatId), messageId: messageId(asked.messageId) };
    const react = (again: boolean) =>
      rig.gateway.deliver({ kind: 'react', ...at, emoji: 'Typing', again }, 'k1', 'reaction');
    const own = () =>
      rig.lark.shows(chat)[0]?.reactions.filter(({ by }) => by === `app:${rig.app.appId}`);

    rig.lark.faults.inject({ kind: 'response_lost', path: '/reactions' });
    expect(await react(false)).toMatchObject({ ok: false, action: 'unknown' });
    expect(own()).toHaveLength(1);
    rig.lark.faults.inject({ kind: 'rate_limited', path: '/reactions', method: 'GET' });
    expect(await react(true)).toMatchObject({ ok: false, action: 'wait' });
    expect(await react(true)).toMatchObject({ ok: true });
    expect(own()).toHaveLength(1);

    // The first try never arrived: then it is made.
    asked.reactions.clear();
    expect(await react(true)).toMatchObject({ ok: true });
    expect(own()).toHaveLength(1);
  });

  test('the card is not valid', async () => {
    const result = await refused((rig) => ({
      kind: 'send',
      chatId: chatId(ask(rig).chat.chatId),
      content: { kind: 'card', card: '{"schema":' },
    }));
    expect(result).toMatchObject({ ok: false, action: 'fall_back_to_text' });
  });

  test('a reaction that does not exist', async () => {
    const result = await refused((rig) => {
      const { chat, asked } = ask(rig);
      return {
        kind: 'react',
        chatId: chatId(chat.chatId),
        messageId: messageId(asked.messageId),
        emoji: 'Nope',
        again: false,
      };
    });
    expect(result).toMatchObject({ ok: false, action: 'give_up', code: 231001 });
  });

  test('MOL-CC-04: HTTP 200 with a code is not a success', async () => {
    const rig = withGateway(await startRig());
    rig.lark.faults.inject({
      kind: 'business_error',
      code: 230027,
      msg: 'Lack of necessary permissions',
      status: 200,
    });
    const result = await rig.gateway.deliver(toReply(ask(rig).asked), 'k', 'answer');
    expect(result).toMatchObject({ ok: false, action: 'tell_operator', code: 230027 });
  });

  test('only the caller reports a failed call: the SDK logs no line, and no message text', async () => {
    const rig = withGateway(await startRig());
    rig.lark.faults.inject({
      kind: 'business_error',
      code: 230001,
      msg: 'invalid: the secret plan',
      path: '/reply',
    });
    const out = toReply(ask(rig).asked, words('the secret plan'));
    const result = await rig.gateway.deliver(out, 'k', 'answer');
    expect(result).toMatchObject({ action: 'fall_back_to_text', code: 230001 });
    expect(JSON.stringify(result)).not.toContain('secret plan');
    expect(result).toMatchObject({ detail: expect.stringContaining('(invalid: […])') as string });
    expect(rig.log.lines.filter(({ level }) => level !== 'debug')).toEqual([]);
    expect(JSON.stringify(rig.log.lines)).not.toContain('secret plan');
  });
});

describe('facts about the app', () => {
  test('the bot', async () => {
    const rig = withGateway(await startRig());
    expect(await rig.gateway.botInfo()).toEqual({
      openId: rig.app.botOpenId,
      name: 'Bridge',
      active: true,
    });
  });

  test('connections of the app', async () => {
    const rig = withGateway(await startRig());
    rig.lark.setStrangers(rig.app, 2);
    expect(await rig.gateway.onlineInstances()).toBe(2);
  });

  test('an error if Lark is unreachable', async () => {
    const rig = withGateway(await startRig());
    await rig.lark.stop();
    await expect(rig.gateway.botInfo()).rejects.toMatchObject({ code: 'unreachable' });
    await expect(rig.gateway.onlineInstances()).rejects.toMatchObject({ code: 'unreachable' });
    await eventually(() => rig.counted).toEqual(['background', 'background']);
  });
});

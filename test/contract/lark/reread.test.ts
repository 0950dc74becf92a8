/** A message whose event lacks something is asked for by its id. If that does not help, the person is told. */
import { describe, expect, test } from 'vitest';
import { damageEvents, type MessageBody } from './damage.ts';
import { eventually, type Rig, startRig, withConnection, withGateway } from './rig.ts';
import type { Clock } from '../../../src/time/clock.ts';

const RECEIVE = 'im.message.receive_v1';

async function connected(rig: Rig) {
  const { fetchMessage } = withGateway(rig).gateway;
  const made = withConnection(rig, { fetchMessage });
  await made.connection.start();
  return made;
}

const fetches = ({ lark }: Rig) =>
  lark.calls({ method: 'GET' }).filter(({ path }) => /\/messages\/om_\w+$/.test(path));

type Damage = readonly [what: string, change: (body: MessageBody) => void];

const DAMAGE: readonly Damage[] = [
  ['no content', ({ message }) => delete message['content']],
  ['empty content', ({ message }) => (message['content'] = '')],
  ['content null', ({ message }) => (message['content'] = null)],
  ['content that is no JSON', ({ message }) => (message['content'] = '{"text":"hel')],
  ['no sender type', ({ sender }) => delete sender['sender_type']],
  ['no chat type', ({ message }) => delete message['chat_type']],
  ['no open id', ({ sender }) => (sender['sender_id'] = { union_id: 'on_1' })],
  ['no chat id', ({ message }) => delete message['chat_id']],
  ['no message type', ({ message }) => delete message['message_type']],
];

describe.each(['p2p', 'group'] as const)(
  'LCM-IN-02, LCM-IN-03: in a %s chat, an event with',
  (mode) => {
    test.each(DAMAGE)('%s: the message is admitted as it was sent', async (_what, change) => {
      const rig = await startRig();
      const { lark, ann, app } = rig;
      app.scopes.add('im:message.group_msg');
      const chat =
        mode === 'p2p'
          ? lark.directChat(ann, app)
          : lark.addGroup({ name: 'G', members: [ann], apps: [app] });
      damageEvents(lark, change);
      const { intake, connection } = await connected(rig);
      const said = lark.say({ chat, from: ann, text: '{0} hello', mentions: [app] });
      await lark.waitFor(() => lark.deliveries({ eventType: RECEIVE })[0]?.acked);
      expect(intake.events).toMatchObject([
        {
          kind: 'message',
          message: {
            messageId: said.messageId,
            eventId: lark.deliveries({ eventType: RECEIVE })[0]?.eventId,
            chatId: chat.chatId,
            chatType: mode,
            senderOpenId: ann.openId,
            sentAtMs: said.createdAtMs,
            parts: [{ kind: 'text', text: 'hello' }],
          },
        },
      ]);
      expect(fetches(rig)).toHaveLength(1);
      expect(connection.counts()).toMatchObject({ admitted: 1, failed: 0, ignored: {} });
    });
  },
);

test('a time in seconds is parsed without a call', async () => {
  const rig = await startRig();
  damageEvents(rig.lark, ({ header, message }) => {
    for (const fields of [header, message]) {
      fields['create_time'] = String(fields['create_time']).slice(0, -3);
    }
  });
  const { lark, ann, app, intake } = await connected(rig);
  const said = lark.say({ chat: lark.directChat(ann, app), from: ann, text: 'hello' });
  await eventually(() => intake.texts).toEqual(['hello']);
  const sentAtMs = Math.floor(said.createdAtMs / 1000) * 1000;
  expect(intake.events).toMatchObject([{ message: { sentAtMs } }]);
  expect(fetches(rig)).toEqual([]);
});

describe('a post in a group whose event lists no mentions', () => {
  test.each([
    ['the id of the bot', true],
    ['a placeholder that nothing explains', false],
  ])('is for the bot if it names the bot by %s', async (_how, byId) => {
    const rig = await startRig();
    const { lark, ann, app } = rig;
    app.scopes.add('im:message.group_msg');
    damageEvents(lark, ({ message }) => {
      delete message['mentions'];
      if (byId) {
        message['content'] = String(message['content']).replaceAll('@_user_1', app.botOpenId);
      }
    });
    const { intake } = await connected(rig);
    const chat = lark.addGroup({ name: 'G', members: [ann], apps: [app] });
    const content = {
      title: '',
      content: [
        [
          { tag: 'at', user_id: app.botOpenId },
          { tag: 'text', text: ' go' },
        ],
      ],
    };
    lark.say({ chat, from: ann, messageType: 'post', content });
    await eventually(() => intake.texts).toEqual(['go']);
    expect(fetches(rig)).toHaveLength(byId ? 0 : 1);
  });

  test('is not for the bot if a placeholder names somebody else', async () => {
    const rig = await startRig();
    const { lark, ann, app } = rig;
    app.scopes.add('im:message.group_msg');
    damageEvents(lark, ({ message }) => delete message['mentions']);
    const { intake, connection } = await connected(rig);
    const bob = lark.addUser({ name: 'Bob' });
    const chat = lark.addGroup({ name: 'G', members: [ann, bob], apps: [app] });
    const content = { title: '', content: [[{ tag: 'at', user_id: bob.openId }]] };
    lark.say({ chat, from: ann, messageType: 'post', content });
    await lark.waitFor(() => lark.deliveries({ eventType: RECEIVE })[0]?.acked);
    expect(intake.events).toEqual([]);
    expect(connection.counts()).toMatchObject({ ignored: { not_addressed: 1 } });
  });
});

describe('if reading does not help', () => {
  test('Lark does not show it: the person is told, in the thread', async () => {
    const rig = await startRig();
    const { lark, ann, app } = rig;
    damageEvents(lark, ({ message }) => (message['content'] = null));
    const { intake } = await connected(rig);
    const chat = lark.addGroup({ name: 'G', members: [ann], apps: [app] });
    const topic = lark.say({ chat, from: ann, text: 'a topic' });
    const said = lark.say({
      chat,
      from: ann,
      text: '{0} hello',
      mentions: [app],
      replyTo: topic,
      inThread: true,
    });
    // Reading a group takes a right that the app does not have.
    await eventually(() => intake.events).toMatchObject([
      {
        kind: 'unreadable',
        messageId: said.messageId,
        chatId: chat.chatId,
        threadId: said.threadId,
      },
    ]);
    await lark.waitFor(() => lark.deliveries({ eventType: RECEIVE })[0]?.acked);
  });

  test('the message is damaged too: the person is told, unless it is not for the bot', async () => {
    const rig = await startRig();
    const { lark, ann, app } = rig;
    app.scopes.add('im:message.group_msg');
    damageEvents(lark, ({ message }) => (message['content'] = '{'));
    lark.faults.inject({ kind: 'event_delay', delayMs: 50, times: 2 });
    const { intake, connection } = await connected(rig);
    const direct = lark.say({ chat: lark.directChat(ann, app), from: ann, text: 'hello' });
    const group = lark.addGroup({ name: 'G', members: [ann], apps: [app] });
    const other = lark.say({ chat: group, from: ann, text: 'hello' });
    for (const message of [direct, other]) message.content = '{';
    await lark.waitFor(() => lark.deliveries().every(({ acked }) => acked));
    expect(intake.events).toMatchObject([{ kind: 'unreadable', messageId: direct.messageId }]);
    expect(connection.counts()).toMatchObject({ admitted: 1, ignored: { not_addressed: 1 } });
  });

  test('the message was recalled meanwhile: no notice is sent', async () => {
    const rig = await startRig();
    const { lark, ann, app } = rig;
    damageEvents(lark, ({ message }) => (message['content'] = ''));
    lark.faults.inject({ kind: 'event_delay', delayMs: 50, eventType: RECEIVE });
    const { intake } = await connected(rig);
    lark.recall(lark.say({ chat: lark.directChat(ann, app), from: ann, text: 'never mind' }));
    await lark.waitFor(() => lark.deliveries({ eventType: RECEIVE })[0]?.acked);
    expect(intake.events).toMatchObject([{ kind: 'recalled' }]);
  });
});

describe('faults that pass', () => {
  const lost = (rig: Rig, times: number) =>
    rig.lark.faults.inject({ kind: 'request_lost', method: 'GET', path: '/messages/', times });

  test('it is not acked before it is read and stored, so Lark delivers it again', async () => {
    const rig = await startRig();
    damageEvents(rig.lark, ({ message }) => delete message['content']);
    const { lark, ann, app, intake, connection } = await connected(rig);
    lost(rig, 1);
    lark.say({ chat: lark.directChat(ann, app), from: ann, text: 'hello' });
    await lark.waitFor(() => lark.deliveries({ eventType: RECEIVE })[0]?.ackCode === 500);
    expect(intake.events).toEqual([]);
    lark.redeliverNow();
    await eventually(() => intake.texts).toEqual(['hello']);
    await lark.waitFor(() => lark.deliveries({ eventType: RECEIVE })[0]?.acked);
    expect(connection.counts()).toMatchObject({ admitted: 1, failed: 1 });
  });

  test('a full disk is such a fault too', async () => {
    const rig = await startRig();
    damageEvents(rig.lark, ({ message }) => delete message['content']);
    const { lark, ann, app, intake } = await connected(rig);
    intake.before = () => Promise.reject(new Error('disk full'));
    lark.say({ chat: lark.directChat(ann, app), from: ann, text: 'hello' });
    await lark.waitFor(() => lark.deliveries({ eventType: RECEIVE })[0]?.ackCode === 500);
    intake.before = () => Promise.resolve();
    lark.redeliverNow();
    await eventually(() => intake.texts).toEqual(['hello']);
  });

  test("the fault lasts until Lark's last delivery: the person is told before that", async () => {
    const rig = await startRig();
    damageEvents(rig.lark, ({ message }) => delete message['content']);
    const { lark, ann, app, intake } = await connected(rig);
    lost(rig, 99);
    lark.say({ chat: lark.directChat(ann, app), from: ann, text: 'hello' });
    for (let tries = 1; tries < 3; tries += 1) {
      await lark.waitFor(() => {
        const [delivery] = lark.deliveries({ eventType: RECEIVE });
        return delivery?.tries === tries && delivery.ackCode === 500 && delivery.state !== 'sent';
      });
      expect(intake.events).toEqual([]);
      lark.redeliverNow();
    }
    await eventually(() => intake.events).toMatchObject([{ kind: 'unreadable' }]);
    await lark.waitFor(() => lark.deliveries({ eventType: RECEIVE })[0]?.acked);
  });

  test('an answer that comes after the time for an ack is stored all the same, once', async () => {
    const rig = await startRig();
    damageEvents(rig.lark, ({ message }) => delete message['content']);
    const { gateway } = withGateway(rig);
    let tooLate = () => {};
    const clock: Clock = {
      nowMs: () => Date.now(),
      after: (_delayMs, run) => {
        tooLate = run;
        return () => {};
      },
    };
    let answer = () => {};
    const slow = new Promise<void>((resolve) => (answer = resolve));
    let asked = 0;
    const fetchMessage: typeof gateway.fetchMessage = async (incomplete) => {
      asked += 1;
      await slow;
      return gateway.fetchMessage(incomplete);
    };
    const { lark, ann, app, intake, connection } = withConnection(rig, { fetchMessage, clock });
    await connection.start();
    lark.say({ chat: lark.directChat(ann, app), from: ann, text: 'hello' });
    await eventually(() => asked).toBe(1);
    tooLate();
    await lark.waitFor(() => lark.deliveries({ eventType: RECEIVE })[0]?.ackCode === 500);
    expect(intake.events).toEqual([]);
    // It comes again while the first call is still under way.
    lark.redeliverNow();
    await eventually(() => connection.counts().failed).toBe(1);
    answer();
    await lark.waitFor(() => lark.deliveries({ eventType: RECEIVE })[0]?.acked);
    expect(asked).toBe(1);
    expect(intake.texts).toEqual(['hello']);
  });

  test('the number of messages that are read at once has a bound', async () => {
    const rig = await startRig();
    damageEvents(rig.lark, ({ message }) => delete message['content']);
    const { lark, ann, app, intake } = await connected(rig);
    let fetched = () => {};
    intake.before = () => new Promise((resolve) => (fetched = resolve));
    const chat = lark.directChat(ann, app);
    for (let at = 0; at < 9; at += 1) lark.say({ chat, from: ann, text: `${at}` });
    await lark.waitFor(
      () =>
        lark.deliveries({ eventType: RECEIVE }).filter(({ ackCode }) => ackCode === 500).length ===
        1,
    );
    expect(fetches(rig).length).toBeLessThanOrEqual(8);
    fetched();
  });
});

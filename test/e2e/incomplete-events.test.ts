/** Events that say too little: no message is lost and nobody is left in silence, also when the process dies. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { damageEvents } from '../contract/lark/damage.ts';
import { Rig } from './rig.ts';

const MESSAGE = 'im.message.receive_v1';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});

afterEach(() => rig.close());

test('killed while it asks for a message, and again after that: the message is answered once', async () => {
  const { cloud } = rig;
  const { user, chat } = rig.direct('Mei');
  damageEvents(cloud, ({ message, sender }) => {
    delete message['content'];
    delete sender['sender_type'];
  });
  const isAsked = (times: number) => () => cloud.faults.counts().response_hang === times;
  let bridge = await rig.run();
  cloud.faults.inject({ kind: 'response_hang', method: 'GET', path: '/messages/', times: 2 });
  const said = cloud.say({ chat, from: user, text: 'hello' });
  for (const times of [1, 2]) {
    await cloud.waitFor(isAsked(times));
    await bridge.stop('SIGKILL');
    expect(cloud.deliveries({ eventType: MESSAGE })).toMatchObject([{ acked: false }]);
    bridge = await rig.run();
    await cloud.waitFor(() => cloud.online(rig.app) === 1);
    cloud.redeliverNow();
  }
  expect(await rig.repliesIn(chat, 1)).toMatchObject([{ text: 'hello', replyTo: said.messageId }]);
  await cloud.waitFor(() => cloud.deliveries({ eventType: MESSAGE })[0]?.acked);
  // Killed after the ack there is nothing to repeat.
  await bridge.stop('SIGKILL');
  await rig.runHere();
  cloud.say({ chat, from: user, text: 'and now' });
  expect((await rig.repliesIn(chat, 2)).map(({ text }) => text)).toEqual(['hello', 'and now']);
  expect(rig.bugs()).toEqual([]);
});

test('what nobody can read is told once, also by the process after a kill', async () => {
  const { cloud } = rig;
  const { user, chat } = rig.direct('Mei');
  damageEvents(cloud, ({ message }) => (message['content'] = null));
  const first = await rig.run();
  cloud.faults.inject({
    kind: 'business_error',
    code: 230027,
    msg: 'no right',
    method: 'GET',
    path: '/messages/',
    times: 9,
  });
  cloud.faults.inject({ kind: 'response_hang', method: 'POST', path: '/reply' });
  const said = cloud.say({ chat, from: user, text: 'hello' });
  await cloud.waitFor(() => cloud.faults.counts().response_hang === 1);
  await cloud.waitFor(() => cloud.deliveries({ eventType: MESSAGE })[0]?.acked);
  await first.stop('SIGKILL');
  const second = await rig.runHere({ env: { LARK_LOG_LEVEL: 'debug' } });
  await second.saw(() => second.logged('sent'));
  expect(rig.replies(chat)).toMatchObject([
    { text: expect.stringContaining('could not read it'), replyTo: said.messageId },
  ]);
});

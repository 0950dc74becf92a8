/** After an outage: what was said meanwhile, and no event brought, is found in the chats and their threads. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SimMessage } from '../../src/sim/world/model.ts';
import { Db } from '../../src/store/sqlite/db.ts';
import { Rig } from './rig.ts';
import { silentLog } from '../kit/log.ts';

const HOUR_MS = 60 * 60_000;
let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});

afterEach(() => rig.close());

/** The daemon’s latest status is an hour old: that is what it knows of an outage. */
async function wasAwayForAnHour(): Promise<void> {
  const db = Db.open(join(rig.stateDir, 'bridge.db'), silentLog);
  await db.write(() => db.run('UPDATE daemon SET alive_at_ms = alive_at_ms - ?', HOUR_MS));
  db.close();
}

test('a message in a known thread, one in a new thread and one in the chat are each answered in their place, once', async () => {
  rig.app.scopes.add('im:message.group_msg');
  const mei = rig.cloud.addUser({ name: 'Mei' });
  const chat = rig.cloud.addGroup({ name: 'Team', members: [mei], apps: [rig.app] });
  const inThread = (replyTo: SimMessage) => ({ replyTo, inThread: true });
  const ask = (text: string, more: object = {}) => {
    rig.cloud.advance(1_000);
    return rig.cloud.say({ chat, from: mei, text: `{0} ${text}`, mentions: [rig.app], ...more });
  };

  const first = await rig.run({ env: { LARK_LOG_LEVEL: 'debug' } });
  const topic = rig.cloud.say({ chat, from: mei, text: 'a topic' });
  ask('before', inThread(topic));
  await first.saw(() => first.logged('sent'));
  await first.stop('SIGKILL');

  // Nobody listens until Lark gives up.
  await rig.cloud.waitFor(() => rig.cloud.online(rig.app) === 0);
  const known = ask('in the known thread', inThread(topic));
  const plain = ask('in the chat');
  const other = rig.cloud.say({ chat, from: mei, text: 'another topic' });
  const fresh = ask('in a new thread', inThread(other));
  for (let tries = 0; tries < 5; tries += 1) rig.cloud.advance(7 * HOUR_MS);
  const open = rig.cloud.deliveries().filter(({ state }) => !/acked|given_up/.test(state));
  expect(open).toEqual([]);
  await wasAwayForAnHour();

  const second = await rig.runHere();
  const replies = (await rig.repliesIn(chat, 4)).slice(1);
  expect(replies.map(({ text }) => text)).toEqual([
    'in the known thread',
    'in the chat',
    'in a new thread',
  ]);
  expect(replies.map(({ threadId }) => threadId)).toEqual([
    known.threadId,
    undefined,
    fresh.threadId,
  ]);
  expect(replies[1]?.replyTo).toBe(plain.messageId);
  // Another outage and another look change nothing.
  await second.saw(() => second.logged('gap_read'));
  await second.stop();
  await wasAwayForAnHour();
  const third = await rig.runHere();
  await third.saw(() => third.logged('gap_read'));
  const last = ask('and now');
  await rig.cloud.waitFor(() => rig.replies(chat).some(({ text }) => text === 'and now'));
  expect(rig.replies(chat)).toHaveLength(5);
  expect(rig.replies(chat).at(-1)?.replyTo).toBe(last.messageId);
});

test('what is said during an outage of seconds is answered before Lark delivers it again', async () => {
  const { cloud } = rig;
  const { user, chat } = rig.direct('Mei');
  const ask = (text: string) => {
    cloud.advance(1_000);
    return cloud.say({ chat, from: user, text });
  };
  const bridge = await rig.runHere();
  ask('before');
  await rig.repliesIn(chat, 1);
  cloud.kick();
  const said = ask('meanwhile');
  const replies = await rig.repliesIn(chat, 2);
  expect(replies.at(-1)).toMatchObject({ text: 'meanwhile', replyTo: said.messageId });
  const delivery = (of: SimMessage) =>
    cloud.deliveries().find(({ messageId }) => messageId === of.messageId);
  expect(delivery(said)).toMatchObject({ acked: false });
  // Its event comes after all, and means nothing any more.
  cloud.redeliverNow();
  await cloud.waitFor(() => delivery(said)?.acked);

  // So it is when the process was away.
  await bridge.stop();
  const atRestart = ask('at the restart');
  await rig.runHere();
  expect((await rig.repliesIn(chat, 3)).at(-1)?.replyTo).toBe(atRestart.messageId);
  expect(delivery(atRestart)).toMatchObject({ acked: false });
  ask('after');
  expect((await rig.repliesIn(chat, 4)).map(({ text }) => text)).toEqual([
    'before',
    'meanwhile',
    'at the restart',
    'after',
  ]);
});

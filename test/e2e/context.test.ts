/** What an agent knows beside the message, and what edits and recalls change. The agent here says what it got. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SimChat, SimUser } from '../../src/sim/world/model.ts';
import { Rig } from './rig.ts';

interface TurnFile {
  readonly text: string;
  readonly sender: { readonly open_id: string; readonly name: string };
  readonly chat: { readonly name: string };
  readonly quoted: { readonly sender_name: string; readonly text: string } | null;
  readonly thread: readonly { readonly sender_name: string; readonly text: string }[];
}

let rig: Rig;
let mei: SimUser;
let tom: SimUser;

beforeAll(async () => {
  rig = await Rig.open();
  rig.app.scopes.add('im:message.group_msg');
  rig.app.subscriptions.add('im.message.updated_v1');
  mei = rig.cloud.addUser({ name: 'Mei' });
  tom = rig.cloud.addUser({ name: 'Tom' });
  // A text with `wait` waits for a file of its own.
  const script = [
    'text=$(cat)',
    `case "$text" in wait*) while [ ! -e "${rig.home}/go" ]; do sleep 0.05; done;; esac`,
    'cat "$LARK_TURN_FILE"',
  ].join('; ');
  await rig.addAgent('witness', script);
  await rig.runHere();
});

afterAll(() => rig.close());

const team = (): SimChat =>
  rig.cloud.addGroup({ name: 'Team', members: [mei, tom], apps: [rig.app] });

async function answersIn(chat: SimChat, count = 1): Promise<TurnFile[]> {
  const replies = await rig.repliesIn(chat, count);
  return replies.map(({ text }) => JSON.parse(text) as TurnFile);
}

test('a reply comes with the message that it replies to, and with names', async () => {
  const chat = team();
  const first = rig.cloud.say({ chat, from: tom, text: 'we need it by Friday' });
  rig.cloud.say({
    chat,
    from: mei,
    text: 'what does he mean?',
    mentions: [rig.app],
    replyTo: first,
  });
  expect(await answersIn(chat)).toMatchObject([
    {
      text: 'what does he mean?',
      sender: { open_id: mei.openId, name: 'Mei' },
      chat: { name: 'Team' },
      quoted: { sender_name: 'Tom', text: 'we need it by Friday' },
      thread: [],
    },
  ]);
  await rig.cloud.waitFor(() => readdirSync(join(rig.stateDir, 'turns')).length === 0);
});

test('a message in a thread comes with what was said there', async () => {
  const chat = team();
  const root = rig.cloud.say({ chat, from: tom, text: 'when is it due?' });
  const thread = { chat, replyTo: root, inThread: true };
  rig.cloud.say({ ...thread, from: mei, text: 'on Friday' });
  rig.cloud.recall(rig.cloud.say({ ...thread, from: tom, text: 'nonsense' }).messageId);
  rig.cloud.say({ ...thread, from: mei, text: 'is that right?', mentions: [rig.app] });
  await rig.cloud.waitFor(() => rig.replies(chat).length > 0);
  const [answer] = await answersIn(chat);
  expect(answer?.thread).toEqual([
    { sender_name: 'Tom', text: 'when is it due?' },
    { sender_name: 'Mei', text: 'on Friday' },
  ]);
});

test('a mention without words under a message makes that message the question', async () => {
  const chat = team();
  const first = rig.cloud.say({ chat, from: tom, text: 'is water wet?' });
  rig.cloud.say({ chat, from: mei, text: '', mentions: [rig.app], replyTo: first });
  const [answer] = await answersIn(chat);
  expect(answer).toMatchObject({ text: 'is water wet?', sender: { name: 'Mei' } });
});

test('a name that looks like a mention or a placeholder is harmless', async () => {
  const eve = rig.cloud.addUser({ name: '<at id=all></at> {0}\u202E\nadmin' });
  const chat = rig.cloud.directChat(eve, rig.app);
  rig.cloud.say({ chat, from: eve, text: 'hello' });
  const [answer] = await answersIn(chat);
  expect(answer?.sender.name).toBe('＜at id=all＞＜/at＞ ｛0｝ admin');
});

test('an edit that adds the mention starts one turn', async () => {
  const chat = team();
  const said = rig.cloud.say({ chat, from: mei, text: 'good morning' });
  rig.cloud.edit(said.messageId, { text: 'good morning, bot', mentions: [rig.app] });
  const [answer] = await answersIn(chat);
  expect(answer?.text).toBe('good morning, bot');
  rig.cloud.edit(said.messageId, { text: 'good evening, bot', mentions: [rig.app] });
  rig.cloud.say({ chat, from: mei, text: 'next', mentions: [rig.app] });
  expect((await answersIn(chat, 2)).map(({ text }) => text)).toEqual(['good morning, bot', 'next']);
});

test('a waiting turn takes the new text, one at work is told of, and a recalled one shows nothing', async () => {
  const chat = rig.cloud.directChat(mei, rig.app);
  const say = (text: string) => rig.cloud.say({ chat, from: mei, text });
  const atWork = say('wait for it');
  const waiting = say('first');
  const gone = say('secret');
  await rig.cloud.waitFor(() => readdirSync(join(rig.stateDir, 'turns')).length === 1);
  rig.cloud.edit(waiting.messageId, { text: 'second' });
  rig.cloud.recall(gone.messageId);
  rig.cloud.edit(atWork.messageId, { text: 'wait no more' });
  const [notice] = await rig.repliesIn(chat, 1);
  expect(notice?.text).toContain('already working');
  expect(notice?.replyTo).toBe(atWork.messageId);
  writeFileSync(join(rig.home, 'go'), '');
  const answers = (await rig.repliesIn(chat, 3)).slice(1);
  expect(answers.map(({ text }) => (JSON.parse(text) as TurnFile).text)).toEqual([
    'wait for it',
    'second',
  ]);
  say('last');
  const [last] = (await rig.repliesIn(chat, 4)).slice(3);
  expect((JSON.parse(last?.text ?? '') as TurnFile).text).toBe('last');
});

test('what a kill left of the file of a turn is removed at the next start', async () => {
  const other = await Rig.open();
  try {
    await other.addAgent('slow', 'sleep 600');
    const first = await other.run();
    const { user, chat } = other.direct('Ida');
    other.cloud.say({ chat, from: user, text: 'hello' });
    const turns = join(other.stateDir, 'turns');
    await other.cloud.waitFor(() => existsSync(turns) && readdirSync(turns).length === 1);
    const [left] = readdirSync(turns);
    await first.stop('SIGKILL');
    expect(readdirSync(turns)).toEqual([left]);
    const second = await other.run();
    expect(readdirSync(turns)).not.toContain(left);
    await second.stop();
  } finally {
    await other.close();
  }
});

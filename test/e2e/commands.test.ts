/** What people type to the bridge itself, by the built program at a simulated Lark. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { appId, chatId, messageId, openId, turnId } from '../../src/core/ids.ts';
import type { SimChat, SimUser } from '../../src/sim/world/model.ts';
import { SqliteJournal } from '../../src/store/sqlite/bridge/journal.ts';
import { Db } from '../../src/store/sqlite/db.ts';
import { systemClock } from '../../src/time/clock.ts';
import { silentLog } from '../kit/log.ts';
import { isProcessAlive, pidIn } from '../kit/processes.ts';
import { Rig } from './rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});

afterEach(() => rig.close());

const textsIn = (chat: SimChat) => rig.replies(chat).map(({ text }) => text);
const say = (chat: SimChat, from: SimUser, text: string) => rig.cloud.say({ chat, from, text });

/** As `connect` notes who created the bot. */
function makeOwner({ openId: id }: SimUser): void {
  mkdirSync(rig.stateDir, { recursive: true, mode: 0o700 });
  const note = JSON.stringify({ app_id: rig.app.appId, open_id: id });
  writeFileSync(join(rig.stateDir, 'owner.json'), note, { mode: 0o600 });
}

/** Neither it nor its child ends when it is told to. */
const STUBBORN = `trap '' TERM; cd "$HOME"
sh -c 'trap "" TERM; echo $$ > child; while [ -d "$HOME" ]; do sleep 0.1; done' &
while [ ! -s child ]; do sleep 0.02; done
echo $$ > parent; while [ -d "$HOME" ]; do sleep 0.1; done`;

test('each command gets exactly one answer', async () => {
  const { user, chat } = rig.direct('Mei');
  makeOwner(user);
  await rig.runHere();
  const words = [
    ['/help', '/stop: '],
    ['／ＳＴＡＴＵＳ', 'Agent: echo'],
    ['\u200B/whoami\uFEFF', `Name: Mei\nOpen id: ${user.openId}`],
    ['/new\n', 'new conversation'],
    ['/stop please', 'Nothing of yours is at work'],
    ['/retry', 'Nothing of yours waits'],
    ['/run', 'Nothing of yours waits'],
    ['/skip', 'Nothing of yours waits'],
    ['/queue', 'Waiting here: nothing'],
    ['/reconnect', 'connect again'],
    ['/doctor', 'In order: '],
    ['/stauts', 'Did you mean /status?'],
    ['/compact', '/compact'],
  ] as const;
  for (const [index, [word, part]] of words.entries()) {
    const { messageId: id } = say(chat, user, word);
    const replies = await rig.repliesIn(chat, index + 1);
    expect(replies.at(-1)).toMatchObject({ replyTo: id, text: expect.stringContaining(part) });
  }
  expect(rig.replies(chat)).toHaveLength(words.length);
});

test('/stop ends a program that ignores SIGTERM, and its child, within six seconds, and says so once', async () => {
  await rig.addAgent('stubborn', STUBBORN);
  await rig.runHere();
  const { user, chat } = rig.direct('Mei');
  const asked = say(chat, user, 'work');
  const pids = [await pidIn(join(rig.home, 'parent')), await pidIn(join(rig.home, 'child'))];
  say(chat, user, '/stop');
  await expect.poll(() => pids.map(isProcessAlive), { timeout: 6_000 }).toEqual([false, false]);
  const [reply] = await rig.repliesIn(chat, 1);
  expect(reply).toMatchObject({
    replyTo: asked.messageId,
    text: expect.stringMatching(/^Stopped\./),
  });
  expect(rig.replies(chat)).toHaveLength(1);
});

test('/stop that Lark delivers twice stops once, and not the turn that began meanwhile', async () => {
  await rig.addAgent('slow', 'text=$(cat); [ "$text" = next ] || sleep 60; echo "did $text"');
  await rig.runHere();
  const { user, chat } = rig.direct('Mei');
  say(chat, user, 'work');
  rig.cloud.faults.inject({ kind: 'event_duplicate', times: 1 });
  say(chat, user, '/stop');
  await rig.repliesIn(chat, 1);
  say(chat, user, 'next');
  const replies = await rig.repliesIn(chat, 2);
  expect(replies.map(({ text }) => text)).toEqual([
    expect.stringMatching(/^Stopped\./),
    'did next',
  ]);
});

test('in a group a word counts only with a mention, and only the person who asked and the owner stop', async () => {
  await rig.addAgent('hanging', 'echo $$ > "$HOME/begun"; sleep 60');
  const [boss, guest, owner] = ['Boss', 'Guest', 'Owner'].map((name) =>
    rig.cloud.addUser({ name }),
  );
  if (boss === undefined || guest === undefined || owner === undefined) throw new Error('no users');
  makeOwner(owner);
  await rig.runHere();
  const chat = rig.cloud.addGroup({ name: 'Team', members: [boss, guest, owner], apps: [rig.app] });
  const mention = (from: SimUser, text: string) =>
    rig.cloud.say({ chat, from, text, mentions: [rig.app] });
  mention(boss, '{0} work');
  await pidIn(join(rig.home, 'begun'));
  say(chat, boss, '/stop');
  mention(guest, '/stop {0}');
  await rig.repliesIn(chat, 1);
  mention(owner, '{0} /stop');
  await rig.repliesIn(chat, 2);
  expect(textsIn(chat)).toEqual([
    expect.stringContaining('another person'),
    expect.stringContaining('The owner of this bot has stopped this.'),
  ]);
});

describe('a card', () => {
  test('of help has buttons that do what the words do', async () => {
    await rig.addAgent('hanging', 'sleep 60');
    await rig.runHere();
    const { user, chat } = rig.direct('Mei');
    say(chat, user, '/help');
    const [card] = await rig.repliesIn(chat, 1);
    expect(card?.type).toBe('interactive');
    say(chat, user, 'work');
    await rig.cloud.pressOnCard(card?.messageId ?? '', user, { label: 'Status' });
    const [, status] = await rig.repliesIn(chat, 2);
    expect(status?.text).toContain('Agent: hanging');
    await rig.cloud.pressOnCard(status?.messageId ?? '', user, { label: 'Stop' });
    const [, , stopped] = await rig.repliesIn(chat, 3);
    expect(stopped?.text).toMatch(/^Stopped\./);
  });

  test('that Lark refuses is a text', async () => {
    await rig.runHere();
    const { user, chat } = rig.direct('Mei');
    rig.cloud.faults.inject({
      kind: 'business_error',
      code: 230099,
      msg: 'refused',
      path: '/reply',
      times: 1,
    });
    say(chat, user, '/help');
    const [help] = await rig.repliesIn(chat, 1);
    expect(help).toMatchObject({ type: 'text', text: expect.stringContaining('/stop: ') });
  });
});

test("the bot's menu does the same, in the direct chat", async () => {
  await rig.addAgent('hanging', 'sleep 60');
  await rig.runHere();
  const { user, chat } = rig.direct('Mei');
  rig.cloud.chooseMenu(rig.app, user, 'help');
  const [help] = await rig.repliesIn(chat, 1);
  expect(help).toMatchObject({ type: 'interactive', text: expect.stringContaining('/stop: ') });
  say(chat, user, 'work');
  await rig.cloud.pressOnCard(help?.messageId ?? '', user, { label: 'Status' });
  await rig.repliesIn(chat, 2);
  for (const [index, key] of ['status', 'stop', 'new'].entries()) {
    rig.cloud.chooseMenu(rig.app, user, key);
    await rig.repliesIn(chat, index + 3);
  }
  expect(textsIn(chat).slice(2)).toEqual([
    expect.stringContaining('- work ('),
    expect.stringMatching(/^Stopped\./),
    expect.stringContaining('new conversation'),
  ]);
});

test('another prefix leaves the words with a slash to the agent', async () => {
  await rig.runHere({ env: { LARK_BRIDGE_COMMAND_PREFIX: '!' } });
  const { user, chat } = rig.direct('Mei');
  say(chat, user, '/help');
  await rig.repliesIn(chat, 1);
  say(chat, user, '！ＨＥＬＰ');
  const [echo, help] = await rig.repliesIn(chat, 2);
  expect(echo?.text).toBe('/help');
  expect(help?.text).toContain('!stop: ');
});

test('SIGKILL between a stored /stop and its work: the next process stops the turn once', async () => {
  await rig.addAgent('hanging', 'cd "$HOME"; echo $$ > first; sleep 60');
  const first = await rig.run({ env: { LARK_LOG_LEVEL: 'debug' } });
  const { user, chat } = rig.direct('Mei');
  const asked = say(chat, user, 'work');
  await first.saw(() => first.stderr.includes('"phase":"accepted"'));
  await first.stop('SIGKILL');
  // What the process had stored when it died.
  await storeStop({
    asked: asked.messageId,
    command: say(chat, user, '/stop').messageId,
    chat,
    user,
  });
  const second = await rig.runHere();
  await rig.repliesIn(chat, 1);
  await second.stop();
  await rig.runHere();
  say(chat, user, '/whoami');
  const replies = await rig.repliesIn(chat, 2);
  expect(replies.map(({ text }) => text)).toEqual([
    expect.stringMatching(/^Stopped\./),
    expect.stringContaining(user.openId),
  ]);
});

async function storeStop(given: { asked: string; command: string; chat: SimChat; user: SimUser }) {
  const db = Db.open(join(rig.stateDir, 'bridge.db'), silentLog);
  const app = appId(rig.app.appId);
  try {
    await new SqliteJournal({ db, app, clock: systemClock }).admit({
      message: {
        appId: app,
        messageId: messageId(given.command),
        eventId: 'stored',
        chatId: chatId(given.chat.chatId),
        chatType: 'p2p',
        senderOpenId: openId(given.user.openId),
        rootId: undefined,
        parentId: undefined,
        threadId: undefined,
        sentAtMs: Date.now(),
        parts: [{ kind: 'text', text: '/stop' }],
      },
      receivedAtMs: Date.now(),
      state: { phase: 'command', action: 'stop', about: [turnId(given.asked)] },
      out: [],
    });
  } finally {
    db.close();
  }
}

test('SIGKILL in the middle of /doctor: the next process makes the checks, and answers once', async () => {
  const { user, chat } = rig.direct('Mei');
  makeOwner(user);
  const first = await rig.run({ env: { LARK_LOG_LEVEL: 'debug' } });
  rig.cloud.faults.inject({ kind: 'response_hang', path: '/bot/v3/info', times: 1 });
  const { messageId: id } = say(chat, user, '/doctor');
  await first.saw(() => first.stderr.includes('"phase":"command"'));
  await first.stop('SIGKILL');
  await rig.runHere();
  const replies = await rig.repliesIn(chat, 1);
  expect(replies).toMatchObject([{ replyTo: id, text: expect.stringContaining('In order: ') }]);
});

/** A program of `--stream` that asks a person: the built program, real sockets, in both languages. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PressOutcome } from '../../src/sim/control/press.ts';
import type { SimChat, SimUser } from '../../src/sim/world/model.ts';
import { RUN, Rig } from './rig.ts';

/** Asks whether it may, and says what it was told. What it works on is asked for by its text. */
const ASKS = `
const { createInterface } = require('node:readline');
const say = (line) => console.log(JSON.stringify(line));
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const said = JSON.parse(line);
  if (said.type === 'turn') {
    if (said.text === 'name') return say({ type: 'ask', id: '1', text: 'Which name?' });
    const only = said.text === 'danger' ? { only: 'owner' } : {};
    say({
      type: 'ask', id: '1', text: 'May I ' + said.text + '?', ...only,
      options: [{ id: 'yes', label: 'Allow', style: 'primary' }, { id: 'no', label: 'Deny', style: 'danger' }],
    });
    return;
  }
  say({ type: 'final', text: said.cancelled ? 'nobody said anything' : (said.option || said.text) + ' by ' + said.by });
  process.exit(0);
});`;

let rig: Rig;
let chat: SimChat;
let user: SimUser;

beforeEach(async () => {
  rig = await Rig.open();
  const script = join(rig.home, 'asks.cjs');
  writeFileSync(script, ASKS);
  const words = [
    'agents',
    'add',
    'asks',
    '--stream',
    '--exec',
    `'${process.execPath}' '${script}'`,
  ];
  expect(await rig.command(words)).toMatchObject({ code: 0 });
  ({ chat, user } = rig.direct('Mei'));
});

afterEach(async () => {
  expect(rig.bugs()).toEqual([]);
  await rig.close();
});

const cards = (of = chat) => rig.replies(of).filter(({ type }) => type === 'interactive');
const textsIn = (of = chat) => rig.replies(of).map(({ text }) => text);

async function card(at = 0, of = chat) {
  await rig.cloud.waitFor(() => cards(of).length > at);
  return cards(of)[at]?.messageId ?? '';
}

function toastOf(outcome: PressOutcome): unknown {
  return outcome.ok ? outcome.toast : outcome;
}

const shows = (text: string, of = chat) =>
  rig.cloud.waitFor(() => textsIn(of).some((said) => said.includes(text)));

test('R12: words reach the program that asked for them, and start no turn', async () => {
  await rig.runHere({ env: { LARK_BRIDGE_LANG: 'en' } });
  rig.cloud.say({ chat, from: user, text: 'name' });
  await card();
  expect(textsIn()[0]).toContain('Your next message here is the answer, unless it is a command.');
  rig.cloud.say({ chat, from: user, text: 'Blue, please' });
  await shows(`Blue, please by ${user.openId}`);
  expect(textsIn()[0]).toContain('Answered in words.');
  expect(rig.replies(chat)).toHaveLength(2);
});

describe.each([
  {
    lang: 'en',
    hint: 'Press a button, or send the answer or its number. I wait 10 minutes.',
    answer: 'Answer: Deny',
    again: 'This is answered already: Deny',
  },
  {
    lang: 'zh',
    hint: '请点击按钮，或发送答案或其编号。等待时间：10 分钟。',
    answer: '回答：Deny',
    again: '已有人回答：Deny',
  },
])('in $lang', ({ lang, hint, answer, again }) => {
  test('a press reaches the program, its presser sees a toast, and the card shows who decided what', async () => {
    await rig.runHere({ env: { LARK_BRIDGE_LANG: lang } });
    const asked = rig.cloud.say({ chat, from: user, text: 'deploy' });
    const id = await card();
    expect(cards()[0]).toMatchObject({ replyTo: asked.messageId });
    expect(textsIn()[0]?.split('\n')).toEqual(['May I deploy?', '[1. Allow]', '[2. Deny]', hint]);
    const old = cards()[0]?.card?.buttons[0]?.value as Record<string, unknown>;
    const outcome = await rig.cloud.pressOnCard(id, user, { index: 1 });
    expect(toastOf(outcome)).toEqual({ type: 'success', content: answer });
    await shows(`no by ${user.openId}`);
    await shows(answer);
    expect(cards()[0]?.card?.buttons).toEqual([]);
    expect(rig.cloud.findMessage(id).content).toContain(`"user_id":"${user.openId}"`);
    const second = await rig.cloud.pressButton({ messageId: id, from: user, value: old });
    expect(toastOf(second)).toEqual({ type: 'info', content: again });
    expect(rig.replies(chat)).toHaveLength(2);
  });

  test('the number typed instead reaches the program, and starts no turn', async () => {
    await rig.runHere({ env: { LARK_BRIDGE_LANG: lang } });
    rig.cloud.say({ chat, from: user, text: 'deploy' });
    await card();
    rig.cloud.say({ chat, from: user, text: '２' });
    await shows(`no by ${user.openId}`);
    await shows(answer);
    expect(rig.replies(chat)).toHaveLength(2);
  });
});

test('what is for the owner nobody else answers, and a value of another chat does nothing', async () => {
  const owner = rig.direct('Boss');
  const file = { app_id: rig.app.appId, open_id: owner.user.openId };
  writeFileSync(join(rig.stateDir, 'owner.json'), JSON.stringify(file), { mode: 0o600 });
  const group = rig.cloud.addGroup({
    name: 'Team',
    members: [user, owner.user],
    apps: [rig.app],
  });
  await rig.runHere();
  rig.cloud.say({ chat, from: user, text: 'own' });
  rig.cloud.say({ chat: group, from: user, text: '{0} danger', mentions: [rig.app] });
  const [own, inGroup] = [await card(), await card(0, group)];
  const value = cards(group)[0]?.card?.buttons[0]?.value as Record<string, unknown>;
  const forged = await rig.cloud.pressButton({ messageId: own, from: user, value });
  expect(toastOf(forged)).toMatchObject({ type: 'error' });
  const refused = await rig.cloud.pressOnCard(inGroup, user, { index: 0 });
  expect(toastOf(refused)).toEqual({
    type: 'warning',
    content: 'Only the owner of this bot can answer this.',
  });
  const taken = await rig.cloud.pressOnCard(inGroup, owner.user, { index: 0 });
  expect(toastOf(taken)).toMatchObject({ type: 'success' });
  await shows(`yes by ${owner.user.openId}`, group);
  expect(textsIn(chat).join()).not.toContain(' by ');
});

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'after a %s the card says that it is over, and what runs again asks on a new card',
  async (signal) => {
    const first = await rig.run();
    rig.cloud.say({ chat, from: user, text: 'deploy' });
    const id = await card();
    expect(await first.stop(signal)).toBe(signal === 'SIGTERM' ? 0 : null);
    await rig.run();
    await shows('This question is over, because the agent was interrupted.');
    const next = await card(1);
    expect(cards()[0]?.card?.buttons).toEqual([]);
    await rig.cloud.pressOnCard(next, user, { index: 0 });
    await shows(`yes by ${user.openId}`);
    expect(cards().map(({ messageId }) => messageId)).toEqual([id, next]);
  },
);

test('a question that nobody answers expires, and the time of the turn stands still meanwhile', async () => {
  await rig.command(['config', 'set', 'question_timeout_secs', '3']);
  await rig.runHere({ words: [...RUN, '--turn-timeout-secs', '2'] });
  rig.cloud.say({ chat, from: user, text: 'deploy' });
  await card();
  await shows('nobody said anything');
  await shows('This question is over, because nobody answered in time.');
});

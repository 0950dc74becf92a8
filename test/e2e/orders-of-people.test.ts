/** F8, F17: who may decide about a turn, by a button or a command, in chats with several people. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/sim/world/json.ts';
import type { SimChat, SimUser } from '../../src/sim/world/model.ts';
import { Rig } from './rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});

afterEach(() => rig.close());

const ASK = ['run', '--json', '--log-format', 'json', '--on-interrupted', 'ask'];
/** The first run of each text hangs. */
const HANGS_ONCE = `text=$(cat); seen="$HOME/seen-$text"
if [ -e "$seen" ]; then echo "$text for $LARK_SENDER_OPEN_ID"; else touch "$seen"; sleep 60; fi`;
const FAILS_ONCE = `text=$(cat); seen="$HOME/seen-$text"
if [ -e "$seen" ]; then echo "$text for $LARK_SENDER_OPEN_ID"; else touch "$seen"; exit 3; fi`;

const textsIn = (chat: SimChat) => rig.replies(chat).map(({ text }) => text);

function group(): { chat: SimChat; boss: SimUser; guest: SimUser } {
  const boss = rig.cloud.addUser({ name: 'Boss' });
  const guest = rig.cloud.addUser({ name: 'Guest' });
  return {
    chat: rig.cloud.addGroup({ name: 'Team', members: [boss, guest], apps: [rig.app] }),
    boss,
    guest,
  };
}

function sayTo(chat: SimChat, from: SimUser, text: string) {
  if (chat.mode === 'p2p') return rig.cloud.say({ chat, from, text });
  return rig.cloud.say({ chat, from, text: `{0} ${text}`, mentions: [rig.app] });
}

/** Each of them asks, the process ends in the middle, and each chat is asked what to do. */
async function interrupted(asked: readonly { chat: SimChat; from: SimUser; text: string }[]) {
  await rig.addAgent('slow', HANGS_ONCE);
  const first = await rig.runHere({ words: ASK, env: { LARK_LOG_LEVEL: 'debug' } });
  for (const one of asked) sayTo(one.chat, one.from, one.text);
  await first.saw(() => first.stderr.split('"phase":"accepted"').length > asked.length);
  await first.stop();
  await rig.runHere({ words: ASK });
  const cards = [];
  for (const { chat } of asked) {
    await rig.cloud.waitFor(() => rig.replies(chat).some(({ type }) => type === 'interactive'));
    const card = rig.replies(chat).find(({ type }) => type === 'interactive');
    cards.push({ id: card?.messageId ?? '', value: card?.card?.buttons[0]?.value as JsonObject });
  }
  return cards;
}

describe('F8: a button', () => {
  test('of another chat runs nothing there, and its presser gets a toast', async () => {
    const boss = rig.direct('Boss');
    const evil = rig.direct('Evil');
    const [theirs, own] = await interrupted([
      { chat: boss.chat, from: boss.user, text: 'secret' },
      { chat: evil.chat, from: evil.user, text: 'bait' },
    ]);
    const turn = rig.cloud.shows(boss.chat)[0]?.messageId ?? '';
    const forged = [
      theirs?.value,
      { lark_bridge_choice: 'retry', turn },
      { ...own?.value, turn },
      { lark_bridge_choice: 'run' },
      { lark_bridge_choice: ['retry'], signature: 7 },
    ];
    const press = (value: JsonObject) =>
      rig.cloud.pressButton({ messageId: own?.id ?? '', from: evil.user, value });
    for (const value of forged) {
      expect(await press(value ?? {})).toMatchObject({
        toast: { type: 'error', content: expect.stringContaining('does nothing') as string },
      });
    }
    // A card of another program says nothing to us.
    expect(await press({ choice: 'retry', turn: 'om_1' })).toEqual({ ok: true });
    await rig.cloud.pressOnCard(own?.id ?? '', evil.user, { index: 0 });
    await rig.cloud.waitFor(() => textsIn(evil.chat).includes(`bait for ${evil.user.openId}`));
    expect(textsIn(boss.chat)).toHaveLength(1);
    expect(textsIn(evil.chat)).toHaveLength(2);
  });
});

describe('F17: in a group', () => {
  test("the button under a message works for its author only, and another person's press gets a toast", async () => {
    const { chat, boss, guest } = group();
    const [card] = await interrupted([{ chat, from: boss, text: 'pay' }]);
    for (let press = 0; press < 3; press += 1) {
      const outcome = await rig.cloud.pressOnCard(card?.id ?? '', guest, { index: press % 2 });
      const content = expect.stringContaining('Only the person who asked') as string;
      expect(outcome).toMatchObject({ toast: { type: 'warning', content } });
    }
    await rig.cloud.pressOnCard(card?.id ?? '', boss, { index: 0 });
    await rig.cloud.waitFor(() => textsIn(chat).includes(`pay for ${boss.openId}`));
    expect(rig.replies(chat)).toHaveLength(2);
  });

  test('`/retry` of another person runs as that person', async () => {
    await rig.addAgent('fails', FAILS_ONCE);
    await rig.runHere({ words: ASK });
    const { chat, boss, guest } = group();
    sayTo(chat, boss, 'pay');
    await rig.cloud.waitFor(() => textsIn(chat).some((text) => text.includes('exit code 3')));
    sayTo(chat, guest, '/retry');
    await rig.cloud.waitFor(() => textsIn(chat).some((text) => text.startsWith('pay for')));
    expect(textsIn(chat).at(-1)).toBe(`pay for ${guest.openId}`);
  });

  test('`/run` and `/skip` mean the own messages, and the question about old ones is for everybody', async () => {
    await rig.addAgent('names', 'echo "$(cat) for $LARK_SENDER_OPEN_ID"');
    await rig.runHere({ words: ASK });
    const { chat, boss, guest } = group();
    const old = { atMs: Date.now() - 3_600_000 };
    for (const [from, text] of [
      [boss, 'old of boss'],
      [guest, 'old of guest'],
    ] as const) {
      rig.cloud.say({ chat, from, text: `{0} ${text}`, mentions: [rig.app], ...old });
    }
    await rig.cloud.waitFor(() => rig.replies(chat).length === 1);
    sayTo(chat, guest, '/skip');
    await rig.cloud.waitFor(() => textsIn(chat).some((text) => text.startsWith('Skipped')));
    const card = rig.replies(chat).find(({ type }) => type === 'interactive');
    await rig.cloud.pressOnCard(card?.messageId ?? '', guest, { index: 0 });
    await rig.cloud.pressOnCard(card?.messageId ?? '', boss, { index: 0 });
    await rig.cloud.waitFor(() => textsIn(chat).includes(`old of boss for ${boss.openId}`));
    expect(textsIn(chat).join()).not.toContain('old of guest');
  });
});

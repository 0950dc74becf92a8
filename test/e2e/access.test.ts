/** Who may talk to the bot, end to end: pairing by the button and by the command line, over a kill. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SimChat, SimUser } from '../../src/sim/world/model.ts';
import { ownerFile } from '../../src/host/owner-file.ts';
import { appId, openId } from '../../src/core/ids.ts';
import { mkdirSync } from 'node:fs';
import { Rig } from './rig.ts';

const PAIRING = { LARK_BRIDGE_ACCESS: 'pairing' };
const CODE = /code is ([3-9A-Y]{8})/;

let rig: Rig;
let guest: { user: SimUser; chat: SimChat };

beforeEach(async () => {
  rig = await Rig.open();
  guest = rig.direct('Guest');
});

afterEach(async () => {
  expect(rig.bugs()).toEqual([]);
  await rig.close();
});

const textsIn = (chat: SimChat) => rig.replies(chat).map(({ text }) => text);
const say = (text: string) => rig.cloud.say({ chat: guest.chat, from: guest.user, text });

async function codeOf(chat: SimChat): Promise<string> {
  const [first] = await rig.repliesIn(chat, 1);
  return CODE.exec(first?.text ?? '')?.[1] ?? '';
}

async function pairing(...words: readonly string[]) {
  const { code, stdout, stderr } = await rig.command(['pairing', ...words, '--json'], {
    env: PAIRING,
  });
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as {
    people?: Record<'open_id' | 'name' | 'state' | 'code' | 'asked_at' | 'expires_at', string>[];
  };
}

test('the owner lets a guest in by the button, and the kept message is answered', async () => {
  const owner = rig.direct('Owner');
  mkdirSync(rig.stateDir, { recursive: true, mode: 0o700 });
  ownerFile(rig.stateDir, appId(rig.app.appId)).save(openId(owner.user.openId));
  await rig.runHere({ env: PAIRING });
  say('keep me');
  // The bot says hello first, because it does not know the owner's chat yet.
  const [, card] = await rig.repliesIn(owner.chat, 2);
  expect(card?.text).toContain(`Guest (${guest.user.openId}) wants to talk to me.`);
  await rig.cloud.pressOnCard(card?.messageId ?? '', owner.user, { index: 0 });
  await rig.repliesIn(guest.chat, 2);
  expect(textsIn(guest.chat)[1]).toContain('keep me');
  expect(await pairing('list')).toMatchObject({
    people: [{ open_id: guest.user.openId, name: 'Guest', state: 'allowed', code: null }],
  });
});

test('the operator lets a guest in while the daemon runs, and the first one is the owner', async () => {
  const bridge = await rig.runHere({ env: PAIRING });
  say('keep me');
  const code = await codeOf(guest.chat);
  // Lark tells the name a little later.
  const named = async () => (await pairing('list')).people?.[0]?.name;
  await expect.poll(named).toBe('Guest');
  const { people = [] } = await pairing('list');
  const time = expect.stringMatching(/^20\d\d-\d\d-\d\dT[\d:.]+Z$/);
  const waiting = { name: 'Guest', code, state: 'waiting', asked_at: time, expires_at: time };
  expect(people).toEqual([{ open_id: guest.user.openId, ...waiting }]);
  const [asked, expires] = [people[0]?.asked_at, people[0]?.expires_at].map((at) =>
    Date.parse(at ?? ''),
  );
  expect((expires ?? 0) - (asked ?? 0)).toBe(60 * 60_000);
  const approved = await rig.command(['pairing', 'approve', code.toLowerCase()], { env: PAIRING });
  expect(approved.stdout).toContain(`${guest.user.openId} may talk to the bot now, and owns it`);
  await rig.repliesIn(guest.chat, 3);
  expect(textsIn(guest.chat)[1]).toContain('You are my owner');
  expect(textsIn(guest.chat)[2]).toContain('keep me');
  const refused = await rig.command(['pairing', 'revoke', guest.user.openId], { env: PAIRING });
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('is the owner')]);
  const unknown = await rig.command(['pairing', 'approve', 'AAAAAAAA'], { env: PAIRING });
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('nobody waits')]);
  await bridge.stop();
});

test('the operator lets a guest in while no daemon runs; a kill between that and the answer changes nothing', async () => {
  const first = await rig.run({ env: PAIRING });
  say('keep me');
  const code = await codeOf(guest.chat);
  await first.stop('SIGKILL');
  await pairing('approve', code);
  // The agent works when the process is killed for the second time.
  await rig.addAgent('slow', 'cat; sleep 2');
  const second = await rig.run({ env: { ...PAIRING, LARK_LOG_LEVEL: 'debug' } });
  await second.saw(() => second.logged('person_let_in'));
  await second.stop('SIGKILL');
  const third = await rig.run({ env: PAIRING });
  await rig.repliesIn(guest.chat, 3);
  expect(textsIn(guest.chat)[2]).toContain('keep me');
  await third.stop();
  expect(textsIn(guest.chat)).toHaveLength(3);
});

test('a group: denied and allowed by the command line', async () => {
  await rig.runHere({ env: PAIRING });
  const other = rig.cloud.addUser({ name: 'Other' });
  const group = rig.cloud.addGroup({ name: 'Team', members: [other], apps: [rig.app] });
  const ask = () =>
    rig.cloud.say({ chat: group, from: other, text: '{0} hi', mentions: [rig.app] });
  ask();
  await rig.repliesIn(group, 1);
  const chats = (...words: readonly string[]) =>
    rig.command(['chats', ...words, '--json'], { env: PAIRING });
  expect((JSON.parse((await chats('list')).stdout) as { chats: unknown }).chats).toEqual([
    { chat_id: group.chatId, name: 'Team', state: 'known' },
  ]);
  expect((await chats('allow', group.chatId)).code).toBe(0);
  // The first message was kept.
  await rig.repliesIn(group, 2);
  expect(textsIn(group)[1]).toContain('hi');
});

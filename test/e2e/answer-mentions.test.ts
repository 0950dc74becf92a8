/** Whom answers call, in a group and in a direct chat. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Rig } from './rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});

afterEach(() => rig.close());

/** The agent says what it was asked, with what would break a tag put back. */
const ECHO = 'cat';

test('an answer calls one person of its group by name, and nobody else', async () => {
  await rig.addAgent('echoing', ECHO);
  await rig.runHere();
  const [mei, tom, sam, other] = ['Mei', 'Tom', 'Sam', 'Sam'].map((name) =>
    rig.cloud.addUser({ name }),
  );
  const outside = rig.cloud.addUser({ name: 'Una' });
  if (!mei || !tom || !sam || !other) throw new Error('nobody is there');
  const members = [mei, tom, sam, other];
  const chat = rig.cloud.addGroup({ name: 'Team', members, apps: [rig.app] });
  const ask = (text: string) =>
    rig.cloud.say({ chat, from: mei, text: `{0} ${text}`, mentions: [rig.app] });
  ask('@Tom and @Sam and @Una and @all: look');
  ask(`**@Tom**, <at id=${tom.openId}></at> and <at id=${outside.openId}></at> and @Sam`);
  const [plain, card] = await rig.repliesIn(chat, 2);
  const said = rig.cloud.world.messages.get(plain?.messageId ?? '');
  expect(said?.mentions.map(({ name }) => name)).toEqual(['Tom']);
  expect(plain?.text).toContain('@Sam and @Una and @all: look');
  const content = rig.cloud.world.messages.get(card?.messageId ?? '')?.content ?? '';
  expect(content.match(/<at id=[^>]*>/g)).toEqual(Array(2).fill(`<at id=${tom.openId}>`));
});

test('in a direct chat nobody is called, and the members are not asked for', async () => {
  await rig.addAgent('echoing', ECHO);
  await rig.runHere();
  const { user, chat } = rig.direct('Mei');
  rig.cloud.say({ chat, from: user, text: '@Mei, hello' });
  const [reply] = await rig.repliesIn(chat, 1);
  expect(reply?.text).toBe('@Mei, hello');
  expect(rig.cloud.calls().filter(({ path }) => path.includes('/members'))).toEqual([]);
});

test('without the right to read the members an answer is shown at once, and calls nobody', async () => {
  await rig.addAgent('echoing', ECHO);
  await rig.runHere();
  const mei = rig.cloud.addUser({ name: 'Mei' });
  const chat = rig.cloud.addGroup({ name: 'Team', members: [mei], apps: [rig.app] });
  rig.cloud.faults.inject({ kind: 'business_error', path: '/members', code: 99991672, times: 9 });
  rig.cloud.say({ chat, from: mei, text: '{0} @Mei, hello', mentions: [rig.app] });
  const [reply] = await rig.repliesIn(chat, 1);
  expect(reply?.text).toBe('@Mei, hello');
  expect(rig.cloud.world.messages.get(reply?.messageId ?? '')?.mentions).toEqual([]);
});

/** Each person reads what the bridge says in one language. */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { appId, openId } from '../../src/core/ids.ts';
import type { SimUser } from '../../src/sim/world/model.ts';
import { SqliteLanguages } from '../../src/store/sqlite/bridge/languages.ts';
import { Db } from '../../src/store/sqlite/db.ts';
import { silentLog } from '../kit/log.ts';
import { Rig } from './rig.ts';

/** The agent fails, so that the bridge itself says something. */
async function openRig(): Promise<Rig> {
  const rig = await Rig.open();
  onTestFinished(() => rig.close());
  await rig.addAgent('failing', 'exit 3');
  return rig;
}

const IN_ENGLISH =
  "The agent could not answer: The agent's program ended with exit code 3. Send /retry to run it again.";
const IN_CHINESE = '智能体未能回答：智能体的程序已退出，退出码为 3。发送 /retry 可以重新运行。';

test.each([
  ['Chinese on Feishu', { LARK_BRIDGE_LANG: '' }, IN_CHINESE],
  ['English on Lark', { LARK_BRIDGE_LANG: 'auto', LARK_BRAND: 'lark' }, IN_ENGLISH],
  ['that of the setting, whatever the cloud', { LARK_BRIDGE_LANG: 'en' }, IN_ENGLISH],
])('people who chose no language read %s', async (_language, env, expected) => {
  const rig = await openRig();
  await rig.runHere({ env });
  const { user, chat } = rig.direct('Mei');
  rig.cloud.say({ chat, from: user, text: 'hello' });
  expect((await rig.repliesIn(chat, 1)).map(({ text }) => text)).toEqual([expected]);
});

test('two people in one group each read the language that they chose', async () => {
  const rig = await openRig();
  const ann = rig.cloud.addUser({ name: 'Ann' });
  const mei = rig.cloud.addUser({ name: 'Mei' });
  const chat = rig.cloud.addGroup({ name: 'Team', members: [ann, mei], apps: [rig.app] });
  const db = Db.open(join(rig.stateDir, 'bridge.db'), silentLog);
  const choices = new SqliteLanguages({ db, app: appId(rig.app.appId) });
  await choices.store(openId(ann.openId), 'en');
  await choices.store(openId(mei.openId), 'zh');
  db.close();
  await rig.runHere({ env: { LARK_BRIDGE_LANG: '' } });
  const say = (from: SimUser) =>
    rig.cloud.say({ chat, from, text: '{0} hello', mentions: [rig.app] }).messageId;
  const said = [say(ann), say(mei)];
  const replies = await rig.repliesIn(chat, 2);
  const saidTo = (id = '') => replies.find(({ replyTo }) => replyTo === id)?.text;
  expect(said.map(saidTo)).toEqual([IN_ENGLISH, IN_CHINESE]);
});

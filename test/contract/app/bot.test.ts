/** Who the bot is, as a person sets it. */
import { expect, test } from 'vitest';
import { startWatchedBridge } from '../observe/rig.ts';

test.each([
  ['the one that is set', 'heard', (botOpenId: string) => botOpenId],
  ['another than the one that is set', 'not heard', () => 'ou_another'],
])('LCM-ENV-07, LCM-IN-05: a group message that mentions %s is %s', async (_whom, heard, id) => {
  const bridge = await startWatchedBridge(({ botOpenId }) => ({ LARK_BOT_OPEN_ID: id(botOpenId) }));
  const { cloud, app, user } = bridge;
  const group = cloud.addGroup({ name: 'Team', members: [user], apps: [app] });
  cloud.say({ chat: group, from: user, text: '{0} hello', mentions: [app] });
  // What is said to the bot alone comes after it, and is answered in any case.
  await bridge.talk('and alone');
  await cloud.waitFor(() => cloud.deliveries({ appId: app.appId }).every(({ acked }) => acked));
  const inGroup = () => cloud.shows(group).filter(({ from }) => from.startsWith('app:'));
  if (heard === 'heard') await cloud.waitFor(() => inGroup().length === 1);
  await bridge.stop();
  expect(inGroup().map(({ text }) => text)).toEqual(heard === 'heard' ? ['hello'] : []);
  // What is set is not asked for.
  expect(bridge.lines.map(({ event }) => event)).not.toContain('bot_identified');
});

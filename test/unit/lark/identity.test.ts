import { expect, test } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { appId, openId } from '../../../src/core/ids.ts';
import type { BotInfo } from '../../../src/lark/outbound/gateway.ts';
import { Identity } from '../../../src/lark/outbound/identity.ts';
import { recordingLog } from '../../kit/log.ts';
import { VirtualClock } from '../../kit/clock.ts';

const BOT = openId('ou_bot');
const EARLIER = openId('ou_earlier');

/** Lark answers with what `answers` holds, one after another; then it can't be reached. */
function identity(
  answers: (BotInfo | BridgeError)[],
  known: { botOpenId?: typeof BOT; lastKnown?: typeof BOT } = {},
) {
  const clock = new VirtualClock();
  let asked = 0;
  const part = new Identity({
    appId: appId('cli_0123456789abcdef'),
    botOpenId: known.botOpenId,
    lastKnown: known.lastKnown,
    botInfo: () => {
      asked += 1;
      const answer = answers.shift() ?? new BridgeError('unreachable', 'no answer');
      return answer instanceof BridgeError ? Promise.reject(answer) : Promise.resolve(answer);
    },
    clock,
    random: () => 1,
    log: recordingLog(),
  });
  return { part, clock, asked: () => asked };
}

const info: BotInfo = { openId: BOT, name: 'Bot', active: true };

test('Lark is not asked for an id from the settings', async () => {
  const { part, asked } = identity([], { botOpenId: BOT });
  await part.start();
  expect([part.self.botOpenId, asked()]).toEqual([BOT, 0]);
});

test('Lark is asked until it says who the bot is', async () => {
  const { part, clock, asked } = identity([new BridgeError('unreachable', 'no answer'), info]);
  await part.start();
  expect(part.self.botOpenId).toBeUndefined();
  await clock.pass(60_000);
  expect([part.self.botOpenId, asked()]).toEqual([BOT, 2]);
});

test("an earlier process's id counts until Lark answers again", async () => {
  const { part, clock } = identity([new BridgeError('unreachable', 'no answer'), info], {
    lastKnown: EARLIER,
  });
  expect(part.self.botOpenId).toBe(EARLIER);
  await part.start();
  expect(part.self.botOpenId).toBe(EARLIER);
  await clock.pass(60_000);
  expect(part.self.botOpenId).toBe(BOT);
});

test('refused credentials end the start, even if an id is known', async () => {
  const refused = () => new BridgeError('credentials_refused', 'wrong secret');
  await expect(identity([refused()]).part.start()).rejects.toMatchObject({
    code: 'credentials_refused',
  });
  await expect(identity([refused()], { lastKnown: EARLIER }).part.start()).rejects.toMatchObject({
    code: 'credentials_refused',
  });
});

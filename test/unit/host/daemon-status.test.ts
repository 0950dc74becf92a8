import { expect, test } from 'vitest';
import { appId } from '../../../src/core/ids.ts';
import { knownFrom } from '../../../src/host/daemon-status.ts';

const APP = appId('cli_0123456789abcdef');
const known = (says: object) => knownFrom(JSON.stringify({ app_id: APP, ...says }), APP);

test('what one process knew is good for the next', () => {
  const seenAtMs = { 'card.action.trigger': 7 };
  expect(known({ bot_open_id: 'ou_1', events: { admitted: 3, seenAtMs } })).toEqual({
    botOpenId: 'ou_1',
    seenAtMs,
  });
});

test('an earlier version noted less', () => {
  expect(known({ bot_open_id: null })).toEqual({ botOpenId: undefined, seenAtMs: {} });
});

test('another app is none of ours', () => {
  expect(known({ app_id: 'cli_fedcba9876543210', bot_open_id: 'ou_1' })).toBeUndefined();
});

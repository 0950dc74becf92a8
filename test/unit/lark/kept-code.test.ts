/** A code of a `connect` that ended before a person had confirmed it, or before it heard of that. */
import { beforeEach, expect, test } from 'vitest';
import { parsePendingCode, recordOf } from '../../../src/lark/connect/pending-code.ts';
import {
  begun,
  confirmed,
  LOST,
  PENDING,
  refused,
  ScriptedAccounts,
  SLOW_DOWN,
} from './scripted-accounts.ts';

let accounts: ScriptedAccounts;

/** A process showed a link, and ended. */
beforeEach(async () => {
  accounts = new ScriptedAccounts();
  accounts.begins = [begun('one'), begun('two')];
  accounts.polls = [PENDING];
  accounts.onCall = ({ form }) => {
    if (form['action'] !== 'poll') return;
    accounts.polls = [LOST];
    accounts.abort.abort();
  };
  await accounts.failure();
  accounts.onCall = () => {};
  accounts.seen.length = 0;
  accounts.events.length = 0;
});

const again = () => ({ signal: new AbortController().signal });

test('is kept before anybody can see the link', async () => {
  const other = new ScriptedAccounts();
  let keptAtLink = false;
  other.polls = [confirmed('feishu', 's')];
  await other.grant({
    onEvent: (event) => {
      if (event.kind === 'verification') keptAtLink = other.kept !== undefined;
    },
  });
  expect(keptAtLink).toBe(true);
});

test('that was confirmed meanwhile gives its bot, and no link is shown', async () => {
  accounts.polls = [confirmed('feishu', 's')];
  const { appSecret } = await accounts.grant(again());
  expect(appSecret.reveal()).toBe('s');
  expect(accounts.beginCalls).toBe(0);
  expect(accounts.pollCalls[0]?.form['device_code']).toBe('device-one');
  expect(accounts.events).toEqual([]);
});

test('whose person is of the other cloud: the secret comes from there', async () => {
  accounts.polls = [confirmed('lark'), confirmed('lark', 's')];
  expect(await accounts.grant(again())).toMatchObject({ brand: 'lark' });
  expect(accounts.beginCalls).toBe(0);
});

test.each([
  ['waits for its person', PENDING],
  ['is asked about too soon', SLOW_DOWN],
  ['nothing is heard of', LOST],
])('that %s is shown again, with the time that is left', async (_what, answer) => {
  accounts.nowMs = 100_000;
  accounts.polls = [answer, confirmed('feishu', 's')];
  await accounts.grant(again());
  expect(accounts.beginCalls).toBe(0);
  expect(accounts.events[0]).toMatchObject({
    kind: 'verification',
    url: expect.stringContaining('user_code=USER-one&'),
    lifetimeMs: 200_000,
  });
});

test.each([
  ['was declined', refused('access_denied'), 0],
  ['Lark knows nothing of', refused('invalid_client'), 0],
  ['has expired', refused('expired_token'), 300_000],
  ['has expired, and Lark has not noticed', PENDING, 300_000],
])('that %s gives way to a new one, without a word', async (_what, answer, nowMs) => {
  accounts.nowMs = nowMs;
  accounts.polls = [answer, confirmed('feishu', 's')];
  await accounts.grant(again());
  expect(accounts.beginCalls).toBe(1);
  expect(accounts.kinds).toEqual(['verification']);
  expect(accounts.pollCalls.at(-1)?.form['device_code']).toBe('device-two');
});

test('that is gone before its time was used: no second bot is made unasked', async () => {
  accounts.polls = [refused('invalid_grant')];
  const error = await accounts.failure(again());
  expect(error).toMatchObject({ code: 'expired', exitCode: 6 });
  expect(error.next).toContain('developer console');
  expect(accounts.beginCalls).toBe(0);
  // Whoever calls it again has been told.
  accounts.polls = [confirmed('feishu', 's')];
  await accounts.grant(again());
  expect(accounts.beginCalls).toBe(1);
});

test('of another accounts service is not asked about there', async () => {
  accounts.polls = [confirmed('feishu', 's')];
  await accounts.grant({ ...again(), accountsBaseUrl: 'http://127.0.0.1:9' });
  expect(accounts.beginCalls).toBe(1);
});

test('is kept when the time is over, and forgotten when its person declines', async () => {
  accounts.polls = [PENDING];
  await accounts.failure({ ...again(), timeoutMs: 1_000 });
  expect(accounts.kept?.code.userCode).toBe('USER-one');
  accounts.polls = [PENDING, refused('access_denied')];
  expect(await accounts.failure(again())).toMatchObject({ code: 'access_denied' });
  expect(accounts.kept).toBeUndefined();
});

test('comes back whole from its record; half a record is none', () => {
  const { kept } = accounts;
  if (kept === undefined) throw new Error('no code was kept');
  const record = JSON.parse(JSON.stringify(recordOf(kept))) as Record<string, unknown>;
  const read = parsePendingCode(record);
  expect(read).toEqual(kept);
  expect(read?.code.deviceCode.reveal()).toBe('device-one');
  for (const name of Object.keys(record)) {
    expect(parsePendingCode({ ...record, [name]: undefined })).toBeUndefined();
  }
});

/** The device grant when the network or the accounts service does not play along. */
import { beforeEach, expect, test } from 'vitest';
import {
  answered,
  begun,
  confirmed,
  LOST,
  PENDING,
  refused,
  ScriptedAccounts,
} from './scripted-accounts.ts';

let accounts: ScriptedAccounts;

beforeEach(() => {
  accounts = new ScriptedAccounts();
});

test('each new network trouble is reported once', async () => {
  accounts.polls = [LOST, PENDING, PENDING, LOST, confirmed('feishu', 's')];
  await accounts.grant();
  expect(accounts.kinds).toEqual(['verification', 'retrying', 'waiting', 'retrying']);
});

test('the grant goes on after network trouble, and reports it once', async () => {
  accounts.polls = [
    PENDING,
    LOST,
    LOST,
    answered(undefined, 502),
    PENDING,
    confirmed('feishu', 's'),
  ];
  await accounts.grant();
  expect(accounts.kinds).toEqual(['verification', 'waiting', 'retrying', 'waiting']);
  expect(accounts.pollTimes).toEqual([0, 5000, 10_000, 15_000, 20_000, 25_000]);
});

test.each([
  ['a page of something in between', answered(undefined, 200)],
  ['a fault of the server', answered({ error: 'server_error' }, 500)],
  ['too many requests', answered({ error: 'rate_limited' }, 429)],
  ['an answer without anything', answered({})],
])('%s does not end it', async (_name, answer) => {
  accounts.polls = [answer, confirmed('feishu', 's')];
  expect((await accounts.grant()).appSecret.reveal()).toBe('s');
});

test('the pauses grow while nothing answers, up to ten seconds', async () => {
  accounts.begins = [begun('one', { interval: 1 })];
  accounts.polls = [LOST, LOST, LOST, LOST, LOST, LOST, LOST, confirmed('feishu', 's')];
  await accounts.grant();
  expect(accounts.pollTimes).toEqual([0, 1000, 2000, 4000, 8000, 16_000, 26_000, 36_000]);
});

test('a host that never answers ends it with exit 4', async () => {
  accounts.begins = [{ kind: 'lost', detail: 'ENOTFOUND' }];
  const error = await accounts.failure();
  expect(error).toMatchObject({ code: 'unreachable', exitCode: 4 });
  expect(error.message).toBe("can't reach https://accounts.feishu.cn: ENOTFOUND");
  expect(error.next).toContain('HTTPS_PROXY');
  expect(accounts.beginCalls).toBe(4);
});

test('the first call is repeated until the host answers', async () => {
  accounts.begins = [LOST, answered(undefined, 503), begun('one')];
  accounts.polls = [confirmed('feishu', 's')];
  await accounts.grant();
  expect(accounts.kinds).toEqual(['retrying', 'verification']);
});

test('a host that has answered before is called until the time is over', async () => {
  accounts.begins = [begun('one', { expires_in: 30 }), LOST];
  accounts.polls = [PENDING];
  const error = await accounts.failure({ timeoutMs: 120_000 });
  expect(error).toMatchObject({ code: 'timed_out', exitCode: 6 });
  expect(error.message).toContain('ECONNRESET');
  expect(accounts.beginCalls).toBeGreaterThan(8);
});

test('once confirmed, an unreachable Lark host never leads to a second app', async () => {
  accounts.polls = [confirmed('lark'), LOST];
  const error = await accounts.failure();
  expect(error).toMatchObject({ code: 'unreachable', exitCode: 4 });
  expect(error.message).toContain('https://accounts.larksuite.com');
  expect(accounts.beginCalls).toBe(1);
});

test('once confirmed, a Lark host without the secret never leads to a second app', async () => {
  accounts.polls = [confirmed('lark'), PENDING];
  const error = await accounts.failure();
  expect(error).toMatchObject({ code: 'expired' });
  expect(error.next).toContain('--app-secret-stdin');
  expect(accounts.beginCalls).toBe(1);
});

test.each([
  [refused('invalid_request', 'archetype is unknown'), 'invalid_request: archetype is unknown'],
  [answered({ code: 10001, msg: 'not here' }), '10001: not here'],
  [answered({}), 'HTTP 200 without what was asked for'],
  [begun('one', { verification_uri_complete: 'javascript:alert(1)' }), 'HTTP 200 without'],
  [begun('one', { device_code: 7 }), 'HTTP 200 without'],
])('a begin that is refused is said in words (%#)', async (answer, words) => {
  accounts.begins = [answer];
  const error = await accounts.failure();
  expect(error.code).toBe('failed');
  expect(error.message).toContain(words);
  expect(accounts.beginCalls).toBe(1);
});

test('a begin that is denied ends with exit 3', async () => {
  accounts.begins = [refused('access_denied')];
  expect(await accounts.failure()).toMatchObject({ code: 'access_denied', exitCode: 3 });
});

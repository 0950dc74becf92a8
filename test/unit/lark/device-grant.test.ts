import { beforeEach, expect, test } from 'vitest';
import {
  answered,
  begun,
  confirmed,
  FEISHU,
  LARK,
  LOST,
  PENDING,
  refused,
  SLOW_DOWN,
  ScriptedAccounts,
} from './scripted-accounts.ts';

let accounts: ScriptedAccounts;

beforeEach(() => {
  accounts = new ScriptedAccounts();
});

test('LCM-CON-05: it begins at the Feishu host and asks for the brand, also for Lark', async () => {
  accounts.polls = [confirmed('feishu', 's')];
  await accounts.grant({ brand: 'lark' });
  expect(accounts.seen[0]).toMatchObject({
    url: FEISHU,
    form: {
      action: 'begin',
      archetype: 'PersonalAgent',
      auth_method: 'client_secret',
      request_user_info: 'open_id tenant_brand',
    },
  });
});

test('LCM-CON-01: the link is the page of the brand; the launcher comes second', async () => {
  accounts.polls = [confirmed('lark', 's')];
  await accounts.grant({ brand: 'lark' });
  const [event] = accounts.events;
  expect(event).toMatchObject({ kind: 'verification', lifetimeMs: 300_000 });
  if (event?.kind !== 'verification') return;
  expect(event.url).toMatch(/^https:\/\/open\.larksuite\.com\/page\/cli\?user_code=USER-one&/);
  expect(event.launcherUrl).toMatch(
    /^https:\/\/open\.feishu\.cn\/page\/launcher\?user_code=USER-one&/,
  );
});

test('another accounts address serves both brands, and its own page is kept', async () => {
  accounts.begins = [
    begun('one', { verification_uri_complete: 'http://127.0.0.1:9/my/page?user_code=X' }),
  ];
  accounts.polls = [confirmed('lark'), confirmed('lark', 's')];
  await accounts.grant({ accountsBaseUrl: 'http://127.0.0.1:9/' });
  expect(new Set(accounts.seen.map(({ url }) => url))).toEqual(
    new Set(['http://127.0.0.1:9/oauth/v1/app/registration']),
  );
  expect(accounts.events[0]).toMatchObject({
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:9\/my\/page\?user_code=X&from=sdk/),
    launcherUrl: undefined,
  });
});

test('another accounts address with Lark’s paths: the page on that host, the launcher second', async () => {
  accounts.begins = [
    begun('one', { verification_uri_complete: 'http://127.0.0.1:9/page/launcher?user_code=X' }),
  ];
  accounts.polls = [confirmed('feishu', 's')];
  await accounts.grant({ accountsBaseUrl: 'http://127.0.0.1:9' });
  expect(accounts.events[0]).toMatchObject({
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:9\/page\/cli\?user_code=USER-one&/),
    launcherUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:9\/page\/launcher\?user_code=X&/),
  });
});

test('LCM-CON-07: pending is asked again every interval, the first time at once', async () => {
  accounts.polls = [PENDING, PENDING, confirmed('feishu', 's')];
  await accounts.grant();
  expect(accounts.pollTimes).toEqual([0, 5000, 10_000]);
  expect(accounts.kinds).toEqual(['verification', 'waiting']);
});

test('LCM-CON-07: each slow_down adds five seconds for good', async () => {
  accounts.polls = [SLOW_DOWN, PENDING, SLOW_DOWN, PENDING, confirmed('feishu', 's')];
  await accounts.grant();
  expect(accounts.pollTimes).toEqual([0, 10_000, 20_000, 35_000, 50_000]);
  expect(accounts.events.filter(({ kind }) => kind === 'slowed_down')).toEqual([
    { kind: 'slowed_down', intervalMs: 10_000 },
    { kind: 'slowed_down', intervalMs: 15_000 },
  ]);
});

test('without interval and lifetime the values of the RFC are used: 5 s and 600 s', async () => {
  accounts.begins = [begun('one', { interval: undefined, expires_in: undefined })];
  accounts.polls = [PENDING, confirmed('feishu', 's')];
  await accounts.grant();
  expect(accounts.pollTimes).toEqual([0, 5000]);
  expect(accounts.events[0]).toMatchObject({ lifetimeMs: 600_000 });
});

test.each([
  ['feishu', 'feishu'],
  [undefined, 'feishu'],
] as const)(
  'LCM-CON-09: id and secret end it; brand named %s, kept as %s',
  async (named, brand) => {
    accounts.polls = [confirmed(named, 'the-secret')];
    const credentials = await accounts.grant();
    expect(credentials).toMatchObject({ appId: 'cli_00000000000000aa', brand, owner: 'ou_1' });
    expect(credentials.appSecret.reveal()).toBe('the-secret');
  },
);

test('LCM-CON-09: user_info may be missing, or name nobody whom Lark could know', async () => {
  const bare = { client_id: 'cli_00000000000000aa', client_secret: 's' };
  for (const more of [{}, { user_info: null }, { user_info: { open_id: 'ou/../x' } }]) {
    accounts.polls = [answered({ ...bare, ...more })];
    expect((await accounts.grant()).owner).toBeUndefined();
  }
});

test('LCM-CON-08: tenant_brand lark moves the polls to the Lark host, once and at once', async () => {
  accounts.polls = [PENDING, confirmed('lark'), PENDING, confirmed('lark', 'real')];
  const credentials = await accounts.grant();
  expect(accounts.pollCalls.map(({ atMs, url }) => [atMs, url])).toEqual([
    [0, FEISHU],
    [5000, FEISHU],
    [5000, LARK],
    [10_000, LARK],
  ]);
  expect(new Set(accounts.pollCalls.map(({ form }) => form['device_code']))).toEqual(
    new Set(['device-one']),
  );
  expect(accounts.kinds.filter((kind) => kind === 'brand_switched')).toHaveLength(1);
  expect(credentials.brand).toBe('lark');
  expect(credentials.appSecret.reveal()).toBe('real');
});

test('LCM-CON-08: the brand counts in a pending answer too', async () => {
  accounts.polls = [
    answered({ error: 'authorization_pending', user_info: { tenant_brand: 'lark' } }, 400),
    confirmed(undefined, 's'),
  ];
  expect((await accounts.grant()).brand).toBe('lark');
  expect(accounts.pollCalls.map(({ url }) => url)).toEqual([FEISHU, LARK]);
});

test('LCM-CON-08: the Feishu host’s secret for a Lark app is ignored if the Lark host has one', async () => {
  accounts.polls = [confirmed('lark', 'first'), confirmed('lark', 'second')];
  expect((await accounts.grant()).appSecret.reveal()).toBe('second');
});

test('the Feishu host’s secret for a Lark app is used if the Lark host has none', async () => {
  accounts.polls = [confirmed('lark', 'first'), refused('invalid_grant')];
  const credentials = await accounts.grant();
  expect(credentials.appSecret.reveal()).toBe('first');
  expect(accounts.beginCalls).toBe(1);
});

test('LCM-CON-07: a person who declines ends it with exit 3', async () => {
  accounts.polls = [PENDING, refused('access_denied', 'no')];
  const error = await accounts.failure();
  expect(error).toMatchObject({ code: 'access_denied', exitCode: 3 });
  expect(error.next).toContain('again');
});

test('another error ends it with a message', async () => {
  accounts.polls = [refused('invalid_client', 'bad \u001B[31mclient\n')];
  expect(await accounts.failure()).toMatchObject({
    code: 'failed',
    message: 'Lark ended the creation of the bot: invalid_client: bad  [31mclient ',
  });
});

test.each(['expired_token', 'invalid_grant'])('after %s a new code is shown', async (error) => {
  accounts.polls = [PENDING, refused(error), PENDING, confirmed('feishu', 's')];
  await accounts.grant();
  expect(accounts.kinds).toEqual([
    'verification',
    'waiting',
    'code_expired',
    'verification',
    'waiting',
  ]);
  expect(accounts.pollCalls.map(({ form }) => form['device_code'])).toEqual([
    'device-one',
    'device-one',
    'device-two',
    'device-two',
  ]);
});

test('a code is replaced when its time is over, even if the server does not say so', async () => {
  accounts.begins = [begun('one', { expires_in: 12 }), begun('two')];
  accounts.polls = [PENDING, PENDING, PENDING, PENDING, confirmed('feishu', 's')];
  await accounts.grant();
  expect(accounts.pollCalls.map(({ atMs, form }) => [atMs, form['device_code']])).toEqual([
    [0, 'device-one'],
    [5000, 'device-one'],
    [10_000, 'device-one'],
    [12_000, 'device-one'],
    [12_000, 'device-two'],
  ]);
});

test('codes that are refused at once end it with exit 6 after a few tries', async () => {
  accounts.polls = [refused('expired_token')];
  expect(await accounts.failure()).toMatchObject({ code: 'expired', exitCode: 6 });
  expect(accounts.beginCalls).toBe(3);
  expect(accounts.nowMs).toBe(10_000);
});

test('it ends with exit 6 when the time is over, after any number of codes', async () => {
  accounts.begins = [begun('one', { expires_in: 60 })];
  accounts.polls = [PENDING];
  const error = await accounts.failure({ timeoutMs: 150_000 });
  expect(error).toMatchObject({ code: 'timed_out', exitCode: 6 });
  expect(error.message).toContain('150 s');
  expect(accounts.nowMs).toBe(150_000);
  expect(accounts.beginCalls).toBe(3);
});

test('a confirmation in the last moment still counts', async () => {
  accounts.polls = [PENDING];
  accounts.onCall = ({ atMs }) => {
    if (atMs === 12_000) accounts.polls = [confirmed('feishu', 'late')];
  };
  expect((await accounts.grant({ timeoutMs: 12_000 })).appSecret.reveal()).toBe('late');
});

test('after a confirmation for Lark in the last moment the Lark host is still polled', async () => {
  accounts.polls = [PENDING];
  accounts.onCall = ({ atMs }) => {
    if (atMs < 12_000) return;
    accounts.polls = [confirmed('lark'), confirmed('lark', 'late')];
    accounts.onCall = () => {};
  };
  expect((await accounts.grant({ timeoutMs: 12_000 })).appSecret.reveal()).toBe('late');
});

test('people are told how long it waits: until the code expires, or until the time is over', async () => {
  accounts.polls = [PENDING];
  await accounts.failure({ timeoutMs: 400_000 });
  expect(accounts.events.filter(({ kind }) => kind === 'verification')).toMatchObject([
    { lifetimeMs: 300_000, waitMs: 300_000 },
    { lifetimeMs: 300_000, waitMs: 100_000 },
  ]);
});

test('the last poll comes early, so a slow_down is not reported then', async () => {
  accounts.polls = [PENDING, PENDING, SLOW_DOWN];
  expect(await accounts.failure({ timeoutMs: 7_000 })).toMatchObject({ code: 'timed_out' });
  expect(accounts.kinds).toEqual(['verification', 'waiting']);
});

test('no new code is begun when the time is over', async () => {
  accounts.polls = [PENDING, PENDING, PENDING, refused('expired_token')];
  expect(await accounts.failure({ timeoutMs: 12_000 })).toMatchObject({ code: 'timed_out' });
  expect(accounts.beginCalls).toBe(1);
});

test.each(['begin', 'poll'])('an interruption during %s ends it at once', async (action) => {
  accounts.polls = [PENDING];
  accounts.onCall = ({ form }) => {
    if (form['action'] !== action) return;
    accounts.abort.abort();
    accounts.begins = [LOST];
    accounts.polls = [LOST];
  };
  expect(await accounts.failure()).toMatchObject({ code: 'interrupted', exitCode: 130 });
  expect(accounts.kinds).not.toContain('retrying');
});

test('an interruption while it waits ends it at once, without a timer left', async () => {
  accounts.polls = [PENDING];
  let timers = 0;
  const clock = {
    nowMs: () => 0,
    after: () => {
      timers += 1;
      queueMicrotask(() => accounts.abort.abort());
      return () => {
        timers -= 1;
      };
    },
  };
  const error = await accounts.failure({ clock });
  expect(error).toMatchObject({ code: 'interrupted', exitCode: 130 });
  expect(error.next).toContain('Run the same command again');
  expect(timers).toBe(0);
});

test('a secret that comes together with an interruption is kept', async () => {
  accounts.polls = [confirmed('feishu', 's')];
  accounts.onCall = ({ form }) => {
    if (form['action'] === 'poll') accounts.abort.abort();
  };
  expect((await accounts.grant()).appSecret.reveal()).toBe('s');
});

test('neither events nor results show the device code or the secret', async () => {
  accounts.polls = [PENDING, confirmed('lark', 'top-secret'), confirmed('lark', 'top-secret')];
  const credentials = await accounts.grant();
  const shown = JSON.stringify([accounts.events, credentials]) + String(credentials.appSecret);
  expect(shown).not.toMatch(/top-secret|device-one/);
});

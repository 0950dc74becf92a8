import { beforeEach, describe, expect, test } from 'vitest';
import { appId } from '../../../src/core/ids.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { HttpOutcome, HttpRequest } from '../../../src/lark/outbound/http.ts';
import { TokenSource } from '../../../src/lark/outbound/token.ts';
import { VirtualClock } from '../../kit/clock.ts';

let clock: VirtualClock;
let tokens: TokenSource;
let requests: HttpRequest[];
let counted: number;
/** What Lark says next; a token with a running number unless told. */
let answer: () => HttpOutcome;

const granted = (token: string, expire: unknown = 7_200): HttpOutcome => ({
  kind: 'answered',
  status: 200,
  headers: {},
  body: { code: 0, msg: 'ok', tenant_access_token: token, expire },
});
const refused = (code: number): HttpOutcome => ({
  kind: 'answered',
  status: 200,
  headers: {},
  body: { code, msg: 'no' },
});

beforeEach(() => {
  clock = new VirtualClock();
  requests = [];
  counted = 0;
  answer = () => granted(`t-${requests.length}`);
  tokens = new TokenSource({
    http: {
      async call(request) {
        requests.push(request);
        await Promise.resolve();
        return answer();
      },
      close: () => Promise.resolve(),
    },
    openBaseUrl: 'http://lark.test',
    appId: appId('cli_0123456789abcdef'),
    appSecret: new Secret('s3cret'),
    clock,
    onCall: () => (counted += 1),
  });
});

async function current(): Promise<string> {
  const result = await tokens.get();
  return result.ok ? result.token.reveal() : result.detail;
}

test('callers that ask at the same time share one request', async () => {
  const all = await Promise.all(Array.from({ length: 50 }, () => current()));
  expect(new Set(all)).toEqual(new Set(['t-1']));
  expect(await current()).toBe('t-1');
  expect(requests).toEqual([
    {
      method: 'POST',
      url: 'http://lark.test/open-apis/auth/v3/tenant_access_token/internal',
      json: { app_id: 'cli_0123456789abcdef', app_secret: 's3cret' },
    },
  ]);
  expect(counted).toBe(1);
});

test('CG-CFG-05: renewed five minutes before it ends', async () => {
  await current();
  await clock.pass((7_200 - 300) * 1_000 - 1);
  expect(await current()).toBe('t-1');
  await clock.pass(1);
  expect(await current()).toBe('t-2');
});

test('if the renewal fails, the old token is used until its end', async () => {
  await current();
  await clock.pass(7_000_000);
  answer = () => ({ kind: 'not_sent', detail: 'ECONNREFUSED' });
  expect(await current()).toBe('t-1');
  await clock.pass(200_000);
  expect(await current()).toContain('ECONNREFUSED');
});

test.each([
  ['a short life', 100, 50_000],
  ['no life at all', null, 30_000],
  ['a life in words', 'long', 30_000],
])('with %s the token is used for half of its lifetime', async (_what, expire, halfMs) => {
  answer = () => granted(`t-${requests.length}`, expire);
  await current();
  await clock.pass(halfMs - 1);
  expect(await current()).toBe('t-1');
  await clock.pass(1);
  expect(await current()).toBe('t-2');
});

test('after a drop one new token is fetched, for all callers that dropped the old one', async () => {
  const first = await tokens.get();
  if (!first.ok) throw new Error(first.detail);
  const again = async () => {
    tokens.drop(first.token);
    return current();
  };
  expect(await Promise.all([again(), again(), again()])).toEqual(['t-2', 't-2', 't-2']);
  tokens.drop(first.token);
  expect(await current()).toBe('t-2');
  expect(requests).toHaveLength(2);
});

describe('a refusal', () => {
  test.each([10003, 10014, 99991543])(
    '%i is reported, and the next call asks again',
    async (code) => {
      answer = () => refused(code);
      expect(await tokens.get()).toMatchObject({
        ok: false,
        action: 'tell_operator',
        code,
        credentials: true,
      });
      await expect(tokens.checkCredentials()).rejects.toMatchObject({
        code: 'credentials_refused',
        next: expect.stringContaining('LARK_APP_SECRET'),
      });
      answer = () => granted('t-good');
      expect(await current()).toBe('t-good');
    },
  );

  test.each<[HttpOutcome, string]>([
    [refused(2200), 'unreachable'],
    [refused(99991400), 'unreachable'],
    [refused(424242), 'failed'],
    [{ kind: 'not_sent', detail: 'ENOTFOUND' }, 'unreachable'],
    [{ kind: 'no_answer', detail: 'timed out' }, 'unreachable'],
    [{ kind: 'answered', status: 502, headers: {}, body: undefined }, 'unreachable'],
    [{ kind: 'answered', status: 200, headers: {}, body: { code: 0 } }, 'unreachable'],
  ])('%j is an error of its own kind', async (outcome, code) => {
    answer = () => outcome;
    await expect(tokens.checkCredentials()).rejects.toMatchObject({ code });
  });

  test('never holds the secret or a token', async () => {
    answer = () => refused(10014);
    expect(JSON.stringify(await tokens.get())).not.toContain('s3cret');
    answer = () => granted('t-hidden');
    expect(JSON.stringify(await tokens.get())).not.toContain('t-hidden');
  });
});

test('good credentials pass the check', async () => {
  await expect(tokens.checkCredentials()).resolves.toBeUndefined();
});

import { expect, test } from 'vitest';
import type { Brand } from '../../../src/core/brand.ts';
import { BridgeError } from '../../../src/core/errors.ts';
import { appId } from '../../../src/core/ids.ts';
import { Secret } from '../../../src/core/secret.ts';
import { checkAppSecret } from '../../../src/lark/connect/app-secret.ts';
import type { HttpAnswer } from '../../../src/lark/connect/onboarding-http.ts';
import { answered, LOST, ScriptedAccounts } from './scripted-accounts.ts';

const TOKEN = answered({ code: 0, msg: 'ok', tenant_access_token: 't-1', expire: 7200 });

async function check(answers: HttpAnswer[], brand: Brand = 'feishu') {
  const lark = new ScriptedAccounts();
  lark.polls = answers;
  const credentials = { appId: appId('cli_1'), appSecret: new Secret('pst'), brand };
  const error: unknown = await checkAppSecret(credentials, {
    ...lark.options(),
    openBaseUrl: undefined,
  }).catch((thrown: unknown) => thrown);
  return { error, seen: lark.seen };
}

test.each([
  ['feishu', 'https://open.feishu.cn'],
  ['lark', 'https://open.larksuite.com'],
] as const)('a pair that gets a token on %s is accepted', async (brand, base) => {
  const { error, seen } = await check([TOKEN], brand);
  expect(error).toBeUndefined();
  expect(seen).toEqual([
    {
      atMs: 0,
      url: `${base}/open-apis/auth/v3/tenant_access_token/internal`,
      form: { app_id: 'cli_1', app_secret: 'pst' },
    },
  ]);
});

test.each([
  [10003, 'invalid param'],
  [10014, 'app secret invalid'],
])('a pair that is refused with %i ends with exit 3 and the text of Lark', async (code, msg) => {
  const { error, seen } = await check([answered({ code, msg }, 400)]);
  expect(error).toMatchObject({ code: 'credentials_refused', exitCode: 3 });
  expect((error as BridgeError).message).toContain(`${code} ${msg}`);
  expect(seen).toHaveLength(1);
});

test('the error does not show the secret, even if Lark repeats it', async () => {
  const { error } = await check([answered({ code: 10014, msg: 'secret pst is wrong' })]);
  expect((error as BridgeError).message).toContain('secret [secret] is wrong');
});

test.each([
  ['a lost answer', LOST],
  ['a rate limit', answered({ code: 99991400, msg: 'slow' }, 429)],
  ['a busy system', answered({ code: 1, msg: 'system busy' })],
  ['a page of something in between', answered(undefined, 502)],
])('%s is tried again', async (_name, answer) => {
  const { error, seen } = await check([answer, TOKEN]);
  expect(error).toBeUndefined();
  expect(seen.map(({ atMs }) => atMs)).toEqual([0, 500]);
});

test('a host that never answers ends with exit 4', async () => {
  const { error, seen } = await check([LOST]);
  expect(error).toMatchObject({ code: 'unreachable', exitCode: 4 });
  expect(seen).toHaveLength(4);
});

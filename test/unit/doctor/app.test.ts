import { describe, expect, test } from 'vitest';
import type { AppFacts, LarkResult, BotFact, RefusalReason } from '../../../src/lark/facts.ts';
import { inEveryLanguage } from '../../../src/core/language.ts';
import { checkApp } from '../../../src/doctor/app.ts';
import { inEnglish } from '../../../src/doctor/finding.ts';

const SUBJECT = {
  brandName: inEveryLanguage('Feishu'),
  otherBrandName: inEveryLanguage('Lark'),
  otherBrand: 'lark',
  pages: { app: 'page:app', bot: 'page:bot', versions: 'page:versions', security: 'page:safe' },
  secretFrom: inEveryLanguage('app_secret in credentials.json'),
  botOpenId: undefined,
};
const TOLD = { kind: 'ok', value: true } as const;
const BOT: LarkResult<BotFact> = {
  kind: 'ok',
  value: { openId: 'ou_1', name: 'Bot', active: true },
};
const SOUND: AppFacts = {
  token: TOLD,
  tokenElsewhere: undefined,
  endpoint: { kind: 'offered' },
  bot: BOT,
  connections: undefined,
  console: undefined,
};
const refused = (reason: RefusalReason) =>
  ({ kind: 'refused', reason, detail: `Lark: ${reason}`, credentials: false }) as const;
const WRONG_SECRET = {
  kind: 'refused',
  reason: undefined,
  detail: 'Lark 10014',
  credentials: true,
} as const;

const NO_ENDPOINT = { kind: 'refused', detail: '403', next: inEveryLanguage('look') } as const;

const checked = (facts: Partial<AppFacts>, subject: Partial<typeof SUBJECT> = {}) =>
  checkApp({ ...SOUND, ...facts }, { ...SUBJECT, ...subject }).map(inEnglish);
const problems = (facts: Partial<AppFacts>) => checked(facts).filter(({ level }) => level !== 'ok');

test('a sound app', () => {
  expect(checked({}).map(({ check, level }) => [check, level])).toEqual([
    ['secret', 'ok'],
    ['long_connection', 'ok'],
    ['bot', 'ok'],
  ]);
});

describe('app id and secret', () => {
  const REFUSED: Partial<AppFacts> = {
    token: WRONG_SECRET,
    endpoint: { ...NO_ENDPOINT, error: 'credentials_refused' },
    bot: undefined,
  };

  test('refused: said once, with the place to copy the secret from', () => {
    const found = problems(REFUSED);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ check: 'secret', error: 'credentials_refused' });
    expect(found[0]?.next).toMatch(/page:app .*connect --app-id/);
  });

  test('of a variable: the step leads there, because it would beat what connect stores', () => {
    const [found] = checked(REFUSED, {
      ...SUBJECT,
      secretFrom: inEveryLanguage('LARK_APP_SECRET'),
    });
    expect(found?.next).toContain('LARK_APP_SECRET');
    expect(found?.next).not.toContain('connect');
  });

  test('known to the other cloud: the brand is wrong, and nothing else', () => {
    const found = problems({ ...REFUSED, tokenElsewhere: TOLD });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ check: 'brand', error: 'wrong_brand' });
    expect(found[0]?.next).toContain('LARK_BRAND=lark');
  });

  test('refused by both clouds', () => {
    const [found] = problems({ ...REFUSED, tokenElsewhere: WRONG_SECRET });
    expect(found).toMatchObject({ error: 'credentials_refused' });
    expect(found?.finding).toContain('so does Lark');
  });

  test('nobody could be asked: a note, because another check says why', () => {
    const silent = { kind: 'silent', detail: 'ENOTFOUND' } as const;
    const found = checked({ token: silent, endpoint: silent, bot: undefined });
    expect(found.map(({ check, level }) => [check, level])).toEqual([['secret', 'note']]);
  });

  test('a quota that is used up, and an address that is not allowed', () => {
    expect(problems({ token: refused('quota_used_up'), bot: undefined })[0]).toMatchObject({
      finding: expect.stringContaining('quota') as string,
      error: 'access_denied',
    });
    expect(problems({ token: refused('address_not_allowed'), bot: undefined })[0]?.next).toContain(
      'page:safe',
    );
  });
});

describe('the long connection', () => {
  test('the other cloud shows here only where both give tokens', () => {
    const endpoint = { ...NO_ENDPOINT, error: 'wrong_brand' } as const;
    expect(problems({ endpoint })[0]).toMatchObject({ check: 'brand', error: 'wrong_brand' });
  });

  test('fifty connections are a warning', () => {
    const endpoint = { ...NO_ENDPOINT, error: 'already_running' } as const;
    expect(problems({ endpoint })[0]).toMatchObject({ level: 'warning', next: 'look' });
  });

  test('refused though the secret is right', () => {
    const endpoint = { ...NO_ENDPOINT, error: 'credentials_refused' } as const;
    expect(problems({ endpoint })[0]).toMatchObject({
      check: 'long_connection',
      error: 'credentials_refused',
      next: 'look',
    });
  });

  test('none at the moment', () => {
    expect(problems({ endpoint: { kind: 'silent', detail: 'busy' } })[0]?.level).toBe('warning');
  });
});

describe('the bot', () => {
  test('is switched off, or not published', () => {
    expect(problems({ bot: refused('bot_switched_off') })[0]?.next).toContain('page:bot');
    const sleeping = { ...BOT, value: { ...BOT.value, active: false } };
    expect(problems({ bot: sleeping })[0]?.next).toContain('page:versions');
  });

  test('is another one than LARK_BOT_OPEN_ID says', () => {
    const found = checkApp(SOUND, { ...SUBJECT, botOpenId: 'ou_2' }).at(-1);
    expect(found).toMatchObject({ level: 'problem', error: 'config_invalid' });
  });
});

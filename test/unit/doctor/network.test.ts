import { describe, expect, test } from 'vitest';
import type { Reach } from '../../../src/lark/facts.ts';
import { inEnglish } from '../../../src/doctor/finding.ts';
import { checkClock, checkReach, checkRoutes, routeTo } from '../../../src/doctor/network.ts';

const OPEN = { name: 'open', origin: 'https://open.example', proxy: undefined } as const;

const failed = (code: string, over: Partial<Reach> = {}) =>
  inEnglish(checkReach({ ...OPEN, ...over, outcome: { kind: 'failed', code } }));

const reached = (hereMs: number, thereMs: number): Reach => ({
  ...OPEN,
  outcome: { kind: 'reached', clocks: { hereMs, thereMs } },
});

describe('reach', () => {
  test.each([
    ['ENOTFOUND', /DNS/, /DNS server/],
    ['EAI_AGAIN', /DNS/, /DNS server/],
    ['ECONNREFUSED', /refused/, /port/],
    ['UND_ERR_CONNECT_TIMEOUT', /within 5 s/, /HTTPS_PROXY/],
    ['timed out', /within 5 s/, /HTTPS_PROXY/],
    ['ENETUNREACH', /no route/, /online/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /does not know/, /NODE_EXTRA_CA_CERTS/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /does not know/, /NODE_EXTRA_CA_CERTS/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /does not know/, /NODE_EXTRA_CA_CERTS/],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /does not know/, /NODE_EXTRA_CA_CERTS/],
    ['CERT_HAS_EXPIRED', /expired/, /clock/],
    ['CERT_NOT_YET_VALID', /not valid yet/, /clock/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /another host/, /DNS/],
    ['EPROTO', /TLS/, /port/],
    ['UND_ERR_ABORTED', /proxy/, /HTTPS_PROXY/],
    ['ECONNRESET', /ends before/, /network/],
    ['SOMETHING_NEW', /SOMETHING_NEW/, /network/],
  ])('%s in plain words, with one step', (code, why, next) => {
    const found = failed(code);
    expect(found).toMatchObject({ level: 'problem', error: 'unreachable', check: 'reach_open' });
    expect(found.finding).toMatch(why);
    expect(found.next).toMatch(next);
  });

  test('the accounts service is needed by connect alone', () => {
    expect(failed('ENOTFOUND', { name: 'accounts' })).toMatchObject({
      level: 'warning',
      check: 'reach_accounts',
    });
  });

  test('a proxy on the way is named', () => {
    expect(failed('ECONNREFUSED', { proxy: 'http://proxy:3128' }).finding).toContain(
      'through the proxy http://proxy:3128',
    );
  });
});

describe('the clock', () => {
  const clockFound = (hereMs: number, thereMs: number) =>
    [checkClock([reached(hereMs, thereMs)]) ?? []].flat().map(inEnglish)[0];

  test.each([
    [0, 'ok'],
    [60_000, 'ok'],
    [-60_000, 'ok'],
    [61_000, 'warning'],
    [-61_000, 'warning'],
  ])('%i ms from there', (offMs, level) => {
    expect(checkClock([reached(1e12 + offMs, 1e12)])?.level).toBe(level);
  });

  test('tells how far, and to which side', () => {
    expect(clockFound(1e12 + 90_000, 1e12)?.finding).toContain('90 seconds ahead of');
    expect(clockFound(1e12, 1e12 + 3_600_000)?.finding).toContain('60 minutes behind');
  });

  test('one host with a wrong clock is not taken for ours', () => {
    expect(checkClock([reached(1e12, 9e11), reached(1e12, 1e12)])?.level).toBe('ok');
  });

  test('says nothing where nobody told the time', () => {
    const silent: Reach = { ...OPEN, outcome: { kind: 'reached', clocks: undefined } };
    expect(checkClock([silent])).toBeUndefined();
    expect(checkClock([])).toBeUndefined();
  });
});

describe('proxies', () => {
  const proxy = new URL('http://user:pass@proxy:3128');
  const there = new URL('https://open.example');

  test('none', () => {
    expect(checkRoutes([routeTo('the open platform', there, undefined)])[0]?.level).toBe('ok');
  });

  test('which applies to whom, without its password', () => {
    const [found] = checkRoutes([
      routeTo('the open platform', there, proxy),
      routeTo('the hub', new URL('http://hub.example:4001'), undefined),
    ]).map(inEnglish);
    expect(found?.level).toBe('note');
    expect(found?.finding).toContain('the open platform (open.example) through http://proxy:3128');
    expect(found?.finding).toContain('the hub (hub.example:4001) directly');
    expect(JSON.stringify(found)).not.toContain('pass');
  });

  test.each(['http://127.0.0.1:4001', 'http://localhost:4001', 'http://[::1]:4001'])(
    '%s is not to be reached through one',
    (url) => {
      const [found] = checkRoutes([routeTo('the hub', new URL(url), proxy)]).map(inEnglish);
      expect(found).toMatchObject({ level: 'warning' });
      expect(found?.next).toContain(`NO_PROXY=${new URL(url).hostname}`);
    },
  );
});

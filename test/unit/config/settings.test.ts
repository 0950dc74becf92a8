/** The table of settings holds together. */
import { describe, expect, test } from 'vitest';
import { settingKey, settingLabel, settingRows } from '../../../src/config/setting-rows.ts';

const PLACES = { home: '/home/me', stateDir: '/home/me/.lark-bridge' };
const rows = settingRows();

describe('each setting', () => {
  test.each(rows)('%s can be set, is described and has a sound default', (name, row) => {
    expect([...(row.env ?? []), row.flag, row.key].filter(Boolean).length).toBeGreaterThan(0);
    expect(row.doc).not.toBe('');
    if (row.key !== undefined) expect(row.key).toBe(settingKey(name));
    if (row.fallback !== undefined) expect(row.parse(row.fallback, PLACES).ok).toBe(true);
    // What is secret stays out of config.json and out of the command line.
    if (row.secret === true) expect([row.key, row.flag]).toEqual([undefined, undefined]);
  });
});

test('the conversation is set as the documents promise, if nobody sets it', () => {
  const names = ['burst_wait_secs', 'attachments_max_mb', 'attachments_keep_days', 'live'];
  const standards = ['question_timeout_secs', 'command_prefix', ...names].map((key) => [
    key,
    rows.find(([name]) => settingKey(name) === key)?.[1].fallback,
  ]);
  expect(Object.fromEntries(standards)).toEqual({
    question_timeout_secs: '600',
    command_prefix: '/',
    burst_wait_secs: '15',
    attachments_max_mb: '2048',
    attachments_keep_days: '7',
    live: 'on',
  });
  const defaultOf = (name: string) => rows.find(([one]) => one === name)?.[1].fallback;
  expect([defaultOf('access'), defaultOf('lang')]).toEqual(['pairing', 'auto']);
});

test.each([
  ['!', true],
  ['//', true],
  ['＃！？', true],
  ['', false],
  ['////', false],
  ['a', false],
  ['/1', false],
  ['/ ', false],
  ['\u200B', false],
  ['@', true],
])('a prefix of commands has one to three signs: %j', (prefix, isOne) => {
  const row = rows.find(([name]) => name === 'commandPrefix')?.[1];
  expect(row?.parse(prefix, PLACES).ok).toBe(isOne);
});

test('no name means two settings', () => {
  const names = rows.flatMap(([, { env = [], envFile, flag, key }]) =>
    [...env, envFile, flag && `--${flag}`, key].filter(Boolean),
  );
  expect(new Set(names).size).toBe(names.length);
});

test('people are told the variable first, then the flag, then the key', () => {
  expect(settingLabel('logLevel')).toBe('LARK_LOG_LEVEL');
  expect(settingLabel('turnTimeoutSecs')).toBe('--turn-timeout-secs');
  expect(settingLabel('maxTurns')).toBe('max_turns');
});

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

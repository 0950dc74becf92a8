import { expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/core/errors.ts';
import {
  exitCodeOf,
  type Finding,
  note,
  ok,
  problem,
  warning,
  worstOf,
} from '../../../src/doctor/finding.ts';

const ADVICE = { reason: 'because', next: 'do it' };
const warned = warning('w', 'odd', ADVICE);
const failed = (error: ErrorCode) => problem('p', 'broken', { ...ADVICE, error });

test('the worst finding is the verdict', () => {
  expect(worstOf([])).toBe('ok');
  expect(worstOf([ok('a', 'fine'), note('b', 'so so')])).toBe('note');
  expect(worstOf([warned, note('b', 'so so')])).toBe('warning');
  expect(worstOf([warned, failed('failed'), ok('a', 'fine')])).toBe('problem');
});

test.each<[string, readonly Finding[], number]>([
  ['nothing found', [], 0],
  ['notes and warnings', [note('a', 'so so'), warned], 0],
  ['configuration', [failed('config_invalid')], 2],
  ['credentials', [failed('credentials_refused')], 3],
  ['the other cloud', [failed('wrong_brand')], 3],
  ['a host', [failed('unreachable')], 4],
  ['anything else', [failed('store_unavailable')], 1],
  ['what has to be put right first', [failed('unreachable'), failed('config_invalid')], 2],
  ['the network before the rest', [failed('failed'), failed('unreachable')], 4],
])('exit code for %s', (_what, findings, code) => {
  expect(exitCodeOf(findings)).toBe(code);
});

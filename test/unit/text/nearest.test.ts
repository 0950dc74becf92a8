import { describe, expect, test } from 'vitest';
import { nearestOf } from '../../../src/text/nearest.ts';

const NAMES = ['run', 'list', 'status', 'connect', 'config'];

describe('the nearest word', () => {
  test.each([
    ['statsu', 'status', 'two letters were swapped'],
    ['conect', 'connect', 'one is missing'],
    ['llist', 'list', 'one is too many'],
    ['confog', 'config', 'one is another'],
    ['sttaus', 'status', 'two mistakes in a long word'],
  ])('%s means %s: %s', (typed, meant) => {
    expect(nearestOf(typed, NAMES)).toBe(meant);
  });

  test.each(['rnu2', 'lsst2', 'frobnicate', ''])('"%s" is another word', (typed) => {
    expect(nearestOf(typed, NAMES)).toBeUndefined();
  });

  test('the one with fewer mistakes counts', () => {
    expect(nearestOf('statusx', ['stautsxx', 'status'])).toBe('status');
  });
});

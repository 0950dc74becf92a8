import { describe, expect, test } from 'vitest';

interface Statistics {
  median(values: readonly number[]): number;
  percentile(values: readonly number[], share: number): number;
  spread(values: readonly number[]): object;
}

// Plain JavaScript, for which there are no types.
const file = new URL('./statistics.js', import.meta.url).href;
const { median, percentile, spread } = (await import(file)) as Statistics;

describe('median', () => {
  test('of an odd count it is the one in the middle, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([7])).toBe(7);
  });

  test('of an even count it is the mean of the two in the middle', () => {
    expect(median([4, 1])).toBe(2.5);
    expect(median([100, 1, 3, 2])).toBe(2.5);
  });

  test('numbers are put in order as numbers', () => {
    expect(median([10, 9, 100])).toBe(10);
  });

  test('of nothing there is none', () => {
    expect(median([])).toBeNaN();
  });
});

test('a spread names the median, and between what the values lay', () => {
  expect(spread([3, 1, 10, 2])).toEqual({ median: 2.5, min: 1, max: 10 });
});

test('a percentile is a value that was measured', () => {
  const values = Array.from({ length: 200 }, (_, at) => 200 - at);
  expect([0.5, 0.99, 1].map((share) => percentile(values, share))).toEqual([100, 198, 200]);
});

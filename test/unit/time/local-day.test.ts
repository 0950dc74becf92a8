import { describe, expect, test } from 'vitest';
import {
  dayAfter,
  isTimeZone,
  type LocalDay,
  localDayOf,
  momentOf,
} from '../../../src/time/local-day.ts';
import { minuteOfDay } from '../../../src/time/time-of-day.ts';

const day = (text: string) => text as LocalDay;
const at = (zone: string, text: string, time: string) =>
  new Date(momentOf(zone, day(text), minuteOfDay(time) ?? NaN)).toISOString();

test('a day is that of the zone', () => {
  const atMs = Date.parse('2026-03-28T23:30:00Z');
  expect(localDayOf('UTC', atMs)).toBe('2026-03-28');
  expect(localDayOf('Asia/Shanghai', atMs)).toBe('2026-03-29');
  expect(localDayOf('America/Los_Angeles', atMs)).toBe('2026-03-28');
});

test('days go over months and years', () => {
  expect(dayAfter(day('2026-12-31'))).toBe('2027-01-01');
  expect(dayAfter(day('2028-03-01'), -1)).toBe('2028-02-29');
});

describe('a time of the day', () => {
  test.each([
    ['UTC', '2026-01-01', '18:00', '2026-01-01T18:00:00.000Z'],
    ['Asia/Shanghai', '2026-01-01', '00:00', '2025-12-31T16:00:00.000Z'],
    ['Asia/Kathmandu', '2026-01-01', '18:00', '2026-01-01T12:15:00.000Z'],
    ['Europe/Berlin', '2026-01-10', '18:00', '2026-01-10T17:00:00.000Z'],
    ['Europe/Berlin', '2026-07-10', '18:00', '2026-07-10T16:00:00.000Z'],
  ])('is known in %s on %s at %s', (zone, one, time, moment) => {
    expect(at(zone, one, time)).toBe(moment);
  });

  test('that does not exist, because clocks are set forward, comes as much later', () => {
    expect(at('Europe/Berlin', '2026-03-29', '02:30')).toBe('2026-03-29T01:30:00.000Z');
  });

  test('that comes twice, because clocks are set back, is the first of the two', () => {
    expect(at('Europe/Berlin', '2026-10-25', '02:30')).toBe('2026-10-25T00:30:00.000Z');
    expect(at('Australia/Lord_Howe', '2026-04-05', '01:45')).toBe('2026-04-04T14:45:00.000Z');
  });
});

test('a zone that does not exist is none', () => {
  expect(isTimeZone('Europe/Berlin')).toBe(true);
  expect(isTimeZone('Berlin')).toBe(false);
  expect(isTimeZone('')).toBe(false);
});

test.each([
  ['7:05', 425],
  ['00:00', 0],
  ['23:59', 1439],
  ['24:00', undefined],
  ['12:60', undefined],
  ['12', undefined],
  ['noon', undefined],
])('%s is the minute %s', (text, minute) => {
  expect(minuteOfDay(text)).toBe(minute);
});

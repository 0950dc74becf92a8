import { describe, expect, test } from 'vitest';
import { appId, openId } from '../../../src/core/ids.ts';
import {
  type DaemonStatus,
  knownBefore,
  parseDaemonStatus,
  StatusWriter,
} from '../../../src/host/daemon-status.ts';
import { BridgeError } from '../../../src/core/errors.ts';
import { recordingLog } from '../../kit/log.ts';
import { settle, VirtualClock } from '../../kit/clock.ts';

const APP = appId('cli_0123456789abcdef');
const STATUS: DaemonStatus = {
  version: '1.2.3',
  started_at: '2026-11-21T08:00:00.000Z',
  app_id: APP,
  brand: 'lark',
  bot_open_id: openId('ou_1'),
  hub_url: 'http://127.0.0.1:4001',
  health_url: 'http://127.0.0.1:4001/health',
  health: { live: true, ready: true, problems: [], notes: [] },
  connection: { state: 'connected', sinceMs: 5, lastEventAtMs: 7 },
  events: { seenAtMs: { 'card.action.trigger': 7 } },
  bridge: { waiting: 0 },
  calls_this_month: { token: 1 },
  event_loop_delay: { p99_ms: 1, max_ms: 2 },
};

describe('the reader', () => {
  test('gives back what the writer wrote', () => {
    expect(parseDaemonStatus(JSON.stringify(STATUS))).toEqual(STATUS);
  });

  test('keeps what is only shown of a connection and of events', () => {
    const connection = { ...STATUS.connection, reconnects: 3 };
    const events = { ...STATUS.events, admitted: 3 };
    const read = parseDaemonStatus(JSON.stringify({ ...STATUS, connection, events }));
    expect(read).toEqual({ ...STATUS, connection, events });
  });

  test('takes what an earlier version wrote, and leaves out what it did not know', () => {
    const old = { app_id: APP, bot_open_id: null, connection: { state: 'waiting' } };
    expect(parseDaemonStatus(JSON.stringify(old))).toEqual(old);
  });

  test.each([
    ['{"version":1}'],
    ['{"app_id":7,"brand":"other","bot_open_id":{},"hub_url":null}'],
    ['{"health":{"ready":"yes"},"connection":{"state":7},"events":[]}'],
    ['{"connection":{"state":"connected","lastEventAtMs":"then"},"bridge":"busy"}'],
    ['{"unknown":true}'],
    ['[]'],
    ['null'],
    ['half of a st'],
  ])('leaves out what has another form: %s', (text) => {
    expect(parseDaemonStatus(text)).toEqual({});
  });

  test('a time that is none is left out of the times', () => {
    const events = { seenAtMs: { one: 7, other: 'then' } };
    expect(parseDaemonStatus(JSON.stringify({ events }))).toEqual({
      events: { seenAtMs: { one: 7 } },
    });
  });
});

describe('what one process knew', () => {
  test('is good for the next', () => {
    expect(knownBefore(STATUS, APP)).toEqual({
      botOpenId: 'ou_1',
      seenAtMs: { 'card.action.trigger': 7 },
    });
  });

  test('may be less in an earlier version', () => {
    const old = { app_id: APP, bot_open_id: null, events: {} };
    expect(knownBefore(old, APP)).toEqual({ botOpenId: undefined, seenAtMs: {} });
  });

  test('is not used for another app', () => {
    expect(knownBefore(STATUS, appId('cli_fedcba9876543210'))).toBeUndefined();
    expect(knownBefore({}, APP)).toBeUndefined();
  });
});

test('the status is written at the start, every 5 s and at the stop, also after a write that failed', async () => {
  const clock = new VirtualClock(0);
  const log = recordingLog();
  const rows: { atMs: number; status: string }[] = [];
  let isFull = true;
  const writer = new StatusWriter({
    save: (row) => {
      if (isFull) return Promise.reject(new BridgeError('store_unavailable', 'disk is full'));
      rows.push(row);
      return Promise.resolve();
    },
    status: () => STATUS,
    clock,
    log,
  });
  await writer.start();
  expect(log.lines).toMatchObject([
    { level: 'warn', event: 'daemon_status_failed', error: 'disk is full' },
  ]);
  isFull = false;
  while (clock.step(12_000)) await settle();
  await writer.stop();
  expect(rows.map(({ atMs }) => atMs)).toEqual([5_000, 10_000, 12_000]);
  expect(parseDaemonStatus(rows[0]?.status ?? '')).toEqual(STATUS);
});

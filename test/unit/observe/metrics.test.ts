import { expect, test } from 'vitest';
import { turnId } from '../../../src/core/ids.ts';
import { Distribution } from '../../../src/observe/metrics/distribution.ts';
import { Meter } from '../../../src/observe/metrics/meter.ts';
import type { BridgeFacts } from '../../../src/observe/metrics/metric-table.ts';
import { Metrics } from '../../../src/observe/metrics/metrics.ts';
import { clockWithoutTimers } from '../../kit/clock.ts';
import { recordingLog } from '../../kit/log.ts';

const facts: BridgeFacts = {
  connection: () => ({ state: 'waiting', reconnects: 3, lastEventAtMs: 40_000 }),
  events: () => ({ admitted: 5, failed: 1, ignored: { not_mentioned: 2, malformed: 1 } }),
  work: () => ({
    waiting: 2,
    waitingSinceMs: 90_000,
    running: 1,
    outbox: 0,
    outboxSinceMs: undefined,
    duplicates: 4,
  }),
  callsThisMonth: () => ({ answer: 7, token: 1 }),
};

function metricsOf(
  bridge: () => BridgeFacts | undefined,
  meter = new Meter(() => {}),
  nowMs = () => 100_000,
) {
  const log = recordingLog();
  const metrics = new Metrics(
    {
      version: '1.2.3',
      databasePath: '/nowhere/bridge.db',
      meter,
      health: () => ({ live: true, ready: true, problems: [], notes: [] }),
      bridge,
      clock: clockWithoutTimers(nowMs),
    },
    log,
  );
  return { text: async () => (await metrics.text()).body, log };
}

test('a distribution counts a value in the first bucket that holds it', () => {
  const distribution = new Distribution([1, 2]);
  for (const value of [0.5, 1, 1.5, 2, 3, -7]) distribution.add(value);
  expect(distribution.counts).toEqual([3, 2, 1]);
  expect(distribution.sum).toBe(8);
});

test('facts become samples, at the time of the look', async () => {
  const text = await metricsOf(() => facts).text();
  const lines = text.split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      `lark_bridge_build_info{version="1.2.3",node="${process.version}"} 1`,
      'lark_bridge_connection_state{state="waiting"} 1',
      'lark_bridge_connection_state{state="connected"} 0',
      'lark_bridge_reconnects_total 3',
      'lark_bridge_last_event_age_seconds 60',
      'lark_bridge_events_received_total{outcome="ignored"} 3',
      'lark_bridge_events_redelivered_total 4',
      'lark_bridge_queue_length 2',
      'lark_bridge_queue_oldest_age_seconds 10',
      'lark_bridge_outbox_oldest_age_seconds 0',
      'lark_bridge_calls_this_month{class="token"} 1',
      '# TYPE lark_bridge_ack_duration_seconds histogram',
    ]),
  );
  // No file, no size.
  expect(text).not.toMatch(/^lark_bridge_database_size_bytes \d/m);
});

test('they are not written more often than twice a second, however often they are asked for', async () => {
  let nowMs = 100_000;
  let looks = 0;
  const bridge = () => {
    looks += 1;
    return facts;
  };
  const { text } = metricsOf(bridge, new Meter(() => {}), () => nowMs);
  const first = await text();
  const looksOfOne = looks;
  expect(looksOfOne).toBeGreaterThan(0);
  expect(await Promise.all([text(), text()])).toEqual([first, first]);
  expect(looks).toBe(looksOfOne);
  nowMs += 500;
  await text();
  expect(looks).toBe(2 * looksOfOne);
});

test('without a bridge, or with a part that can’t be asked, the rest is told all the same', async () => {
  expect(await metricsOf(() => undefined).text()).toContain('lark_bridge_ready 1\n');
  const broken = {
    ...facts,
    callsThisMonth: () => {
      throw new Error('disk I/O error');
    },
  };
  const { text, log } = metricsOf(() => broken);
  expect(await text()).toContain('lark_bridge_queue_length 2\n');
  expect(log.lines).toEqual([
    {
      level: 'error',
      event: 'metric_not_read',
      metric: 'lark_bridge_calls_this_month',
      error: 'disk I/O error',
    },
  ]);
});

test('histograms add up, for each of their labels', async () => {
  const touched: string[] = [];
  const meter = new Meter((turn) => void touched.push(turn));
  meter.turnEnded(turnId('om_1'), 'answered', 700);
  meter.turnEnded(turnId('om_2'), 'answered', 4_000);
  meter.turnEnded(turnId('om_3'), 'failed', 90_000);
  meter.shown(turnId('om_1'));
  const text = await metricsOf(() => facts, meter).text();
  const name = 'lark_bridge_turn_duration_seconds';
  expect(text).toContain(`${name}_bucket{outcome="answered",le="0.5"} 0\n`);
  expect(text).toContain(`${name}_bucket{outcome="answered",le="1"} 1\n`);
  expect(text).toContain(`${name}_bucket{outcome="answered",le="5"} 2\n`);
  expect(text).toContain(`${name}_bucket{outcome="answered",le="+Inf"} 2\n`);
  expect(text).toContain(`${name}_sum{outcome="answered"} 4.7\n`);
  expect(text).toContain(`${name}_count{outcome="failed"} 1\n`);
  expect(touched).toEqual(['om_1', 'om_2', 'om_3', 'om_1']);
});

test('codes of Lark are counted as they come, and can’t be more than some', async () => {
  const meter = new Meter(() => {});
  const refused = (code: number | undefined) =>
    meter.sendEnded('reply', { ok: false, action: 'unknown', code, detail: '' });
  meter.sendEnded('reply', { ok: true, id: 'om_1' });
  meter.sendEnded('reply', { ok: true, id: 'om_2' });
  refused(undefined);
  for (let code = 1; code <= 200; code += 1) refused(code);
  refused(7);
  const text = await metricsOf(() => facts, meter).text();
  expect(text).toContain('lark_bridge_sends_total{kind="reply",code="0"} 2\n');
  expect(text).toContain('lark_bridge_sends_total{kind="reply",code="unknown"} 1\n');
  expect(text).toContain('lark_bridge_sends_total{kind="reply",code="7"} 2\n');
  expect(text).toContain('lark_bridge_sends_total{kind="reply",code="other"} 102\n');
  expect(text).not.toContain('code="150"');
});

test('agents with a memory: programs, restarts, sessions, prompts and the first update are counted', async () => {
  const meter = new Meter(() => {});
  const { agents } = meter;
  agents.programStarted(false);
  agents.programStarted(true);
  agents.programEnded();
  agents.sessionOpened('kept');
  agents.promptSent();
  agents.firstUpdateAfter(300);
  const text = await metricsOf(() => facts, meter).text();
  expect(text).toContain('lark_bridge_agent_processes 1\n');
  expect(text).toContain('lark_bridge_agent_restarts_total 1\n');
  expect(text).toContain('lark_bridge_agent_sessions_total{memory="kept"} 1\n');
  expect(text).toContain('lark_bridge_agent_sessions_total{memory="lost"} 0\n');
  expect(text).toContain('lark_bridge_agent_prompts_total 1\n');
  expect(text).toContain('lark_bridge_agent_first_update_seconds_bucket{le="0.5"} 1\n');
});

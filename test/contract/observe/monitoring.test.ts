/** What a running bridge tells monitors, and what the shipped board and alerts ask for. */
import { request } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { METRICS } from '../../../src/observe/metrics/metric-table.ts';
import { startWatchedBridge, type WatchedBridge } from './rig.ts';

const DOCS = join(import.meta.dirname, '../../../docs');
const OF_PROMETHEUS = new Set(['up']);

interface Metrics {
  /** By the name in the HELP line. */
  readonly types: ReadonlyMap<string, string>;
  /** Full names with their labels, and values. */
  readonly samples: ReadonlyMap<string, number>;
}

async function metricsAt(url: string): Promise<Metrics> {
  const answer = await fetch(`${url}/metrics`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  const lines = (await answer.text()).split('\n');
  const types = lines.flatMap((line) => {
    const found = /^# TYPE (\S+) (\S+)$/.exec(line);
    return found === null ? [] : [[found[1]!, found[2]!] as const];
  });
  const samples = lines.flatMap((line) => {
    const found = /^([a-z_]+(?:\{.*\})?) (\S+)$/.exec(line);
    return found === null ? [] : [[found[1]!, Number(found[2])] as const];
  });
  return { types: new Map(types), samples: new Map(samples) };
}

/** The address that it logged. */
function monitorOf({ lines }: WatchedBridge): string {
  return String(lines.find(({ event }) => event === 'monitor_started')?.['address']);
}

/** Names of samples without their labels. */
const namesOf = ({ samples }: Metrics) =>
  new Set([...samples.keys()].map((sample) => sample.replace(/\{.*/, '')));

describe('metrics', () => {
  test('count what happens: events, acks, turns, sends, calls, and how much waits', async () => {
    const bridge = await startWatchedBridge();
    await bridge.talk('one');
    await bridge.talk('two');
    const { samples } = await metricsAt(bridge.hubUrl);
    const value = (name: string) => samples.get(name);
    expect(value('lark_bridge_events_received_total{outcome="admitted"}')).toBe(2);
    expect(value('lark_bridge_events_received_total{outcome="failed"}')).toBe(0);
    expect(value('lark_bridge_ack_duration_seconds_count')).toBe(2);
    expect(value('lark_bridge_ack_duration_seconds_bucket{le="+Inf"}')).toBe(2);
    expect(value('lark_bridge_ack_duration_seconds_sum')).toBeGreaterThan(0);
    expect(value('lark_bridge_turn_duration_seconds_count{outcome="answered"}')).toBe(2);
    expect(value('lark_bridge_sends_total{kind="reply",code="0"}')).toBe(2);
    expect(value('lark_bridge_call_wait_seconds_count{class="answer"}')).toBe(2);
    expect(value('lark_bridge_calls_this_month{class="answer"}')).toBe(2);
    expect(value('lark_bridge_connection_state{state="connected"}')).toBe(1);
    expect(value('lark_bridge_connection_state{state="waiting"}')).toBe(0);
    expect(value('lark_bridge_ready')).toBe(1);
    expect(value('lark_bridge_problem{code="storage"}')).toBe(0);
    expect(value('lark_bridge_last_event_age_seconds')).toBeLessThan(60);
    expect(value('lark_bridge_database_size_bytes')).toBeGreaterThan(0);
    const buckets = [...samples].filter(([name]) =>
      name.startsWith('lark_bridge_ack_duration_seconds_bucket'),
    );
    const counts = buckets.map(([, count]) => count);
    expect(counts).toEqual(counts.toSorted((one, other) => one - other));
  });

  test('a repeated event counts as such, and a failed send by its code', async () => {
    const bridge = await startWatchedBridge();
    bridge.cloud.faults.inject({ kind: 'event_duplicate' });
    bridge.cloud.faults.inject({ kind: 'business_error', code: 230022, path: '/reply' });
    await bridge.talk('refused');
    const samples = async () => (await metricsAt(bridge.hubUrl)).samples;
    await expect
      .poll(async () => (await samples()).get('lark_bridge_events_redelivered_total'))
      .toBe(1);
    expect((await samples()).get('lark_bridge_sends_total{kind="reply",code="230022"}')).toBe(1);
  });

  test('say nothing of chats, people and what was said, and hold no secret', async () => {
    const bridge = await startWatchedBridge();
    await bridge.talk('a delicate thing');
    const text = await (await fetch(`${bridge.hubUrl}/metrics`)).text();
    expect(text).not.toMatch(/oc_|ou_|om_|cli_|delicate/);
    expect(text).not.toContain(bridge.app.appSecret);
  });

  test('are for callers on this machine on the hub’s port, and not for whom a proxy here lets in', async () => {
    const bridge = await startWatchedBridge();
    for (const header of ['x-forwarded-for', 'forwarded', 'via']) {
      const answer = await fetch(`${bridge.hubUrl}/metrics`, { headers: { [header]: 'x' } });
      expect(answer.status).toBe(403);
      expect(await answer.text()).not.toContain('lark_bridge_');
      const health = await fetch(`${bridge.hubUrl}/health`, { headers: { [header]: 'x' } });
      expect(health.status).toBe(200);
    }
  });
});

describe('the shipped board, alerts and table', () => {
  const text = (path: string) => readFileSync(join(DOCS, path), 'utf8');
  const board = JSON.parse(text('monitoring/grafana-dashboard.json')) as { panels: unknown[] };
  const alerts = text('monitoring/alerts.yaml');

  /** All `expr` of the board. */
  function expressionsIn(value: unknown): string[] {
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
      key === 'expr' ? [String(inner)] : expressionsIn(inner),
    );
  }
  /** Also those that span lines. */
  const alertExpressions = [...alerts.matchAll(/^ {8}expr: (?:\|\n((?: {10}.*\n)+)|(.*)\n)/gm)].map(
    ([, long, short]) => long ?? short ?? '',
  );
  /** Names of metrics in PromQL: words outside of labels, strings and functions. */
  const metricsIn = (expression: string) =>
    [
      ...expression
        .replaceAll(/\{[^}]*\}|\[[^\]]*\]|\b(?:by|without)\s*\([^)]*\)/g, ' ')
        .matchAll(/[a-z_][a-z_0-9]*(?!\w*\s*\()/g),
    ]
      .map(([name]) => name)
      .filter((name) => name.includes('_') || OF_PROMETHEUS.has(name));

  test('ask only for metrics that a bridge has, and every metric is there', async () => {
    const bridge = await startWatchedBridge();
    await bridge.talk('hello');
    const metrics = await metricsAt(bridge.hubUrl);
    const there = namesOf(metrics);
    const asked = [...expressionsIn(board), ...alertExpressions].flatMap(metricsIn);
    expect(alertExpressions.length).toBe(alerts.match(/- alert: /g)?.length);
    expect(asked.length).toBeGreaterThan(30);
    expect(asked.filter((name) => !there.has(name) && !OF_PROMETHEUS.has(name))).toEqual([]);
    for (const { name, type } of METRICS) {
      expect(metrics.types.get(name), name).toBe(type);
      const sample = type === 'histogram' ? `${name}_count` : name;
      expect(there, name).toContain(sample);
    }
    const ours = [...metrics.types.keys()].filter((name) => name.startsWith('lark_bridge_'));
    expect(ours.toSorted()).toEqual(METRICS.map(({ name }) => name).toSorted());
  });

  test('show every metric of the table somewhere', () => {
    const shown = [...expressionsIn(board), ...alertExpressions].join('\n');
    expect(METRICS.map(({ name }) => name).filter((name) => !shown.includes(name))).toEqual([]);
  });

  test('labels in their expressions are those of the table', () => {
    const known = new Map(METRICS.map(({ name, labels }) => [name, labels]));
    const wrong = [...expressionsIn(board), ...alertExpressions].flatMap((expression) =>
      [...expression.matchAll(/(lark_bridge_\w+?)(?:_bucket|_sum|_count)?\{([^}]*)\}/g)].flatMap(
        ([, name = '', inside = '']) =>
          [...inside.matchAll(/(\w+)\s*[=!]/g)]
            .map(([, label = '']) => label)
            .filter((label) => label !== 'instance' && known.get(name)?.includes(label) !== true)
            .map((label) => `${name} has no label ${label}`),
      ),
    );
    expect(wrong).toEqual([]);
  });
});

describe('an address of its own', () => {
  test('takes /metrics from the hub’s port, and serves nothing else', async () => {
    const bridge = await startWatchedBridge({ LARK_BRIDGE_HEALTH_ADDRESS: '127.0.0.1:0' });
    const address = monitorOf(bridge);
    expect((await metricsAt(address)).samples.get('lark_bridge_ready')).toBe(1);
    expect((await fetch(`${bridge.hubUrl}/metrics`)).status).toBe(404);
    expect((await fetch(`${bridge.hubUrl}/health`)).status).toBe(200);
    expect((await fetch(`${address}/health`)).status).toBe(200);
    expect((await fetch(`${address}/workspaces/x/state`)).status).toBe(404);
    expect((await fetch(`${address}/__proto__`)).status).toBe(404);
    expect((await fetch(`${address}/health`, { method: 'POST', body: 'x' })).status).toBe(405);
    const head = await fetch(`${address}/health`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  test('is freed at the stop, also from a caller who stays connected', async () => {
    const bridge = await startWatchedBridge({ LARK_BRIDGE_HEALTH_ADDRESS: '127.0.0.1:0' });
    const address = monitorOf(bridge);
    const hanging = request(`${address}/health`, { method: 'POST' });
    const cut = new Promise((resolve) => hanging.once('error', resolve).once('close', resolve));
    hanging.write('half');
    await new Promise((resolve) => hanging.once('socket', resolve));
    await bridge.stop();
    await cut;
    await expect(fetch(`${address}/health`)).rejects.toThrow();
  });

  test('that is taken is an error with a way out', async () => {
    const first = await startWatchedBridge({ LARK_BRIDGE_HEALTH_ADDRESS: '127.0.0.1:0' });
    const address = monitorOf(first);
    await expect(
      startWatchedBridge({ LARK_BRIDGE_HEALTH_ADDRESS: new URL(address).host }),
    ).rejects.toMatchObject({
      code: 'port_in_use',
      next: expect.stringContaining('LARK_BRIDGE_HEALTH_ADDRESS') as string,
    });
  });
});

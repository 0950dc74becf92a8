/** What `status` says: one screen for people, with what to do first. */
import { describe, expect, test } from 'vitest';
import type { Status } from '../../../src/app/status.ts';
import { statusFields, statusScreen } from '../../../src/cli/status-views.ts';
import { appId, workspaceId } from '../../../src/core/ids.ts';

const NOW_MS = Date.parse('2026-11-21T08:00:00.000Z');
const MINUTE_MS = 60_000;

const RUNNING: Status = {
  stateDir: '/srv/bot',
  version: '1.2.3',
  pid: 6189,
  aliveAtMs: NOW_MS - 2_000,
  health: { live: true, ready: true, problems: [], notes: [] },
  daemon: {
    version: '1.2.3',
    started_at: new Date(NOW_MS - 3 * MINUTE_MS).toISOString(),
    app_id: appId('cli_0123456789abcdef'),
    brand: 'feishu',
    hub_url: 'http://127.0.0.1:4001',
    connection: { state: 'connected', sinceMs: NOW_MS - 3 * MINUTE_MS, lastEventAtMs: NOW_MS },
    events: { seenAtMs: { 'im.message.receive_v1': NOW_MS } },
    bridge: { journalHealthy: true, waitingSinceMs: NOW_MS },
  },
  counts: { waiting: 1, running: 2, held: 0, failed: 3, deadLetters: 4 },
  newestMessageAtMs: NOW_MS - 2 * MINUTE_MS,
  turnsGoTo: {
    kind: 'agent',
    name: 'shout',
    isNamed: false,
    agent: {
      name: 'shout',
      workspaceId: workspaceId('w1'),
      spec: { kind: 'exec', argv: ['tr', 'a-z', 'A-Z'] },
      createdAtMs: 0,
      builtIn: false,
    },
  },
};

const screen = (status: Status, more: { width?: number; verbose?: boolean } = {}) =>
  statusScreen(status, { width: undefined, verbose: false, nowMs: NOW_MS, ...more });

test('of a bot that works: one screen', () => {
  expect(screen(RUNNING).split('\n')).toEqual([
    '● running for 3 min (process 6189), ready',
    '  Bot      cli_0123456789abcdef (Feishu)',
    '  Agent    shout (exec: tr a-z A-Z)',
    '  Lark     connected for 3 min, last message 2 min ago',
    '  Turns    1 waiting, 2 running, 0 held, 3 failed in the last day',
    '  Letters  4 dead: see `lark-bridge dead-letters`',
    '  State    /srv/bot',
    '  Hub      http://127.0.0.1:4001',
    '  Version  1.2.3',
  ]);
});

test('--verbose adds what the daemon says of itself, in the words of --json', () => {
  const shown = screen(RUNNING, { verbose: true });
  expect(shown).toContain('\nbridge.journal_healthy: true\n');
  expect(shown).toContain('connection.last_event_at: 2026-11-21T08:00:00.000Z');
});

test('trouble comes first, since when it is true and not since it was asked, and fits the terminal', () => {
  const text = `Not connected to Lark (${'no answer '.repeat(9)}); the bridge tries again by itself.`;
  const since = new Date(NOW_MS - 5 * MINUTE_MS).toISOString();
  const problems = [{ code: 'lark_connection', since, text }] as const;
  const status: Status = { ...RUNNING, health: { live: true, ready: false, problems, notes: [] } };
  const [first, second, ...rest] = screen(status, { width: 60 }).split('\n');
  expect(first).toBe('◐ running for 3 min (process 6189), not ready');
  expect(second).toMatch(/^✗ lark connection for 5 min: Not connected/);
  expect(rest[0]).toMatch(/^ {11}\S/);
  expect([second, ...rest].every((line = '') => line.length <= 60)).toBe(true);
});

describe('of a bot that does not run', () => {
  test('the first thing to do, and nothing of an earlier process as if it were now', () => {
    const text = 'No bot is connected yet. Create one with …';
    const problems = [{ code: 'process', since: null, text }] as const;
    const status: Status = {
      ...RUNNING,
      pid: undefined,
      health: { live: false, ready: false, problems, notes: [] },
    };
    const lines = screen(status).split('\n');
    expect(lines.slice(0, 2)).toEqual(['○ not running', `  ${text}`]);
    expect(lines.join('\n')).not.toMatch(/connected for|4001/);
  });
});

test('for programs: one spelling, and null for what is not known', () => {
  const fields = statusFields({ ...RUNNING, newestMessageAtMs: undefined, counts: undefined });
  expect(fields).toMatchObject({
    running: true,
    ready: true,
    last_message_at: null,
    counts: null,
    agent: { name: 'shout', kind: 'exec', hub_url: null },
    daemon: {
      connection: { since: '2026-11-21T07:57:00.000Z', last_event_at: '2026-11-21T08:00:00.000Z' },
      events: { seen_at: { 'im.message.receive_v1': '2026-11-21T08:00:00.000Z' } },
      bridge: { journal_healthy: true, waiting_since: '2026-11-21T08:00:00.000Z' },
    },
  });
});

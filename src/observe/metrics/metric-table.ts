/** Every metric, one row each. The page /metrics and the table in docs/monitoring.md come from here. */
import { statSync } from 'node:fs';
import type { EventLoopGauge } from './event-loop.ts';
import { type HealthReport, PARTS } from '../health/health.ts';
import type { Distribution } from './distribution.ts';
import type { Meter } from './meter.ts';
import type { Clock } from '../../time/clock.ts';

/** What the parts of a bridge report when they are asked. */
export interface BridgeFacts {
  readonly connection: () => {
    readonly state: string;
    readonly reconnects: number;
    readonly lastEventAtMs: number | undefined;
  };
  readonly events: () => {
    readonly admitted: number;
    readonly failed: number;
    readonly ignored: Readonly<Record<string, number>>;
  };
  readonly work: () => {
    readonly waiting: number;
    readonly waitingSinceMs: number | undefined;
    readonly running: number;
    readonly outbox: number;
    readonly outboxSinceMs: number | undefined;
    readonly duplicates: number;
  };
  readonly callsThisMonth: () => Readonly<Record<string, number>>;
}

export interface MetricSources {
  readonly version: string;
  readonly databasePath: string;
  readonly meter: Meter;
  readonly health: () => HealthReport;
  /** Returns undefined while there is no bridge, and for a hub alone. */
  readonly bridge: () => BridgeFacts | undefined;
  readonly eventLoop: EventLoopGauge;
  readonly clock: Clock;
}

export interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string | number>>;
  /** For the parts of a histogram. */
  readonly suffix?: '_bucket' | '_sum' | '_count';
}

export interface MetricRow {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
  readonly read: (sources: MetricSources) => readonly Sample[];
}

const CONNECTION_STATES = ['connecting', 'connected', 'waiting', 'stopped', 'refused'];

export const METRICS: readonly MetricRow[] = [
  {
    name: 'lark_bridge_build_info',
    type: 'gauge',
    labels: ['version', 'node'],
    help: 'Always 1; the labels say what runs',
    read: ({ version }) => [{ value: 1, labels: { version, node: process.version } }],
  },
  {
    name: 'lark_bridge_ready',
    type: 'gauge',
    labels: [],
    help: '1 while messages are taken and answered, as /health/ready says',
    read: ({ health }) => [{ value: Number(health().ready) }],
  },
  {
    name: 'lark_bridge_problem',
    type: 'gauge',
    labels: ['code'],
    help: '1 for each part that keeps the bridge from being ready: storage, lost_data, lark_connection, hub or agent',
    read: ({ health }) => {
      const found = new Set<string>(health().problems.map(({ code }) => code));
      return PARTS.map((code) => ({ value: Number(found.has(code)), labels: { code } }));
    },
  },
  {
    name: 'lark_bridge_connection_state',
    type: 'gauge',
    labels: ['state'],
    help: '1 for the state that the connection to Lark is in; waiting: for the next try',
    read: ofBridge(({ connection }) => {
      const now = connection().state;
      return CONNECTION_STATES.map((state) => ({
        value: Number(state === now),
        labels: { state },
      }));
    }),
  },
  {
    name: 'lark_bridge_reconnects_total',
    type: 'counter',
    labels: [],
    help: 'Connections to Lark after the first one',
    read: ofBridge(({ connection }) => [{ value: connection().reconnects }]),
  },
  {
    name: 'lark_bridge_last_event_age_seconds',
    type: 'gauge',
    labels: [],
    help: 'Since Lark sent an event; absent before the first one',
    read: ofBridge(({ connection }, nowMs) => {
      const { lastEventAtMs } = connection();
      return lastEventAtMs === undefined ? [] : [{ value: ageSecs(lastEventAtMs, nowMs) }];
    }),
  },
  {
    name: 'lark_bridge_events_received_total',
    type: 'counter',
    labels: ['outcome'],
    help: 'Events by result: admitted, ignored (not for the bot), or failed (not stored and not acked; Lark delivers them again)',
    read: ofBridge(({ events }) => {
      const { admitted, ignored, failed } = events();
      return [
        { value: admitted, labels: { outcome: 'admitted' } },
        { value: total(ignored), labels: { outcome: 'ignored' } },
        { value: failed, labels: { outcome: 'failed' } },
      ];
    }),
  },
  {
    name: 'lark_bridge_events_redelivered_total',
    type: 'counter',
    labels: [],
    help: 'Events of messages that were known already',
    read: ofBridge(({ work }) => [{ value: work().duplicates }]),
  },
  {
    name: 'lark_bridge_ack_duration_seconds',
    type: 'histogram',
    labels: [],
    help: 'From the arrival of an event until it is on disk and its ack may leave; Lark waits for 3 s',
    read: ({ meter }) => samplesOf(meter.acks),
  },
  {
    name: 'lark_bridge_queue_length',
    type: 'gauge',
    labels: [],
    help: 'Turns that wait for their agent',
    read: ofBridge(({ work }) => [{ value: work().waiting }]),
  },
  {
    name: 'lark_bridge_queue_oldest_age_seconds',
    type: 'gauge',
    labels: [],
    help: 'Since the turn came that waits longest; 0 if none waits',
    read: ofBridge(({ work }, nowMs) => [{ value: ageSecs(work().waitingSinceMs, nowMs) }]),
  },
  {
    name: 'lark_bridge_turns_running',
    type: 'gauge',
    labels: [],
    help: 'Turns that an agent works on',
    read: ofBridge(({ work }) => [{ value: work().running }]),
  },
  {
    name: 'lark_bridge_turn_duration_seconds',
    type: 'histogram',
    labels: ['outcome'],
    help: 'From the moment a turn was given to its agent until it was answered, failed, held (a person is asked) or dropped',
    read: ({ meter }) => allSamples(meter.turns, 'outcome'),
  },
  {
    name: 'lark_bridge_questions_total',
    type: 'counter',
    labels: ['outcome'],
    help: 'Questions of agents by how they ended: answered, expired (nobody answered in time), or over (nobody needs the answer any more)',
    read: ({ meter }) => countsOf(meter.questions, 'outcome'),
  },
  {
    name: 'lark_bridge_agent_processes',
    type: 'gauge',
    labels: [],
    help: 'Programs of agents with a memory that live now',
    read: ({ meter }) => [{ value: meter.agents.processes }],
  },
  {
    name: 'lark_bridge_agent_restarts_total',
    type: 'counter',
    labels: [],
    help: 'Programs of agents with a memory that were started because the one before ended at work',
    read: ({ meter }) => [{ value: meter.agents.restarts }],
  },
  {
    name: 'lark_bridge_agent_sessions_total',
    type: 'counter',
    labels: ['memory'],
    help: 'Sessions that agents opened: kept (taken up), begun (new), or lost (there was one that the agent could not take up)',
    read: ({ meter }) => countsOf(meter.agents.sessions, 'memory'),
  },
  {
    name: 'lark_bridge_agent_prompts_total',
    type: 'counter',
    labels: [],
    help: 'Prompts that agents with a memory got',
    read: ({ meter }) => [{ value: meter.agents.prompts }],
  },
  {
    name: 'lark_bridge_agent_first_update_seconds',
    type: 'histogram',
    labels: [],
    help: 'From the prompt until an agent with a memory tells the first of its work',
    read: ({ meter }) => samplesOf(meter.agents.firstUpdates),
  },
  {
    name: 'lark_bridge_outbox_length',
    type: 'gauge',
    labels: [],
    help: 'Answers, notices and signs that wait to be sent',
    read: ofBridge(({ work }) => [{ value: work().outbox }]),
  },
  {
    name: 'lark_bridge_outbox_oldest_age_seconds',
    type: 'gauge',
    labels: [],
    help: 'Since the one was made that waits longest; 0 if none waits',
    read: ofBridge(({ work }, nowMs) => [{ value: ageSecs(work().outboxSinceMs, nowMs) }]),
  },
  {
    name: 'lark_bridge_sends_total',
    type: 'counter',
    labels: ['kind', 'code'],
    help: 'Sends by kind (reply, send, react, unreact) and by Lark’s code; 0: sent; a name: no answer in Lark’s form came',
    read: ({ meter }) =>
      [...meter.sends.values()].map(({ kind, code, count }) => ({
        value: count,
        labels: { kind, code },
      })),
  },
  {
    name: 'lark_bridge_call_wait_seconds',
    type: 'histogram',
    labels: ['class'],
    help: 'How long calls to Lark were held back to keep to its rate limits, by class',
    read: ({ meter }) => allSamples(meter.callWaits, 'class'),
  },
  {
    name: 'lark_bridge_calls_this_month',
    type: 'gauge',
    labels: ['class'],
    help: 'Calls to Lark since the month began (UTC), over all starts, by class; free tenants have 10,000 a month in all',
    read: ofBridge(({ callsThisMonth }) =>
      Object.entries(callsThisMonth()).map(([name, value]) => ({ value, labels: { class: name } })),
    ),
  },
  {
    name: 'lark_bridge_event_loop_delay_seconds',
    type: 'gauge',
    labels: ['stat'],
    help: 'How late the event loop was since the last read: p99 and max',
    read: ({ eventLoop }) => {
      const { p99_ms: p99, max_ms: max } = eventLoop.read();
      return [
        { value: p99 / 1000, labels: { stat: 'p99' } },
        { value: max / 1000, labels: { stat: 'max' } },
      ];
    },
  },
  {
    name: 'lark_bridge_database_size_bytes',
    type: 'gauge',
    labels: [],
    help: 'Size of the database file',
    read: ({ databasePath }) => sizeOf(databasePath),
  },
  {
    name: 'lark_bridge_database_wal_size_bytes',
    type: 'gauge',
    labels: [],
    help: 'Size of the write-ahead log of the database',
    read: ({ databasePath }) => sizeOf(`${databasePath}-wal`),
  },
];

function ofBridge(
  read: (facts: BridgeFacts, nowMs: number) => readonly Sample[],
): MetricRow['read'] {
  return ({ bridge, clock }) => {
    const facts = bridge();
    return facts === undefined ? [] : read(facts, clock.nowMs());
  };
}

function countsOf(counts: Readonly<Record<string, number>>, label: string): Sample[] {
  return Object.entries(counts).map(([name, value]) => ({ value, labels: { [label]: name } }));
}

function allSamples(all: ReadonlyMap<string, Distribution>, label: string): Sample[] {
  return [...all].flatMap(([name, distribution]) => samplesOf(distribution, { [label]: name }));
}

function samplesOf(
  { bounds, counts, sum }: Distribution,
  labels: Readonly<Record<string, string>> = {},
): Sample[] {
  let count = 0;
  const buckets = counts.map((inBucket, at): Sample => {
    count += inBucket;
    return { value: count, labels: { ...labels, le: bounds[at] ?? '+Inf' }, suffix: '_bucket' };
  });
  return [
    ...buckets,
    { value: sum, labels, suffix: '_sum' },
    { value: count, labels, suffix: '_count' },
  ];
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function ageSecs(sinceMs: number | undefined, nowMs: number): number {
  return sinceMs === undefined ? 0 : Math.max(0, nowMs - sinceMs) / 1000;
}

/** Empty if there is no such file: the write-ahead log does not always exist. */
function sizeOf(path: string): Sample[] {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? [] : [{ value: found.size }];
}

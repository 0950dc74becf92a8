/** The parts that watch the others: health, metrics, traces, and the pages that show them. */
import type { Config } from '../config/load.ts';
import type { TurnId } from '../core/ids.ts';
import type { Service } from '../core/service.ts';
import type { Pages } from '../core/pages.ts';
import { hubTrouble, larkTrouble, storageTrouble } from '../observe/health/health-checks.ts';
import { Health, type HealthChecks, type HealthReport } from '../observe/health/health.ts';
import { Meter } from '../observe/metrics/meter.ts';
import type { BridgeFacts } from '../observe/metrics/metric-table.ts';
import { createMetrics } from '../observe/metrics/metrics.ts';
import { createMonitorPages } from '../observe/monitor-pages.ts';
import { MonitorServer } from '../observe/monitor-server.ts';
import { packageFacts } from '../host/package.ts';
import { Traces } from '../observe/traces/traces.ts';
import type { Db } from '../store/sqlite/db.ts';
import type { JournalReader, Observer } from '../bridge/ports.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

/** What a bridge reports about itself. */
interface Watched extends BridgeFacts {
  readonly connection: () => ReturnType<BridgeFacts['connection']> &
    Parameters<typeof larkTrouble>[0];
  readonly hub: () => Parameters<typeof hubTrouble>[0];
  readonly hubUrl: string;
}

export interface Monitoring {
  /** Version of the program. */
  readonly version: string;
  readonly observer: Observer;
  /** For the port of the embedded hub. */
  readonly pages: Pages;
  report(): HealthReport;
  /** Address of the monitor server; undefined if only the embedded hub shows the pages. */
  readonly url: () => string | undefined;
  /** To be called when the bridge exists. Until then it counts as not ready. */
  watch(bridge: Watched): void;
  /** Starts before everything that is watched, and stops after it. */
  readonly first: readonly Service[];
  /** Starts when everything runs. */
  readonly last: Service;
}

interface MonitoringParts {
  readonly config: Config;
  readonly db: Db;
  /** The bot's journal; undefined for a hub alone. */
  readonly journal: JournalReader | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const NOT_YET = { state: 'stopped', lastError: undefined } as const;
const NOT_ASKED = { reachable: false, detail: 'not asked yet' } as const;

export function createMonitoring(parts: MonitoringParts): Monitoring {
  const { config, clock, log } = parts;
  const { version } = packageFacts();
  let watched: Watched | undefined;
  const checks = createChecks(parts, () => watched);
  const health = new Health({ checks, clock, log });
  const traces = createTraces(parts, version);
  const meter = new Meter((turn) => traces?.sendIfDone(turn));
  const metrics = createMetrics(
    {
      version,
      databasePath: config.dbPath,
      meter,
      health: () => health.report(),
      bridge: () => watched,
      clock,
    },
    log,
  );
  const pages = createMonitorPages(health, metrics);
  const { healthAddress: address } = config;
  const server = address === undefined ? undefined : new MonitorServer({ address, pages, log });
  const { '/metrics': _onMonitorServer, ...withoutMetrics } = pages;
  return {
    version,
    observer: meter,
    pages: server === undefined ? pages : withoutMetrics,
    report: () => health.report(),
    url: () => server?.url,
    watch: (bridge) => {
      watched = bridge;
    },
    first: [traces, server].filter((service) => service !== undefined),
    last: health,
  };
}

function createChecks(
  { db, journal }: MonitoringParts,
  watched: () => Watched | undefined,
): HealthChecks {
  const storage = () => storageTrouble(db.trouble());
  if (journal === undefined) return { storage };
  return {
    storage,
    lark_connection: () => larkTrouble(watched()?.connection() ?? NOT_YET),
    hub: () => hubTrouble(watched()?.hub() ?? NOT_ASKED, watched()?.hubUrl ?? 'its address'),
  };
}

function createTraces(
  { config, journal, clock, log }: MonitoringParts,
  version: string,
): Traces | undefined {
  const { otlpEndpoint: endpoint } = config;
  if (endpoint === undefined || journal === undefined) return undefined;
  const life = (turn: TurnId) => journal.life(turn);
  return new Traces({ endpoint, version, life, clock, log });
}

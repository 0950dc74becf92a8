/** The parts that watch the others: health, metrics, traces, and the pages that show them. */
import { existsSync } from 'node:fs';
import type { Config, Environment } from '../config/load.ts';
import type { TurnId } from '../core/ids.ts';
import { Secret } from '../core/secret.ts';
import type { Service } from '../time/service.ts';
import type { Pages } from '../net/pages.ts';
import {
  agentTrouble,
  hubTrouble,
  larkTrouble,
  lostDataTrouble,
  lossTrouble,
  openFilesTrouble,
  storageTrouble,
} from '../observe/health/health-checks.ts';
import { Health, type HealthChecks, type HealthReport } from '../observe/health/health.ts';
import type { AgentMeter } from '../observe/metrics/agent-meter.ts';
import { Meter } from '../observe/metrics/meter.ts';
import type { BridgeFacts } from '../observe/metrics/metric-table.ts';
import { Metrics } from '../observe/metrics/metrics.ts';
import { createMonitorPages } from '../observe/monitor-pages.ts';
import { MonitorServer } from '../observe/monitor-server.ts';
import { monitorMustBeProtected } from './hub-protection.ts';
import { whyNoFileOpens } from '../host/open-files.ts';
import { installedVersion, packageFacts } from '../host/package.ts';
import { UpgradeWatch } from '../host/upgrade-watch.ts';
import { Traces } from '../observe/traces/traces.ts';
import type { Db } from '../store/sqlite/db.ts';
import { setAsideOf } from '../store/sqlite/recovery.ts';
import type { JournalReader } from '../bridge/ports/journal-reader.ts';
import type { Observer } from '../bridge/ports/observer.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

/** What a bridge reports about itself. */
interface Watched extends BridgeFacts {
  readonly connection: () => ReturnType<BridgeFacts['connection']> &
    Parameters<typeof larkTrouble>[0];
  readonly hub: () => Parameters<typeof hubTrouble>[0];
  readonly hubUrl: string;
  /** The agent that gets the turns, or another one with turns, if nobody serves it. */
  readonly unserved?: (() => Parameters<typeof agentTrouble>[0]) | undefined;
}

interface MonitoringParts {
  readonly config: Config;
  readonly env: Environment;
  readonly db: Db;
  /** The bot's journal; undefined for a hub alone. */
  readonly journal: JournalReader | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const HEADER_VARIABLES = [
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
] as const;

const NOT_YET = { state: 'stopped', lastError: undefined } as const;
const NOT_ASKED = { reachable: false, detail: 'not asked yet' } as const;

export class Monitoring {
  /** Version of the program. */
  readonly version = packageFacts().version;
  readonly observer: Observer;
  /** Counts what agents that live on between turns do. */
  readonly agents: AgentMeter;
  /** For the port of the embedded hub. */
  readonly pages: Pages;
  /** Start before everything that is watched, and stop after it. */
  readonly first: readonly Service[];
  /** Starts when everything else runs. */
  readonly last: Service;
  readonly #health: Health;
  readonly #server: MonitorServer | undefined;
  #watched: Watched | undefined;

  constructor(parts: MonitoringParts) {
    const { config, clock, log } = parts;
    const { version } = this;
    const checks = createChecks(parts, () => this.#watched);
    const upgrades = new UpgradeWatch({ version, installed: installedVersion, clock, log });
    this.#health = new Health({ checks, upgraded: () => upgrades.note(), clock, log });
    const traces = createTraces(parts, version);
    const meter = new Meter((turn) => traces?.sendIfDone(turn));
    const metrics = new Metrics(
      {
        version,
        databasePath: config.dbPath,
        meter,
        health: () => this.report(),
        bridge: () => this.#watched,
        clock,
      },
      log,
    );
    const pages = createMonitorPages(this.#health, metrics);
    monitorMustBeProtected(config);
    const { healthAddress: address, hubNames: names = [], corsOrigin } = config;
    this.#server =
      address === undefined
        ? undefined
        : new MonitorServer({ address, names, corsOrigin, pages, clock, log });
    const { '/metrics': _onMonitorServer, ...withoutMetrics } = pages;
    this.pages = this.#server === undefined ? pages : withoutMetrics;
    this.observer = meter;
    this.agents = meter.agents;
    this.first = [upgrades, metrics, traces, this.#server].filter(
      (service) => service !== undefined,
    );
    this.last = this.#health;
  }

  report(): HealthReport {
    return this.#health.report();
  }

  /** Resolves when the process is ready for the first time. */
  get becameReady(): Promise<void> {
    return this.#health.becameReady;
  }

  /** Address of the monitor server; undefined if only the embedded hub shows the pages. */
  url(): string | undefined {
    return this.#server?.url;
  }

  /** To be called when the bridge exists. Until then it counts as not ready. */
  watch(bridge: Watched): void {
    this.#watched = bridge;
  }
}

function createChecks(
  { config, db, journal }: MonitoringParts,
  watched: () => Watched | undefined,
): HealthChecks {
  const storage = () =>
    lossTrouble(db.lost()) ?? storageTrouble(db.trouble()) ?? openFilesTrouble(whyNoFileOpens());
  // Only an opening of the database sets it aside, and this process has opened it.
  const setAside = setAsideOf(config.dbPath);
  const lost_data = () => lostDataTrouble(setAside.find((path) => existsSync(path)));
  if (journal === undefined) return { storage, lost_data };
  return {
    storage,
    lost_data,
    lark_connection: () => larkTrouble(watched()?.connection() ?? NOT_YET),
    hub: () => hubTrouble(watched()?.hub() ?? NOT_ASKED, watched()?.hubUrl ?? 'its address'),
    agent: () => agentTrouble(watched()?.unserved?.()),
  };
}

function createTraces(
  { config, env, journal, clock, log }: MonitoringParts,
  version: string,
): Traces | undefined {
  const { otlpEndpoint: endpoint } = config;
  if (endpoint === undefined || journal === undefined) return undefined;
  const life = (turn: TurnId) => journal.life(turn);
  // Not from the environment of the process: the secrets in it are gone by now.
  const headers = HEADER_VARIABLES.flatMap((name) => {
    const value = env[name] ?? '';
    return value === '' ? [] : [new Secret(value)];
  });
  return new Traces({ endpoint, version, headers, life, clock, log });
}

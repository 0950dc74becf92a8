/** The text of all metrics for Prometheus. Only this file uses prom-client. */
import type { Metric, Registry } from 'prom-client';
import { errorText } from '../../core/errors.ts';
import { EventLoopGauge } from './event-loop.ts';
import { METRICS, type MetricRow, type MetricSources, type Sample } from './metric-table.ts';
import type { Log } from '../../core/log.ts';
import type { Service } from '../../time/service.ts';

interface MetricsText {
  readonly contentType: string;
  readonly body: string;
}

/** To write all of them costs some milliseconds. However often they are asked for, it is not done more often. */
const TEXT_EVERY_MS = 500;

export class Metrics implements Service {
  readonly name = 'metrics';
  readonly #sources: Omit<MetricSources, 'eventLoop'>;
  readonly #log: Log;
  #registry: Promise<Registry> | undefined;
  #latest: { readonly atMs: number; readonly text: Promise<MetricsText> } | undefined;

  constructor(sources: Omit<MetricSources, 'eventLoop'>, log: Log) {
    this.#sources = sources;
    this.#log = log;
  }

  /** Loads prom-client. The first read may come after an upgrade, which has replaced its files by then. */
  async start(): Promise<void> {
    await loadClient();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  text(): Promise<MetricsText> {
    const atMs = this.#sources.clock.nowMs();
    const sinceMs = atMs - (this.#latest?.atMs ?? -Infinity);
    // The clock may have been set back.
    if (this.#latest === undefined || sinceMs >= TEXT_EVERY_MS || sinceMs < 0) {
      this.#latest = { atMs, text: this.#write() };
    }
    return this.#latest.text;
  }

  async #write(): Promise<MetricsText> {
    this.#registry ??= this.#load();
    const registry = await this.#registry;
    return { contentType: registry.contentType, body: await registry.metrics() };
  }

  async #load(): Promise<Registry> {
    const { Registry, collectDefaultMetrics } = await loadClient();
    const registry = new Registry();
    // Not shared with the status: each read starts a new measurement.
    const sources = { ...this.#sources, eventLoop: new EventLoopGauge() };
    for (const row of METRICS) registry.registerMetric(metricOf(row, sources, this.#log));
    collectDefaultMetrics({ register: registry });
    return registry;
  }
}

function loadClient() {
  return import('prom-client');
}

/** A row in the form that the registry needs. Values are read when somebody asks, and are not stored. */
function metricOf({ name, type, help, read }: MetricRow, sources: MetricSources, log: Log): Metric {
  const get = () => {
    const values = readable(name, () => read(sources), log).map(
      ({ value, labels = {}, suffix = '' }) => ({ value, labels, metricName: name + suffix }),
    );
    return Promise.resolve({ name, help, type, values });
  };
  return { name, get } as unknown as Metric;
}

/** A metric that fails must not hide the others. They are needed most while something is wrong. */
function readable(metric: string, read: () => readonly Sample[], log: Log): readonly Sample[] {
  try {
    return read();
  } catch (error) {
    log.error('metric_not_read', { metric, error: errorText(error) });
    return [];
  }
}

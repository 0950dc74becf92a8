/** The text of all metrics for Prometheus. The only file that knows prom-client. */
import type { Metric, Registry } from 'prom-client';
import { errorText } from '../../core/errors.ts';
import { EventLoopGauge } from './event-loop.ts';
import { METRICS, type MetricRow, type MetricSources, type Sample } from './metric-table.ts';
import type { Log } from '../../core/log.ts';

export interface Metrics {
  /** The first call loads what it takes. */
  text(): Promise<{ readonly contentType: string; readonly body: string }>;
}

export function createMetrics(sources: Omit<MetricSources, 'eventLoop'>, log: Log): Metrics {
  let loaded: Promise<Registry> | undefined;
  const load = async () => {
    const { Registry, collectDefaultMetrics } = await import('prom-client');
    const registry = new Registry();
    // Its own, because a look begins its time anew.
    const all = { ...sources, eventLoop: new EventLoopGauge() };
    for (const row of METRICS) registry.registerMetric(metricOf(row, all, log));
    collectDefaultMetrics({ register: registry });
    return registry;
  };
  return {
    async text() {
      loaded ??= load();
      const registry = await loaded;
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}

/** A row in the shape that a registry asks for: values are read when somebody looks, and kept nowhere. */
function metricOf({ name, type, help, read }: MetricRow, sources: MetricSources, log: Log): Metric {
  const get = () => {
    const values = readable(name, () => read(sources), log).map(
      ({ value, labels = {}, suffix = '' }) => ({ value, labels, metricName: name + suffix }),
    );
    return Promise.resolve({ name, help, type, values });
  };
  return { name, get } as unknown as Metric;
}

/** One part that can't be asked must not hide the others, least of all while something is wrong. */
function readable(metric: string, read: () => readonly Sample[], log: Log): readonly Sample[] {
  try {
    return read();
  } catch (error) {
    log.error('metric_unreadable', { metric, error: errorText(error) });
    return [];
  }
}

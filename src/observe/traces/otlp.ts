/** Spans over OTLP/HTTP. Only this file uses OpenTelemetry, which may not be installed. */
import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import type { SpanPlan, TracePlan } from './spans.ts';
import type { Log } from '../../core/log.ts';
import type { Secret } from '../../core/secret.ts';

export interface TraceExporter {
  /** Queues it. It is sent soon, together with others. */
  send(plan: TracePlan): void;
  /** Sends what is queued. */
  close(): Promise<void>;
}

interface TraceExporterOptions {
  /** Base URL of the collector. */
  readonly endpoint: string;
  readonly version: string;
  /** Values of `OTEL_EXPORTER_OTLP_HEADERS` and the like. The later ones count. */
  readonly headers?: readonly Secret[];
  readonly log: Log;
}

/** The standard `OTEL_…` variables for headers, time limits, sampling and names are used too. */
export function createTraceExporter({
  endpoint,
  version,
  headers = [],
  log,
}: TraceExporterOptions): TraceExporter {
  const ours = { 'service.name': 'lark-bridge', 'service.version': version };
  const exporter = new OTLPTraceExporter({
    url: `${endpoint}/v1/traces`,
    headers: Object.assign({}, ...headers.map(headersIn)) as Record<string, string>,
  });
  const provider = new BasicTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes(ours))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(logOutages(exporter, endpoint, log))],
  });
  const tracer = provider.getTracer('lark-bridge', version);
  const begin = (plan: SpanPlan, kind: SpanKind, parent = ROOT_CONTEXT): Span => {
    const { name, attributes, error } = plan;
    const startTime = new Date(plan.startMs);
    const span = tracer.startSpan(name, { kind, startTime, attributes: { ...attributes } }, parent);
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
    return span;
  };
  return {
    send({ root, spans }) {
      const whole = begin(root, SpanKind.CONSUMER);
      const parent = trace.setSpan(ROOT_CONTEXT, whole);
      for (const plan of spans) {
        const kind = plan.outgoing === true ? SpanKind.CLIENT : SpanKind.INTERNAL;
        begin(plan, kind, parent).end(new Date(plan.endMs));
      }
      whole.end(new Date(root.endMs));
    },
    close: () => provider.shutdown(),
  };
}

/** As the package reads them, `name=value,…` with `%20` for what would be in the way. */
function headersIn(list: Secret): Record<string, string> {
  const pairs = list
    .reveal()
    .split(',')
    .filter((pair) => pair.includes('='));
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      return [decoded(pair.slice(0, at)), decoded(pair.slice(at + 1))];
    }),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    // A percent sign that begins no character.
    return text.trim();
  }
}

/** Logs once when the collector does not answer, and once when it answers again. */
function logOutages(exporter: SpanExporter, endpoint: string, log: Log): SpanExporter {
  let isDown = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.error !== undefined;
        if (failed && !isDown) {
          log.warn('traces_not_sent', { endpoint, error: result.error?.message });
        }
        if (!failed && isDown) log.info('traces_sent_again', { endpoint });
        isDown = failed;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}

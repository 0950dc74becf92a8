/** Sends a trace of each message to a collector, when all of it is over. */
import { errorText } from '../../core/errors.ts';
import type { TurnId } from '../../core/ids.ts';
import type { Service } from '../../core/service.ts';
import type { TraceExporter } from './otlp.ts';
import { traceOfLife } from './spans.ts';
import type { TurnLife } from '../../bridge/ports.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

/** A stop waits no longer for a collector of traces. */
const TRACES_FLUSH_MS_MAX = 1_000;
/** Turns whose trace was sent; a row that ends later must not send it again. */
const TRACES_REMEMBERED = 1_000;

interface TracesOptions {
  /** Base URL of the collector. */
  readonly endpoint: string;
  readonly version: string;
  readonly life: (turn: TurnId) => Promise<TurnLife | undefined>;
  readonly clock: Clock;
  readonly log: Log;
}

/** They are many megabytes, which most bots have no use for. */
const PACKAGES =
  '@opentelemetry/api@1.9 @opentelemetry/resources@2 @opentelemetry/sdk-trace-base@2 @opentelemetry/exporter-trace-otlp-http@0.223';

export class Traces implements Service {
  readonly name = 'traces';
  readonly #options: TracesOptions;
  readonly #working = new Set<Promise<void>>();
  /** Plans that were sent, oldest first. */
  readonly #sent = new Set<string>();
  #exporter: Promise<TraceExporter | undefined> | undefined;

  constructor(options: TracesOptions) {
    this.#options = options;
  }

  /** Nobody waits for the packages to load. */
  start(): Promise<void> {
    this.#exporter = loadExporter(this.#options);
    return Promise.resolve();
  }

  /** Something of this turn is over; perhaps all of it. */
  look(turn: TurnId): void {
    const work = this.#send(turn)
      .catch((error: unknown) => {
        // A trace is worth less than what it tells of.
        this.#options.log.error('trace_not_made', { turn, error: errorText(error) });
      })
      .finally(() => this.#working.delete(work));
    this.#working.add(work);
  }

  async stop(): Promise<void> {
    let cancel: (() => void) | undefined;
    const late = new Promise<void>((resolve) => {
      cancel = this.#options.clock.after(TRACES_FLUSH_MS_MAX, resolve);
    });
    await Promise.race([this.#flush(), late]);
    cancel?.();
  }

  async #flush(): Promise<void> {
    await Promise.all(this.#working);
    await (await this.#exporter)?.close();
  }

  async #send(turn: TurnId): Promise<void> {
    const exporter = await this.#exporter;
    if (exporter === undefined) return;
    const life = await this.#options.life(turn);
    const plan = life && traceOfLife(life);
    if (plan === undefined || this.#sent.has(plan.id)) return;
    this.#sent.add(plan.id);
    const [oldest] = this.#sent;
    if (this.#sent.size > TRACES_REMEMBERED && oldest !== undefined) this.#sent.delete(oldest);
    exporter.send(plan);
  }
}

async function loadExporter(options: TracesOptions): Promise<TraceExporter | undefined> {
  const { endpoint, log } = options;
  try {
    const { createTraceExporter } = await import('./otlp.ts');
    const exporter = createTraceExporter(options);
    log.info('traces_started', { endpoint });
    return exporter;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes('@opentelemetry/')) throw error;
    log.warn('traces_unavailable', {
      error: `the packages of OpenTelemetry are not installed (${message})`,
      next: `Beside lark-bridge run: npm install ${PACKAGES}; or unset OTEL_EXPORTER_OTLP_ENDPOINT.`,
    });
    return undefined;
  }
}

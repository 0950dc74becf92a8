/** Sends a trace of each message to a collector, when the message is done. */
import { errorText } from '../../core/errors.ts';
import type { TurnId } from '../../core/ids.ts';
import type { Service } from '../../time/service.ts';
import type { TraceExporter } from './otlp.ts';
import { traceOfLife } from './spans.ts';
import type { TurnLife } from '../../bridge/ports/journal-reader.ts';
import type { Log } from '../../core/log.ts';
import type { Secret } from '../../core/secret.ts';
import type { Clock } from '../../time/clock.ts';
import { waitAtMost } from '../../time/wait.ts';

/** How long a stop waits for the collector. */
const TRACES_FLUSH_MS_MAX = 1_000;
/** How many sent traces are remembered, so that a row that ends later does not send them again. */
const TRACES_REMEMBERED = 1_000;

interface TracesOptions {
  /** Base URL of the collector. */
  readonly endpoint: string;
  readonly version: string;
  /** Values of `OTEL_EXPORTER_OTLP_HEADERS` and the like. */
  readonly headers?: readonly Secret[];
  readonly life: (turn: TurnId) => Promise<TurnLife | undefined>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Not installed by default: they are many megabytes, and most bots do not use them. */
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

  /** Does not wait until the packages are loaded. */
  start(): Promise<void> {
    this.#exporter = loadExporter(this.#options);
    return Promise.resolve();
  }

  /** Something of this turn has ended. If all of it has ended, its trace is sent. */
  sendIfDone(turn: TurnId): void {
    const work = this.#send(turn)
      .catch((error: unknown) => {
        // A trace that fails must not disturb the bridge.
        this.#options.log.error('trace_not_created', { turn, error: errorText(error) });
      })
      .finally(() => this.#working.delete(work));
    this.#working.add(work);
  }

  async stop(): Promise<void> {
    await waitAtMost(this.#options.clock, this.#flush(), TRACES_FLUSH_MS_MAX);
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
    log.warn('traces_not_started', {
      error: `the packages of OpenTelemetry are not installed (${message})`,
      next: `In the folder of lark-bridge run: npm install ${PACKAGES}. Or unset OTEL_EXPORTER_OTLP_ENDPOINT.`,
    });
    return undefined;
  }
}

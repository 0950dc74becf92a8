import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;
const NS_PER_MS = 1e6;

/** The delay of the event loop in milliseconds: the longest and the 99th percentile since the last call of `read`. */
export class EventLoopGauge {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#histogram.enable();
  }

  /** Each call starts a new measurement. */
  read(): { readonly p99_ms: number; readonly max_ms: number } {
    const { max } = this.#histogram;
    const p99 = this.#histogram.percentile(99);
    this.#histogram.reset();
    return { p99_ms: delayMs(p99), max_ms: delayMs(max) };
  }

  close(): void {
    this.#histogram.disable();
  }
}

/** The histogram contains the whole time between two ticks of its timer. */
function delayMs(nanoseconds: number): number {
  const delay = nanoseconds / NS_PER_MS - RESOLUTION_MS;
  return Number.isFinite(delay) ? Math.max(0, Math.round(delay * 10) / 10) : 0;
}

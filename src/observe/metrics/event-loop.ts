import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;
const NS_PER_MS = 1e6;

/** How late the event loop is: the longest and the 99th percentile since the last look, in milliseconds. */
export class EventLoopGauge {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#histogram.enable();
  }

  /** Begins anew with every call. */
  read(): { readonly p99_ms: number; readonly max_ms: number } {
    const { max } = this.#histogram;
    const p99 = this.#histogram.percentile(99);
    this.#histogram.reset();
    return { p99_ms: lateness(p99), max_ms: lateness(max) };
  }

  close(): void {
    this.#histogram.disable();
  }
}

/** The histogram holds the whole time between two ticks of its timer. */
function lateness(nanoseconds: number): number {
  const late = nanoseconds / NS_PER_MS - RESOLUTION_MS;
  return Number.isFinite(late) ? Math.max(0, Math.round(late * 10) / 10) : 0;
}

/** Tells systemd how the process is (sd_notify). */
import type { Service } from '../time/service.ts';
import { repeating } from '../time/repeat.ts';
import type { HealthReport, ProblemCode } from '../observe/health/health.ts';
import { type SystemdWords, wordsTo } from './notify-words.ts';
import type { Environment } from './program.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

/** Where each message costs a process there should be few. A short watchdog may need more of them. */
const NOTIFY_EVERY_MS_MAX = 20_000;
const NOTIFY_EVERY_MS_MIN = 1_000;
/** If the database can't be written for this long, opening it again may help. A lock ends sooner. */
const WATCHDOG_STORAGE_DOWN_MS_MAX = 60_000;
/**
 * Lark and networks can be down for hours. A restart does not end that, and it ends the agents at work.
 * After this time the bridge itself may be the cause, and a restart twice an hour does little harm.
 */
const WATCHDOG_CONNECTION_DOWN_MS_MAX = 30 * 60_000;

interface NotifierOptions {
  /** systemd puts the socket and the watchdog's period there. */
  readonly env: Environment;
  readonly pid: number;
  readonly report: () => HealthReport;
  readonly clock: Clock;
  readonly log: Log;
}

/** Messages to the watchdog in one of its periods, so that two of them may be lost. */
const MESSAGES_PER_PERIOD = 3;

/** How long each problem may last before a restart is worth its cost: it ends the agents at work. */
const PATIENCE_MS: { readonly [Code in ProblemCode]?: number } = {
  storage: WATCHDOG_STORAGE_DOWN_MS_MAX,
  lark_connection: WATCHDOG_CONNECTION_DOWN_MS_MAX,
};

/** False when only a new process can help. If the event loop hangs, nobody asks, and systemd sees the silence. */
export function isWorthKeeping(report: HealthReport, nowMs: number): boolean {
  if (!report.live) return false;
  return report.problems.every(({ code, since }) => {
    const patienceMs = PATIENCE_MS[code];
    return patienceMs === undefined || nowMs - Date.parse(since) < patienceMs;
  });
}

/** Does nothing without NOTIFY_SOCKET in the environment. */
export class Notifier implements Service {
  readonly name = 'notify';
  readonly #options: NotifierOptions;
  /** Undefined if systemd wants none. */
  readonly #words: SystemdWords | undefined;
  readonly #hasWatchdog: boolean;
  readonly #rounds: Service;
  /** The status that systemd has. */
  #sentStatus = '';
  #isFailing = false;

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#words = wordsTo(options);
    const periodMs = watchdogPeriodMs(options);
    this.#hasWatchdog = periodMs !== undefined;
    const { clock, log } = options;
    this.#rounds = repeating({
      name: this.name,
      everyMs: notifyEveryMs(periodMs),
      work: () => this.#notify(),
      clock,
      log,
    });
  }

  async start(): Promise<void> {
    if (this.#words === undefined) return;
    await this.#send(['READY=1', ...this.#changedStatus()]);
    await this.#rounds.start();
  }

  async stop(): Promise<void> {
    await this.#rounds.stop();
    await this.#send(['STOPPING=1']);
  }

  async #notify(): Promise<void> {
    const { report, clock } = this.#options;
    const lines = this.#changedStatus();
    const isGood = isWorthKeeping(report(), clock.nowMs());
    if (this.#hasWatchdog && isGood) lines.unshift('WATCHDOG=1');
    if (lines.length > 0) await this.#send(lines);
  }

  /** The status, if systemd has another one. */
  #changedStatus(): string[] {
    const { ready, problems } = this.#options.report();
    const text = problems.map((problem) => problem.text.replaceAll(/\s+/g, ' ')).join(' ');
    const status = `STATUS=${ready ? 'Takes and answers messages.' : text}`;
    if (status === this.#sentStatus) return [];
    this.#sentStatus = status;
    return [status];
  }

  async #send(lines: readonly string[]): Promise<void> {
    const words = this.#words;
    if (words === undefined) return;
    const error = await words.send(lines);
    const failed = error !== undefined;
    if (failed && !this.#isFailing) {
      this.#options.log.warn('notify_failed', { way: words.way, error });
    }
    this.#isFailing = failed;
    // The next round sends the status again.
    if (failed) this.#sentStatus = '';
  }
}

function notifyEveryMs(periodMs = Infinity): number {
  const wantedMs = periodMs / MESSAGES_PER_PERIOD;
  return Math.min(Math.max(wantedMs, NOTIFY_EVERY_MS_MIN), NOTIFY_EVERY_MS_MAX);
}

/** Undefined if there is no watchdog, or if it watches another process. */
function watchdogPeriodMs({ env, pid }: NotifierOptions): number | undefined {
  const periodUs = Number(env['WATCHDOG_USEC'] ?? '');
  const isOurs = (env['WATCHDOG_PID'] ?? '') === '' || env['WATCHDOG_PID'] === String(pid);
  return isOurs && Number.isSafeInteger(periodUs) && periodUs > 0 ? periodUs / 1000 : undefined;
}

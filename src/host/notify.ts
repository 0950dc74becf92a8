/** Tells systemd how the process is (sd_notify). */
import type { Service } from '../core/service.ts';
import { repeating } from '../time/repeat.ts';
import type { HealthReport, ProblemCode } from '../observe/health/health.ts';
import { type Environment, runProgram } from './program.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

/** Each message to systemd costs a process, so there are few. A short watchdog may need more of them. */
const NOTIFY_EVERY_MS_MAX = 20_000;
const NOTIFY_EVERY_MS_MIN = 1_000;
/** systemd takes a message within milliseconds, unless it is busy with all of its units. */
const NOTIFY_TIMEOUT_MS = 3_000;
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

/**
 * Does nothing without NOTIFY_SOCKET in the environment. Node can't send datagrams to such a socket, so
 * systemd's own program `systemd-notify` sends them.
 */
export class Notifier implements Service {
  readonly name = 'notify';
  readonly #options: NotifierOptions;
  readonly #isWanted: boolean;
  readonly #hasWatchdog: boolean;
  readonly #rounds: Service;
  /** The status that systemd has. */
  #sentStatus = '';
  #isFailing = false;

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#isWanted = (options.env['NOTIFY_SOCKET'] ?? '') !== '';
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
    if (!this.#isWanted) return;
    await this.#send(['READY=1', ...this.#changedStatus()]);
    await this.#rounds.start();
  }

  async stop(): Promise<void> {
    await this.#rounds.stop();
    if (this.#isWanted) await this.#send(['STOPPING=1']);
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
    const { env, log } = this.#options;
    const result = await runProgram('systemd-notify', lines, {
      // It needs no more, and must get no secrets.
      env: { PATH: env['PATH'], NOTIFY_SOCKET: env['NOTIFY_SOCKET'] },
      timeoutMs: NOTIFY_TIMEOUT_MS,
    });
    const failed = result.kind !== 'ended' || result.code !== 0;
    if (failed && !this.#isFailing) {
      const error = result.kind === 'ended' ? result.errors.trim() : result.kind;
      log.warn('notify_failed', { program: 'systemd-notify', error });
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

/** Tells systemd how the process is (sd_notify). */
import type { Service } from '../core/service.ts';
import { Rounds } from '../time/repeat.ts';
import type { HealthReport, ProblemCode } from '../observe/health/health.ts';
import { type Environment, runProgram } from './program.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

/** Each word to systemd costs a process, so there are few; a short watchdog may want more of them. */
const NOTIFY_EVERY_MS_MAX = 20_000;
const NOTIFY_EVERY_MS_MIN = 1_000;
/** systemd takes a word within milliseconds, unless it is busy with all of its units. */
const NOTIFY_TIMEOUT_MS = 3_000;
/** A database that can't be written for this long may be helped by opening it anew; a lock passes sooner. */
const WATCHDOG_STORAGE_DOWN_MS_MAX = 60_000;
/**
 * Lark and networks have outages of hours, which no restart ends, and a restart ends the agents at work.
 * Past this it may be ourselves who are stuck, and a restart twice an hour does little harm.
 */
const WATCHDOG_LINE_DOWN_MS_MAX = 30 * 60_000;

export interface NotifierOptions {
  /** Where systemd says whom to tell, and how often. */
  readonly env: Environment;
  readonly pid: number;
  readonly report: () => HealthReport;
  readonly clock: Clock;
  readonly log: Log;
}

/** A beat of the watchdog has to arrive in this part of its period, so that two may be lost. */
const BEATS_PER_PERIOD = 3;

/** How long a part may be unwell before a restart is worth what it costs: it ends the agents at work. */
const PATIENCE_MS: { readonly [Code in ProblemCode]?: number } = {
  storage: WATCHDOG_STORAGE_DOWN_MS_MAX,
  lark_connection: WATCHDOG_LINE_DOWN_MS_MAX,
};

/** False when only a new process could help. An event loop that hangs asks nobody, and is found out by that. */
export function isWorthKeeping(report: HealthReport, nowMs: number): boolean {
  if (!report.live) return false;
  return report.problems.every(({ code, since }) => {
    const patienceMs = PATIENCE_MS[code];
    return patienceMs === undefined || nowMs - Date.parse(since) < patienceMs;
  });
}

/**
 * Without a NOTIFY_SOCKET in the environment it does nothing. Node can't send datagrams to such a socket,
 * so systemd's own `systemd-notify` does, seldom: each word costs a process.
 */
export class Notifier implements Service {
  readonly name = 'notify';
  readonly #options: NotifierOptions;
  readonly #isWanted: boolean;
  readonly #periodMs: number | undefined;
  readonly #rounds: Rounds;
  #told = '';
  #failing = false;

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#isWanted = (options.env['NOTIFY_SOCKET'] ?? '') !== '';
    this.#periodMs = watchdogPeriodMs(options);
    this.#rounds = new Rounds(options.clock, async () => {
      await this.#beat();
      return this.#everyMs;
    });
  }

  async start(): Promise<void> {
    if (!this.#isWanted) return;
    await this.#tell(['READY=1', ...this.#news()]);
    this.#rounds.start(this.#everyMs);
  }

  async stop(): Promise<void> {
    await this.#rounds.stop();
    if (this.#isWanted) await this.#tell(['STOPPING=1']);
  }

  get #everyMs(): number {
    const wantedMs = (this.#periodMs ?? Infinity) / BEATS_PER_PERIOD;
    return Math.min(Math.max(wantedMs, NOTIFY_EVERY_MS_MIN), NOTIFY_EVERY_MS_MAX);
  }

  async #beat(): Promise<void> {
    const { report, clock } = this.#options;
    const words = this.#news();
    const isGood = isWorthKeeping(report(), clock.nowMs());
    if (this.#periodMs !== undefined && isGood) words.unshift('WATCHDOG=1');
    if (words.length > 0) await this.#tell(words);
  }

  /** The status, if it is another one than systemd knows. */
  #news(): string[] {
    const { ready, problems } = this.#options.report();
    const text = problems.map((problem) => problem.text.replaceAll(/\s+/g, ' ')).join(' ');
    const status = `STATUS=${ready ? 'Takes and answers messages.' : text}`;
    if (status === this.#told) return [];
    this.#told = status;
    return [status];
  }

  async #tell(words: readonly string[]): Promise<void> {
    const { env, log } = this.#options;
    const result = await runProgram('systemd-notify', words, {
      // It needs no more, and least of all secrets.
      env: { PATH: env['PATH'], NOTIFY_SOCKET: env['NOTIFY_SOCKET'] },
      timeoutMs: NOTIFY_TIMEOUT_MS,
    });
    const failed = result.kind !== 'ended' || result.code !== 0;
    if (failed && !this.#failing) {
      const error = result.kind === 'ended' ? result.errors.trim() : result.kind;
      log.warn('notify_failed', { program: 'systemd-notify', error });
    }
    this.#failing = failed;
    // What was not heard is told again with the next beat.
    if (failed) this.#told = '';
  }
}

/** Undefined if nobody watches, or if the watch is for another process. */
function watchdogPeriodMs({ env, pid }: NotifierOptions): number | undefined {
  const periodUs = Number(env['WATCHDOG_USEC'] ?? '');
  const isOurs = (env['WATCHDOG_PID'] ?? '') === '' || env['WATCHDOG_PID'] === String(pid);
  return isOurs && Number.isSafeInteger(periodUs) && periodUs > 0 ? periodUs / 1000 : undefined;
}

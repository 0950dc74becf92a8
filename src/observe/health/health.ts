/** How the process is: one verdict from the facts of its parts. */
import type { Service } from '../../core/service.ts';
import { Rounds } from '../../time/repeat.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

/** How soon a change of health is in the log. */
const HEALTH_LOOK_MS = 1_000;

/** What a process looks at in itself. */
export const PARTS = ['storage', 'lark_connection', 'hub'] as const;
export type PartName = (typeof PARTS)[number];
/** `process`: it is not there or does not answer, which only somebody beside it can find. */
export type ProblemCode = PartName | 'process';

export interface Problem {
  readonly code: ProblemCode;
  /** ISO 8601. */
  readonly since: string;
  /** What is wrong, and what to do about it; no ids of chats and no secrets. */
  readonly text: string;
}

export interface HealthReport {
  /** The event loop turns: true in everything that a process says about itself. */
  readonly live: boolean;
  /** Messages are taken and answered: nothing stands in `problems`. */
  readonly ready: boolean;
  readonly problems: readonly Problem[];
}

/** Why a part can't do its work; `undefined` from a check means that it can. */
export interface Trouble {
  readonly text: string;
  /** Known to the part; otherwise the time at which the trouble was first seen counts. */
  readonly sinceMs?: number;
}

export type HealthChecks = { readonly [Name in PartName]?: () => Trouble | undefined };

export interface HealthOptions {
  /** The parts that the process has. Asked often, so they answer from what they know. */
  readonly checks: HealthChecks;
  readonly clock: Clock;
  readonly log: Log;
}

/** Looks every second, so that a change is in the log when it happens and not when somebody asks. */
export class Health implements Service {
  readonly name = 'health';
  readonly #options: HealthOptions;
  readonly #rounds: Rounds;
  readonly #sinceMs = new Map<PartName, number>();
  #logged: string | undefined;

  constructor(options: HealthOptions) {
    this.#options = options;
    this.#rounds = new Rounds(options.clock, () => {
      this.#look();
      return Promise.resolve(HEALTH_LOOK_MS);
    });
  }

  start(): Promise<void> {
    this.#look();
    this.#rounds.start(HEALTH_LOOK_MS);
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    await this.#rounds.stop();
  }

  report(): HealthReport {
    const problems = PARTS.flatMap((code) => this.#problemOf(code));
    return { live: true, ready: problems.length === 0, problems };
  }

  #problemOf(code: PartName): Problem[] {
    const trouble = this.#options.checks[code]?.();
    if (trouble === undefined) {
      this.#sinceMs.delete(code);
      return [];
    }
    const sinceMs = trouble.sinceMs ?? this.#sinceMs.get(code) ?? this.#options.clock.nowMs();
    this.#sinceMs.set(code, sinceMs);
    return [{ code, since: new Date(sinceMs).toISOString(), text: trouble.text }];
  }

  #look(): void {
    const { ready, problems } = this.report();
    const codes = problems.map(({ code }) => code).join(' ');
    if (codes === this.#logged) return;
    this.#logged = codes;
    const { log } = this.#options;
    if (ready) log.info('health_changed', { ready });
    else log.warn('health_changed', { ready, problems: codes, text: problems[0]?.text });
  }
}

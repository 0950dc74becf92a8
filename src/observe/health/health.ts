/** The health of the process: one verdict from the facts of its parts. */
import { isObject } from '../../core/json-object.ts';
import type { Service } from '../../time/service.ts';
import { repeating } from '../../time/repeat.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

/** How soon a change of health is in the log. */
const CHECK_EVERY_MS = 1_000;

/** The parts that a process checks in itself. */
export const PARTS = ['storage', 'lost_data', 'lark_connection', 'hub', 'agent'] as const;
type PartName = (typeof PARTS)[number];
/** `process`: it is not there or does not answer. Only another process can find that. */
export type ProblemCode = PartName | 'process';

interface Problem<Since = string> {
  readonly code: ProblemCode;
  /** ISO 8601. */
  readonly since: Since;
  /** What is wrong, and what to do about it; no ids of chats and no secrets. */
  readonly text: string;
}

/** What somebody should know although all is well. */
interface Note {
  /** `upgraded`: a newer version was installed, and this process still runs the one before it. */
  readonly code: 'upgraded';
  readonly text: string;
}

export interface HealthReport<Since = string> {
  /** The event loop runs. Always true in what a process says about itself. */
  readonly live: boolean;
  /** Messages are taken and answered: `problems` is empty. */
  readonly ready: boolean;
  readonly problems: readonly Problem<Since>[];
  readonly notes: readonly Note[];
}

/** What another process finds. It does not always know since when a problem is there. */
export type FoundHealth = HealthReport<string | null>;

/** Why a part can't do its work; `undefined` from a check means that it can. */
export interface Trouble {
  readonly text: string;
  /** Set if the part knows it. Otherwise the time at which the trouble was first seen is used. */
  readonly sinceMs?: number;
}

export type HealthChecks = { readonly [Name in PartName]?: () => Trouble | undefined };

interface HealthOptions {
  /** The parts that the process has. They are asked often, so they answer from memory. */
  readonly checks: HealthChecks;
  /** What to do about an upgrade of the program, if there was one. */
  readonly upgraded?: () => string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** Checks every second, so that a change is in the log when it happens and not when somebody asks. */
export class Health implements Service {
  readonly name = 'health';
  /** Resolves when the process is ready for the first time. */
  readonly becameReady: Promise<void>;
  readonly #options: HealthOptions;
  readonly #rounds: Service;
  readonly #sinceMs = new Map<PartName, number>();
  #logged: string | undefined;
  #tellReady: () => void = () => {};

  constructor(options: HealthOptions) {
    this.#options = options;
    this.becameReady = new Promise((resolve) => {
      this.#tellReady = resolve;
    });
    const { clock, log } = options;
    this.#rounds = repeating({
      name: this.name,
      everyMs: CHECK_EVERY_MS,
      work: () => this.#check(),
      clock,
      log,
    });
  }

  start(): Promise<void> {
    this.#check();
    return this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  report(): HealthReport {
    const problems = PARTS.flatMap((code) => this.#problemOf(code));
    const upgraded = this.#options.upgraded?.();
    const notes = upgraded === undefined ? [] : [{ code: 'upgraded', text: upgraded } as const];
    return { live: true, ready: problems.length === 0, problems, notes };
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

  #check(): void {
    const { ready, problems } = this.report();
    const codes = problems.map(({ code }) => code).join(' ');
    if (codes === this.#logged) return;
    this.#logged = codes;
    const { log } = this.#options;
    if (ready) {
      log.info('health_changed', { ready });
      this.#tellReady();
    } else log.warn('health_changed', { ready, problems: codes, text: problems[0]?.text });
  }
}

/** Undefined for anything that is not a report: another version wrote it, or another program answered. */
export function parseHealthReport(raw: unknown): HealthReport | undefined {
  if (!isObject(raw)) return undefined;
  const { live, ready, problems, notes = [] } = raw;
  if (typeof live !== 'boolean' || typeof ready !== 'boolean' || !Array.isArray(problems)) {
    return undefined;
  }
  const known = Array.isArray(notes) ? notes.filter(isNote) : [];
  return { live, ready, problems: problems.filter(isProblem), notes: known };
}

function isNote(raw: unknown): raw is Note {
  return isObject(raw) && raw['code'] === 'upgraded' && typeof raw['text'] === 'string';
}

function isProblem(raw: unknown): raw is Problem {
  if (!isObject(raw)) return false;
  const { code, since, text } = raw;
  return (
    PARTS.some((part) => part === code) && typeof since === 'string' && typeof text === 'string'
  );
}

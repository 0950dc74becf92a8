/** What a running daemon writes about itself every few seconds: the type, its writer and its reader. */
import { BRANDS, type Brand } from '../core/brand.ts';
import { appId, openId, type AppId, type OpenId } from '../core/ids.ts';
import { asObject } from '../core/json-object.ts';
import { parseJsonObject } from '../files/json-text.ts';
import type { Service } from '../time/service.ts';
import { type HealthReport, parseHealthReport } from '../observe/health/health.ts';
import { attempt, repeating } from '../time/repeat.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

/** When a process is killed, the latest status says to these seconds when it stopped. */
const WRITE_EVERY_MS = 5_000;

export interface DaemonStatus {
  readonly version: string;
  /** When the process started, in ISO 8601. */
  readonly started_at: string;
  readonly app_id: AppId;
  readonly brand: Brand;
  readonly bot_open_id: OpenId | null;
  readonly hub_url: string;
  /** Where the process itself answers; undefined if it has no such address. */
  readonly health_url: string | undefined;
  readonly health: HealthReport;
  readonly connection: {
    readonly state: string;
    /** Since when it is in this state. */
    readonly sinceMs?: number | undefined;
    readonly lastEventAtMs?: number | undefined;
  };
  readonly events: {
    /** When an event of each type came from Lark last. */
    readonly seenAtMs?: Readonly<Record<string, number>>;
  };
  /** This and what follows is only shown. */
  readonly bridge: object;
  readonly calls_this_month: object;
  readonly event_loop_delay: object;
}

/** A status as it was read. A daemon of another version may have written fewer fields, or other ones. */
export type SavedStatus = { readonly [Name in keyof DaemonStatus]?: DaemonStatus[Name] };

// ---------------------------------------------------------------- writing

interface StatusWriterOptions {
  /** Saves the status; resolves when it is durable. */
  readonly save: (row: { pid: number; atMs: number; status: string }) => Promise<void>;
  readonly status: () => DaemonStatus;
  readonly clock: Clock;
  readonly log: Log;
}

/** Writes the status at the start, every few seconds, and at the stop. */
export class StatusWriter implements Service {
  readonly name = 'daemon_status';
  readonly #options: StatusWriterOptions;
  readonly #rounds: Service;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.#rounds = repeating({
      name: this.name,
      everyMs: WRITE_EVERY_MS,
      work: () => this.#write(),
      clock,
      log,
    });
  }

  async start(): Promise<void> {
    await this.#tryToWrite();
    await this.#rounds.start();
  }

  async stop(): Promise<void> {
    await this.#rounds.stop();
    await this.#tryToWrite();
  }

  /** A full disk must not keep the bridge from starting: its own writes report that. */
  #tryToWrite(): Promise<void> {
    return attempt(this.name, this.#options.log, () => this.#write());
  }

  #write(): Promise<void> {
    const { save, status, clock } = this.#options;
    return save({ pid: process.pid, atMs: clock.nowMs(), status: JSON.stringify(status()) });
  }
}

// ---------------------------------------------------------------- reading

type FieldReaders = {
  readonly [Name in keyof DaemonStatus]: (raw: unknown) => DaemonStatus[Name] | undefined;
};

const FIELDS: FieldReaders = {
  version: textIn,
  started_at: textIn,
  app_id: (raw) => (typeof raw === 'string' ? appId(raw) : undefined),
  brand: (raw) => BRANDS.find((brand) => brand === raw),
  bot_open_id: (raw) => (typeof raw === 'string' ? openId(raw) : raw === null ? raw : undefined),
  hub_url: textIn,
  health_url: textIn,
  health: parseHealthReport,
  connection: connectionIn,
  events: eventsIn,
  bridge: asObject,
  calls_this_month: asObject,
  event_loop_delay: asObject,
};

/** Leaves out every field that is missing or has another form. Never throws. */
export function parseDaemonStatus(text: string): SavedStatus {
  const raw = jsonObjectIn(text);
  const fields = Object.entries(FIELDS).flatMap(([name, read]) => {
    const value = read(raw[name]);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(fields);
}

function jsonObjectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    return parseJsonObject(text);
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

function textIn(raw: unknown): string | undefined {
  return typeof raw === 'string' ? raw : undefined;
}

function connectionIn(raw: unknown): DaemonStatus['connection'] | undefined {
  const fields = asObject(raw);
  if (fields === undefined) return undefined;
  const { state, sinceMs, lastEventAtMs, ...shown } = fields;
  if (typeof state !== 'string') return undefined;
  const times = Object.entries({ sinceMs, lastEventAtMs }).filter(([, at]) => at !== undefined);
  if (!times.every(([, at]) => typeof at === 'number')) return undefined;
  return { state, ...shown, ...Object.fromEntries(times) };
}

function eventsIn(raw: unknown): DaemonStatus['events'] | undefined {
  const { seenAtMs: rawTimes, ...shown } = asObject(raw) ?? {};
  const times = asObject(rawTimes);
  if (times === undefined) return asObject(raw) && shown;
  const seenAtMs = Object.entries(times).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  );
  return { ...shown, seenAtMs: Object.fromEntries(seenAtMs) };
}

/** What the next process can use of a status that an earlier process wrote. */
interface KnownBefore {
  readonly botOpenId: OpenId | undefined;
  /** When an event of each type came from Lark last. */
  readonly seenAtMs: Readonly<Record<string, number>>;
}

/** Undefined if the status is about another app. */
export function knownBefore(status: SavedStatus, app: AppId): KnownBefore | undefined {
  if (status.app_id !== app) return undefined;
  return {
    botOpenId: status.bot_open_id ?? undefined,
    seenAtMs: status.events?.seenAtMs ?? {},
  };
}

/** What can be seen and ordered from beside the daemon of a state directory. Only app.ts uses this. */
import { journalOf, type Setting } from './bridge-parts.ts';
import { tlsOf } from './hub-access.ts';
import { systemClock } from '../time/clock.ts';
import type { Config } from '../config/load.ts';
import { BridgeError } from '../core/errors.ts';
import { appId } from '../core/ids.ts';
import { lookAtHealth } from '../observe/health/health-look.ts';
import type { HealthReport } from '../observe/health/health.ts';
import { findInstance } from '../host/instance-lock.ts';
import { HttpClient } from '../net/http.ts';
import { DaemonTable } from '../store/sqlite/bridge/daemon.ts';
import { Db } from '../store/sqlite/db.ts';
import { tryFileLock } from '../store/sqlite/file-lock.ts';
import { programOutputOf } from '../store/sqlite/hub/items.ts';
import { platformMessageId } from '../bridge/outbox/keys.ts';
import type { ProgramOutput } from '../core/program-output.ts';
import type { JournalReader, OrderBook, TurnLife } from '../bridge/ports.ts';

/** How long `status` waits for the daemon's own word; a locked database holds that up for seconds. */
const HEALTH_ASK_TIMEOUT_MS = 3_000;
/** What the daemon says of its health is a few KB. */
const HEALTH_ANSWER_BYTES_MAX = 1024 * 1024;

const DAY_MS = 24 * 60 * 60 * 1000;

/** What is known about the daemon of a state directory, and about its work. */
export interface Status {
  readonly state_dir: string;
  readonly running: boolean;
  readonly pid: number | undefined;
  readonly alive_at: string | undefined;
  /** Asked of the daemon itself where that can be. */
  readonly health: HealthReport;
  readonly daemon: Readonly<Record<string, unknown>> | undefined;
  readonly counts:
    | {
        readonly waiting: number;
        readonly running: number;
        readonly held: number;
        readonly failed_last_day: number;
        readonly dead_letters: number;
      }
    | undefined;
}

/** Reads the daemon's latest sign of life, and asks it; `running` is proven by the lock it holds. */
export async function readStatus({ config }: Pick<Setting, 'config'>): Promise<Status> {
  const owner = findInstance(config.stateDir, tryFileLock);
  const { state, unreadable } = stateOrWhyNot(config);
  try {
    const sign = state?.sign;
    const nowMs = systemClock.nowMs();
    const counts = await state?.memory?.journal.counts(nowMs - DAY_MS);
    return {
      state_dir: config.stateDir,
      running: owner !== undefined,
      pid: owner?.pid,
      alive_at: sign && new Date(sign.atMs).toISOString(),
      health: await lookAtHealth({
        pid: owner?.pid,
        sign,
        unreadable,
        nowMs,
        ask: (url) => askJson(config, url),
      }),
      daemon: sign?.says,
      counts: counts && {
        waiting: counts.waiting,
        running: counts.running,
        held: counts.held,
        failed_last_day: counts.failed,
        dead_letters: counts.deadLetters,
      },
    };
  } finally {
    state?.db.close();
  }
}

/** A database that can't be read is no reason to say nothing. */
function stateOrWhyNot(config: Config) {
  try {
    return { state: openStateToLookAt(config), unreadable: undefined };
  } catch (error) {
    if (!(error instanceof BridgeError) || error.code !== 'store_unavailable') throw error;
    return { state: undefined, unreadable: `${error.message}. ${error.next ?? ''}`.trim() };
  }
}

/** What an address of the daemon answers; undefined if nothing comes in time. */
async function askJson(config: Config, url: string): Promise<unknown> {
  // Without proxies: the daemon is on this machine.
  const http = new HttpClient({
    connectTimeoutMs: HEALTH_ASK_TIMEOUT_MS,
    answerBytesMax: HEALTH_ANSWER_BYTES_MAX,
    certificatePem: tlsOf(config)?.certPem,
  });
  try {
    const answer = await http.call({ method: 'GET', url, timeoutMs: HEALTH_ASK_TIMEOUT_MS });
    return answer.kind === 'answer' ? answer.body : undefined;
  } finally {
    await http.close();
  }
}

/** What an operator can see and order from beside the daemon, whether it runs or not. */
export interface Operations {
  readonly journal: JournalReader;
  readonly orders: OrderBook;
  /** What the agents' programs of the embedded hub said that gave no answer, by run. */
  readonly programOutputs: (life: TurnLife) => ReadonlyMap<number, ProgramOutput>;
  /** Whether a daemon is there to carry orders out now. */
  readonly daemonRuns: () => boolean;
  readonly close: () => void;
}

/** Undefined if no bot has run on the state directory yet. Creates nothing. */
export function openOperations({ config }: Pick<Setting, 'config'>): Operations | undefined {
  const state = openStateToLookAt(config);
  if (state?.memory === undefined) {
    state?.db.close();
    return undefined;
  }
  const { db, memory } = state;
  const programOutputs = ({ turn: { message }, runs }: TurnLife) =>
    new Map(
      runs.flatMap(({ run }) => {
        const output = programOutputOf(db, platformMessageId({ message, run }));
        return output === undefined ? [] : [[run, output] as const];
      }),
    );
  return {
    ...memory,
    programOutputs,
    daemonRuns: () => daemonRuns(config),
    close: () => db.close(),
  };
}

function daemonRuns({ stateDir }: Config): boolean {
  return findInstance(stateDir, tryFileLock) !== undefined;
}

/** The database as it is, if there is one. The app is the one that is set, else the one that ran last. */
function openStateToLookAt(config: Config) {
  const db = Db.openExisting(config.dbPath);
  if (db === undefined) return undefined;
  const last = new DaemonTable(db).read();
  const says = last && (JSON.parse(last.status) as Readonly<Record<string, unknown>>);
  const sign = last && says && { pid: last.pid, atMs: last.atMs, says };
  const name = config.appId ?? says?.['app_id'];
  const memory = typeof name === 'string' ? journalOf(db, appId(name)) : undefined;
  return { db, sign, memory };
}

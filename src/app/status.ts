/** What `status` shows: whether the daemon of a state directory runs, how it is, and what it works on. */
import { certificatePem } from './hub-protection.ts';
import { openStateToRead, runningInstance } from './state.ts';
import type { Config } from '../config/load.ts';
import { BridgeError } from '../core/errors.ts';
import type { SavedStatus } from '../host/daemon-status.ts';
import { daemonHealth } from '../observe/health/daemon-health.ts';
import type { HealthReport } from '../observe/health/health.ts';
import { HttpClient } from '../net/http.ts';
import { systemClock } from '../time/clock.ts';

/** How long the daemon has for its answer. A locked database delays it by seconds. */
const HEALTH_ASK_TIMEOUT_MS = 3_000;

/** What the daemon says of its health is a few KB. */
const HEALTH_ANSWER_BYTES_MAX = 1024 * 1024;

const DAY_MS = 24 * 60 * 60 * 1000;

/** `status --json` shows it under these names. */
export interface Status {
  readonly state_dir: string;
  readonly running: boolean;
  readonly pid: number | undefined;
  readonly alive_at: string | undefined;
  /** From the daemon itself if it answers. */
  readonly health: HealthReport;
  readonly daemon: SavedStatus | undefined;
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

/** Reads the daemon's latest status, and asks the daemon. The lock that it holds proves that it runs. */
export async function readStatus(config: Config): Promise<Status> {
  const owner = runningInstance(config);
  const { state, unreadable } = stateOrReason(config);
  try {
    const latest = state?.latest;
    const nowMs = systemClock.nowMs();
    const counts = await state?.work?.journal.counts(nowMs - DAY_MS);
    return {
      state_dir: config.stateDir,
      running: owner !== undefined,
      pid: owner?.pid,
      alive_at: latest && new Date(latest.atMs).toISOString(),
      health: await daemonHealth({
        pid: owner?.pid,
        latest,
        unreadable,
        nowMs,
        ask: (url) => askJson(config, url),
      }),
      daemon: latest?.status,
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

/** If the database can't be read, the rest of the status can still be shown. */
function stateOrReason(config: Config) {
  try {
    return { state: openStateToRead(config), unreadable: undefined };
  } catch (error) {
    if (!(error instanceof BridgeError) || error.code !== 'store_unavailable') throw error;
    return { state: undefined, unreadable: `${error.message}. ${error.next ?? ''}`.trim() };
  }
}

/** The JSON at an address of the daemon; undefined if none comes in time. */
async function askJson(config: Config, url: string): Promise<unknown> {
  // Without proxies: the daemon is on this machine.
  const http = new HttpClient({
    connectTimeoutMs: HEALTH_ASK_TIMEOUT_MS,
    answerBytesMax: HEALTH_ANSWER_BYTES_MAX,
    certificatePem: certificatePem(config),
  });
  try {
    const answer = await http.call({ method: 'GET', url, timeoutMs: HEALTH_ASK_TIMEOUT_MS });
    return answer.kind === 'answer' ? answer.body : undefined;
  } finally {
    await http.close();
  }
}

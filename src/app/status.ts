/** What `status` shows: whether the daemon of a state directory runs, how it is, and what it works on. */
import type { JournalCounts } from '../bridge/ports/journal-reader.ts';
import type { Config } from '../config/load.ts';
import { BridgeError } from '../core/errors.ts';
import type { SavedStatus } from '../host/daemon-status.ts';
import { packageFacts } from '../host/package.ts';
import type { AgentRecord } from '../hub/ports/agents.ts';
import { askOwnServer } from '../net/ask.ts';
import { daemonHealth } from '../observe/health/daemon-health.ts';
import type { FoundHealth } from '../observe/health/health.ts';
import { AgentsTable } from '../store/sqlite/hub/agents.ts';
import { systemClock } from '../time/clock.ts';
import { openStateToRead, runningInstance } from './state-to-read.ts';
import { turnsGoTo, type TurnsGoTo } from './turns-go-to.ts';

/** How long the daemon has for its answer. A locked database delays it by seconds. */
const HEALTH_ASK_TIMEOUT_MS = 3_000;

/** What the daemon says of its health is a few KB. */
const HEALTH_ANSWER_BYTES_MAX = 1024 * 1024;

const DAY_MS = 24 * 60 * 60 * 1000;

export interface Status {
  readonly stateDir: string;
  /** Of this program. */
  readonly version: string;
  /** The process that runs on the state directory. */
  readonly pid: number | undefined;
  /** When a daemon wrote its status last. */
  readonly aliveAtMs: number | undefined;
  /** From the daemon itself if it answers. */
  readonly health: FoundHealth;
  readonly daemon: SavedStatus | undefined;
  /** `failed`: in the last day. */
  readonly counts: JournalCounts | undefined;
  /** When the newest message came that is still in the journal. */
  readonly newestMessageAtMs: number | undefined;
  /** Undefined if the database can't be read. */
  readonly turnsGoTo: (TurnsGoTo & { readonly agent?: AgentRecord }) | undefined;
}

/** Reads the daemon's latest status, and asks the daemon. The lock that it holds proves that it runs. */
export async function readStatus(config: Config): Promise<Status> {
  const pid = runningInstance(config)?.pid;
  const { state, unreadable } = stateOrReason(config);
  try {
    const latest = state?.latest;
    const journal = state?.work?.journal;
    const nowMs = systemClock.nowMs();
    const [newest] = (await journal?.turns({ limit: 1 })) ?? [];
    return {
      stateDir: config.stateDir,
      version: packageFacts().version,
      pid,
      aliveAtMs: latest?.atMs,
      health: await daemonHealth({
        pid,
        latest,
        unreadable,
        hasBot: config.appId !== undefined,
        nowMs,
        ask: (url) => ask(config, url),
      }),
      daemon: latest?.status,
      counts: await journal?.counts(nowMs - DAY_MS),
      newestMessageAtMs: newest?.receivedAtMs,
      turnsGoTo: state && whoGetsTurns(config, new AgentsTable(state.db).all()),
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

function whoGetsTurns(config: Config, agents: readonly AgentRecord[]) {
  const goTo = turnsGoTo(config, agents);
  const agent = goTo.kind === 'agent' && agents.find(({ name }) => name === goTo.name);
  return agent ? { ...goTo, agent } : goTo;
}

async function ask(config: Config, url: string): Promise<unknown> {
  const bounds = { timeoutMs: HEALTH_ASK_TIMEOUT_MS, bytesMax: HEALTH_ANSWER_BYTES_MAX };
  if (config.tlsCert === undefined) return askOwnServer(url, bounds);
  const { certificatePem } = await import('./hub-protection.ts');
  return askOwnServer(url, { ...bounds, certificatePem: certificatePem(config) });
}

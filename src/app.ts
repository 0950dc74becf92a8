/** The composition root: what the program can be asked to run. With assembly.ts it alone knows every room. */
import { createAgentFactory } from './agents/factory.ts';
import { parseCommand } from './agents/command-line.ts';
import {
  assemble,
  closing,
  createEmbeddedHub,
  journalOf,
  larkSettings,
  openHub,
  systemClock,
  type LarkSettings,
  type Setting,
} from './assembly.ts';
import type { Config } from './config.ts';
import type { Brand } from './core/brand.ts';
import { BridgeError } from './core/errors.ts';
import { appId } from './core/ids.ts';
import type { JournalReader } from './core/journal.ts';
import { startAll, stopAll, type Service } from './core/lifecycle.ts';
import type { OrderBook } from './core/orders.ts';
import type { AgentResult, Log } from './core/ports.ts';
import { createDirectory } from './hub/directory.ts';
import { createHttp } from './lark/http.ts';
import { createLarkOnboarding, type Onboarding, type OnboardingEvent } from './lark/onboarding.ts';
import { acquireInstanceLock, findInstance } from './ops/instance-lock.ts';
import { DaemonTable } from './store/bridge/daemon.ts';
import { Db } from './store/db.ts';
import { tryFileLock } from './store/file-lock.ts';
import { createHubStore } from './store/hub/hub-store.ts';

export type { OnboardingEvent } from './lark/onboarding.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export interface RunningBridge {
  readonly hubUrl: string;
  /** Rejects when the bridge can't go on: Lark refuses the credentials for good. Never resolves. */
  readonly ended: Promise<never>;
  stop(): Promise<void>;
}

/** The bot: hub (the embedded one unless another is named), bridge, and the long connection. */
export async function startBridge(setting: Setting): Promise<RunningBridge> {
  const { config, log } = setting;
  const lark = larkSettings(config);
  return opening(log, async (opened) => {
    const db = openState(config, log, { opened, app: lark });
    const hub = await openHub(setting, db, opened);
    const { services, ended } = assemble(setting, { lark, hub, db });
    await startAll(services, log);
    opened.push(...services);
    return { hubUrl: hub.url, ended, stop: () => stopAll(opened, log) };
  });
}

/** The hub alone, without a bot. */
export async function startHub(setting: Setting): Promise<{ url: string; stop(): Promise<void> }> {
  const { config, log } = setting;
  return opening(log, async (opened) => {
    const hub = createEmbeddedHub(setting, openState(config, log, { opened }));
    await hub.start();
    opened.push(hub);
    return { url: hub.address, stop: () => stopAll(opened, log) };
  });
}

/** The agents on the embedded hub, whether it runs or not. */
export async function openAgents({ config, env, log }: Setting) {
  const db = Db.open(config.dbPath, log);
  const directory = createDirectory(createHubStore(db), systemClock);
  const timeoutMs = config.turnTimeoutSecs * 1000;
  const createAgent = createAgentFactory({ env, timeoutMs, clock: systemClock, log });
  return {
    list: () => directory.listAgents(),
    add: ({ name, exec }: { name: string; exec?: string }) =>
      directory.addAgent({
        name,
        spec:
          exec === undefined ? { kind: 'external' } : { kind: 'exec', argv: parseCommand(exec) },
      }),
    remove: (name: string) => directory.removeAgent(name),
    /** One turn, run here and not by the hub. */
    async test(name: string, text: string, signal: AbortSignal): Promise<AgentResult> {
      const { spec } = await directory.agentNamed(name);
      if (spec.kind === 'external') {
        throw new BridgeError('usage', `the agent ${name} runs elsewhere, and can't be run here`);
      }
      const run = createAgent(spec).start({ turnId: 'test', text, lark: undefined });
      if (signal.aborted) run.cancel();
      signal.addEventListener('abort', () => run.cancel());
      return run.result;
    },
    close: () => Promise.resolve(db.close()),
  };
}

/** What is known about the daemon of a state directory, and about its work. */
export interface Status {
  readonly state_dir: string;
  readonly running: boolean;
  readonly pid: number | undefined;
  readonly alive_at: string | undefined;
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

/** Reads the daemon's latest sign of life; `running` is proven by the lock it holds. */
export async function readStatus({ config }: Pick<Setting, 'config'>): Promise<Status> {
  const running = daemonRuns(config);
  const state = openStateToLookAt(config);
  try {
    const sign = state?.sign;
    const counts = await state?.memory?.journal.counts(systemClock.nowMs() - DAY_MS);
    return {
      state_dir: config.stateDir,
      running,
      pid: running ? sign?.pid : undefined,
      alive_at: sign && new Date(sign.atMs).toISOString(),
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

/** What an operator can see and order from beside the daemon, whether it runs or not. */
export interface Operations {
  readonly journal: JournalReader;
  readonly orders: OrderBook;
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
  return { ...memory, daemonRuns: () => daemonRuns(config), close: () => db.close() };
}

export interface OnboardingRequest {
  readonly config: Config;
  /** What the person chose; without it the settings decide. */
  readonly brand: Brand | undefined;
  /** Replace a bot that the state directory holds. */
  readonly force: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: OnboardingEvent) => void | Promise<void>;
}

/** What `connect` runs: one bot for the state directory. */
export async function createOnboarding(request: OnboardingRequest): Promise<Onboarding> {
  const { config, force, timeoutMs, signal, onEvent } = request;
  const { createCredentialStore } = await import('./credentials.ts');
  return createLarkOnboarding({
    brand: request.brand ?? config.brand,
    openBaseUrl: config.openBaseUrl,
    accountsBaseUrl: config.accountsBaseUrl,
    timeoutMs,
    http: createHttp({ proxy: config }),
    store: createCredentialStore(config.stateDir, { force }),
    clock: systemClock,
    random: Math.random,
    signal,
    onEvent,
  });
}

// ---------------------------------------------------------------- parts

/** Runs `work`, which notes what it has opened; if it fails, all of that is closed again. */
async function opening<T>(log: Log, work: (opened: Service[]) => Promise<T>): Promise<T> {
  const opened: Service[] = [];
  try {
    return await work(opened);
  } catch (error) {
    await stopAll(opened, log);
    throw error;
  }
}

/** The database of the state directory, for this process alone. */
function openState(
  config: Config,
  log: Log,
  { opened, app }: { opened: Service[]; app?: LarkSettings },
): Db {
  const { stateDir, home } = config;
  const lock = acquireInstanceLock({ stateDir, home, tryLock: tryFileLock, ...(app && { app }) });
  opened.push(closing('lock', () => lock.release()));
  const db = Db.open(config.dbPath, log);
  opened.push(closing('database', () => db.close()));
  return db;
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

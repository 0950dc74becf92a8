/** The composition root: what the program can be asked to run. With assembly.ts it alone knows every room. */
import { resolve } from 'node:path';
import { createAgentFactory } from '../agents/factory.ts';
import { parseCommand } from '../agents/command-line.ts';
import { createEmbeddedHub, openHub } from './hub-access.ts';
import { lookAtProgram } from '../agents/program-look.ts';
import {
  assemble,
  closing,
  journalOf,
  larkSettings,
  type LarkSettings,
  type Setting,
} from './bridge-parts.ts';
import { systemClock } from '../time/clock.ts';
import { readStatus } from './operations.ts';
import type { CheckRequest } from './connect.ts';
import type { Config } from '../config/load.ts';
import type { Brand } from '../core/brand.ts';
import { BridgeError } from '../core/errors.ts';
import type { LarkContext } from '../core/message.ts';
import { startAll, stopAll, type Service } from '../core/service.ts';
import type { DoctorReport, DoctorRequest } from './doctor.ts';
import { createDirectory } from '../hub/domain/directory.ts';
import { openBaseUrl } from '../lark/brand.ts';
import { createHttp } from '../lark/outbound/http.ts';
import type { Onboarding, OnboardingEvent } from '../lark/connect/onboarding.ts';
import { createMonitoring } from './monitoring.ts';
import type { HealthReport } from '../observe/health/health.ts';
import { acquireInstanceLock } from '../host/instance-lock.ts';
import { Notifier } from '../host/notify.ts';
import { ownerFile } from '../host/owner-file.ts';
import { Db } from '../store/sqlite/db.ts';
import { tryFileLock } from '../store/sqlite/file-lock.ts';
import { createHubStore } from '../store/sqlite/hub/hub-store.ts';
import type { AgentResult } from '../agents/runtime.ts';
import type { Log } from '../core/log.ts';

export { openOperations, readStatus, type Operations, type Status } from './operations.ts';
export type { DoctorReport } from './doctor.ts';
export type { OnboardingEvent } from '../lark/connect/onboarding.ts';
export type { ProofEvent, ProofStep } from '../lark/connect/proof.ts';

export interface RunningBridge {
  readonly hubUrl: string;
  /** How it is at this moment. */
  readonly health: () => HealthReport;
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
    const { journal } = journalOf(db, lark.appId);
    const monitoring = createMonitoring({ config, db, journal, clock: systemClock, log });
    await startAll(monitoring.first, log);
    opened.push(...monitoring.first);
    const hub = await openHub(setting, { db, monitoring }, opened);
    const { services, ended } = assemble(setting, { lark, hub, db, monitoring });
    const health = () => monitoring.report();
    const { env } = setting;
    const notifier = new Notifier({
      env,
      pid: process.pid,
      report: health,
      clock: systemClock,
      log,
    });
    // The last to start: with it the service manager hears that all of it is ready.
    const all = [...services, monitoring.last, notifier];
    await startAll(all, log);
    opened.push(...all);
    return { hubUrl: hub.url, health, ended, stop: () => stopAll(opened, log) };
  });
}

/** The hub alone, without a bot. */
export async function startHub(setting: Setting): Promise<{ url: string; stop(): Promise<void> }> {
  const { config, log } = setting;
  return opening(log, async (opened) => {
    const db = openState(config, log, { opened });
    const monitoring = createMonitoring({
      config,
      db,
      journal: undefined,
      clock: systemClock,
      log,
    });
    const hub = createEmbeddedHub(setting, db, monitoring.pages);
    const all = [...monitoring.first, hub, monitoring.last];
    await startAll(all, log);
    opened.push(...all);
    return { url: hub.address, stop: () => stopAll(opened, log) };
  });
}

/** Who gets the turns that `run` would take, with the settings as they are. */
export type TurnsGoTo =
  /** `isNamed`: by a setting, so that an agent that is added changes nothing. */
  | { readonly kind: 'agent'; readonly name: string; readonly isNamed: boolean }
  /** The settings name an agent that is not there. */
  | { readonly kind: 'nobody'; readonly name: string }
  | { readonly kind: 'elsewhere'; readonly url: string };

export interface NewAgent {
  readonly name: string;
  /** The command of its program; without it, it connects to the hub by itself. */
  readonly exec?: string;
  /** Takes a program that can't start, too. */
  readonly force?: boolean;
}

/** The agents on the embedded hub, whether it runs or not. */
export async function openAgents({ config, env, log }: Setting) {
  const db = Db.open(config.dbPath, log);
  const directory = createDirectory(createHubStore(db), systemClock);
  const timeoutMs = config.turnTimeoutSecs * 1000;
  const createAgent = createAgentFactory({ env, timeoutMs, clock: systemClock, log });
  return {
    list: () => directory.listAgents(),
    add: ({ name, exec, force = false }: NewAgent) =>
      directory.addAgent({
        name,
        spec:
          exec === undefined
            ? { kind: 'external' }
            : { kind: 'exec', argv: programOf(name, exec, { env, force }) },
      }),
    remove: (name: string) => directory.removeAgent(name),
    async turnsGoTo(): Promise<TurnsGoTo> {
      const { platformUrl: url, agent: named } = config;
      if (url !== undefined) return { kind: 'elsewhere', url };
      const name = named ?? (await directory.defaultAgent()).name;
      const isThere = (await directory.listAgents()).some((agent) => agent.name === name);
      return isThere
        ? { kind: 'agent', name, isNamed: named !== undefined }
        : { kind: 'nobody', name };
    },
    /** One turn, run here and not by the hub. */
    async test(name: string, text: string, signal: AbortSignal): Promise<AgentResult> {
      const { spec } = await directory.agentNamed(name);
      if (spec.kind === 'external') {
        throw new BridgeError('usage', `the agent ${name} runs elsewhere, and can't be run here`);
      }
      const run = createAgent(spec).start({ turnId: 'test', text, lark: standInOf(config.brand) });
      if (signal.aborted) run.cancel();
      signal.addEventListener('abort', () => run.cancel());
      return run.result;
    },
    close: () => Promise.resolve(db.close()),
  };
}

/** What an agent may want to know about a message, as of one in a direct chat. */
function standInOf(brand: Brand): LarkContext {
  return {
    brand,
    chatId: 'oc_test',
    chatType: 'p2p',
    senderOpenId: 'ou_test',
    // Each message has another one.
    messageId: `om_test_${systemClock.nowMs()}`,
  };
}

/** The words of a command. Its program is named by its full path if it is by a path: the hub may run elsewhere. */
function programOf(
  agent: string,
  exec: string,
  { env, force }: { env: Setting['env']; force: boolean },
): string[] {
  const [first = '', ...rest] = parseCommand(exec);
  const program = first.includes('/') ? resolve(first) : first;
  const trouble = force ? undefined : lookAtProgram(program, env);
  if (trouble === undefined) return [program, ...rest];
  throw new BridgeError('usage', `the agent ${agent} could not start: ${trouble.what}`, {
    next: `${trouble.next} With --force it is added as it is.`,
  });
}

// What follows is loaded when it is asked for: a bot that runs needs none of it.

/** What `doctor` runs: looks at everything, and changes nothing. */
export async function examine(request: DoctorRequest): Promise<DoctorReport> {
  const doctor = await import('./doctor.ts');
  return doctor.examine(request);
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
  const [{ createCredentialStore }, { Onboarding: LarkOnboarding }] = await Promise.all([
    import('../config/credentials.ts'),
    import('../lark/connect/onboarding.ts'),
  ]);
  const keyring = config.secrets === 'keyring' ? await openTheKeyring() : undefined;
  const store = createCredentialStore(config.stateDir, { force, keyring });
  return new LarkOnboarding({
    brand: request.brand ?? config.brand,
    openBaseUrl: config.openBaseUrl,
    accountsBaseUrl: config.accountsBaseUrl,
    timeoutMs,
    http: createHttp({ proxy: config }),
    store: {
      ...store,
      save(credentials) {
        const saved = store.save(credentials);
        const { appId: app, owner } = credentials;
        if (owner !== undefined) ownerFile(config.stateDir, app).save(owner);
        return saved;
      },
    },
    clock: systemClock,
    random: Math.random,
    signal,
    onEvent,
  });
}

/**
 * Proves that messages and presses reach a bot, over a connection of its own for that time. What others
 * write meanwhile is kept for the bridge that runs next. Throws a `BridgeError` that says what is missing.
 */
export async function checkBot(request: CheckRequest): Promise<void> {
  const { config, log, credentials } = request;
  const { appId: app, appSecret, brand } = credentials;
  const lark = { appId: app, appSecret, openBaseUrl: openBaseUrl(brand, config.openBaseUrl) };
  const { runCheck } = await import('./connect.ts');
  const opened: Service[] = [];
  try {
    const db = await openStateToCheck(config, log, { opened, app: lark });
    await runCheck(request, { lark, db, opened });
  } finally {
    await stopAll(opened, log);
  }
}

// ---------------------------------------------------------------- parts

async function openTheKeyring() {
  const { openKeyring } = await import('../config/keyring.ts');
  return openKeyring();
}

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

async function openStateToCheck(
  config: Config,
  log: Log,
  parts: { opened: Service[]; app: LarkSettings },
): Promise<Db> {
  try {
    return openState(config, log, parts);
  } catch (error) {
    if (!(error instanceof BridgeError) || error.code !== 'already_running') throw error;
    const { cannotCheck } = await import('./connect.ts');
    throw cannotCheck(error, parts.app.appId, await readStatus({ config }));
  }
}

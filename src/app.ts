/** The composition root: settings in, running parts out. The only file that knows every room. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAgentFactory } from './agents/factory.ts';
import { parseCommand } from './agents/command-line.ts';
import { Bridge } from './bridge/bridge.ts';
import { CatchUp } from './bridge/catch-up.ts';
import type { Config, Environment } from './config.ts';
import type { Brand } from './core/brand.ts';
import { BridgeError } from './core/errors.ts';
import { appId, openId, workspaceId, type AppId, type WorkspaceId } from './core/ids.ts';
import { startAll, stopAll, type Service } from './core/lifecycle.ts';
import { TURNS_RUNNING_MAX } from './core/limits.ts';
import type { AgentResult, Clock, Line, Log } from './core/ports.ts';
import type { Secret } from './core/secret.ts';
import { createDirectory, type Directory } from './hub/directory.ts';
import { createHub, type Hub } from './hub/hub.ts';
import { openBaseUrl } from './lark/brand.ts';
import type { Connection } from './lark/connection.ts';
import { createHttp } from './lark/http.ts';
import { createLark } from './lark/lark.ts';
import { createLarkOnboarding, type Onboarding, type OnboardingEvent } from './lark/onboarding.ts';
import { acquireInstanceLock, findInstance } from './ops/instance-lock.ts';
import { keptSecret } from './ops/kept-secret.ts';
import { SignOfLife } from './ops/sign-of-life.ts';
import { PlatformClient } from './platform/client.ts';
import { DaemonTable } from './store/bridge/daemon.ts';
import { SqliteGaps } from './store/bridge/gaps.ts';
import { SqliteJournal } from './store/bridge/journal.ts';
import { Db } from './store/db.ts';
import { tryFileLock } from './store/file-lock.ts';
import { createHubStore } from './store/hub/hub-store.ts';

export type { OnboardingEvent } from './lark/onboarding.ts';

/** What every entry needs: settings, the environment that agents inherit, and the log. */
export interface Setting {
  readonly config: Config;
  readonly env: Environment;
  readonly log: Log;
}

export interface RunningBridge {
  readonly hubUrl: string;
  /** Rejects when the bridge can't go on: Lark refuses the credentials for good. Never resolves. */
  readonly ended: Promise<never>;
  stop(): Promise<void>;
}

const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

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

/** What is known about the daemon of a state directory. */
export interface Status {
  readonly state_dir: string;
  readonly running: boolean;
  readonly pid: number | undefined;
  readonly alive_at: string | undefined;
  readonly daemon: Readonly<Record<string, unknown>> | undefined;
}

/** Reads the daemon's latest sign of life; `running` is proven by the lock it holds. */
export async function readStatus({ config, log }: Setting): Promise<Status> {
  const running = findInstance(config.stateDir, tryFileLock) !== undefined;
  const db = Db.open(config.dbPath, log);
  try {
    const sign = new DaemonTable(db).read();
    return {
      state_dir: config.stateDir,
      running,
      pid: running ? sign?.pid : undefined,
      alive_at: sign && new Date(sign.atMs).toISOString(),
      daemon: sign && (JSON.parse(sign.status) as Record<string, unknown>),
    };
  } finally {
    db.close();
    await Promise.resolve();
  }
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

/** Something that has nothing to start and only has to be closed. */
function closing(name: string, close: () => void | Promise<void>): Service {
  return {
    name,
    start: () => Promise.resolve(),
    stop: async () => {
      await close();
    },
  };
}

interface LarkSettings {
  readonly appId: AppId;
  readonly appSecret: Secret;
  readonly openBaseUrl: string;
}

function larkSettings({ appId: app, appSecret, brand, openBaseUrl: url }: Config): LarkSettings {
  if (app === undefined || appSecret === undefined) {
    throw new Error('settings were loaded without the need for a Lark app');
  }
  return { appId: appId(app), appSecret, openBaseUrl: openBaseUrl(brand, url) };
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

interface Foundations {
  readonly lark: LarkSettings;
  readonly hub: HubAccess;
  readonly db: Db;
}

/** The bridge with everything around it, in the order in which it starts. */
function assemble(
  { config, log }: Setting,
  { lark: settings, hub, db }: Foundations,
): { services: readonly Service[]; ended: Promise<never> } {
  const { brand } = config;
  const base = { clock: systemClock, random: Math.random, log };
  const lark = createLark({
    ...base,
    ...settings,
    botOpenId: config.botOpenId === undefined ? undefined : openId(config.botOpenId),
    proxy: config,
  });
  const platform = createPlatform(config, hub, log);
  const bridge = new Bridge({
    ...base,
    brand,
    journal: new SqliteJournal({ db, app: settings.appId, clock: systemClock }),
    target: platform,
    lark: lark.gateway,
    turnsRunningMax: config.maxTurns,
    turnTimeoutMs: config.turnTimeoutSecs * 1000,
  });
  const refused = new AbortController();
  const ended = new Promise<never>((_resolve, reject) => {
    refused.signal.addEventListener('abort', () => reject(refused.signal.reason as BridgeError));
  });
  // Whoever runs the bridge waits for it; while it starts or stops nobody may.
  ended.catch(() => {});
  const connection = lark.connect(bridge.intake, (error) => refused.abort(error));
  const daemon = new DaemonTable(db);
  const signOfLife = new SignOfLife({
    write: (sign) => daemon.write(sign),
    status: () => ({
      app_id: settings.appId,
      brand,
      hub_url: hub.url,
      bot_open_id: lark.identity.self.botOpenId ?? null,
      connection: connection.status(),
      events: connection.counts(),
      bridge: bridge.status(),
    }),
    clock: systemClock,
    log,
  });
  const catchUp = new CatchUp({
    journal: new SqliteGaps(db, settings.appId),
    lark: lark.gateway,
    intake: bridge.intake,
    line: lineOf(connection),
    lastAliveMs: daemon.read()?.atMs,
    clock: systemClock,
    log,
  });
  const calls = closing('lark_calls', () => lark.http.close());
  return {
    services: [calls, platform, lark.identity, bridge, connection, catchUp, signOfLife],
    ended,
  };
}

function lineOf(connection: Connection): Line {
  return {
    connectedSinceMs: () => {
      const { state, sinceMs } = connection.status();
      return state === 'connected' ? sinceMs : undefined;
    },
    lastEventAtMs: () => connection.status().lastEventAtMs,
    restart: () => connection.restart(),
  };
}

/** How the bridge reaches its hub: where, as whom, and who gets the turns. */
interface HubAccess {
  readonly url: string;
  readonly workspace: WorkspaceId;
  readonly token: Secret;
  readonly target: () => Promise<WorkspaceId>;
  /** It is in this process. */
  readonly embedded: boolean;
}

async function openHub(setting: Setting, db: Db, opened: Service[]): Promise<HubAccess> {
  const { config } = setting;
  const { platformUrl, workspaceId: own, workspaceToken, targetWorkspaceId } = config;
  if (platformUrl !== undefined) {
    if (own === undefined || workspaceToken === undefined || targetWorkspaceId === undefined) {
      throw new Error('settings were loaded without the need for a platform');
    }
    const target = workspaceId(targetWorkspaceId);
    return {
      url: platformUrl,
      workspace: workspaceId(own),
      token: workspaceToken,
      target: () => Promise.resolve(target),
      embedded: false,
    };
  }
  const service = createEmbeddedHub(setting, db);
  await service.start();
  opened.push(service);
  const directory = createDirectory(createHubStore(db), systemClock);
  const account = await directory.provisionWorkspace('lark-bridge');
  const target = () => targetAgent(directory, config.agent);
  // A wrong name of an agent shows now, and not with the first message.
  await target();
  return {
    url: service.address,
    workspace: account.workspaceId,
    token: account.token,
    target,
    embedded: true,
  };
}

async function targetAgent(directory: Directory, name: string | undefined): Promise<WorkspaceId> {
  const agent =
    name === undefined ? await directory.defaultAgent() : await directory.agentNamed(name);
  return agent.workspaceId;
}

function createEmbeddedHub({ config, env, log }: Setting, db: Db): Hub {
  const { tlsCert, tlsKey, corsOrigin, rateLimit } = config;
  const timeoutMs = config.turnTimeoutSecs * 1000;
  return createHub({
    host: config.hubHost,
    port: config.hubPort,
    ...(tlsCert !== undefined &&
      tlsKey !== undefined && {
        tls: { certPem: readFileSync(tlsCert, 'utf8'), keyPem: readFileSync(tlsKey, 'utf8') },
      }),
    ...(corsOrigin !== undefined && { corsOrigin }),
    rateLimit,
    log,
    clock: systemClock,
    store: createHubStore(db),
    createAgent: createAgentFactory({ env, timeoutMs, clock: systemClock, log }),
    provisionToken: (generate) =>
      Promise.resolve(keptSecret(join(config.stateDir, 'provision-token'), generate)),
    turnTimeoutMs: timeoutMs,
    maxRunning: Math.max(TURNS_RUNNING_MAX, config.maxTurns),
    onInterrupted: 'rerun',
  });
}

const NO_PROXIES = { httpProxy: undefined, httpsProxy: undefined, noProxy: undefined };

function createPlatform(config: Config, hub: HubAccess, log: Log): PlatformClient {
  return new PlatformClient({
    url: hub.url,
    workspace: hub.workspace,
    token: hub.token,
    orgId: config.orgId,
    target: hub.target,
    turnTimeoutMs: config.turnTimeoutSecs * 1000,
    // The embedded hub is in this process; a proxy has no business in between.
    proxies: hub.embedded ? NO_PROXIES : config,
    clock: systemClock,
    log,
  });
}

/** What `doctor` looks at, and in which order. Only the composition root uses this. */
import { join } from 'node:path';
import { journalOf } from './bridge-parts.ts';
import { systemClock } from '../time/clock.ts';
import { readStatus, type Status } from './operations.ts';
import { packageFacts } from '../host/package.ts';
import {
  type Config,
  configError,
  type ConfigRequest,
  inspectConfig,
  type Inspection,
  locateStateDir,
} from '../config/load.ts';
import type { Brand } from '../core/brand.ts';
import { BridgeError } from '../core/errors.ts';
import { appId, type AppId, workspaceId } from '../core/ids.ts';
import type { LarkFacts } from '../lark/facts.ts';
import { DOCTOR_CALL_TIMEOUT_MS } from '../core/limits.ts';
import { APP_NEEDS, CALLBACK_NEEDS, EVENT_NEEDS } from '../lark/app-needs.ts';
import { accountsBaseUrl, consolePageUrl, grantPageUrl, openBaseUrl } from '../lark/brand.ts';
import { checkLark } from '../lark/connect/lark-check.ts';
import { proxyFor } from '../net/proxy.ts';
import { judgeApp } from '../doctor/app.ts';
import { exitCodeOf, type Finding, type Level, note, worstOf } from '../doctor/finding.ts';
import { judgeAgent, judgePort, judgeRemoteHub, whyNotListen } from '../doctor/hub.ts';
import { judgeNode, judgeStateDirectory, lookAtStateDirectory } from '../doctor/machine.ts';
import { judgeClock, judgeReach, judgeRoutes, routeTo } from '../doctor/network.ts';
import { judgeRights, judgeTraffic, type TrafficFact } from '../doctor/rights.ts';
import { judgeConnections, judgeDaemon, judgeRival } from '../doctor/running.ts';
import { judgeCredentials, judgeSettings } from '../doctor/settings.ts';
import { judgeDatabase, judgeQuota } from '../doctor/storage.ts';
import { judgeUnits, lookAtUnits } from '../doctor/unit-file.ts';
import { findInstance, findInstanceOfApp } from '../host/instance-lock.ts';
import { knownFrom } from '../host/daemon-status.ts';
import { unitFolder } from '../host/service/systemd.ts';
import { workspaceTokenFile } from '../host/workspace-token.ts';
import { probePlatform } from '../platform/probe.ts';
import { CallCounts } from '../store/sqlite/bridge/calls.ts';
import { DaemonTable } from '../store/sqlite/bridge/daemon.ts';
import { Db } from '../store/sqlite/db.ts';
import { examineDatabase } from '../store/sqlite/examination.ts';
import { tryFileLock } from '../store/sqlite/file-lock.ts';
import { createHubStore } from '../store/sqlite/hub/hub-store.ts';
import type { Log } from '../core/log.ts';

export interface DoctorRequest {
  readonly config: ConfigRequest;
  /** Nobody outside of this machine is asked. */
  readonly offline: boolean;
}

export interface DoctorReport {
  readonly version: string;
  readonly state_dir: string;
  readonly offline: boolean;
  readonly worst: Level;
  readonly exit_code: number;
  readonly findings: readonly Finding[];
}

const BRAND_NAMES = { feishu: 'Feishu', lark: 'Lark' } as const satisfies Record<Brand, string>;
const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Looks at everything, beside a daemon that runs and without one, and changes nothing. */
export async function examine({ config: request, offline }: DoctorRequest): Promise<DoctorReport> {
  const { version, engines } = packageFacts();
  const settings = await lookAtSettings(request);
  const machine = [
    judgeNode(process.versions.node, engines.node),
    ...settings.findings,
    ...judgeStateDirectory(settings.stateDir, lookAtStateDirectory(settings.stateDir)),
  ];
  const rest =
    settings.inspection?.incomplete === undefined
      ? [note('others', 'All other checks wait until the settings make sense.')]
      : await examineWith(settings.inspection.incomplete, {
          inspection: settings.inspection,
          env: request.env,
          version,
          offline,
        });
  const findings = [...machine, ...rest];
  return {
    version,
    state_dir: settings.stateDir,
    offline,
    worst: worstOf(findings),
    exit_code: exitCodeOf(findings),
    findings,
  };
}

async function lookAtSettings(request: ConfigRequest) {
  try {
    const inspection = await inspectConfig(request);
    const { problems, warnings, stateDir } = inspection;
    const texts = problems.map(({ text }) => text);
    const next = configError(problems, stateDir).next ?? '';
    return { inspection, stateDir, findings: judgeSettings({ problems: texts, warnings, next }) };
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    const { message, next = '' } = error;
    const findings = judgeSettings({ problems: [message], warnings: [], next });
    return { inspection: undefined, stateDir: locateStateDir(request), findings };
  }
}

interface Surroundings {
  readonly inspection: Inspection;
  readonly env: ConfigRequest['env'];
  readonly version: string;
  readonly offline: boolean;
}

async function examineWith(config: Config, around: Surroundings): Promise<Finding[]> {
  const { inspection, env, version, offline } = around;
  const database = examineDatabase(config.dbPath);
  const isReadable = database.kind === 'sound' && database.version === database.wanted;
  const memory = isReadable ? await readMemory(config) : undefined;
  const status = isReadable ? await quietly(() => readStatus({ config })) : undefined;
  const pid = status?.pid ?? (await quietly(() => findInstance(config.stateDir, tryFileLock)))?.pid;
  const [lark, hub] = await Promise.all([
    offline ? undefined : lookAtLark(config),
    lookAtHub(config, { offline, pid, agents: memory?.agents }),
  ]);
  const units = (['user', 'system'] as const).map((scope) => {
    return { scope, folder: unitFolder(scope, { env, home: config.home }) };
  });
  return [
    ...credentialsFound(config, inspection, status),
    ...judgeDaemon({
      pid,
      health: status?.health,
      version: versionOf(status),
      ownVersion: version,
    }),
    ...rivalFound(config),
    ...(process.platform === 'linux' ? judgeUnits(lookAtUnits(units), version) : []),
    ...judgeDatabase(config.dbPath, database),
    ...(memory?.calls === undefined ? [] : [judgeQuota(memory.calls)]),
    ...hub,
    ...judgeRoutes(routesOf(config)),
    ...(lark === undefined
      ? []
      : larkFound(config, lark, {
          ours: isConnected(status) ? 1 : 0,
          secretFrom: sourceOf(inspection, 'appSecret'),
        })),
    ...(config.appId === undefined ? [] : [judgeTraffic(memory?.traffic ?? NO_TRAFFIC())]),
    ...(offline ? [note('online', 'Lark and hubs elsewhere were not asked (--offline).')] : []),
  ];
}

// ---------------------------------------------------------------- what is remembered

interface Memory {
  readonly agents: readonly string[];
  readonly calls: Readonly<Record<string, number>> | undefined;
  readonly traffic: TrafficFact | undefined;
}

const NO_TRAFFIC = (): TrafficFact => ({
  messageAtMs: undefined,
  buttonAtMs: undefined,
  nowMs: systemClock.nowMs(),
});

function readMemory(config: Config): Promise<Memory | undefined> {
  return quietly(async () => {
    const db = Db.openExisting(config.dbPath);
    try {
      if (db === undefined) return undefined;
      const agents = (await createHubStore(db).agents()).map(({ name }) => name);
      const { appId: name } = config;
      if (name === undefined) return { agents, calls: undefined, traffic: undefined };
      const app = appId(name);
      const calls = new CallCounts({ db, app, clock: systemClock }).thisMonth();
      return { agents, calls, traffic: await readTraffic(db, app) };
    } finally {
      db?.close();
    }
  });
}

async function readTraffic(db: Db, app: AppId): Promise<TrafficFact> {
  const [newest] = await journalOf(db, app).journal.turns({ limit: 1 });
  const sign = new DaemonTable(db).read();
  const seen = (sign && knownFrom(sign.status, app))?.seenAtMs ?? {};
  return {
    messageAtMs: newest?.receivedAtMs ?? seen[EVENT_NEEDS.message.name],
    buttonAtMs: seen[CALLBACK_NEEDS.button.name],
    nowMs: systemClock.nowMs(),
  };
}

function versionOf(status: Status | undefined): string | undefined {
  const version = status?.daemon?.['version'];
  return typeof version === 'string' ? version : undefined;
}

function isConnected(status: Status | undefined): boolean {
  const connection = status?.daemon?.['connection'] as { state?: unknown } | undefined;
  return status?.running === true && connection?.state === 'connected';
}

// ---------------------------------------------------------------- who runs

function credentialsFound(
  config: Config,
  inspection: Inspection,
  status: Status | undefined,
): Finding[] {
  const { appId: app, appSecret, brand } = config;
  if (app === undefined || appSecret === undefined) return [];
  const daemonApp = status?.running === true ? status.daemon?.['app_id'] : undefined;
  return [
    judgeCredentials({
      appId: app,
      brandName: BRAND_NAMES[brand],
      appIdFrom: sourceOf(inspection, 'appId'),
      secretFrom: sourceOf(inspection, 'appSecret'),
      daemonAppId: typeof daemonApp === 'string' ? daemonApp : undefined,
    }),
  ];
}

function sourceOf({ views }: Inspection, name: string): string {
  return views.find((view) => view.name === name)?.source ?? 'unset';
}

function rivalFound({ appId: name, home, stateDir, brand, openBaseUrl: url }: Config): Finding[] {
  if (name === undefined) return [];
  const app = { appId: name, openBaseUrl: openBaseUrl(brand, url) };
  const owner = findInstanceOfApp({ app, home, tryLock: tryFileLock });
  return [judgeRival(owner?.stateDir === stateDir ? undefined : owner)];
}

// ---------------------------------------------------------------- Lark

function lookAtLark(config: Config): Promise<LarkFacts> {
  const { appId: name, appSecret } = config;
  return checkLark({
    brand: config.brand,
    openBaseUrl: config.openBaseUrl,
    accountsBaseUrl: config.accountsBaseUrl,
    credentials:
      name === undefined || appSecret === undefined ? undefined : { appId: appId(name), appSecret },
    proxy: config,
    clock: systemClock,
  });
}

interface Ours {
  /** Long connections that the daemon here says it has. */
  readonly ours: number;
  readonly secretFrom: string;
}

function larkFound(
  config: Config,
  { reaches, app: facts }: LarkFacts,
  { ours, secretFrom }: Ours,
): Finding[] {
  const { brand, appId: name, botOpenId } = config;
  const clock = judgeClock(reaches);
  const found = [...reaches.map(judgeReach), ...(clock === undefined ? [] : [clock])];
  if (facts === undefined || name === undefined) return found;
  const base = openBaseUrl(brand, config.openBaseUrl);
  const page = (which: Parameters<typeof consolePageUrl>[2]) =>
    consolePageUrl(base, appId(name), which);
  const otherBrand = brand === 'lark' ? 'feishu' : 'lark';
  const subject = {
    brandName: BRAND_NAMES[brand],
    otherBrandName: BRAND_NAMES[otherBrand],
    otherBrand,
    pages: {
      app: page('app'),
      bot: page('bot'),
      versions: page('versions'),
      security: page('security'),
    },
    secretFrom,
    botOpenId,
  };
  const pages = {
    permissions: page('permissions'),
    grant: (scopes: readonly string[]) => grantPageUrl(base, appId(name), scopes),
    events: page('events'),
    callbacks: page('callbacks'),
  };
  const { console, connections } = facts;
  return [
    ...found,
    ...judgeApp(facts, subject),
    ...(console === undefined ? [] : judgeRights(console, APP_NEEDS, pages)),
    ...(connections === undefined ? [] : [judgeConnections(connections, ours)]),
  ];
}

function routesOf({ brand, openBaseUrl: open, accountsBaseUrl: accounts, ...rest }: Config) {
  const { platformUrl } = rest;
  const targets = [
    { what: 'the open platform', url: openBaseUrl(brand, open) },
    { what: 'the accounts service', url: accountsBaseUrl(brand, accounts) },
    ...(platformUrl === undefined ? [] : [{ what: 'the hub', url: platformUrl }]),
  ];
  return targets.map(({ what, url }) => {
    const target = new URL(url);
    return routeTo(what, target, proxyFor(target, rest));
  });
}

// ---------------------------------------------------------------- the hub

interface HubLook {
  readonly offline: boolean;
  /** Of the daemon, which has the port of the embedded hub. */
  readonly pid: number | undefined;
  readonly agents: readonly string[] | undefined;
}

async function lookAtHub(config: Config, { offline, pid, agents }: HubLook): Promise<Finding[]> {
  const { platformUrl, mode, hubHost: host, hubPort: port, agent: wanted } = config;
  if (platformUrl !== undefined) return offline ? [] : lookAtRemoteHub(config, platformUrl);
  if (mode === 'daemon') return [];
  // What a daemon has, it says itself.
  const place = { host, port };
  const found = pid === undefined ? [judgePort(place, await whyNotListen(place))] : [];
  return [...found, ...judgeAgent({ wanted, names: agents ?? [] })];
}

async function lookAtRemoteHub(config: Config, url: string): Promise<Finding[]> {
  const { workspaceId: own, workspaceToken: token, targetWorkspaceId, mode, stateDir } = config;
  if (own === undefined || token === undefined) return [];
  const target = targetWorkspaceId ?? (mode === 'daemon' ? own : undefined);
  const findings = await probePlatform({
    url,
    workspace: workspaceId(own),
    token: () => token,
    tokenKeeper: workspaceTokenFile(join(stateDir, 'workspace-token.json'), {
      url,
      workspace: own,
    }),
    orgId: config.orgId,
    target: target === undefined ? undefined : workspaceId(target),
    proxies: config,
    nowMs: systemClock.nowMs(),
    timeoutMs: DOCTOR_CALL_TIMEOUT_MS,
    log: SILENT,
  });
  return judgeRemoteHub(url, findings);
}

// ---------------------------------------------------------------- parts

/** What can't be read here and now is undefined; another check says why. */
async function quietly<T>(look: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    return undefined;
  }
}

/** What `doctor` checks, and in which order. */
import { basename, dirname, join } from 'node:path';
import { cgroupOf } from '../agents/cgroups/own-cgroup.ts';
import { agentFacts } from './doctor-agents.ts';
import { journalOf } from './state.ts';
import { latestStatus } from './state-to-read.ts';
import { protectionTroubles } from './hub-protection.ts';
import { systemClock } from '../time/clock.ts';
import { readStatus, type Status } from './status.ts';
import { packageFacts } from '../host/package.ts';
import {
  type Config,
  configError,
  type ConfigRequest,
  checkConfig,
  type ConfigReport,
  locateStateDir,
} from '../config/load.ts';
import { BridgeError } from '../core/errors.ts';
import { appId, type AppId, workspaceId } from '../core/ids.ts';
import { inEveryLanguage } from '../core/language.ts';
import { DOCTOR_CALL_TIMEOUT_MS } from '../core/limits.ts';
import { CALLBACK_NEEDS, EVENT_NEEDS } from '../lark/app-needs.ts';
import { openBaseUrl } from '../lark/brand.ts';
import {
  exitCodeOf,
  type Finding,
  inEnglish,
  type Level,
  note,
  worstOf,
} from '../doctor/finding.ts';
import {
  checkAgent,
  checkCgroups,
  checkPort,
  checkPrograms,
  checkProtection,
  checkRemoteHub,
  whyNotListen,
  checkWorkspaces,
  QUOTA_SHARE_HIGH,
} from '../doctor/hub.ts';
import { checkAgents } from '../doctor/agents.ts';
import { checkNode, checkStateDirectory, readStateDirectory } from '../doctor/machine.ts';
import { checkTraffic, type TrafficFact } from '../doctor/rights.ts';
import { checkDaemon, checkOtherProcess } from '../doctor/running.ts';
import { checkCredentials, checkSettings } from '../doctor/settings.ts';
import { checkDatabase, checkQuota, checkSetAside } from '../doctor/storage.ts';
import { checkUnits, readUnits } from '../doctor/unit-file.ts';
import { findInstance, findInstanceOfApp } from '../host/instance-lock.ts';
import { knownBefore } from '../host/daemon-status.ts';
import type { AgentRecord } from '../hub/ports/agents.ts';
import { QUOTA, type QuotaUse } from '../hub/ports/quota.ts';
import { unitFolder } from '../host/service/systemd.ts';
import { workspaceTokenFile } from '../host/workspace-token.ts';
import { probePlatform } from '../platform/probe.ts';
import { CallCounts } from '../store/sqlite/bridge/calls.ts';
import { Db } from '../store/sqlite/db.ts';
import { examineDatabase } from '../store/sqlite/examination.ts';
import { tryFileLock } from '../store/sqlite/file-lock.ts';
import { SqliteHubStore } from '../store/sqlite/hub/hub-store.ts';
import { setAsideOf } from '../store/sqlite/recovery.ts';
import { UsageTable } from '../store/sqlite/hub/usage.ts';
import {
  BRAND_NAMES,
  SILENT,
  type CheckContext,
  askLark,
  larkFound,
  routesFound,
} from './doctor-lark.ts';

interface DoctorRequest {
  readonly config: ConfigRequest;
  /** Only this machine is checked: neither Lark nor a hub elsewhere is asked. */
  readonly offline: boolean;
}

export interface DoctorReport {
  readonly version: string;
  readonly state_dir: string;
  readonly offline: boolean;
  readonly worst: Level;
  readonly exit_code: number;
  readonly findings: readonly Finding<string>[];
}

/** Checks everything and changes nothing, while a daemon runs or not. */
export async function runDoctor({
  config: request,
  offline,
}: DoctorRequest): Promise<DoctorReport> {
  const { version, engines } = packageFacts();
  const settings = await readSettings(request);
  const machine = [
    checkNode(process.versions.node, engines.node),
    ...settings.findings,
    ...checkStateDirectory(settings.stateDir, readStateDirectory(settings.stateDir)),
  ];
  const rest =
    settings.report?.incomplete === undefined
      ? [note('others', 'All other checks need valid settings.')]
      : await checkWith(settings.report.incomplete, {
          report: settings.report,
          env: request.env,
          version,
          offline,
        });
  const findings = [...machine, ...rest].map(inEnglish);
  return {
    version,
    state_dir: settings.stateDir,
    offline,
    worst: worstOf(findings),
    exit_code: exitCodeOf(findings),
    findings,
  };
}

async function readSettings(request: ConfigRequest) {
  try {
    const report = await checkConfig(request);
    const { problems, stateDir } = report;
    // The check of the state directory names its open files.
    const warnings = report.warnings
      .filter(({ file }) => file === undefined || dirname(file) !== stateDir)
      .map(({ text }) => text);
    const texts = problems.map(({ text }) => text);
    const next = configError(problems, stateDir).next ?? '';
    return { report, stateDir, findings: checkSettings({ problems: texts, warnings, next }) };
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    const { message, next = '' } = error;
    const findings = checkSettings({ problems: [message], warnings: [], next });
    return { report: undefined, stateDir: locateStateDir(request), findings };
  }
}

async function checkWith(config: Config, context: CheckContext): Promise<Finding[]> {
  const { report, env, version, offline } = context;
  const database = examineDatabase(config.dbPath);
  const isReadable = database.kind === 'sound' && database.version === database.wanted;
  const stored = isReadable ? await readStored(config) : undefined;
  const status = isReadable ? await ifReadable(() => readStatus(config)) : undefined;
  const pid =
    status?.pid ?? (await ifReadable(() => findInstance(config.stateDir, tryFileLock)))?.pid;
  const folders = (['user', 'system'] as const).map((scope) => {
    return { scope, folder: unitFolder(scope, { env, home: config.home }) };
  });
  const units = process.platform === 'linux' ? readUnits(folders) : [];
  const [lark, hub, agents] = await Promise.all([
    offline ? undefined : askLark(config),
    checkHub(config, { offline, pid, agents: stored?.agents }),
    agentFacts(isHubHere(config) ? (stored?.agents ?? []) : [], {
      config,
      env,
      units,
      offline,
    }),
  ]);
  return [
    ...credentialsFound(config, report, status),
    ...checkDaemon({
      pid,
      health: status?.health,
      version: status?.daemon?.version,
      ownVersion: version,
    }),
    ...otherProcessFound(config),
    ...(process.platform === 'linux' ? checkUnits(units, version) : []),
    ...checkDatabase(config.dbPath, database),
    ...checkSetAside(setAsideOf(config.dbPath)),
    ...(stored?.calls === undefined ? [] : [checkQuota(stored.calls)]),
    ...hub,
    ...checkAgents(agents),
    ...checkWorkspaces((stored?.quotas ?? []).map((use) => ({ ...use, most: QUOTA[use.quota] }))),
    ...checkProtection(protectionTroubles(config, systemClock.nowMs())),
    ...routesFound(config),
    ...(lark === undefined
      ? []
      : larkFound(config, lark, {
          ours: isConnected(status) ? 1 : 0,
          secretFrom: inEveryLanguage(sourceOf(report, 'appSecret')),
        })),
    ...(config.appId === undefined ? [] : [checkTraffic(stored?.traffic ?? NO_TRAFFIC())]),
    ...(offline ? [note('online', 'Lark and hubs elsewhere were not checked (--offline).')] : []),
  ];
}

// ---------------------------------------------------------------- the database

interface Stored {
  readonly agents: readonly AgentRecord[];
  readonly quotas: readonly QuotaUse[];
  readonly calls: Readonly<Record<string, number>> | undefined;
  readonly traffic: TrafficFact | undefined;
}

const NO_TRAFFIC = (): TrafficFact => ({
  messageAtMs: undefined,
  buttonAtMs: undefined,
  nowMs: systemClock.nowMs(),
});

function readStored(config: Config): Promise<Stored | undefined> {
  return ifReadable(async () => {
    const db = Db.openExisting(config.dbPath);
    try {
      if (db === undefined) return undefined;
      const agents = await new SqliteHubStore(db).agents();
      const ofHub = { agents, quotas: new UsageTable(db).near(QUOTA_SHARE_HIGH) };
      const { appId: name } = config;
      if (name === undefined) return { ...ofHub, calls: undefined, traffic: undefined };
      const app = appId(name);
      const calls = new CallCounts({ db, app, clock: systemClock }).thisMonth();
      return { ...ofHub, calls, traffic: await readTraffic(db, app) };
    } finally {
      db?.close();
    }
  });
}

async function readTraffic(db: Db, app: AppId): Promise<TrafficFact> {
  const [newest] = await journalOf(db, app).journal.turns({ limit: 1 });
  const latest = latestStatus(db);
  const seen = (latest && knownBefore(latest.status, app))?.seenAtMs ?? {};
  return {
    messageAtMs: newest?.receivedAtMs ?? seen[EVENT_NEEDS.message.name],
    buttonAtMs: seen[CALLBACK_NEEDS.button.name],
    nowMs: systemClock.nowMs(),
  };
}

function isConnected(status: Status | undefined): boolean {
  return status?.pid !== undefined && status.daemon?.connection?.state === 'connected';
}

// ---------------------------------------------------------------- processes

function credentialsFound(
  config: Config,
  report: ConfigReport,
  status: Status | undefined,
): Finding[] {
  const { appId: app, appSecret, brand } = config;
  if (app === undefined || appSecret === undefined) return [];
  const daemonApp = status?.pid !== undefined ? status.daemon?.app_id : undefined;
  return [
    checkCredentials({
      appId: app,
      brandName: BRAND_NAMES[brand].en,
      appIdFrom: sourceOf(report, 'appId'),
      secretFrom: sourceOf(report, 'appSecret'),
      daemonAppId: daemonApp,
    }),
  ];
}

function sourceOf({ views }: ConfigReport, name: string): string {
  return views.find((view) => view.name === name)?.source ?? 'unset';
}

function otherProcessFound({
  appId: name,
  home,
  stateDir,
  brand,
  openBaseUrl: url,
}: Config): Finding[] {
  if (name === undefined) return [];
  const app = { appId: name, openBaseUrl: openBaseUrl(brand, url) };
  const owner = findInstanceOfApp({ app, home, tryLock: tryFileLock });
  return [checkOtherProcess(owner?.stateDir === stateDir ? undefined : owner)];
}

// ---------------------------------------------------------------- the hub

/** Agents of the embedded hub get turns only where it runs. */
function isHubHere({ platformUrl, mode }: Config): boolean {
  return platformUrl === undefined && mode !== 'daemon';
}

interface HubCheckContext {
  readonly offline: boolean;
  /** Of the daemon. If it runs, it has the port of the embedded hub. */
  readonly pid: number | undefined;
  readonly agents: readonly AgentRecord[] | undefined;
}

async function checkHub(
  config: Config,
  { offline, pid, agents = [] }: HubCheckContext,
): Promise<Finding[]> {
  const { platformUrl, mode, hubHost: host, hubPort: port, agent: wanted } = config;
  if (platformUrl !== undefined) return offline ? [] : askRemoteHub(config, platformUrl);
  if (mode === 'daemon') return [];
  // A daemon that runs has the port already.
  const place = { host, port };
  const found = pid === undefined ? [checkPort(place, await whyNotListen(place))] : [];
  const names = agents.map(({ name }) => name);
  const unprotected = agents.filter(isUnprotected).map(({ name }) => name);
  return [
    ...found,
    ...checkAgent({ wanted, names }),
    ...checkPrograms(unprotected),
    ...cgroupsFound(pid),
  ];
}

/** Other systems have none, so there is nothing to say. */
function cgroupsFound(pid: number | undefined): Finding[] {
  if (process.platform !== 'linux') return [];
  const own = cgroupOf(pid ?? process.pid);
  const whyNot = own.kind === 'unusable' ? own.why : undefined;
  return [checkCgroups({ isRunning: pid !== undefined, whyNot })];
}

/** Its program is not started as another user, and not by `bwrap`, which is the sandbox of docs/agents.md. */
function isUnprotected({ spec }: AgentRecord): boolean {
  if (spec.kind !== 'exec' && spec.kind !== 'acp') return false;
  return spec.user === undefined && basename(spec.argv[0] ?? '') !== 'bwrap';
}

async function askRemoteHub(config: Config, url: string): Promise<Finding[]> {
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
  return checkRemoteHub(url, findings);
}

// ---------------------------------------------------------------- parts

/** Undefined if `read` fails with a `BridgeError`: another check reports why. */
async function ifReadable<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    return undefined;
  }
}

/** The parts of the composition root: which implementation goes with which. Only app.ts uses this. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAgentFactory } from '../agents/factory.ts';
import { createProgramBook } from '../agents/program-book.ts';
import { Bridge } from '../bridge/bridge.ts';
import { CatchUp } from '../bridge/catch-up.ts';
import type { Config, Environment } from '../config/load.ts';
import type { Brand } from '../core/brand.ts';
import { BridgeError } from '../core/errors.ts';
import {
  appId,
  chatId,
  isSameWorkspace,
  openId,
  workspaceId,
  type AppId,
  type WorkspaceId,
} from '../core/ids.ts';
import { type Service } from '../core/service.ts';
import { TURNS_RUNNING_MAX } from '../core/limits.ts';
import type { Pages } from '../core/pages.ts';
import type { Secret } from '../core/secret.ts';
import { createDirectory, type Directory } from '../hub/domain/directory.ts';
import { createHub, type Hub } from '../hub/hub.ts';
import { openBaseUrl } from '../lark/brand.ts';
import type { Connection } from '../lark/inbound/connection.ts';
import { createLark, type Lark } from '../lark/lark.ts';
import type { Monitoring } from './monitoring.ts';
import { EventLoopGauge } from '../observe/metrics/event-loop.ts';
import { keptSecret } from '../host/kept-secret.ts';
import type { BridgeFacts } from '../observe/metrics/metric-table.ts';
import { createSecretFile } from '../host/secret-file.ts';
import { knownFrom, SignOfLife } from '../host/daemon-status.ts';
import { workspaceTokenFile } from '../host/workspace-token.ts';
import { ChannelSocket } from '../platform/channel-socket.ts';
import { PlatformClient, type PlatformOptions } from '../platform/client.ts';
import { DaemonTarget } from '../platform/daemon-target.ts';
import type { TokenKeeper } from '../platform/hub-calls.ts';
import { CallCounts } from '../store/sqlite/bridge/calls.ts';
import { cursorStore } from '../store/sqlite/bridge/cursors.ts';
import { DaemonTable } from '../store/sqlite/bridge/daemon.ts';
import { SqliteGaps } from '../store/sqlite/bridge/gaps.ts';
import { SqliteJournal } from '../store/sqlite/bridge/journal.ts';
import { SqliteOrders } from '../store/sqlite/bridge/orders.ts';
import { Db } from '../store/sqlite/db.ts';
import { createHubStore } from '../store/sqlite/hub/hub-store.ts';
import type { Line, LooseAnswer } from '../bridge/ports.ts';
import type { Log } from '../core/log.ts';
import { steadyClock, systemClock } from '../time/clock.ts';

/** The embedded hub ends its agents at their time; its word on that takes a kill and a commit. */
const HUB_VERDICT_MS = 5_000;

/** What every entry needs: settings, the environment that agents inherit, and the log. */
export interface Setting {
  readonly config: Config;
  readonly env: Environment;
  readonly log: Log;
}

/** Something that has nothing to start and only has to be closed. */
export function closing(name: string, close: () => void | Promise<void>): Service {
  return {
    name,
    start: () => Promise.resolve(),
    stop: async () => {
      await close();
    },
  };
}

export interface LarkSettings {
  readonly appId: AppId;
  readonly appSecret: Secret;
  readonly openBaseUrl: string;
}

export function larkSettings({
  appId: app,
  appSecret,
  brand,
  openBaseUrl: url,
}: Config): LarkSettings {
  if (app === undefined || appSecret === undefined) {
    throw new Error('settings were loaded without the need for a Lark app');
  }
  return { appId: appId(app), appSecret, openBaseUrl: openBaseUrl(brand, url) };
}

/** An app's memory in a database, and the orders about it. */
export function journalOf(db: Db, app: AppId) {
  const parts = { db, app, clock: systemClock };
  return { journal: new SqliteJournal(parts), orders: new SqliteOrders(parts) };
}

export interface Foundations {
  readonly lark: LarkSettings;
  readonly hub: HubAccess;
  readonly db: Db;
  readonly monitoring: Monitoring;
}

/** The bridge with everything around it, in the order in which it starts. */
export function assemble(
  { config, log }: Setting,
  { lark: settings, hub, db, monitoring }: Foundations,
): { services: readonly Service[]; ended: Promise<never> } {
  const { brand } = config;
  const { observer } = monitoring;
  const base = { clock: systemClock, random: Math.random, log, observer };
  const calls = new CallCounts({ db, app: settings.appId, clock: systemClock });
  const daemon = new DaemonTable(db);
  const lastSign = daemon.read();
  const lark = createLark({
    ...base,
    ...settings,
    botOpenId: config.botOpenId === undefined ? undefined : openId(config.botOpenId),
    lastKnown: lastSign && knownFrom(lastSign.status, settings.appId),
    paceClock: steadyClock,
    proxy: config,
    callLimits: config.callLimits,
    countCall: (callClass) => calls.count(callClass),
  });
  const platform = createTarget({ config, hub, log, db }, (answer) => bridge.receive(answer));
  const bridge = new Bridge({
    ...base,
    brand,
    ...journalOf(db, settings.appId),
    target: platform,
    lark: lark.gateway,
    turnsRunningMax: config.maxTurns,
    // A hub that ends its agents itself says why there is no answer.
    turnTimeoutMs: config.turnTimeoutSecs * 1000 + (hub.embedded ? HUB_VERDICT_MS : 0),
    defaultChatId: config.defaultChatId === undefined ? undefined : chatId(config.defaultChatId),
  });
  const { ended, end } = ending();
  // Agents at work are not to blame; what they answer is kept for the next start.
  const endAfterTurns = async (error: BridgeError) => {
    await bridge.finishTurns();
    end(error);
  };
  const connection = lark.connect(bridge.intake, (error) => void endAfterTurns(error));
  const facts = {
    connection: () => connection.status(),
    events: () => connection.counts(),
    work: () => bridge.status(),
    callsThisMonth: () => calls.thisMonth(),
  };
  const watchedHub = { hub: () => platform.status(), hubUrl: hub.url, hubIsEmbedded: hub.embedded };
  monitoring.watch({ ...facts, ...watchedHub });
  const signOfLife = new SignOfLife({
    ...base,
    write: async (sign) => {
      await Promise.all([daemon.write(sign), calls.flush()]);
    },
    status: createStatus({ app: settings.appId, brand, lark, facts, hub, monitoring }),
  });
  const history = { journal: new SqliteGaps(db, settings.appId), lark: lark.gateway };
  const line = { line: lineOf(connection), lastAliveMs: lastSign?.atMs };
  const catchUp = new CatchUp({ ...base, ...history, ...line, intake: bridge.intake });
  const http = closing('lark_http', () => lark.http.close());
  const inside: Service[] = [http, platform, lark.identity, bridge, lark.calls];
  return { services: inside.concat([connection, lark.strangers, catchUp, signOfLife]), ended };
}

interface StatusParts {
  readonly app: AppId;
  readonly brand: Brand;
  readonly lark: Lark;
  readonly facts: BridgeFacts;
  readonly hub: HubAccess;
  readonly monitoring: Monitoring;
}

/** What the process says about itself every few seconds. */
function createStatus({ app, brand, lark, facts, hub, monitoring }: StatusParts): () => unknown {
  const eventLoop = new EventLoopGauge();
  return () => {
    const base = monitoring.url() ?? (hub.embedded ? hub.url : undefined);
    return {
      version: monitoring.version,
      app_id: app,
      brand,
      bot_open_id: lark.identity.self.botOpenId ?? null,
      hub_url: hub.url,
      // Where it can be asked; nowhere with a hub elsewhere and no address of its own.
      health_url: base && `${base}/health`,
      health: monitoring.report(),
      connection: facts.connection(),
      events: facts.events(),
      bridge: facts.work(),
      calls_this_month: facts.callsThisMonth(),
      event_loop_delay: eventLoop.read(),
    };
  };
}

/** A promise that rejects when the bridge can't go on. */
function ending(): { ended: Promise<never>; end: (error: BridgeError) => void } {
  const refused = new AbortController();
  const ended = new Promise<never>((_resolve, reject) => {
    refused.signal.addEventListener('abort', () => reject(refused.signal.reason as BridgeError));
  });
  // Whoever runs the bridge waits for it; while it starts or stops nobody may.
  ended.catch(() => {});
  return { ended, end: (error) => refused.abort(error) };
}

function lineOf(connection: Connection): Line {
  return {
    connectedSinceMs: () => {
      const { state, sinceMs } = connection.status();
      return state === 'connected' ? sinceMs : undefined;
    },
    lastEventAtMs: () => connection.status().lastEventAtMs,
    restart: () => connection.restart(),
    onUp: (listener) => connection.onUp(listener),
  };
}

/** How the bridge reaches its hub: where, as whom, and who gets the turns. */
export interface HubAccess {
  readonly url: string;
  readonly workspace: WorkspaceId;
  /** Asked for every call, because it may be changed. */
  readonly token: () => Secret;
  readonly tokenKeeper?: TokenKeeper;
  readonly target: () => Promise<WorkspaceId>;
  /** It is in this process. */
  readonly embedded: boolean;
}

export async function openHub(
  setting: Setting,
  { db, monitoring }: Pick<Foundations, 'db' | 'monitoring'>,
  opened: Service[],
): Promise<HubAccess> {
  const { config } = setting;
  const { platformUrl, workspaceId: own, workspaceToken } = config;
  if (platformUrl !== undefined) {
    const target = namedTarget(config);
    if (own === undefined || workspaceToken === undefined || target === undefined) {
      throw new Error('settings were loaded without the need for a platform');
    }
    return {
      url: platformUrl,
      workspace: workspaceId(own),
      ...tokensOf(setting, { url: platformUrl, workspace: own, first: workspaceToken }),
      target: () => Promise.resolve(target),
      embedded: false,
    };
  }
  const service = createEmbeddedHub(setting, db, monitoring.pages);
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
    token: () => account.token,
    target,
    embedded: true,
  };
}

function tokensOf(
  { config, log }: Setting,
  { url, workspace, first }: { url: string; workspace: string; first: Secret },
): Pick<HubAccess, 'token' | 'tokenKeeper'> {
  const { workspaceTokenFile: path, stateDir } = config;
  return {
    token: path === undefined ? () => first : createSecretFile({ path, first, log }),
    tokenKeeper: workspaceTokenFile(join(stateDir, 'workspace-token.json'), { url, workspace }),
  };
}

/** Who gets the turns at a hub elsewhere; unless somebody is named, the host that a daemon speaks for. */
function namedTarget({ mode, workspaceId: own, targetWorkspaceId }: Config) {
  const named = targetWorkspaceId ?? (mode === 'daemon' ? own : undefined);
  return named === undefined ? undefined : workspaceId(named);
}

async function targetAgent(directory: Directory, name: string | undefined): Promise<WorkspaceId> {
  const agent =
    name === undefined ? await directory.defaultAgent() : await directory.agentNamed(name);
  return agent.workspaceId;
}

export function tlsOf({ tlsCert, tlsKey }: Config) {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return { certPem: readFileSync(tlsCert, 'utf8'), keyPem: readFileSync(tlsKey, 'utf8') };
}

export function createEmbeddedHub({ config, env, log }: Setting, db: Db, pages: Pages): Hub {
  const { corsOrigin, rateLimit } = config;
  const tls = tlsOf(config);
  const timeoutMs = config.turnTimeoutSecs * 1000;
  const folder = join(config.stateDir, 'programs');
  const programs = createProgramBook({ folder, clock: systemClock, log });
  return createHub({
    host: config.hubHost,
    port: config.hubPort,
    ...(tls !== undefined && { tls }),
    ...(corsOrigin !== undefined && { corsOrigin }),
    rateLimit,
    log,
    clock: systemClock,
    store: createHubStore(db),
    createAgent: createAgentFactory({ env, timeoutMs, programs, clock: systemClock, log }),
    // A program of a process that was killed runs on; its turn must not run twice at once.
    beforeAgents: () => programs.endLeftovers(),
    provisionToken: (generate) =>
      Promise.resolve(keptSecret(join(config.stateDir, 'provision-token'), generate)),
    turnTimeoutMs: timeoutMs,
    maxRunning: Math.max(TURNS_RUNNING_MAX, config.maxTurns),
    onInterrupted: config.onInterrupted === 'ask' ? 'fail' : 'rerun',
    pages,
  });
}

export const NO_PROXIES = { httpProxy: undefined, httpsProxy: undefined, noProxy: undefined };

interface Reach {
  readonly config: Config;
  readonly hub: HubAccess;
  readonly log: Log;
  readonly db: Db;
}

type Receive = (answer: LooseAnswer) => Promise<void>;

/** How turns get to the hub: as a workspace of the bridge's own, or as the one that started it. */
function createTarget(reach: Reach, receive: Receive): PlatformClient | DaemonTarget {
  const { config, hub, log } = reach;
  if (config.mode === 'poll') return createPlatform(reach, { receive });
  const { workspace: host } = hub;
  const named = namedTarget(config) ?? host;
  const target = isSameWorkspace(named, host) ? host : named;
  return new DaemonTarget({
    platform: createPlatform(reach, {
      // The inbox is the host's, so most of it is for the host.
      receive: async (answer) => {
        if (isSameWorkspace(answer.from, target)) await receive(answer);
      },
      // A workspace does not hear itself there.
      inherited: { readsInbox: target !== host },
    }),
    socket: createChannelSocket(config, log),
    host,
    target,
    log,
  });
}

function createChannelSocket(config: Config, log: Log): ChannelSocket | undefined {
  const { channelSocket: path, channelToken: capability } = config;
  if (path === undefined || capability === undefined) return undefined;
  return new ChannelSocket({ path, capability, timeoutMs: config.turnTimeoutSecs * 1000, log });
}

function createPlatform(
  { config, hub, log, db }: Reach,
  role: Pick<PlatformOptions, 'receive' | 'inherited'>,
): PlatformClient {
  return new PlatformClient({
    ...role,
    url: hub.url,
    workspace: hub.workspace,
    token: hub.token,
    tokenKeeper: hub.tokenKeeper,
    orgId: config.orgId,
    target: hub.target,
    turnTimeoutMs: config.turnTimeoutSecs * 1000,
    cursor: cursorStore(db, hub.workspace),
    // The embedded hub is in this process; a proxy has no business in between.
    proxies: hub.embedded ? NO_PROXIES : config,
    certificatePem: hub.embedded ? tlsOf(config)?.certPem : undefined,
    clock: systemClock,
    log,
  });
}

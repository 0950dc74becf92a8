/** The parts of the composition root: which implementation goes with which. Only app.ts uses this. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAgentFactory } from './agents/factory.ts';
import { Bridge } from './bridge/bridge.ts';
import { CatchUp } from './bridge/catch-up.ts';
import type { Config, Environment } from './config.ts';
import { BridgeError } from './core/errors.ts';
import {
  appId,
  openId,
  workspaceId,
  type AppId,
  type OpenId,
  type WorkspaceId,
} from './core/ids.ts';
import { type Service } from './core/lifecycle.ts';
import { TURNS_RUNNING_MAX } from './core/limits.ts';
import type { Clock, Line, Log, LooseAnswer } from './core/ports.ts';
import type { Secret } from './core/secret.ts';
import { createDirectory, type Directory } from './hub/directory.ts';
import { createHub, type Hub } from './hub/hub.ts';
import { openBaseUrl } from './lark/brand.ts';
import type { Connection } from './lark/connection.ts';
import { createLark } from './lark/lark.ts';
import { EventLoopGauge } from './ops/event-loop.ts';
import { keptSecret } from './ops/kept-secret.ts';
import { SignOfLife } from './ops/sign-of-life.ts';
import { PlatformClient } from './platform/client.ts';
import { CallCounts } from './store/bridge/calls.ts';
import { cursorStore } from './store/bridge/cursors.ts';
import { DaemonTable, type SignOfLife as LastSign } from './store/bridge/daemon.ts';
import { SqliteGaps } from './store/bridge/gaps.ts';
import { SqliteJournal } from './store/bridge/journal.ts';
import { SqliteOrders } from './store/bridge/orders.ts';
import { Db } from './store/db.ts';
import { createHubStore } from './store/hub/hub-store.ts';

/** What every entry needs: settings, the environment that agents inherit, and the log. */
export interface Setting {
  readonly config: Config;
  readonly env: Environment;
  readonly log: Log;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Counts on steadily when somebody sets the machine's clock: for waits, not for times. */
const steadyClock: Clock = {
  nowMs: () => performance.now(),
  after: (delayMs, run) => systemClock.after(delayMs, run),
};

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
}

/** The bridge with everything around it, in the order in which it starts. */
export function assemble(
  { config, log }: Setting,
  { lark: settings, hub, db }: Foundations,
): { services: readonly Service[]; ended: Promise<never> } {
  const { brand } = config;
  const base = { clock: systemClock, random: Math.random, log };
  const calls = new CallCounts({ db, app: settings.appId, clock: systemClock });
  const daemon = new DaemonTable(db);
  const lastSign = daemon.read();
  const lark = createLark({
    ...base,
    ...settings,
    botOpenId: config.botOpenId === undefined ? undefined : openId(config.botOpenId),
    lastKnown: lastSign && botOf(lastSign, settings.appId),
    paceClock: steadyClock,
    proxy: config,
    callLimits: config.callLimits,
    countCall: (callClass) => calls.count(callClass),
  });
  const platform = createPlatform({ config, hub, log, db }, (answer) => bridge.receive(answer));
  const bridge = new Bridge({
    ...base,
    brand,
    ...journalOf(db, settings.appId),
    target: platform,
    lark: lark.gateway,
    turnsRunningMax: config.maxTurns,
    turnTimeoutMs: config.turnTimeoutSecs * 1000,
  });
  const { ended, end } = ending();
  const connection = lark.connect(bridge.intake, end);
  const eventLoop = new EventLoopGauge();
  const signOfLife = new SignOfLife({
    ...base,
    write: async (sign) => {
      await Promise.all([daemon.write(sign), calls.flush()]);
    },
    status: () => ({
      app_id: settings.appId,
      brand,
      hub_url: hub.url,
      bot_open_id: lark.identity.self.botOpenId ?? null,
      connection: connection.status(),
      events: connection.counts(),
      bridge: bridge.status(),
      calls_this_month: calls.thisMonth(),
      event_loop_delay: eventLoop.read(),
    }),
  });
  const history = { journal: new SqliteGaps(db, settings.appId), lark: lark.gateway };
  const line = { line: lineOf(connection), lastAliveMs: lastSign?.atMs };
  const catchUp = new CatchUp({ ...base, ...history, ...line, intake: bridge.intake });
  const http = closing('lark_http', () => lark.http.close());
  const inside: Service[] = [http, platform, lark.identity, bridge, lark.calls];
  return { services: inside.concat([connection, lark.strangers, catchUp, signOfLife]), ended };
}

/** Who the bot was to the process that gave this sign. */
function botOf({ status }: LastSign, app: AppId): OpenId | undefined {
  const { app_id, bot_open_id } = JSON.parse(status) as {
    app_id: AppId;
    bot_open_id: OpenId | null;
  };
  return app_id === app ? (bot_open_id ?? undefined) : undefined;
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
  };
}

/** How the bridge reaches its hub: where, as whom, and who gets the turns. */
export interface HubAccess {
  readonly url: string;
  readonly workspace: WorkspaceId;
  readonly token: Secret;
  readonly target: () => Promise<WorkspaceId>;
  /** It is in this process. */
  readonly embedded: boolean;
}

export async function openHub(setting: Setting, db: Db, opened: Service[]): Promise<HubAccess> {
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

function tlsOf({ tlsCert, tlsKey }: Config) {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return { certPem: readFileSync(tlsCert, 'utf8'), keyPem: readFileSync(tlsKey, 'utf8') };
}

export function createEmbeddedHub({ config, env, log }: Setting, db: Db): Hub {
  const { corsOrigin, rateLimit } = config;
  const tls = tlsOf(config);
  const timeoutMs = config.turnTimeoutSecs * 1000;
  return createHub({
    host: config.hubHost,
    port: config.hubPort,
    ...(tls !== undefined && { tls }),
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
    onInterrupted: config.onInterrupted === 'ask' ? 'fail' : 'rerun',
  });
}

const NO_PROXIES = { httpProxy: undefined, httpsProxy: undefined, noProxy: undefined };

function createPlatform(
  { config, hub, log, db }: { config: Config; hub: HubAccess; log: Log; db: Db },
  receive: (answer: LooseAnswer) => Promise<void>,
): PlatformClient {
  return new PlatformClient({
    url: hub.url,
    workspace: hub.workspace,
    token: hub.token,
    orgId: config.orgId,
    target: hub.target,
    turnTimeoutMs: config.turnTimeoutSecs * 1000,
    receive,
    cursor: cursorStore(db, hub.workspace),
    // The embedded hub is in this process; a proxy has no business in between.
    proxies: hub.embedded ? NO_PROXIES : config,
    certificatePem: hub.embedded ? tlsOf(config)?.certPem : undefined,
    clock: systemClock,
    log,
  });
}

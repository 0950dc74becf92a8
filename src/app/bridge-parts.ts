/** The parts of the composition root: which implementation goes with which. Only app.ts uses this. */
import { Bridge } from '../bridge/bridge.ts';
import { CatchUp } from '../bridge/catch-up.ts';
import type { Config, Environment } from '../config/load.ts';
import type { Brand } from '../core/brand.ts';
import { BridgeError } from '../core/errors.ts';
import { appId, chatId, openId, type AppId } from '../core/ids.ts';
import { type Service } from '../core/service.ts';
import type { Secret } from '../core/secret.ts';
import { openBaseUrl } from '../lark/brand.ts';
import type { Connection } from '../lark/inbound/connection.ts';
import { Lark } from '../lark/lark.ts';
import type { HubAccess } from './hub-access.ts';
import type { Monitoring } from './monitoring.ts';
import { EventLoopGauge } from '../observe/metrics/event-loop.ts';
import type { BridgeFacts } from '../observe/metrics/metric-table.ts';
import { knownFrom, SignOfLife } from '../host/daemon-status.ts';
import { CallCounts } from '../store/sqlite/bridge/calls.ts';
import { DaemonTable } from '../store/sqlite/bridge/daemon.ts';
import { SqliteGaps } from '../store/sqlite/bridge/gaps.ts';
import { SqliteJournal } from '../store/sqlite/bridge/journal.ts';
import { SqliteOrders } from '../store/sqlite/bridge/orders.ts';
import { Db } from '../store/sqlite/db.ts';
import type { Line } from '../bridge/ports.ts';
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
  const lark = new Lark({
    ...base,
    ...settings,
    botOpenId: config.botOpenId === undefined ? undefined : openId(config.botOpenId),
    lastKnown: lastSign && knownFrom(lastSign.status, settings.appId),
    paceClock: steadyClock,
    proxy: config,
    callLimits: config.callLimits,
    countCall: (callClass) => calls.count(callClass),
  });
  const target = hub.createTarget((answer) => bridge.receive(answer));
  const bridge = new Bridge({
    ...base,
    brand,
    ...journalOf(db, settings.appId),
    target,
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
  const watchedHub = { hub: () => target.status(), hubUrl: hub.url };
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
  const inside: Service[] = [http, target, lark.identity, bridge, lark.calls];
  return { services: [...inside, connection, lark.otherConnections, catchUp, signOfLife], ended };
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

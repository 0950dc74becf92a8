/** The bridge with everything around it: which implementation goes with which. */
import { hkdfSync } from 'node:crypto';
import { join } from 'node:path';
import type { ChatTools, OwnerNotice } from '../agents/runtime.ts';
import { Bridge } from '../bridge/bridge.ts';
import { summaryOf, SUMMARY_TURNS_MAX } from '../bridge/turns/session-summary.ts';
import { CatchUp } from '../bridge/catch-up.ts';
import { toldShow } from '../bridge/texts/told.ts';
import { ownerNotices } from '../bridge/texts/owner-notices.ts';
import { defaultLanguage } from '../bridge/texts/languages.ts';
import type { Config } from '../config/load.ts';
import type { Brand } from '../core/brand.ts';
import type { BridgeError } from '../core/errors.ts';
import { type AppId, chatId, openId } from '../core/ids.ts';
import type { LarkContext } from '../core/message.ts';
import type { SaidInSessions } from '../bridge/ports/sessions.ts';
import type { SessionAudience } from '../hub/ports/sessions.ts';
import type { Secret } from '../core/secret.ts';
import { closing, type Service } from '../time/service.ts';
import type { Connection } from '../lark/inbound/connection.ts';
import { Lark } from '../lark/lark.ts';
import type { AppContext, LarkSettings } from './context.ts';
import { AnswerFilesOnDisk } from '../files/answer-files.ts';
import { ANSWER_FILES, journalOf } from './state.ts';
import { latestStatus } from './state-to-read.ts';
import type { HubAccess } from './hub-access.ts';
import { createSurroundings } from './surroundings.ts';
import { createWebhookCaller } from './webhooks.ts';
import type { Monitoring } from './monitoring.ts';
import { EventLoopGauge } from '../observe/metrics/event-loop.ts';
import { ownerFile } from '../host/owner-file.ts';
import { type DaemonStatus, knownBefore, StatusWriter } from '../host/daemon-status.ts';
import { AttachmentFiles } from '../store/attachments/attachment-files.ts';
import { CallCounts } from '../store/sqlite/bridge/calls.ts';
import { DaemonTable } from '../store/sqlite/bridge/daemon.ts';
import { noteLastWrite } from '../store/sqlite/last-write.ts';
import { SqliteGaps } from '../store/sqlite/bridge/gaps.ts';
import { SqliteWebhookQueue } from '../store/sqlite/bridge/webhooks.ts';
import type { Db } from '../store/sqlite/db.ts';
import type { AccessLookup } from '../bridge/ports/access.ts';
import type { LongConnection } from '../bridge/ports/intake.ts';
import { ChoiceValues } from '../wire/choice-value.ts';
import { ownTimeZone } from '../time/local-day.ts';
import { restoredAtMs } from '../store/sqlite/bridge/restores.ts';
import { steadyClock, systemClock } from '../time/clock.ts';

/** The embedded hub ends an agent whose time is over, and then reports it. That takes a kill and a commit. */
const HUB_REPORT_MS = 5_000;

interface Foundations {
  readonly lark: LarkSettings;
  readonly hub: HubAccess;
  readonly db: Db;
  readonly monitoring: Monitoring;
}

/** The bridge with everything around it, in the order in which it starts. */
export function assemble(
  { config, log }: AppContext,
  { lark: settings, hub, db, monitoring }: Foundations,
): { services: readonly Service[]; ended: Promise<never>; turnsAtWork: () => number } {
  const { brand } = config;
  const base = { clock: systemClock, random: Math.random, log, observer: monitoring.observer };
  const calls = new CallCounts({ db, app: settings.appId, clock: systemClock });
  const latest = latestStatus(db);
  const lark = createLark(config, settings, { ...base, calls, latest });
  const around = { config, lark: settings, hub, monitoring, calls };
  const target = hub.createTarget((answer) => bridge.receive(answer));
  const webhooks = createWebhookCaller(config);
  const { liveJournal, ...stored } = stateOf({ config, log }, { db, app: settings.appId, hub });
  const bridge = new Bridge({
    ...base,
    brand,
    language: defaultLanguage(config.lang, brand),
    ...stored,
    liveCards: { journal: liveJournal, mode: config.live },
    restoredAtMs: restoredAtMs(db, systemClock.nowMs()),
    ...chosenIn(config, settings.appId),
    lookup: lookupOf(lark),
    target,
    ...(hub.agentNamed && { agentNamed: hub.agentNamed }),
    lark: lark.gateway,
    answerFiles: new AnswerFilesOnDisk(join(config.stateDir, ANSWER_FILES)),
    choices: new ChoiceValues(buttonKey(settings.appSecret)),
    ...timesOf(config, hub),
    webhooks: { queue: new SqliteWebhookQueue(db), call: webhooks.call },
    surroundings: createSurroundings({ ...around, link: () => longConnectionOf(connection) }),
  });
  const { ended, end } = endingAfter(() => bridge.finishTurns());
  const connection = lark.connect(bridge.intake, end);
  const parts = { lark, connection, bridge, calls, hub, monitoring };
  monitoring.watch(watchedIn(parts, target));
  const statusWriter = new StatusWriter({
    ...base,
    save: (row) => saveStatus(row, { db, calls, dbPath: config.dbPath }),
    status: createStatus(settings.appId, brand, parts),
  });
  hub.audience?.connect(audienceOf(bridge, stored.said));
  hub.outlet?.connect({ bridge, journal: stored.journal, form: lark.gateway.form });
  const history = { journal: new SqliteGaps(db, settings.appId), lark: lark.gateway };
  const link = { connection: longConnectionOf(connection), lastAliveMs: latest?.atMs };
  const catchUp = new CatchUp({ ...base, ...history, ...link, intake: bridge.intake });
  const clients = [httpOf(lark), webhooks.service];
  const inside: Service[] = [...clients, target, lark.identity, bridge, lark.calls];
  // Stops first: with a backlog, new turns would take the time that the other parts need for their stop.
  const newTurns = closing('new_turns', () => void bridge.finishTurns());
  return {
    services: inside.concat([connection, lark.otherConnections, catchUp, statusWriter, newTurns]),
    ended,
    turnsAtWork: () => bridge.status().running,
  };
}

function watchedIn(
  { connection, bridge, calls, hub }: StatusParts,
  target: ReturnType<HubAccess['createTarget']>,
): Parameters<Monitoring['watch']>[0] {
  return {
    connection: () => connection.status(),
    events: () => connection.counts(),
    work: () => bridge.status(),
    callsThisMonth: () => calls.thisMonth(),
    hub: () => target.status(),
    hubUrl: hub.url,
    unserved: hub.unserved,
  };
}

/** What the settings say of the bridge itself. */
function chosenIn(config: Config, app: AppId) {
  const { access, thoughts, usageLine, maxTurns, burstWaitSecs, defaultChatId } = config;
  return {
    appId: app,
    accessMode: access,
    thoughts: thoughts === 'on',
    usageLine: usageLine === 'on',
    turnsRunningMax: maxTurns,
    burstWaitMs: burstWaitSecs * 1000,
    defaultChatId: defaultChatId === undefined ? undefined : chatId(defaultChatId),
  };
}

/** What an agent can do in the chat of a turn. */
function chatOf({ chatTools }: Bridge, turn: LarkContext): ChatTools {
  return {
    sendFile: (file, caption) => chatTools.sendFile(turn, file, caption),
    readHistory: (query) => chatTools.readHistory(turn, query),
    react: (emoji) => chatTools.react(turn, emoji),
  };
}

function audienceOf(bridge: Bridge, said: SaidInSessions): SessionAudience {
  return {
    saidBefore: async (session) => summaryOf(await said.saidIn(session, SUMMARY_TURNS_MAX)),
    lateText: (session, text) => bridge.lateText(session, text),
    told: (session, what) => void bridge.told(session, toldShow(what)),
    ownerNotice: (agent, about) => void bridge.tellOwner(agent, shownToOwner(agent, about)),
    chatOf: (turn) => chatOf(bridge, turn),
  };
}

function shownToOwner(agent: string, about: OwnerNotice) {
  return about.kind === 'mode_unknown'
    ? ownerNotices.mode_unknown(agent, about.mode)
    : ownerNotices.tools_ignored(agent);
}

function httpOf({ http }: Lark): Service {
  return closing('lark_http', () => http.close());
}

function createLark(
  config: AppContext['config'],
  settings: LarkSettings,
  {
    calls,
    latest,
    ...base
  }: Pick<ConstructorParameters<typeof Lark>[0], 'clock' | 'random' | 'log' | 'observer'> & {
    readonly calls: CallCounts;
    readonly latest: ReturnType<typeof latestStatus>;
  },
): Lark {
  return new Lark({
    ...base,
    ...settings,
    botOpenId: config.botOpenId === undefined ? undefined : openId(config.botOpenId),
    lastKnown: latest && knownBefore(latest.status, settings.appId),
    paceClock: steadyClock,
    proxy: config,
    callLimits: config.callLimits,
    countCall: (callClass) => calls.count(callClass),
  });
}

/** What the bridge keeps: its journal, files of messages, and who its owner is. An agent on another machine could not read those. */
function stateOf(
  { config, log }: Pick<AppContext, 'config' | 'log'>,
  { db, app, hub }: { readonly db: Db; readonly app: AppId; readonly hub: HubAccess },
) {
  const stored = journalOf(db, app);
  const attachments = new AttachmentFiles({
    folder: join(config.stateDir, 'attachments'),
    bytesMax: config.attachmentsMaxMb * 1024 ** 2,
    keepMs: config.attachmentsKeepDays * 24 * 60 * 60 * 1000,
    inUse: () => stored.journal.openMessages(),
    clock: systemClock,
    log,
  });
  return {
    ...stored,
    attachments: hub.embedded ? attachments : undefined,
    owner: () => ownerFile(config.stateDir, app).load(),
  };
}

function timesOf(config: Config, { embedded }: HubAccess) {
  const { turnTimeoutSecs, questionTimeoutSecs, reportAt, reportTimeZone } = config;
  return {
    // The embedded hub ends its agents itself, and its report says why there is no answer.
    turnTimeoutMs: turnTimeoutSecs * 1000 + (embedded ? HUB_REPORT_MS : 0),
    questionTimeoutMs: questionTimeoutSecs * 1000,
    reportTime: { minuteOfDay: reportAt, zone: reportTimeZone ?? ownTimeZone() },
  };
}

function lookupOf({ gateway }: Lark): AccessLookup {
  return {
    group: (chat) => gateway.group(chat),
    async writeTo(person, text, key) {
      const written = await gateway.writeTo(person, { kind: 'text', text }, key);
      return written.ok ? written.chatId : undefined;
    },
  };
}

async function saveStatus(
  row: Parameters<DaemonTable['write']>[0],
  { db, calls, dbPath }: { readonly db: Db; readonly calls: CallCounts; readonly dbPath: string },
): Promise<void> {
  await Promise.all([new DaemonTable(db).write(row), calls.flush()]);
  noteLastWrite(dbPath, row.atMs);
}

/** A key for this purpose only, from which nobody can compute the secret. */
function buttonKey(appSecret: Secret): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', appSecret.reveal(), '', 'lark-bridge button value', 32));
}

interface StatusParts {
  readonly lark: Lark;
  readonly connection: Connection;
  readonly bridge: Bridge;
  readonly calls: CallCounts;
  readonly hub: HubAccess;
  readonly monitoring: Monitoring;
}

/** The status of the process at the moment of the call. */
function createStatus(app: AppId, brand: Brand, parts: StatusParts): () => DaemonStatus {
  const { lark, connection, bridge, calls, hub, monitoring } = parts;
  const eventLoop = new EventLoopGauge();
  const startedAt = new Date(systemClock.nowMs()).toISOString();
  return () => {
    const base = monitoring.url() ?? (hub.embedded ? hub.url : undefined);
    return {
      version: monitoring.version,
      started_at: startedAt,
      app_id: app,
      brand,
      bot_open_id: lark.identity.self.botOpenId ?? null,
      hub_url: hub.url,
      // With a hub elsewhere and no address of its own, the process can't be asked.
      health_url: base && `${base}/health`,
      health: monitoring.report(),
      connection: connection.status(),
      events: connection.counts(),
      bridge: bridge.status(),
      calls_this_month: calls.thisMonth(),
      event_loop_delay: eventLoop.read(),
    };
  };
}

/** A promise that rejects when the bridge can't go on. Agents at work are not to blame, so their turns end first. */
function endingAfter(finishTurns: () => Promise<void>) {
  const refused = new AbortController();
  const ended = new Promise<never>((_resolve, reject) => {
    refused.signal.addEventListener('abort', () => reject(refused.signal.reason as BridgeError));
  });
  // Whoever runs the bridge waits for it; during a start or a stop nobody may.
  ended.catch(() => {});
  const finish = async (reason: BridgeError) => {
    await finishTurns();
    refused.abort(reason);
  };
  return { ended, end: (reason: BridgeError) => void finish(reason) };
}

function longConnectionOf(connection: Connection): LongConnection {
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

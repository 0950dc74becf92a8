/** Where turns go: to the embedded hub in this process, or to a hub elsewhere. */
import { join } from 'node:path';
import { ProgramPlaces } from '../agents/acp/places.ts';
import { AgentTools } from '../agents/mcp/agent-tools.ts';
import { createRuntime } from '../agents/create-runtime.ts';
import { LateCode } from '../agents/late-code.ts';
import { OutputFolders } from '../agents/output-folders.ts';
import { ProgramCgroups } from '../agents/cgroups/program-cgroups.ts';
import { RunningPrograms } from '../agents/running-programs.ts';
import { TurnFiles } from '../agents/turn-files.ts';
import type { AgentControls } from '../bridge/ports/agent-controls.ts';
import type { UnmatchedAnswer, TurnTarget, UnservedAgent } from '../bridge/ports/target.ts';
import type { Config } from '../config/load.ts';
import { BridgeError } from '../core/errors.ts';
import { isSameWorkspace, workspaceId, type WorkspaceId } from '../core/ids.ts';
import { TURNS_RUNNING_MAX } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Secret } from '../core/secret.ts';
import type { Service } from '../time/service.ts';
import { installedVersion, packageFacts } from '../host/package.ts';
import { createSecretReader, loadOrCreateSecret } from '../host/secret-files.ts';
import { workspaceTokenFile } from '../host/workspace-token.ts';
import { Directory } from '../hub/domain/directory.ts';
import { Hub, type HubOptions } from '../hub/hub.ts';
import type { AgentRecord } from '../hub/ports/agents.ts';
import { InProcessTarget } from '../hub/surfaces/in-process/target.ts';
import { ChannelSocket } from '../platform/channel-socket.ts';
import { PlatformClient, type PlatformOptions } from '../platform/client.ts';
import { DaemonTarget } from '../platform/daemon-target.ts';
import type { TokenKeeper } from '../platform/hub-calls.ts';
import { SqliteCursor } from '../store/sqlite/bridge/cursors.ts';
import type { Db } from '../store/sqlite/db.ts';
import { SqliteFolders } from '../store/sqlite/hub/folders.ts';
import { SqliteHubStore } from '../store/sqlite/hub/hub-store.ts';
import { systemClock } from '../time/clock.ts';
import { EmbeddedControls, limitMsOf } from './agent-controls.ts';
import type { AppContext } from './context.ts';
import { loadTls, mustBeProtected } from './hub-protection.ts';
import { BridgeAudience } from './bridge-audience.ts';
import { BridgeOutlet } from './lark-outlet.ts';
import type { AgentMeter } from '../observe/metrics/agent-meter.ts';
import type { Monitoring } from './monitoring.ts';
import { AGENT_FOLDERS, ANSWER_FILES } from './state.ts';

/** Gets the turns, and reports whether it can be reached. */
type Target = TurnTarget &
  Service & {
    status(): { readonly reachable: boolean; readonly detail: string | undefined };
  };
type Receive = (answer: UnmatchedAnswer) => Promise<void>;

export interface HubAccess {
  readonly url: string;
  /** The hub runs in this process. */
  readonly embedded: boolean;
  /** Who gets new turns. Undefined if it can't be found out now. */
  readonly agentName: () => Promise<string | undefined>;
  /** The usual agent or one with turns, if nobody serves it. Only of the embedded hub. */
  readonly unserved?: () => UnservedAgent | undefined;
  /** The name of an agent that this hub runs. */
  readonly agentNamed?: (agent: WorkspaceId) => Promise<string | undefined>;
  /** Shows messages of agents in Lark, as soon as it is connected. Only of the embedded hub. */
  readonly outlet?: BridgeOutlet;
  /** Shows what agents say outside of their turns. Only of the embedded hub. */
  readonly audience?: BridgeAudience;
  /** What people can choose of its agents. Only of the embedded hub. */
  readonly controls?: AgentControls;
  /** `receive` is called for answers that name no turn. */
  readonly createTarget: (receive: Receive) => Target;
}

/** The hub that the settings name, else the embedded one. That one is started and put into `opened`. */
export async function openHub(
  context: AppContext,
  { db, monitoring }: { readonly db: Db; readonly monitoring: Monitoring },
  opened: Service[],
): Promise<HubAccess> {
  const { platformUrl: url } = context.config;
  if (url !== undefined) {
    const reach = reachOf(context, { url, db });
    return {
      url,
      embedded: false,
      agentName: () => Promise.resolve(reach.target),
      createTarget: (receive) => createRemoteTarget(reach, receive),
    };
  }
  const store = new SqliteHubStore(db);
  const directory = new Directory(store, systemClock);
  const own = await directory.provisionWorkspace('lark-bridge');
  const { config, log } = context;
  const outlet = createOutlet(context);
  const audience = new BridgeAudience();
  const agent = (name?: string) => chosenAgent(directory, name ?? config.agent);
  const shown = { bridge: own, outlet, audience, usualAgent: () => agent() };
  const { pages, agents: agentMeter } = monitoring;
  const hub = createEmbeddedHub(context, db, { pages, agentMeter, ...shown });
  await hub.start();
  opened.push(hub);
  const controls = new EmbeddedControls({
    directory,
    folders: new SqliteFolders(db),
    choices: hub.sessionChoices,
    agent,
    home: config.home,
  });
  // Throws now if the settings name an agent that does not exist, and not at the first message.
  await agent();
  return {
    url: hub.address,
    embedded: true,
    outlet,
    audience,
    controls,
    unserved: () => hub.agentWatch.unserved,
    agentName: () => agent().then(({ name }) => name, nameless),
    agentNamed: async (workspace) => (await store.agentOf(workspace))?.name,
    createTarget: (receive) =>
      new InProcessTarget({
        turns: hub.turns,
        agentWatch: hub.agentWatch,
        store,
        own,
        agent,
        goneOf: (chosen) => controls.goneOf(chosen),
        limitMs: (record) => limitMsOf(record, config),
        receive,
        cursor: new SqliteCursor(db, own),
        clock: systemClock,
        log,
      }),
  };
}

function createOutlet({ config, log }: AppContext): BridgeOutlet {
  const folder = join(config.stateDir, ANSWER_FILES);
  return new BridgeOutlet({ folder, clock: systemClock, log });
}

function nameless(error: unknown): undefined {
  if (!(error instanceof BridgeError)) throw error;
}

function chosenAgent(directory: Directory, name: string | undefined): Promise<AgentRecord> {
  return name === undefined ? directory.defaultAgent() : directory.agentNamed(name);
}

export function createEmbeddedHub(
  { config, env, log }: AppContext,
  db: Db,
  {
    agentMeter,
    ...more
  }: Partial<Pick<HubOptions, 'pages' | 'bridge' | 'outlet' | 'audience' | 'usualAgent'>> & {
    readonly agentMeter: AgentMeter;
  },
): Hub {
  mustBeProtected(config);
  const { corsOrigin, rateLimit } = config;
  const tls = loadTls(config, { nowMs: systemClock.nowMs(), log });
  const timeoutMs = config.turnTimeoutSecs * 1000;
  const folder = join(config.stateDir, 'programs');
  const programs = new RunningPrograms({ folder, clock: systemClock, log });
  const cgroups = new ProgramCgroups({ stateDir: config.stateDir, clock: systemClock, log });
  const outputs = new OutputFolders({ folder: join(config.stateDir, ANSWER_FILES), log });
  const turnFiles = new TurnFiles({ folder: join(config.stateDir, 'turns'), log });
  const places = new ProgramPlaces(config.agentProcessesMax);
  const idleMs = config.agentIdleSecs * 1000;
  const agentFolders = join(config.stateDir, AGENT_FOLDERS);
  const openTools = createTools(config, log);
  const lateCode = createLateCode(log);
  const store = new SqliteHubStore(db);
  return new Hub({
    host: config.hubHost,
    port: config.hubPort,
    ...(tls !== undefined && { tls }),
    names: [config.hubHost, ...(config.hubNames ?? [])],
    bridges: (config.hubBridges ?? []).map(workspaceId),
    ...(corsOrigin !== undefined && { corsOrigin }),
    rateLimit,
    log,
    clock: systemClock,
    store,
    createRuntime: (spec, host) => {
      const shared = { places, idleMs, agentFolders, openTools, lateCode, proxies: config };
      const kept = { ...shared, observer: agentMeter };
      const given = { env, timeoutMs, programs, cgroups, outputs, turnFiles, ...kept };
      return createRuntime(spec, { ...given, clock: systemClock, log }, host);
    },
    // When a process is killed, its programs go on. They must end before their turns run again.
    beforeAgents: async () => {
      const kinds = (await store.agents()).map(({ spec: { kind } }) => kind);
      await Promise.all([programs.endLeftovers(), cgroups.start(), lateCode.load(kinds)]);
      outputs.removeUnfinished();
      turnFiles.removeLeftovers();
    },
    provisionToken: (generate) =>
      Promise.resolve(loadOrCreateSecret(join(config.stateDir, 'provision-token'), generate)),
    turnTimeoutMs: timeoutMs,
    sessionTurnLimitMs: config.agentTurnLimitSecs * 1000,
    silenceMs: config.silenceNoticeSecs * 1000,
    maxRunning: Math.max(TURNS_RUNNING_MAX, config.maxTurns),
    onInterrupted: config.onInterrupted === 'ask' ? 'fail' : 'rerun',
    ...more,
  });
}

function createTools({ stateDir: privateFolder }: Config, log: Log) {
  const node = process.execPath;
  return new AgentTools({ privateFolder, node, clock: systemClock, log }).open;
}

function createLateCode(log: Log): LateCode {
  const { version } = packageFacts();
  return new LateCode({ isInstalled: () => installedVersion() === version, log });
}

// ---------------------------------------------------------------- a hub elsewhere

/** How a hub elsewhere is used: its address, our workspace and token, and the workspace that gets the turns. */
interface Reach {
  readonly config: Config;
  readonly log: Log;
  readonly db: Db;
  readonly url: string;
  readonly workspace: WorkspaceId;
  /** Called for each request, because the token may change. */
  readonly token: () => Secret;
  readonly tokenKeeper: TokenKeeper;
  readonly target: WorkspaceId;
}

function reachOf({ config, log }: AppContext, { url, db }: { url: string; db: Db }): Reach {
  const { workspaceId: own, workspaceToken: first, workspaceTokenFile: path, stateDir } = config;
  const target = namedTarget(config);
  if (own === undefined || first === undefined || target === undefined) {
    throw new Error('settings were loaded without the need for a platform');
  }
  return {
    config,
    log,
    db,
    url,
    workspace: workspaceId(own),
    token: path === undefined ? () => first : createSecretReader({ path, first, log }),
    tokenKeeper: workspaceTokenFile(join(stateDir, 'workspace-token.json'), {
      url,
      workspace: own,
    }),
    target,
  };
}

/** The workspace that gets the turns. With --mode daemon the default is the host itself. */
function namedTarget({ mode, workspaceId: own, targetWorkspaceId }: Config) {
  const named = targetWorkspaceId ?? (mode === 'daemon' ? own : undefined);
  return named === undefined ? undefined : workspaceId(named);
}

/** --mode poll: as the bridge's own workspace. --mode daemon: as the workspace that started the bridge. */
function createRemoteTarget(reach: Reach, receive: Receive): Target {
  const { config, workspace: host, target: named, log } = reach;
  if (config.mode === 'poll') return createPlatform(reach, { receive });
  const target = isSameWorkspace(named, host) ? host : named;
  return new DaemonTarget({
    platform: createPlatform(reach, {
      // The inbox belongs to the host, so most messages in it are for the host.
      receive: async (answer) => {
        if (isSameWorkspace(answer.from, target)) await receive(answer);
      },
      // The inbox of a workspace does not get the workspace's own messages.
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
  reach: Reach,
  role: Pick<PlatformOptions, 'receive' | 'inherited'>,
): PlatformClient {
  const { config, db, workspace, target } = reach;
  return new PlatformClient({
    ...reach,
    ...role,
    orgId: config.orgId,
    target: () => Promise.resolve(target),
    turnTimeoutMs: config.turnTimeoutSecs * 1000,
    cursor: new SqliteCursor(db, workspace),
    proxies: config,
    clock: systemClock,
  });
}

/** Everything that the demo needs, in this one process: a cloud, a bot in it, its bridge and hub. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NewAgent } from '../../app/agent-specs.ts';
import { type Cast, createCast } from '../../sim/control/cast.ts';
import type { LarkCloud } from '../../sim/control/lark-cloud.ts';
import { DEFAULT_SUBSCRIPTIONS, SCOPE_GROUP_MESSAGES } from '../../sim/world/scopes.ts';
import type { Invocation } from '../command.ts';
import { ownAgent } from './own-agent.ts';

export interface Stage extends Cast {
  readonly cloud: LarkCloud;
  readonly hubUrl: string;
  /** A person brought an agent. Without one the bot echoes. */
  readonly hasAgent: boolean;
  /** Rejects if the bridge can't go on. */
  readonly ended: Promise<never>;
  /** Stops the bridge. The chats stay as they are. */
  stopBridge(): Promise<void>;
  /** Stops everything and removes what it wrote. */
  close(): Promise<void>;
}

/** Not every app gets it; with it the bot of the demo hears of edits. */
const EDIT_EVENT = 'im.message.updated_v1';

/** Whom one can be on the page of the demo, beside the person who chats on the terminal. */
const OTHERS = ['Tom', 'Lin'];

export async function openStage(invocation: Invocation): Promise<Stage> {
  const agent = ownAgent(invocation.options);
  const { startLarkCloud } = await import('../../sim/server.ts');
  const cloud = await startLarkCloud();
  const folder = mkdtempSync(join(tmpdir(), 'lark-bridge-demo-'));
  const clear = async () => {
    await cloud.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const cast = createCast(cloud, { others: OTHERS, ...(agent && { bot: agent.name }) });
    // Nobody can grant it here, so the bot must not ask for it: it reads what was said in a group before.
    cloud.changeApp(cast.app, {
      addScopes: [SCOPE_GROUP_MESSAGES],
      subscriptions: [...DEFAULT_SUBSCRIPTIONS, EDIT_EVENT],
    });
    const bridge = await startDemoBridge(invocation, { cloud, ...cast, folder, agent });
    let stopped: Promise<void> | undefined;
    const stopBridge = () => (stopped ??= bridge.stop());
    return {
      ...cast,
      cloud,
      hubUrl: bridge.hubUrl,
      hasAgent: agent !== undefined,
      ended: bridge.ended,
      stopBridge,
      close: async () => {
        await stopBridge();
        await clear();
      },
    };
  } catch (error) {
    await clear();
    throw error;
  }
}

interface DemoParts extends Pick<Cast, 'app' | 'user'> {
  readonly cloud: LarkCloud;
  readonly folder: string;
  readonly agent: NewAgent | undefined;
}

async function startDemoBridge(invocation: Invocation, parts: DemoParts) {
  const { startBridge } = await import('../../app/start.ts');
  const config = await demoConfig(invocation, parts);
  const log = await invocation.createLog(config);
  const { agent, app, user } = parts;
  if (agent === undefined) return startBridge({ config, env: {}, log });
  const { addDemoAgent, environmentForAgents, nameDemoOwner } =
    await import('../../app/demo-agent.ts');
  const context = { config, env: environmentForAgents(invocation.env, agent), log };
  const ownStateDir = await stateDirOf(invocation);
  const works = await addDemoAgent(context, agent, { signal: invocation.signal, ownStateDir });
  nameDemoOwner(config.stateDir, app.appId, user.openId);
  invocation.output.note(
    `${agent.name} is your agent, and what it does is real${works === undefined ? '' : `, in ${works}`}.`,
  );
  return startBridge(context);
}

/** The person's own. Nothing else that is set for a real bot matters here, also if it is wrong. */
async function stateDirOf({ env, configRequest }: Invocation): Promise<string> {
  const { loadConfig } = await import('../../config/load.ts');
  const { HOME, LARK_CHANNEL_STATE_DIR } = env;
  const { stateDir } = configRequest([]).flags;
  const config = await loadConfig({
    env: { HOME, LARK_CHANNEL_STATE_DIR },
    flags: { ...(stateDir !== undefined && { stateDir }) },
    needs: [],
  });
  return config.stateDir;
}

async function demoConfig(invocation: Invocation, { cloud, app, folder }: DemoParts) {
  const { loadConfig } = await import('../../config/load.ts');
  const asked = invocation.configRequest([]);
  const { logLevel = 'warn', logFormat, noColor, lang } = asked.flags;
  return loadConfig({
    // Of the person's own settings only the language: the demo must not use a real app, hub or folder.
    env: {
      HOME: folder,
      LARK_CHANNEL_STATE_DIR: join(folder, 'state'),
      LARK_APP_ID: app.appId,
      LARK_APP_SECRET: app.appSecret,
      LARK_OPEN_BASE_URL: cloud.openBaseUrl,
      LARK_ACCOUNTS_BASE_URL: cloud.accountsBaseUrl,
      LARK_PORT: '0',
      // Without a choice it is that of the script.
      LARK_BRIDGE_LANG: lang ?? (asked.env['LARK_BRIDGE_LANG'] || 'en'),
      // Everybody in this cloud is a person of the demo.
      LARK_BRIDGE_ACCESS: 'open',
    },
    flags: {
      logLevel,
      ...(logFormat !== undefined && { logFormat }),
      ...(noColor !== undefined && { noColor }),
    },
    needs: ['lark', 'platform'],
  });
}

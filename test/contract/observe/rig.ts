/** A whole bridge in this process, against the simulator, with its metrics, health and log in the test's hands. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Running, startBridge } from '../../../src/app/start.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimChat, SimUser } from '../../../src/sim/world/model.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { type Line, recordingLog } from '../../kit/log.ts';

export interface WatchedBridge extends Running {
  readonly cloud: LarkCloud;
  readonly app: SimApp;
  readonly user: SimUser;
  readonly chat: SimChat;
  readonly databasePath: string;
  readonly lines: readonly Line[];
  /** Says something to the bot and waits for its answer. */
  readonly talk: (text: string) => Promise<void>;
}

type Env = Readonly<Record<string, string>>;

/** Stopped with the test, unless it was before. Settings may say something about the bot. */
export async function startWatchedBridge(
  more: Env | ((app: SimApp) => Env) = {},
): Promise<WatchedBridge> {
  const cloud = await startLarkCloud();
  const app = cloud.addApp({ name: 'Bot' });
  const user = cloud.addUser({ name: 'Mei' });
  const chat = cloud.directChat(user, app);
  onTestFinished(() => cloud.stop());
  const folder = temporaryFolder();
  const given = typeof more === 'function' ? more(app) : more;
  const config = await loadConfig({
    env: {
      HOME: folder,
      LARK_CHANNEL_STATE_DIR: join(folder, 'state'),
      LARK_APP_ID: app.appId,
      LARK_APP_SECRET: app.appSecret,
      LARK_OPEN_BASE_URL: cloud.openBaseUrl,
      LARK_ACCOUNTS_BASE_URL: cloud.accountsBaseUrl,
      LARK_PORT: '0',
      LARK_BRIDGE_ACCESS: 'open',
      ...given,
    },
    flags: {},
    needs: ['lark', 'platform'],
  });
  const log = recordingLog();
  const bridge = await startBridge({ config, env: given, log });
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= bridge.stop());
  onTestFinished(stop);
  const shown = () => cloud.shows(chat).filter(({ from }) => from.startsWith('app:')).length;
  const talk = async (text: string) => {
    const before = shown();
    cloud.say({ chat, from: user, text });
    await cloud.waitFor(() => shown() > before);
  };
  return {
    ...bridge,
    stop,
    cloud,
    app,
    user,
    chat,
    databasePath: config.dbPath,
    lines: log.lines,
    talk,
  };
}

import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimChat, SimUser } from '../../../src/sim/world/model.ts';

/** One bot, two people, and a group with all three. */
export interface DefaultWorld {
  readonly app: SimApp;
  readonly users: readonly [SimUser, SimUser];
  readonly group: SimChat;
}

export function createDefaultWorld(
  lark: LarkCloud,
  credentials: { readonly appId?: string; readonly appSecret?: string } = {},
): DefaultWorld {
  const app = lark.addApp({ name: 'Bridge', ...credentials });
  const users = [lark.addUser({ name: 'Ada' }), lark.addUser({ name: 'Grace' })] as const;
  const group = lark.addGroup({ name: 'Team', members: users, apps: [app] });
  return { app, users, group };
}

/** What a bridge needs in its environment to use this cloud. */
export function environmentFor(lark: LarkCloud, app: SimApp): Readonly<Record<string, string>> {
  return {
    LARK_APP_ID: app.appId,
    LARK_APP_SECRET: app.appSecret,
    LARK_OPEN_BASE_URL: lark.openBaseUrl,
    LARK_ACCOUNTS_BASE_URL: lark.accountsBaseUrl,
  };
}

import type { LarkCloud } from './lark-cloud.ts';
import type { SimApp, SimChat, SimUser } from '../world/model.ts';

/** The smallest world to talk in. */
export interface Cast {
  readonly app: SimApp;
  readonly user: SimUser;
  readonly direct: SimChat;
  readonly group: SimChat;
}

/** A bot, a person, their direct chat and a group with both, and with more people if they are named. */
export function createCast(
  lark: LarkCloud,
  { others = [], bot = 'Echo' }: { others?: readonly string[]; bot?: string } = {},
): Cast {
  const app = lark.addApp({ name: bot });
  const user = lark.addUser({ name: 'Mia' });
  const direct = lark.directChat(user, app);
  const members = [user, ...others.map((name) => lark.addUser({ name }))];
  const group = lark.addGroup({ name: 'Team', members, apps: [app] });
  return { app, user, direct, group };
}

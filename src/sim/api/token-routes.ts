import type { Cloud } from '../cloud.ts';
import { refuse, textField, type Answer, type Route } from './http.ts';

/** Returns a token for credentials. With an app access token comes the tenant access token. */
export function tokenRoutes(cloud: Cloud): readonly Route[] {
  return ['tenant_access_token', 'app_access_token'].map((kind) => ({
    method: 'POST',
    path: `/open-apis/auth/v3/${kind}/internal`,
    auth: 'none',
    handle: (call) => issueToken(cloud, call.body, kind === 'app_access_token'),
  }));
}

/** The fields are at the top level, without `data`. Unlike in other routes, refusals have HTTP 200. */
function issueToken(
  cloud: Cloud,
  body: Readonly<Record<string, unknown>>,
  forApp: boolean,
): Answer {
  const appId = textField(body, 'app_id');
  const appSecret = textField(body, 'app_secret');
  if (!appId || !appSecret) return refuse(10003, 'invalid param', { status: 200 });
  const app = cloud.world.apps.get(appId);
  if (app === undefined) return refuse(10014, 'app id not exists', { status: 200 });
  if (app.appSecret !== appSecret) return refuse(10014, 'app secret invalid', { status: 200 });
  const { token, expireSeconds } = cloud.tokens.issue(app);
  return {
    status: 200,
    body: {
      code: 0,
      msg: 'ok',
      ...(forApp && { app_access_token: token }),
      tenant_access_token: token,
      expire: expireSeconds,
    },
  };
}

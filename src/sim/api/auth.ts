import type { IncomingHttpHeaders } from 'node:http';
import type { Cloud } from '../cloud.ts';
import { refuse, type Answer, type Route } from './http.ts';
import type { SimApp } from '../world/model.ts';

/** The app whose bearer token a request has, or the refusal. */
export function authenticate(cloud: Cloud, headers: IncomingHttpHeaders): SimApp | Answer {
  const [, token] = /^Bearer\s+(\S+)$/.exec(headers.authorization ?? '') ?? [];
  if (token === undefined) {
    return refuse(
      99991661,
      'Missing access token for authorization. Please make a request with token attached.',
    );
  }
  return cloud.tokens.appOf(token) ?? invalidToken();
}

export function invalidToken(): Answer {
  return refuse(
    99991663,
    'Invalid access token for authorization. Please make a request with token attached.',
  );
}

/** 99991672 if the app has none of the scopes that the route needs. */
export function scopeRefusal(app: SimApp, route: Route): Answer | undefined {
  const scopes = route.scopes ?? [];
  if (scopes.length === 0 || scopes.some((scope) => app.scopes.has(scope))) return undefined;
  const msg = `Access denied. One of the following scopes is required: [${scopes.join(', ')}].`;
  const violations = scopes.map((subject) => ({ type: 'action_scope_required', subject }));
  return refuse(99991672, msg, { error: { permission_violations: violations } });
}

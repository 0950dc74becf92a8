import type { Cloud } from '../cloud.ts';
import type { Occasion } from '../world/faults.ts';
import { refuse, type Answer } from './http.ts';
import type { SimApp } from '../world/model.ts';
import { invalidToken } from './auth.ts';
import { tooFrequent } from './message-access.ts';

/** What happens to a call instead of being carried out; `cut`: the socket ends without an answer. */
export type Refusal = Answer | 'cut' | undefined;

export interface Target {
  readonly app: SimApp | undefined;
  readonly occasion: Occasion;
  /** True for calls that put a message into a chat. */
  readonly sends: boolean;
}

/** Faults that keep a call from being carried out. */
export function refusalByFault(cloud: Cloud, target: Target): Refusal {
  const { occasion, app } = target;
  const { faults } = cloud;
  if (faults.take('request_lost', occasion)) return 'cut';
  if (faults.take('html_502', occasion)) {
    const page = '<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>';
    return { status: 502, body: page };
  }
  const limited = faults.take('rate_limited', occasion);
  if (limited) return tooManyCalls(limited.resetSeconds);
  const refused = faults.take('business_error', occasion);
  if (refused) return refuse(refused.code, refused.msg, { status: refused.status });
  if (app !== undefined && faults.take('token_revoked', occasion)) {
    cloud.tokens.revoke(app.appId);
    return invalidToken();
  }
  if (target.sends && faults.take('chat_limited', occasion)) return tooFrequent();
  return undefined;
}

/** 429 as the gateway sends it; the header says when to come back, in seconds. */
export function tooManyCalls(resetSeconds: number): Answer {
  return refuse(99991400, 'request trigger frequency limit', {
    status: 429,
    headers: {
      'x-ogw-ratelimit-limit': '50',
      'x-ogw-ratelimit-reset': String(Math.max(1, Math.ceil(resetSeconds))),
    },
  });
}

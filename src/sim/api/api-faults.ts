import type { Cloud } from '../cloud.ts';
import type { FaultContext } from '../world/faults.ts';
import { refuse, type Answer } from './http.ts';
import type { SimApp } from '../world/model.ts';
import { invalidToken } from './auth.ts';
import { tooFrequent } from './message-access.ts';

/** The result of a call that is not carried out. `cut`: the socket is closed without an answer. */
type Refusal = Answer | 'cut' | undefined;

interface Target {
  readonly app: SimApp | undefined;
  readonly context: FaultContext;
  /** True for calls that put a message into a chat. */
  readonly sends: boolean;
}

/** The faults because of which a call is not carried out. */
export function refusalByFault(cloud: Cloud, target: Target): Refusal {
  const { context, app } = target;
  const { faults } = cloud;
  if (faults.take('request_lost', context)) return 'cut';
  if (faults.take('html_502', context)) {
    const page = '<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>';
    return { status: 502, body: page };
  }
  const limited = faults.take('rate_limited', context);
  if (limited) return tooManyCalls(limited.resetSeconds);
  const refused = faults.take('business_error', context);
  if (refused) return refuse(refused.code, refused.msg, { status: refused.status });
  if (app !== undefined && faults.take('token_revoked', context)) {
    cloud.tokens.revoke(app.appId);
    return invalidToken();
  }
  if (target.sends && faults.take('chat_limited', context)) return tooFrequent();
  return undefined;
}

/** HTTP 429 as the gateway sends it. The header says after how many seconds to try again. */
export function tooManyCalls(resetSeconds: number): Answer {
  return refuse(99991400, 'request trigger frequency limit', {
    status: 429,
    headers: {
      'x-ogw-ratelimit-limit': '50',
      'x-ogw-ratelimit-reset': String(Math.max(1, Math.ceil(resetSeconds))),
    },
  });
}

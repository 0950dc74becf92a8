/** What became of a call, as the bridge hears of it. */
import type { AppId } from '../../core/ids.ts';
import { idOf } from '../inbound/fields.ts';
import type { CallPriority, DeliveryResult } from '../../bridge/ports/delivery.ts';
import type { CallResult } from './calls.ts';
import type { Tried } from '../codes.ts';

export type Undelivered = Extract<DeliveryResult, { ok: false }>;

/** A success without an id is treated as unknown. The key makes another try safe. */
export function delivered<T>(
  result: CallResult<T>,
  id: (body: T) => string | undefined,
): DeliveryResult {
  if (!result.ok) return undelivered(result);
  const made = idOf(id(result.body));
  return made === undefined ? notMade('unknown', 'Lark named no id') : { ok: true, id: made };
}

export function undelivered({ action, code, detail, retryAfterMs }: Undelivered): Undelivered {
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  return { ok: false, action, code, detail, ...wait };
}

export function notMade(action: 'give_up' | 'split' | 'unknown', detail: string): Undelivered {
  return { ok: false, action, code: undefined, detail };
}

export function plain(kind: Tried['kind']): Tried {
  return { kind, inThread: false, card: false };
}

export interface Sending {
  readonly key: string;
  readonly priority: CallPriority;
  readonly appId: AppId;
}

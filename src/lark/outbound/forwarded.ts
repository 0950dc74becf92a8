/** Reads what a bundle of forwarded messages says. Its event and the history give only that it is one. */
import type { MessageId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { ForwardedResult } from '../../bridge/ports/lark.ts';
import { isPassing, type Refusal, type Tried } from '../codes.ts';
import { forwardedText } from '../inbound/content/forwarded.ts';
import { listOf } from '../inbound/fields.ts';
import type { Caller } from './calls.ts';

const READ: Tried = { kind: 'read', inThread: false, card: false };

/** One call gives all of it, also of the bundles in it. */
export function createForwardedReader({ caller, log }: { caller: Caller; log: Log }) {
  return async (bundle: MessageId): Promise<ForwardedResult> => {
    // A person waits for the answer.
    const spec = { api: 'message_get', priority: 'notice' } as const;
    const result = await caller.call(spec, READ, (client, authorization) =>
      client.im.v1.message.get({ path: { message_id: bundle } }, authorization),
    );
    if (!result.ok) {
      const { action, code, detail } = result;
      log.warn('forwarded_not_read', { message: bundle, action, code, detail });
      return { ok: false, reason: reasonOf(result), isPassing: isPassing(result) };
    }
    const text = forwardedText(listOf(result.body.data?.items), bundle);
    if (text !== undefined) return { ok: true, text };
    log.warn('forwarded_not_read', { message: bundle, detail: 'Lark gave no messages' });
    return { ok: false, reason: 'Lark shows none of them', isPassing: false };
  };
}

/** For the agent: Lark's own words are for operators. */
export function reasonOf({ code }: Refusal): string {
  return code === undefined ? 'Lark could not be reached' : `Lark refused with code ${code}`;
}

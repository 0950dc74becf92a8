/** Asks Lark whether people of other tenants are in a group. */
import type { ChatId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import { isPassing, type Tried } from '../codes.ts';
import type { GroupLookup } from '../../bridge/ports/access.ts';
import { textOf } from '../inbound/fields.ts';
import type { Caller } from './calls.ts';

const READ: Tried = { kind: 'read', inThread: false, card: false };

export function createGroupLookup({ caller, log }: { caller: Caller; log: Log }) {
  return async (chat: ChatId): Promise<GroupLookup> => {
    // A person waits for the answer.
    const spec = { api: 'chat_get', priority: 'notice' } as const;
    const result = await caller.call(spec, READ, (client, authorization) =>
      client.im.v1.chat.get({ path: { chat_id: chat } }, authorization),
    );
    if (!result.ok) {
      const { action, code, detail } = result;
      log.warn('group_not_read', { chat, action, code, detail });
      return { ok: false, isPassing: isPassing(result) };
    }
    const { external, name } = result.body.data ?? {};
    if (typeof external !== 'boolean') return { ok: false, isPassing: false };
    return { ok: true, isExternal: external, name: textOf(name) };
  };
}

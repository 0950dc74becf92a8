import { asObject } from '../../core/json-object.ts';
import { Caller } from './calls.ts';
import { isMessageGone, isPassing } from '../codes.ts';
import { idOf, listOf } from '../inbound/fields.ts';
import type { DeliveryResult, Outgoing } from '../../bridge/ports/delivery.ts';
import { delivered, plain } from './outcomes.ts';
import type { Sending } from './outcomes.ts';

export async function react(
  caller: Caller,
  out: Extract<Outgoing, { kind: 'react' }>,
  { priority, appId }: Sending,
): Promise<DeliveryResult> {
  if (out.again) {
    const made = await findReaction(caller, out, { priority, appId });
    if (made !== undefined) return made;
  }
  const spec = { api: 'reaction_create', priority, lane: out.chatId };
  const result = await caller.call(spec, plain('react'), (client, authorization) =>
    client.im.v1.messageReaction.create(
      {
        path: { message_id: out.messageId },
        data: { reaction_type: { emoji_type: out.emoji } },
      },
      authorization,
    ),
  );
  return delivered(result, (body) => body.data?.reaction_id);
}

/** Our own reaction, if the message has it already. `undefined` if not, or if Lark does not show it to us. */
async function findReaction(
  caller: Caller,
  { chatId: chat, messageId: message, emoji }: Extract<Outgoing, { kind: 'react' }>,
  { priority, appId }: Omit<Sending, 'key'>,
): Promise<DeliveryResult | undefined> {
  const spec = { api: 'reaction_list', priority, lane: chat };
  const result = await caller.call(spec, plain('read'), (client, authorization) =>
    client.im.v1.messageReaction.list(
      {
        path: { message_id: message },
        params: { reaction_type: emoji, page_size: 50 },
      },
      authorization,
    ),
  );
  if (!result.ok) {
    return isPassing(result) ? delivered(result, () => undefined) : undefined;
  }
  const own = listOf(result.body.data?.items).find((item) => {
    const operator = asObject(item['operator']);
    return operator?.['operator_type'] === 'app' && operator['operator_id'] === appId;
  });
  const id = idOf(own?.['reaction_id']);
  return id === undefined ? undefined : { ok: true, id };
}

export async function unreact(
  caller: Caller,
  out: Extract<Outgoing, { kind: 'unreact' }>,
  { priority }: Sending,
): Promise<DeliveryResult> {
  const spec = { api: 'reaction_delete', priority, lane: out.chatId };
  const result = await caller.call(spec, plain('unreact'), (client, authorization) =>
    client.im.v1.messageReaction.delete(
      { path: { message_id: out.messageId, reaction_id: out.reactionId } },
      authorization,
    ),
  );
  // A reaction goes with its message.
  const isGone = !result.ok && isMessageGone(result.code);
  return isGone ? { ok: true, id: out.reactionId } : delivered(result, () => out.reactionId);
}

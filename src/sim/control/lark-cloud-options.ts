import type { DeliveryRecord } from '../socket/deliveries.ts';
import type { AppRef, MessageRef, UserRef, ChatRef } from './finder.ts';
import type { CallRecord } from '../world/call-record.ts';
import type { JsonObject } from '../world/json.ts';
import type { NewMessage } from './say.ts';

/** Options of the methods of `LarkCloud`. People and things are given by reference. */

export type SayOptions = Omit<NewMessage, 'chat' | 'from' | 'mentions' | 'replyTo' | 'partOf'> & {
  readonly chat: ChatRef;
  readonly from: UserRef | AppRef;
  /** `all` mentions everybody. */
  readonly mentions?: readonly (UserRef | AppRef)[] | undefined;
  readonly replyTo?: MessageRef | undefined;
  readonly partOf?: MessageRef | undefined;
};

/** The new content of a message. */
export type EditOptions = Pick<SayOptions, 'text' | 'mentions' | 'messageType' | 'content'>;

export interface PressOptions {
  readonly messageId: MessageRef;
  readonly from: UserRef;
  /** Sent as it is, also if no button of the card has it: a person may see an older state of the card. */
  readonly value?: JsonObject | string;
  /** More fields of the action: `tag`, `name`, `form_value`, `option`, … */
  readonly action?: JsonObject;
}

export interface CallFilter {
  /** A part of the path. */
  readonly path?: string | undefined;
  readonly method?: string | undefined;
  readonly appId?: string | undefined;
  /** Only calls after the one with this number. */
  readonly since?: number | undefined;
}

export interface DeliveryFilter {
  readonly appId?: string;
  readonly eventType?: string;
}

export function isDeliveryOf(
  { appId, eventType }: DeliveryFilter,
  record: DeliveryRecord,
): boolean {
  return (
    (appId === undefined || record.appId === appId) &&
    (eventType === undefined || record.eventType === eventType)
  );
}

export function isCallOf({ path, method, appId, since }: CallFilter, call: CallRecord): boolean {
  return (
    (path === undefined || call.path.includes(path)) &&
    (method === undefined || call.method === method) &&
    (appId === undefined || call.appId === appId) &&
    (since === undefined || call.number > since)
  );
}

/** What an event of Lark is for the bridge, or why it is nothing. */
import type { ChatEvent } from '../../bridge/ports/intake.ts';
import { type AppId, type ChatId, type MessageId, type OpenId } from '../../core/ids.ts';
import type { ChatType, InboundEvent } from '../../core/message.ts';
import type { Named } from './content/mentions.ts';
import { isText } from './fields.ts';

/** The app and its bot. */
export interface Self {
  readonly appId: AppId;
  /** Until it is known, no mention can be recognised as one of the bot. */
  readonly botOpenId: OpenId | undefined;
}

/** `system`: a note of Lark itself, such as that somebody joined the chat. */
export type IgnoreReason = 'malformed' | 'not_addressed' | 'own' | 'bot' | 'other_app' | 'system';

/** `bot_unknown`: whether it is for the bot can't be known yet, so Lark has to deliver it again. */
export type Reason = IgnoreReason | 'bot_unknown';

export interface Refused<R> {
  readonly ok: false;
  readonly reason: R;
}

/** A message whose event can't be parsed. Its id is valid, so Lark can be asked for the message. */
export interface IncompleteMessage {
  readonly appId: AppId;
  readonly eventId: string;
  readonly messageId: MessageId;
  readonly chatId: ChatId | undefined;
  readonly chatType: ChatType | undefined;
  readonly threadId: string | undefined;
  /** As far as the event says so. */
  readonly named: Named;
  /** When Lark first sent the event, by Lark's clock. */
  readonly toldAtMs: number | undefined;
}

export type ParsedEvent =
  | { readonly ok: true; readonly event: InboundEvent | ChatEvent }
  | Refused<Reason>
  | (Refused<'incomplete'> & { readonly incomplete: IncompleteMessage });

export function refused<R extends Reason | 'unclear'>(reason: R): Refused<R> {
  return { ok: false, reason };
}

/** Topic groups are groups too. Only a direct chat needs no mention. */
export function chatTypeOf(value: unknown): ChatType | undefined {
  if (!isText(value)) return undefined;
  return value === 'p2p' ? 'p2p' : 'group';
}

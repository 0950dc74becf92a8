/** Messages of agents for people of Lark. */
import type { NewActivity } from './activity.ts';
import type { Quota } from './quota.ts';

/** What an agent wants to be shown in Lark, although nobody asked for it. */
export interface LarkSend {
  /** Names it. The same id makes one message. */
  readonly id: string;
  /** The id of a chat, the open id of a person, or an email address. */
  readonly to: string;
  /** In Markdown. May be empty. */
  readonly text: string;
  /** JSON of a card. */
  readonly card?: string;
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

export type LarkSendPlan =
  /** The bridge starts or stops. */
  | { readonly kind: 'not_now' }
  /** `why`: in words, what it can't be. */
  | { readonly kind: 'refused'; readonly why: string }
  | {
      readonly kind: 'planned';
      /** How many messages people see. */
      readonly messages: number;
      /** `may` is called in the commit that stores the messages. They are stored only if it says so. */
      readonly store: (may: () => boolean) => Promise<void>;
    };

/** What came of a message. `refused`: Lark took a part of it or nothing, and does not take the rest. */
export type LarkSendOutcome =
  | { readonly kind: 'waiting' | 'shown' }
  | { readonly kind: 'refused'; readonly why: string };

/** The bridge in this process, as the hub uses it. */
export interface LarkOutlet {
  plan(send: LarkSend): LarkSendPlan;
  /** Undefined: it can't be said now. */
  outcome(id: string): Promise<LarkSendOutcome | undefined>;
}

/** The type of rows for messages to people of Lark. No workspace can report one, so their numbers are right. */
export const LARK_SEND = 'lark_send';

/** `messages`: how many people see. */
export type NewLarkSend = Omit<NewActivity, 'activityType'> & { readonly messages: number };

/** What one workspace may send in the time from `sinceMs` on. */
export interface HourlyBound {
  readonly messagesMax: number;
  readonly sinceMs: number;
}

export type LarkSendStored =
  | { readonly kind: 'added' }
  /** The id is known. Nothing was stored. */
  | { readonly kind: 'known'; readonly requestBody: string | undefined }
  /** Nothing was stored. `oldestMs`: when the oldest message was stored that counts. */
  | { readonly kind: 'too_many'; readonly oldestMs: number }
  | { readonly kind: 'over_quota'; readonly quota: Quota };

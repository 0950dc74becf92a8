/** Ids get a brand where they enter, so that a chat id can't be used as a message id. */

export type AppId = string & { readonly brand: 'AppId' };
/** `oc_…`: a direct chat or a group. */
export type ChatId = string & { readonly brand: 'ChatId' };
/** `om_…`: a message in Lark. It stays the same when Lark delivers the message again. The event id does not. */
export type MessageId = string & { readonly brand: 'MessageId' };
/** `ou_…`: a person or a bot as one app sees it. */
export type OpenId = string & { readonly brand: 'OpenId' };
/** The work that one message causes. Made from the id of the Lark message. */
export type TurnId = string & { readonly brand: 'TurnId' };
/** A hub account that can send and receive turns. */
export type WorkspaceId = string & { readonly brand: 'WorkspaceId' };

export const appId = (raw: string) => raw as AppId;
export const chatId = (raw: string) => raw as ChatId;
export const messageId = (raw: string) => raw as MessageId;
export const openId = (raw: string) => raw as OpenId;
export const turnId = (raw: string) => raw as TurnId;
export const workspaceId = (raw: string) => raw as WorkspaceId;

/** UUIDs come in upper and lower case. */
export function isSameWorkspace(one: WorkspaceId, other: WorkspaceId): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** With an app id of another form the official SDK does nothing, without an error. */
export const APP_ID_PATTERN = /^cli_[0-9a-fA-F]{16}$/;

/**
 * Ids become parts of URL paths, and the SDK does not encode them there. Other characters could lead to another
 * endpoint.
 */
export const LARK_ID_PATTERN = /^[A-Za-z0-9_-]{1,128}$/;

/** To whom a message that answers nothing may go. */
export const LARK_RECEIVERS = {
  chat: /^oc_[A-Za-z0-9_-]{1,125}$/,
  person: /^ou_[A-Za-z0-9_-]{1,125}$/,
  email: /^[^\s@]{1,64}@[^\s@]{1,190}$/,
} as const;

/** Lark takes a person's open id in the place of their direct chat, whose id the sender may not know. */
export const directChatOf = (person: OpenId): ChatId => person as string as ChatId;
export const isPerson = (id: string): boolean => id.startsWith('ou_');

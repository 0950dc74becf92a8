/** Ids are branded where they enter, so that a chat id can't be passed for a message id. */

export type AppId = string & { readonly brand: 'AppId' };
/** `oc_…`: a direct chat or a group. */
export type ChatId = string & { readonly brand: 'ChatId' };
/** `om_…`: a message in Lark. Identifies the message across redeliveries (the event id does not). */
export type MessageId = string & { readonly brand: 'MessageId' };
/** `ou_…`: a person or a bot as one app sees it. */
export type OpenId = string & { readonly brand: 'OpenId' };
/** Our name for the work that one message causes. Derived from the Lark message id. */
export type TurnId = string & { readonly brand: 'TurnId' };
/** A hub account that can send and receive turns. */
export type WorkspaceId = string & { readonly brand: 'WorkspaceId' };

export const appId = (raw: string) => raw as AppId;
export const chatId = (raw: string) => raw as ChatId;
export const messageId = (raw: string) => raw as MessageId;
export const openId = (raw: string) => raw as OpenId;
export const turnId = (raw: string) => raw as TurnId;
export const workspaceId = (raw: string) => raw as WorkspaceId;

/** UUIDs come in either case. */
export function isSameWorkspace(one: WorkspaceId, other: WorkspaceId): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** The official SDK silently does nothing with an app id of another shape. */
export const APP_ID_PATTERN = /^cli_[0-9a-fA-F]{16}$/;

/**
 * Ids become parts of URL paths, and the SDK does not encode them there.
 * Anything outside these characters could reach another endpoint.
 */
export const LARK_ID_PATTERN = /^[A-Za-z0-9_-]{1,128}$/;

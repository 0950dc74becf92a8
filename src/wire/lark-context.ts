/**
 * The first line of a turn's text part, which tells an agent where the message came from, for agents
 * that read no structured metadata. The structured metadata stays the authority.
 * Form: `[lark-channel] brand=… chat_id=… chat_type=… sender_open_id=… message_id=…`.
 */
import type { LarkContext } from '../core/message.ts';

const TAG = '[lark-channel]';
/** A line of a person's text that a reader could take for a header, or for an escaped one. */
const IMITATION = /^(\\*)([^\S\n\r\u2028\u2029]*\[lark-channel\])/gm;
const ESCAPED = /^\\(\\*[^\S\n\r\u2028\u2029]*\[lark-channel\])/gm;

export function headerLine(context: LarkContext): string {
  return (
    `${TAG} brand=${context.brand} chat_id=${context.chatId} chat_type=${context.chatType}` +
    ` sender_open_id=${context.senderOpenId} message_id=${context.messageId}`
  );
}

/** Header line plus the person's text, in which no line can pass for a header. */
export function withHeader(context: LarkContext, text: string): string {
  return `${headerLine(context)}\n${text.replace(IMITATION, String.raw`\$1$2`)}`;
}

/** The person's text, byte for byte, from what `withHeader` made; other text comes back unchanged. */
export function withoutHeader(text: string): string {
  if (!text.startsWith(`${TAG} `)) return text;
  const end = text.indexOf('\n');
  return end < 0 ? '' : text.slice(end + 1).replace(ESCAPED, '$1');
}

/**
 * The first line of a turn's text part, which tells an agent where the message came from, for agents
 * that read no structured metadata. The structured metadata stays the authority.
 * Form: `[lark-channel] brand=… chat_id=… chat_type=… sender_open_id=… message_id=… reply_token=…`.
 * A second line with the same tag may ask for something.
 */
import type { LarkContext } from '../core/message.ts';
import { replyMark } from './reply-token.ts';

const TAG = '[lark-channel]';
/** A line of a person's text that a reader could take for a header, or for an escaped one. */
const IMITATION = /^(\\*)([^\S\n\r\u2028\u2029]*\[lark-channel\])/gm;
const ESCAPED = /^\\(\\*[^\S\n\r\u2028\u2029]*\[lark-channel\])/gm;

/** How an agent can say which question its answer is for. */
export interface ReplyToken {
  readonly token: string;
  /** The agent is asked to use it: nothing else tells its answers apart. */
  readonly isAskedFor: boolean;
}

export function headerLine(context: LarkContext, reply?: ReplyToken): string {
  return (
    `${TAG} brand=${context.brand} chat_id=${context.chatId} chat_type=${context.chatType}` +
    ` sender_open_id=${context.senderOpenId} message_id=${context.messageId}` +
    (reply === undefined ? '' : ` reply_token=${reply.token}`)
  );
}

function wishLine({ token }: ReplyToken): string {
  return `${TAG} Please begin your answer, and every further message about this one, with ${replyMark(token)}`;
}

/** Header line plus the person's text, in which no line can pass for a header. */
export function withHeader(context: LarkContext, text: string, reply?: ReplyToken): string {
  const lines = [
    headerLine(context, reply),
    ...(reply?.isAskedFor === true ? [wishLine(reply)] : []),
    text.replace(IMITATION, String.raw`\$1$2`),
  ];
  return lines.join('\n');
}

/** The person's text, byte for byte, from what `withHeader` made; other text comes back unchanged. */
export function withoutHeader(text: string): string {
  if (!text.startsWith(`${TAG} `)) return text;
  const body = behindLine(text);
  // No line of a person's text begins like this.
  const said = body.startsWith(`${TAG} `) ? behindLine(body) : body;
  return said.replace(ESCAPED, '$1');
}

function behindLine(text: string): string {
  const end = text.indexOf('\n');
  return end < 0 ? '' : text.slice(end + 1);
}

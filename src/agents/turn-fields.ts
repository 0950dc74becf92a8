import type { Said, TurnDetails } from '../core/turn-details.ts';
import type { AgentTurn } from './runtime.ts';

/** A turn in the form in which programs read it. The names are a contract (docs/agents.md). */
export function turnFields({ turnId, text, lark, details = {} }: AgentTurn) {
  const { senderName, chatName, session, quoted, thread = [] } = details;
  return {
    turn_id: turnId,
    text,
    sender: lark ? { open_id: lark.senderOpenId, name: senderName ?? lark.senderOpenId } : null,
    chat: lark ? { id: lark.chatId, type: lark.chatType, name: chatName ?? lark.chatId } : null,
    attachments: attachmentFields(details),
    quoted: quoted ? saidFields(quoted) : null,
    thread: thread.map(saidFields),
    session: session ? { id: session.id, is_new: session.isNew } : null,
  };
}

/** The files of the message, in the form of the same contract. */
export function attachmentFields({ attachments = [] }: TurnDetails) {
  return attachments.map(({ kind, name, path, mimeType, bytes }) => ({
    kind,
    name,
    path,
    mime_type: mimeType,
    bytes,
  }));
}

function saidFields({ senderName, text }: Said) {
  return { sender_name: senderName, text };
}

import type { TurnDetails } from '../core/turn-details.ts';
import type { AgentTurn } from './runtime.ts';

/** A turn in the form in which programs read it. The names are a contract (docs/agents.md). */
export function turnFields({ turnId, text, lark, details = {} }: AgentTurn) {
  const { senderName, chatName, session, attachments = [], quoted, thread = [] } = details;
  return {
    turn_id: turnId,
    text,
    sender: lark === undefined ? null : { open_id: lark.senderOpenId, name: senderName ?? null },
    chat:
      lark === undefined ? null : { id: lark.chatId, type: lark.chatType, name: chatName ?? null },
    attachments: attachments.map(({ kind, name, path, mimeType, bytes }) => ({
      kind,
      name,
      path,
      mime_type: mimeType,
      bytes,
    })),
    quoted: quoted === undefined ? null : said(quoted),
    thread: thread.map(said),
    session: session === undefined ? null : { id: session.id, is_new: session.isNew },
  };
}

type Said = NonNullable<TurnDetails['quoted']>;

function said({ senderName, text }: Said) {
  return { sender_name: senderName, text };
}

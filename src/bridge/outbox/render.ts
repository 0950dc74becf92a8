/** From what a turn wants shown to rows of the outbox, and from a row to the call that shows it. */
import { headOf, shortened } from '../../core/cut.ts';
import { turnId, type ChatId, type MessageId } from '../../core/ids.ts';
import { LARK_TEXT_BYTES_MAX } from '../../core/limits.ts';
import type { InboundMessage } from '../../core/message.ts';
import type { ChoiceButton, OutboxBody, OutboxDraft, OutboxRow, Show } from '../../core/turn.ts';
import { isBlank } from '../../core/visible.ts';
import { choiceValue, outKey, turnKey } from './keys.ts';
import type { Outgoing, Rendered } from '../ports.ts';

/** The sign on a message that was received and is being worked on. */
const RECEIPT_EMOJI = 'Typing';
const QUOTE_CHARS_MAX = 80;

interface Subject {
  readonly message: Pick<InboundMessage, 'appId' | 'chatId' | 'messageId' | 'threadId'>;
  readonly run: number;
}

/** The rows that show all of `show`, in order, under keys that are the same every time. */
export function toDrafts(subject: Subject, show: readonly Show[], nowMs: number): OutboxDraft[] {
  return show.flatMap((one) => draftsOf(subject, one, nowMs));
}

function draftsOf(subject: Subject, show: Show, nowMs: number): OutboxDraft[] {
  switch (show.what) {
    case 'answer':
      return piecesOf(show.text).map((text, part) => ({
        ...messageDraft(subject, nowMs),
        key: turnKey(subject, show.name === undefined ? 'answer' : `answer:${show.name}`, part),
        priority: 'answer' as const,
        body: { kind: 'text', text },
      }));
    case 'notice':
      return [
        {
          ...messageDraft(subject, nowMs),
          key: turnKey(subject, `notice:${show.name}`),
          body: { kind: 'text', text: show.text },
        },
      ];
    case 'choice':
      return [
        {
          ...messageDraft(subject, nowMs),
          key: turnKey(subject, `choice:${show.name}`),
          body: { kind: 'choice', text: show.text, buttons: show.buttons },
        },
      ];
    case 'receipt':
      return [
        {
          ...reactionDraft(subject, nowMs),
          key: turnKey(subject, 'receipt'),
          body: { kind: 'react', emoji: RECEIPT_EMOJI },
          dueAtMs: show.dueAtMs,
        },
      ];
    case 'receipt_off':
      return [
        {
          ...reactionDraft(subject, nowMs),
          key: turnKey(subject, 'receipt_off'),
          body: { kind: 'unreact', reactKey: turnKey(subject, 'receipt') },
        },
      ];
  }
}

function messageDraft({ message }: Subject, nowMs: number) {
  return {
    lane: message.chatId,
    turn: turnId(message.messageId),
    chatId: message.chatId,
    replyTo: message.messageId,
    placement: message.threadId === undefined ? ('reply' as const) : ('thread' as const),
    priority: 'notice' as const,
    createdAtMs: nowMs,
    dueAtMs: nowMs,
  };
}

function reactionDraft(subject: Subject, nowMs: number) {
  return {
    ...messageDraft(subject, nowMs),
    // A lane of its own: a slow reaction never holds up an answer.
    lane: `reaction:${subject.message.messageId}`,
    priority: 'reaction' as const,
  };
}

/** What the agent said without being asked, or without saying what it answers. */
export interface UnaskedSpeech {
  readonly id: string;
  readonly text: string;
  readonly chat: ChatId;
  /** A message of the thread that it goes to, if it goes to one. */
  readonly under: MessageId | undefined;
  readonly nowMs: number;
}

export function unaskedDrafts({ id, text, chat, under, nowMs }: UnaskedSpeech): OutboxDraft[] {
  return piecesOf(text).map((piece, part) => ({
    key: outKey(chat, 'unasked', id, part),
    lane: chat,
    turn: undefined,
    chatId: chat,
    replyTo: under,
    placement: under === undefined ? 'chat' : 'thread',
    priority: 'answer',
    body: { kind: 'text', text: piece },
    createdAtMs: nowMs,
    dueAtMs: nowMs,
  }));
}

/** Pieces that Lark takes, cut at line ends where there are any. One in which nothing can be seen is left out. */
export function piecesOf(text: string, bytesMax: number = LARK_TEXT_BYTES_MAX): string[] {
  return splitText(text, bytesMax).filter((piece) => !isBlank(piece));
}

function splitText(text: string, bytesMax: number): string[] {
  const pieces: string[] = [];
  let rest = text;
  for (;;) {
    const head = headOf(rest, { bytes: bytesMax });
    if (head.length === rest.length) return [...pieces, rest];
    const lineEnd = head.lastIndexOf('\n');
    const piece = lineEnd > head.length / 2 ? head.slice(0, lineEnd + 1) : head;
    pieces.push(piece);
    rest = rest.slice(piece.length);
  }
}

/**
 * The call for a row. `again`: it may have reached Lark before. `reactionId` is what the row to take back
 * has got from Lark.
 */
export function toOutgoing(
  row: OutboxRow,
  { again = false, reactionId }: { readonly again?: boolean; readonly reactionId?: string } = {},
): Outgoing | undefined {
  const { chatId, replyTo, body } = row;
  switch (body.kind) {
    case 'react':
      return replyTo && { kind: 'react', chatId, messageId: replyTo, emoji: body.emoji, again };
    case 'unreact':
      return replyTo && reactionId !== undefined
        ? { kind: 'unreact', chatId, messageId: replyTo, reactionId }
        : undefined;
    case 'text':
    case 'choice': {
      const content = rendered(row, body);
      return row.placement === 'chat' || replyTo === undefined
        ? { kind: 'send', chatId, content }
        : { kind: 'reply', chatId, replyTo, inThread: row.placement === 'thread', content };
    }
  }
}

function rendered(
  row: OutboxRow,
  body: Extract<OutboxBody, { kind: 'text' | 'choice' }>,
): Rendered {
  if (body.kind === 'text') return { kind: 'text', text: withoutMentions(body.text) };
  return { kind: 'card', card: choiceCard(body.text, body.buttons, row) };
}

/** An agent's text must not be able to call everybody: Lark reads `<at …>` in texts as a mention. */
export function withoutMentions(text: string): string {
  return text.replaceAll(/<(?=\/?at[\s>])/gi, '<\u200B');
}

function choiceCard(text: string, buttons: readonly ChoiceButton[], row: OutboxRow): string {
  const about = row.turn === undefined ? {} : { turn: row.turn };
  return JSON.stringify({
    schema: '2.0',
    config: { update_multi: true, summary: { content: text } },
    body: {
      elements: [
        { tag: 'div', text: { tag: 'plain_text', content: text } },
        ...buttons.map((button) => ({
          tag: 'button',
          text: { tag: 'plain_text', content: button.label },
          type: button.style,
          behaviors: [
            {
              type: 'callback',
              value: choiceValue({ action: button.action, ...about }),
            },
          ],
        })),
      ],
    },
  });
}

/** Text that goes to the chat because the message it answers is gone, with a word on what it answers. */
export function withQuote(text: string, asked: InboundMessage | undefined): string {
  const first =
    asked?.parts
      .find((part) => part.kind === 'text')
      ?.text.trim()
      .split('\n')[0] ?? '';
  if (first === '') return text;
  return `> ${shortened(first, QUOTE_CHARS_MAX)}\n${text}`;
}

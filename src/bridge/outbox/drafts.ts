/** Makes rows of the outbox from what a turn shows, and makes the call to Lark from a row. */
import { shortened } from '../../text/cut.ts';
import type { AnswerFile, Content } from '../../core/content.ts';
import { chatId as place, turnId, type ChatId, type MessageId } from '../../core/ids.ts';
import type { Language, Text } from '../../core/language.ts';
import type { InboundMessage } from '../../core/message.ts';
import type { Show } from './show.ts';
import type { OutboxDraft, OutboxRow } from '../ports/outbox.ts';
import type { ButtonValue } from '../../wire/choice-value.ts';
import { messageText } from '../../wire/message-text.ts';
import { outKey, turnKey } from './keys.ts';
import type { ContentForm } from '../ports/lark.ts';
import type { Outgoing } from '../ports/delivery.ts';
import type { SendOrder } from '../ports/send.ts';
import { asSeen } from '../texts/seen.ts';
import { inLanguage } from '../texts/text.ts';

/** The reaction on a message that was received and is being worked on. */
const RECEIPT_EMOJI = 'Typing';
const QUOTE_CHARS_MAX = 80;

interface Subject {
  readonly message: Pick<InboundMessage, 'appId' | 'chatId' | 'messageId' | 'threadId'> &
    Partial<Pick<InboundMessage, 'parts'>>;
  readonly run: number;
}

/** When a row is made, and for whom. */
export interface DraftedAt {
  readonly nowMs: number;
  readonly lang: Language;
}

/** The rows that show everything in `show`, in order. The keys are the same every time. */
export function toDrafts(
  subject: Subject,
  show: readonly Show[],
  { form, ...at }: DraftedAt & { readonly form: ContentForm },
): OutboxDraft[] {
  const { nowMs, lang } = at;
  return show.flatMap((one): OutboxDraft | OutboxDraft[] => {
    switch (one.what) {
      case 'answer':
        return answerContents(inLanguage(one.text, lang), one.files, form).map((content, part) => ({
          ...messageDraft(subject, nowMs),
          key: turnKey(subject, one.name === undefined ? 'answer' : `answer:${one.name}`, part),
          priority: 'answer' as const,
          body: { kind: 'message', content },
        }));
      case 'notice':
      case 'choice':
      case 'menu':
        return ownDraft(subject, one, at);
      case 'receipt':
        return receiptDraft(subject, one, nowMs);
      case 'receipt_off':
        return subjectsOf(subject).map((signed) => receiptDraft(signed, one, nowMs));
    }
  });
}

/** The parts of an answer, and then its files that they don't show in place. */
function answerContents(
  text: string,
  files: readonly AnswerFile[] | undefined,
  form: ContentForm,
): Content[] {
  const parts = form.partsOf(text, files ?? []);
  const shown = new Set(
    parts.flatMap((part) => ('images' in part ? part.images.map(({ file }) => file.path) : [])),
  );
  const rest = (files ?? []).filter(({ path }) => !shown.has(path));
  return [...parts, ...rest.map((file) => form.fileRow(file))];
}

/** A text of the bridge itself. */
export type OwnShow = Extract<Show, { what: 'notice' | 'choice' | 'menu' }>;

/** The row for a text of the bridge itself. Such a text always fits into one message. */
export function ownDraft(subject: Subject, show: OwnShow, { nowMs, lang }: DraftedAt): OutboxDraft {
  const { what, name } = show;
  const content = ownContent(show, lang);
  return {
    ...messageDraft(subject, nowMs),
    key: turnKey(subject, `${what}:${name}`),
    body: { kind: 'message', content },
  };
}

/** Where a text is shown that belongs to no turn. */
interface Place {
  readonly key: string;
  readonly chatId: ChatId;
  /** The message below which it stands. Undefined: in the chat itself. */
  readonly under: MessageId | undefined;
  readonly inThread?: boolean;
}

/** The row for a text of the bridge itself that belongs to no turn. */
export function turnlessDraft(
  show: OwnShow,
  { key, chatId, under, inThread = false }: Place,
  { nowMs, lang }: DraftedAt,
): OutboxDraft {
  const below = inThread ? 'thread' : 'reply';
  return {
    key,
    lane: chatId,
    turn: undefined,
    chatId,
    replyTo: under,
    placement: under === undefined ? 'chat' : below,
    priority: 'notice',
    body: { kind: 'message', content: ownContent(show, lang) },
    createdAtMs: nowMs,
    dueAtMs: nowMs,
  };
}

function ownContent(show: OwnShow, lang: Language): Content {
  const text = show.text[lang];
  switch (show.what) {
    case 'notice':
      return { kind: 'notice', text };
    case 'choice':
      return { kind: 'choice', text, buttons: labelled(show.buttons, lang) };
    case 'menu':
      return { kind: 'menu', text, buttons: labelled(show.buttons, lang) };
  }
}

function labelled<T extends { readonly label: Text }>(buttons: readonly T[], lang: Language) {
  return buttons.map(({ label, ...one }) => ({ ...one, label: label[lang] }));
}

/** The messages of a turn: its own, and those that it took in. Each of them has a sign of its own. */
function subjectsOf(subject: Subject): Subject[] {
  const { message } = subject;
  const others = (message.parts ?? []).flatMap((part) =>
    part.kind === 'resource' && part.from !== undefined ? part.from.messageId : [],
  );
  const joined = [...new Set(others)].map((messageId) => ({
    message: { ...message, messageId },
    run: 1,
  }));
  return [subject, ...joined];
}

export function receiptDraft(
  subject: Subject,
  show: Extract<Show, { what: 'receipt' | 'receipt_off' }>,
  nowMs: number,
): OutboxDraft {
  switch (show.what) {
    case 'receipt':
      return {
        ...reactionDraft(subject, nowMs),
        key: turnKey(subject, 'receipt'),
        body: { kind: 'react', emoji: RECEIPT_EMOJI },
        dueAtMs: show.dueAtMs,
      };
    case 'receipt_off':
      return {
        ...reactionDraft(subject, nowMs),
        key: turnKey(subject, 'receipt_off'),
        body: { kind: 'unreact', reactKey: turnKey(subject, 'receipt') },
      };
  }
}

export function messageDraft({ message }: Subject, nowMs: number) {
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

export function reactionDraft(subject: Subject, nowMs: number) {
  return {
    ...messageDraft(subject, nowMs),
    // A separate lane, so that an answer never waits for a slow reaction.
    lane: `reaction:${subject.message.messageId}`,
    priority: 'reaction' as const,
  };
}

/** A text that the agent sent unasked, or without saying which question it answers. */
export interface UnaskedSpeech {
  readonly id: string;
  readonly text: string;
  readonly chat: ChatId;
  /** A message of the thread in which it is shown. Undefined if it is not shown in a thread. */
  readonly under: MessageId | undefined;
  readonly nowMs: number;
}

export function unaskedDrafts(
  { id, text, chat, under, nowMs }: UnaskedSpeech,
  form: ContentForm,
): OutboxDraft[] {
  return form.partsOf(text).map((content, part) => ({
    key: outKey(chat, 'unasked', id, part),
    lane: chat,
    turn: undefined,
    chatId: chat,
    replyTo: under,
    placement: under === undefined ? 'chat' : 'thread',
    priority: 'answer',
    body: { kind: 'message', content },
    createdAtMs: nowMs,
    dueAtMs: nowMs,
  }));
}

/** The rows of a message that answers nothing have a lane of their own. */
export function laneOfSend({ id }: Pick<SendOrder, 'id'>): string {
  return `send:${id}`;
}

export function sendDrafts(order: SendOrder, nowMs: number, form: ContentForm): OutboxDraft[] {
  const { id, to, text = '', card, files } = order;
  const cards: Content[] = card === undefined ? [] : [{ kind: 'raw_card', text: card }];
  const where = { lane: laneOfSend(order), chatId: place(to), nowMs };
  return [...answerContents(text, files, form), ...cards].map((content, part) =>
    // Who ordered it hears of a refusal, and not the chat.
    chatDraft(content, { ...where, key: outKey('send', id, part) }),
  );
}

/** The row for a message that answers nothing. */
export function chatDraft(
  content: Content,
  { nowMs, ...where }: Pick<OutboxDraft, 'key' | 'lane' | 'chatId'> & { readonly nowMs: number },
): OutboxDraft {
  return {
    ...where,
    turn: undefined,
    replyTo: undefined,
    placement: 'chat',
    priority: 'notice',
    body: { kind: 'message', content },
    createdAtMs: nowMs,
    dueAtMs: nowMs,
  };
}

interface OutgoingFacts {
  /** It may have reached Lark before. */
  readonly again?: boolean;
  /** Lark's id of the reaction that the row removes. */
  readonly reactionId?: string;
  /** For a row with buttons. */
  readonly buttonValues?: readonly ButtonValue[] | undefined;
}

/** The call for a row. */
export function toOutgoing(
  row: OutboxRow,
  { again = false, reactionId, buttonValues }: OutgoingFacts = {},
): Outgoing | undefined {
  const { chatId, replyTo, body } = row;
  switch (body.kind) {
    // Which message shows the question is known only when the row is sent.
    case 'update':
      return undefined;
    case 'react':
      return replyTo && { kind: 'react', chatId, messageId: replyTo, emoji: body.emoji, again };
    case 'unreact':
      return replyTo && reactionId !== undefined
        ? { kind: 'unreact', chatId, messageId: replyTo, reactionId }
        : undefined;
    case 'message': {
      const said = { chatId, content: body.content, ...(buttonValues && { buttonValues }) };
      return row.placement === 'chat' || replyTo === undefined
        ? { kind: 'send', ...said }
        : { kind: 'reply', ...said, replyTo, inThread: row.placement === 'thread' };
    }
  }
}

/** A text that goes to the chat because its question is gone. It begins with a quote of the question. */
export function withQuote(
  { kind, text, ...more }: Content,
  { asked, lang }: { readonly asked: InboundMessage | undefined; readonly lang: Language },
): string {
  // The person's own words, and not the pictures before them.
  const own = asked?.parts.filter((part) => part.kind !== 'resource' || part.from === undefined);
  const seen = asSeen(messageText(own ?? []));
  const [first = ''] = seen[lang].trim().split('\n', 1);
  if (first === '') return text;
  // In Markdown a quote goes on until an empty line.
  const isMarkdown = kind === 'answer' && 'form' in more;
  return `> ${shortened(first, QUOTE_CHARS_MAX)}${isMarkdown ? '\n\n' : '\n'}${text}`;
}

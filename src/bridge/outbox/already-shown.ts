/** Looks in the chat for what an earlier send may have shown there. */
import { type Content, hasButtons, isMarkdown } from '../../core/content.ts';
import { BridgeError, errorText, PASSING_ERRORS } from '../../core/errors.ts';
import { isPerson } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { Turn } from '../../core/turn.ts';
import type { Clock } from '../../time/clock.ts';
import { withPrefix } from '../commands/with-prefix.ts';
import type { DeliveryResult } from '../ports/delivery.ts';
import type { Journal } from '../ports/journal.ts';
import type { HistoryMessage, LarkGateway } from '../ports/lark.ts';
import type { OutboxRow } from '../ports/outbox.ts';

/** Lark honours an idempotency key for an hour. Five minutes less, because the clocks may differ. */
const LARK_UUID_HONOURED_MS = 55 * 60 * 1000;

/** This many tries, with the waits between them, take longer than ten minutes. */
const RECENT_ATTEMPTS_MAX = 20;

/** The clocks of the two sides may differ, and a send begins before Lark stamps it. */
const HISTORY_MARGIN_MS = 5 * 60_000;

/** How the history shows what it does not give back. */
const FORM_OF = { file: 'file', question: 'card', news: 'card' } as const;

interface Surroundings {
  readonly journal: Pick<Journal, 'sentAmong'>;
  readonly lark: Pick<LarkGateway, 'form' | 'history'>;
  /** Stands before the words that people type. */
  readonly prefix?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Lark honours a key for an hour. After that, a send that may have arrived is first looked for in the chat.
 * If the chat can't be read, it is sent again, because showing an answer twice is better than not at all.
 * Undefined: it is to be sent.
 */
export async function alreadyShown(
  row: OutboxRow,
  turn: Turn | undefined,
  around: Surroundings,
): Promise<DeliveryResult | undefined> {
  const { clock, lark, log } = around;
  const { body, triedAtMs } = row;
  // The history of a direct chat can't be read by the person's id.
  if (isPerson(row.chatId)) return undefined;
  // A question that is shown twice does no harm.
  if (body.kind !== 'message' || hasButtons(body.content)) return undefined;
  if (triedAtMs === undefined || isKeyHonoured(row, clock.nowMs() - triedAtMs)) return undefined;
  const asked = turn?.message;
  const threadId = row.placement === 'thread' ? asked?.threadId : undefined;
  try {
    // By Lark's clock an answer is never older than its question. Our clock may have been wrong.
    const sinceMs = Math.min(triedAtMs - HISTORY_MARGIN_MS, asked?.sentAtMs ?? Infinity);
    const messages = await lark.history(row.chatId, sinceMs, threadId);
    // In a thread Lark gives all messages the thread's first message as parent.
    const parent = row.placement === 'chat' ? undefined : row.replyTo;
    const here = messages.filter(
      (message) => message.own && (threadId !== undefined || message.parentId === parent),
    );
    const found = await sameAs(body.content, here, around);
    return found && { ok: true, id: found.messageId };
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    const detail = errorText(error);
    log.warn('doubtful_send_not_checked', { key: row.key, error: detail });
    // After an error that passes it is looked for again. It is repeated unseen only if the chat can't be read.
    return PASSING_ERRORS.has(error.code)
      ? { ok: false, action: 'retry', code: undefined, detail }
      : undefined;
  }
}

/** If the clock was set back, an old try looks recent. But so many tries can't be recent. */
function isKeyHonoured({ attempts }: OutboxRow, agoMs: number): boolean {
  return agoMs >= 0 && agoMs < LARK_UUID_HONOURED_MS && attempts < RECENT_ATTEMPTS_MAX;
}

/**
 * Lark does not give back what a card or a post says. But the rows of a chat are sent one after another, so one
 * that no other row has made is of this row.
 */
async function sameAs(
  content: Content,
  messages: readonly HistoryMessage[],
  { journal, lark, prefix = '/' }: Surroundings,
): Promise<HistoryMessage | undefined> {
  const isUnread =
    content.kind === 'file' || content.kind === 'question' || content.kind === 'news';
  if (isMarkdown(content) || isUnread) {
    const wanted = content.kind === 'answer' ? content.form : FORM_OF[content.kind];
    const alike = messages.filter(({ form }) => form === wanted);
    const known = await journal.sentAmong(alike.map(({ messageId }) => messageId));
    return alike.find(({ messageId }) => !known.has(messageId));
  }
  const shown = lark.form.shownText(withPrefix(content, prefix));
  return messages.find(({ text }) => text === shown);
}

/** Decides whether a message becomes a turn, is a command about other turns, or gets an answer from the bridge itself. */
import type { Language } from '../../core/language.ts';
import type { InboundMessage } from '../../core/message.ts';
import type { HoldReason } from '../../core/turn.ts';
import type { OutboxDraft } from '../ports/outbox.ts';
import { saysNothing } from '../../wire/message-text.ts';
import type { TypedCommand } from '../commands/parse.ts';
import { commandAdmission } from '../commands/admission.ts';
import { outKey } from '../outbox/keys.ts';
import {
  type DraftedAt,
  type OwnShow,
  ownDraft,
  receiptDraft,
  turnlessDraft,
} from '../outbox/drafts.ts';
import { choices, notices } from '../texts/texts.ts';
import type { Admission } from '../ports/changes.ts';
import type { Journal } from '../ports/journal.ts';

/** A message that is older than this when it comes may not matter any more. A person decides. */
export const STALE_AFTER_MS = 30 * 60_000;

/** Pictures that a person selects together are sent within this time. One notice for all of them is enough. */
const BURST_MS = 60_000;

interface AdmissionContext {
  readonly journal: Pick<Journal, 'askable' | 'openIn'>;
  /** Undefined: it is for the agent. */
  readonly typed: TypedCommand | undefined;
  readonly nowMs: number;
  /** It begins a conversation, and the person is told so. */
  readonly begins?: OwnShow | undefined;
  /** The language of the person. */
  readonly lang: Language;
  /** The person has recalled the message already. */
  readonly isRecalled: boolean;
  /** How long files without words wait for words. Undefined: they don't. */
  readonly burstWaitMs?: number;
  /** When the bridge was restored from a backup. Nobody knows what became of messages of before. */
  readonly restoredAtMs?: number | undefined;
}

export async function admissionOf(
  message: InboundMessage,
  context: AdmissionContext,
): Promise<Admission> {
  const { journal, typed, begins, nowMs, lang, isRecalled, burstWaitMs = 0 } = context;
  const base = { message, receivedAtMs: nowMs };
  if (isRecalled) {
    const withdrawn = { ...base, message: { ...message, parts: [] } };
    return { ...withdrawn, state: { phase: 'dropped', why: 'recalled' }, out: [] };
  }
  const subject = { message, run: 1 };
  const at = { nowMs, lang };
  // Who changes a message wants it answered as it is then.
  const askedAtMs = message.edited?.atMs ?? message.sentAtMs;
  if (askedAtMs < (context.restoredAtMs ?? 0)) {
    return typed === undefined ? held(base, 'restored', at) : leftOut(base);
  }
  const unsupported = message.parts.find((part) => part.kind === 'unsupported');
  if (unsupported !== undefined) {
    const notice = notices.unsupported(unsupported.messageType);
    const burst = { out: [ownDraft(subject, notice, at)], withinMs: BURST_MS };
    return { ...base, state: { phase: 'answered' }, out: [], burst };
  }
  // A mention without words under another message asks about that one.
  if (saysNothing(message.parts) && message.parentId === undefined) {
    return {
      ...base,
      state: { phase: 'answered' },
      out: [ownDraft(subject, notices.empty(), at)],
    };
  }
  if (typed !== undefined) {
    return { ...base, ...(await commandAdmission(message, typed, { journal, at })) };
  }
  const isStale = nowMs - askedAtMs > STALE_AFTER_MS;
  const admission = isStale ? held(base, 'stale', at) : waiting(base, nowMs, burstWaitMs);
  if (begins === undefined) return admission;
  const told = ownDraft(subject, begins, at);
  return { ...admission, out: [...admission.out, told], renewsSession: true };
}

/**
 * People send pictures first and say then what they want, so files alone wait for the words. In a group nothing
 * comes without words, as it has to name the bot.
 */
function waiting(
  base: Pick<Admission, 'message' | 'receivedAtMs'>,
  nowMs: number,
  burstWaitMs: number,
): Admission {
  const { message } = base;
  const { parts, chatType, isWordless = false } = message;
  const plain = { phase: 'waiting', attempt: 0, notBeforeMs: 0 } as const;
  const isAlone = chatType === 'p2p';
  if (isAlone && burstWaitMs > 0 && parts.every(({ kind }) => kind === 'resource')) {
    // It is known to wait, so the person sees at once that it was received.
    const sign = receiptDraft({ message, run: 1 }, { what: 'receipt', dueAtMs: nowMs }, nowMs);
    const state = { ...plain, notBeforeMs: nowMs + burstWaitMs, gathers: true } as const;
    return { ...base, state, out: [sign], takesIn: true };
  }
  const isForwarded = parts.some(({ kind }) => kind === 'forwarded');
  const takesIn = isAlone && !isWordless && !isForwarded;
  return { ...base, state: plain, out: [], ...(takesIn && { takesIn }) };
}

type Old = Extract<HoldReason, 'stale' | 'restored'>;

/** Old messages are not run and not dropped at first. The chat is asked once about all of them. */
function held(
  base: Pick<Admission, 'message' | 'receivedAtMs'>,
  why: Old,
  at: DraftedAt,
): Admission {
  const question = oldQuestion({ ...base, why }, base.message.messageId, at);
  return { ...base, state: { phase: 'held', why }, out: [], question };
}

/** Most likely it was carried out then. Done again it could undo what came after it. */
function leftOut(base: Pick<Admission, 'message' | 'receivedAtMs'>): Admission {
  return { ...base, state: { phase: 'dropped', why: 'skipped' }, out: [] };
}

/** One question for all old messages of a chat. `cause` is the id of the message or event that led to it. */
export function oldQuestion(
  { message, why }: { readonly message: InboundMessage; readonly why: Old },
  cause: string,
  at: DraftedAt,
): OutboxDraft[] {
  const { appId, chatId, messageId, threadId } = message;
  const key = outKey(appId, chatId, why, cause);
  const place = { key, chatId, under: messageId, inThread: threadId !== undefined };
  return [turnlessDraft(choices[why](), place, at)];
}

/** Decides whether a message becomes a turn, is a command about other turns, or gets an answer from the bridge itself. */
import type { InboundMessage } from '../../core/message.ts';
import type { OutboxDraft } from '../../core/turn.ts';
import { isBlank } from '../../core/visible.ts';
import type { CommandWords } from '../commands/table.ts';
import { commandAdmission } from './command-admission.ts';
import { outKey } from '../outbox/keys.ts';
import { ownDraft } from '../outbox/drafts.ts';
import { choices, notices } from '../texts/texts.ts';
import type { Admission, Journal } from '../ports.ts';

/** A message that is older than this when it comes may not matter any more. A person decides. */
export const STALE_AFTER_MS = 30 * 60_000;

/** Pictures that a person selects together are sent within this time. One notice for all of them is enough. */
const BURST_MS = 60_000;

interface AdmissionContext {
  readonly journal: Pick<Journal, 'askable' | 'openIn'>;
  readonly words: CommandWords;
  readonly nowMs: number;
  /** The person has recalled the message already. */
  readonly isRecalled: boolean;
}

export async function admissionOf(
  message: InboundMessage,
  { journal, words, nowMs, isRecalled }: AdmissionContext,
): Promise<Admission> {
  const base = { message, receivedAtMs: nowMs };
  if (isRecalled) {
    const withdrawn = { ...base, message: { ...message, parts: [] } };
    return { ...withdrawn, state: { phase: 'dropped', why: 'recalled' }, out: [] };
  }
  const subject = { message, run: 1 };
  const unsupported = message.parts.find((part) => part.kind === 'unsupported');
  if (unsupported !== undefined) {
    const notice = notices.unsupported(unsupported.messageType);
    const burst = { out: [ownDraft(subject, notice, nowMs)], withinMs: BURST_MS };
    return { ...base, state: { phase: 'answered' }, out: [], burst };
  }
  if (message.parts.every((part) => part.kind === 'text' && isBlank(part.text))) {
    return {
      ...base,
      state: { phase: 'answered' },
      out: [ownDraft(subject, notices.empty(), nowMs)],
    };
  }
  const command = await commandAdmission(message, { journal, words, nowMs });
  if (command !== undefined) return { ...base, ...command };
  if (nowMs - message.sentAtMs > STALE_AFTER_MS) return stale(base, nowMs);
  return { ...base, state: { phase: 'waiting', attempt: 0, notBeforeMs: 0 }, out: [] };
}

/** Old messages are not run and not dropped at first. The chat is asked once about all of them. */
function stale(base: Pick<Admission, 'message' | 'receivedAtMs'>, nowMs: number): Admission {
  const { message } = base;
  const held = { ...base, state: { phase: 'held', why: 'stale' } } as const;
  return { ...held, out: [], question: staleQuestion(message, message.messageId, nowMs) };
}

/** One question for all stale messages of a chat. `cause` is the id of the message or event that led to it. */
export function staleQuestion(
  message: InboundMessage,
  cause: string,
  nowMs: number,
): OutboxDraft[] {
  const key = outKey(message.appId, message.chatId, 'stale', cause);
  const draft = ownDraft({ message, run: 1 }, choices.stale(), nowMs);
  return [{ ...draft, key, turn: undefined }];
}

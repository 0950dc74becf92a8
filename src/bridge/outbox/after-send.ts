/** Decides what happens to a row after a try to send it, from what Lark said. It is pure. */
import { backoffMs } from '../../time/backoff.ts';
import type { MessageId } from '../../core/ids.ts';
import type { Language } from '../../core/language.ts';
import type { InboundMessage } from '../../core/message.ts';
import type { OutboxDraft, OutboxRow, Placement } from '../ports/outbox.ts';
import { outKey } from './keys.ts';
import { withQuote } from './drafts.ts';
import { endOfCard, isCardEnd, wantedSinceMs } from './rows.ts';
import { fileNotices } from '../texts/files.ts';
import { notices } from '../texts/texts.ts';
import {
  type AnswerContent,
  type Content,
  type FileContent,
  hasButtons,
  isMarkdown,
} from '../../core/content.ts';
import type { ContentForm, RefusedForm } from '../ports/lark.ts';
import type { DeliveryResult, LarkAction } from '../ports/delivery.ts';
import type { OutboxChange } from '../ports/changes.ts';

/** A send that Lark or the network refused is tried again after this, doubling up to the maximum. */
const OUT_BACKOFF_BASE_MS = 1_000;
export const OUT_BACKOFF_MAX_MS = 60_000;
/** A missing permission is rarely granted within minutes, and each try costs a call of the quota. */
const OUT_OPERATOR_WAIT_MS = 10 * 60_000;
/** A row that Lark did not take for a day becomes a dead letter. */
const OUT_KEEP_TRYING_MS = 24 * 60 * 60 * 1000;
/** A sign of receipt that comes later than this is of no use. */
const RECEIPT_USEFUL_MS = 10_000;

/**
 * After an unknown code a row is tried this often, because the refusal may pass. With the other forms of an answer
 * that is at most 12 calls.
 */
const OUT_UNSURE_TRIES_MAX = 3;
/** A refusal from something between us and Lark has this long to pass. The chat's other messages wait meanwhile. */
const OUT_UNSURE_MS = 10 * 60_000;
/** Where a row can be shown if the message that it answers is gone. */
export interface Anchor {
  readonly replyTo: MessageId;
  readonly placement: Placement;
}

interface Try {
  readonly nowMs: number;
  readonly random: number;
  readonly form: ContentForm;
  /** The language of whose turn it is. */
  readonly lang: Language;
  /** The message that the row answers. */
  readonly asked: InboundMessage | undefined;
  /** For a row that still has to be said although the message that it answers is gone. */
  readonly anchor?: Anchor | undefined;
}

type Refused = Extract<DeliveryResult, { ok: false }>;

/** Each fallback is shorter, simpler or in another place than the one before, so the fallbacks come to an end. */
export function afterTry(row: OutboxRow, result: DeliveryResult, at: Try): OutboxChange {
  const attempts = row.attempts + 1;
  if (result.ok) {
    return { state: { phase: 'sent', larkId: result.id, atMs: at.nowMs }, attempts };
  }
  const doubt = isCardInDoubt(row, result) ? CARD_IN_DOUBT : '';
  const lastError = `${doubt}${result.code ?? result.action}: ${result.detail}`;
  const next =
    row.liveCard === undefined ? afterRefusal(row, result, at) : offCard(row, result, at);
  return { ...next, attempts, lastError };
}

/** How often a card that may be changed in a moment is tried. Then the row is a message of its own. */
const CARD_REFUSALS_MAX = 4;
/** If Lark may have changed the card, a message of its own could show the same twice. So there are more tries. */
const CARD_DOUBTS_MAX = 20;
/** After a quarter of an hour the end of a card is tried less often: nobody waits for it, and each try is a call. */
const CARD_END_OFTEN_MAX = 20;
const CARD_END_PAUSE_MS = 10 * 60_000;

/** How the error of a row begins whose live card may show it: a later refusal does not change that. */
const CARD_IN_DOUBT = 'in doubt, ';

function isCardInDoubt(
  { liveCard, lastError = '' }: OutboxRow,
  { action, code }: Refused,
): boolean {
  const mayHaveArrived = action === 'unknown' && code === undefined;
  return liveCard !== undefined && (mayHaveArrived || lastError.startsWith(CARD_IN_DOUBT));
}

/** The live card does not show the row, so it becomes a message of its own, in all forms that there are. */
function offCard(row: OutboxRow, result: Refused, at: Try): OutboxChange {
  const isUnsent = result.action === 'retry' && result.code === undefined;
  const isPassing =
    result.action === 'wait' || result.action === 'retry' || result.action === 'unknown';
  if (isCardEnd(row))
    return isPassing ? endLater(row, result, at) : { state: { phase: 'dropped' } };
  const triesMax = isCardInDoubt(row, result) ? CARD_DOUBTS_MAX : CARD_REFUSALS_MAX;
  if (isUnsent || (isPassing && row.attempts + 1 < triesMax)) return later(row, result, at);
  if (row.body.kind !== 'message') return { state: { phase: 'dropped' } };
  const isGone = result.action === 'message_gone';
  const ends = isGone ? [] : endOfCard(row, at, 'below');
  return replacedBy(successor(row, at, { how: 'own' }), ...ends);
}

/** Nothing else ends the card, so it is tried as long as any row. It is no letter that somebody misses. */
function endLater(row: OutboxRow, result: Refused, at: Try): OutboxChange {
  const isRare = row.attempts >= CARD_END_OFTEN_MAX;
  const next = later(row, isRare ? { ...result, retryAfterMs: CARD_END_PAUSE_MS } : result, at);
  return next.state.phase === 'dead' ? { state: { phase: 'dropped' } } : next;
}

function afterRefusal(row: OutboxRow, result: Refused, at: Try): OutboxChange {
  switch (result.action) {
    case 'wait':
    case 'retry':
    case 'unknown':
    case 'tell_operator':
      return later(row, result, at);
    case 'unsure':
      return mayPass(row, result, at) ? later(row, result, at) : afterUnsure(row, at);
    case 'split':
    case 'message_gone':
    case 'fall_back_from_thread':
    case 'fall_back_to_text':
    case 'chat_dead':
    case 'give_up':
      return tellsOfFailure(row)
        ? { state: { phase: 'dead', atMs: at.nowMs } }
        : wayOut(row, result.action, at);
  }
}

type Final = Exclude<LarkAction, 'wait' | 'retry' | 'unknown' | 'tell_operator' | 'unsure'>;

function wayOut(row: OutboxRow, action: Final, at: Try): OutboxChange {
  switch (action) {
    case 'split':
      return split(row, at);
    case 'message_gone':
      return at.anchor === undefined
        ? { state: { phase: 'dropped' } }
        : replacedBy(successor(row, at, { how: `under:${at.anchor.replyTo}`, ...at.anchor }));
    case 'fall_back_from_thread':
      return withoutThread(row, at);
    case 'fall_back_to_text':
      return asText(row, at);
    case 'chat_dead':
      return row.priority === 'reaction'
        ? { state: { phase: 'dropped' } }
        : { state: { phase: 'dead', atMs: at.nowMs }, endsRest: true };
    case 'give_up':
      return giveUp(row, at);
  }
}

/** True for a notice about a failure. If it can't be sent either, nothing replaces it. */
function tellsOfFailure({ body }: OutboxRow): boolean {
  return body.kind === 'message' && body.tellsOfFailure === true;
}

function mayPass(row: OutboxRow, { code }: Refused, { nowMs }: Try): boolean {
  if (code !== undefined) return !isBelowText(row) && row.attempts + 1 < OUT_UNSURE_TRIES_MAX;
  const sinceMs = isBelowText(row) ? row.createdAtMs : row.triedAtMs;
  return nowMs - (row.replayedAtMs ?? sinceMs ?? nowMs) < OUT_UNSURE_MS;
}

/** A file, or the first words of one: by then many calls were made for the answer. */
function isBelowText({ body }: OutboxRow): boolean {
  if (body.kind !== 'message') return false;
  const { content } = body;
  return content.kind === 'file' || (content.kind === 'answer' && content.is === 'excerpt');
}

/** A text may still be taken as a file. */
function afterUnsure(row: OutboxRow, at: Try): OutboxChange {
  const { body } = row;
  if (body.kind !== 'message') return giveUp(row, at);
  const { content } = body;
  if (content.kind === 'file') return afterFile(row, content, at);
  const isText = content.kind === 'answer' && content.form === undefined;
  return isText ? simpler(row, content, { at, why: 'form' }) : giveUp(row, at);
}

/** True for a row that is not worth a call any more. */
export function isPointless(row: OutboxRow, nowMs: number): boolean {
  return (
    row.body.kind === 'react' &&
    row.triedAtMs === undefined &&
    nowMs - row.createdAtMs > RECEIPT_USEFUL_MS
  );
}

function later(row: OutboxRow, result: Refused, { nowMs, random }: Try): OutboxChange {
  if (nowMs - wantedSinceMs(row) > OUT_KEEP_TRYING_MS)
    return { state: { phase: 'dead', atMs: nowMs } };
  const waitMs =
    result.retryAfterMs ??
    (result.action === 'tell_operator'
      ? OUT_OPERATOR_WAIT_MS
      : backoffMs(row.attempts + 1, {
          baseMs: OUT_BACKOFF_BASE_MS,
          maxMs: OUT_BACKOFF_MAX_MS,
          random,
        }));
  return { state: { phase: 'pending', dueAtMs: nowMs + waitMs } };
}

function replacedBy(...out: readonly OutboxDraft[]): OutboxChange {
  return { state: { phase: 'dropped' }, out };
}

/** New content needs a new key: Lark takes the old one for the old content. */
function successor(
  row: OutboxRow,
  { nowMs }: Try,
  { how, ...changed }: Partial<OutboxDraft> & { how: string },
): OutboxDraft {
  return {
    key: outKey(row.key, how),
    lane: row.lane,
    turn: row.turn,
    chatId: row.chatId,
    replyTo: row.replyTo,
    placement: row.placement,
    priority: row.priority,
    body: row.body,
    // A replacement is not tried for longer than the row that it replaces.
    createdAtMs: wantedSinceMs(row),
    dueAtMs: nowMs,
    ...changed,
  };
}

function split(row: OutboxRow, at: Try): OutboxChange {
  const { body } = row;
  if (body.kind !== 'message') return giveUp(row, at);
  if (body.content.kind === 'question' || body.content.kind === 'news') return asText(row, at);
  if (hasButtons(body.content)) return giveUp(row, at);
  const { content } = body;
  if (content.kind === 'file') return afterFile(row, content, at);
  if (content.kind === 'raw_card') return giveUp(row, at);
  if (isMarkdown(content)) return simpler(row, content, { at, why: 'too_long' });
  const pieces = at.form.smallerPiecesOf(content.text);
  if (pieces === undefined) return tooLong(row, content, at);
  return replacedBy(
    ...pieces.map((text, part) => {
      const piece =
        content.kind === 'answer' ? { ...content, text, is: 'piece' as const } : content;
      return successor(row, at, {
        how: `part:${part}`,
        body: { ...body, content: { ...piece, text } },
      });
    }),
  );
}

/** No size is small enough. A whole answer may still be taken as a file, but not hundreds of its pieces. */
function tooLong(
  row: OutboxRow,
  content: AnswerContent | Extract<Content, { kind: 'notice' }>,
  at: Try,
): OutboxChange {
  if (content.kind === 'notice') return { ...giveUp(row, at), endsRest: true };
  const simplest = simpler(row, content, { at, why: 'too_long' });
  return simplest.state.phase === 'dead' ? { ...simplest, endsRest: true } : simplest;
}

function withoutThread(row: OutboxRow, at: Try): OutboxChange {
  const { body, placement } = row;
  if (placement === 'thread') {
    return replacedBy(successor(row, at, { how: 'reply', placement: 'reply' }));
  }
  // The answer to a question in a thread never goes to the main chat.
  const isAsked = at.asked?.threadId === undefined && placement === 'reply';
  if (!isAsked || body.kind !== 'message') return giveUp(row, at);
  const { content } = body;
  const quoted =
    content.kind === 'file' || content.kind === 'raw_card'
      ? body
      : { ...body, content: { ...content, text: withQuote(content, at) } };
  return replacedBy(successor(row, at, { how: 'chat', placement: 'chat', body: quoted }));
}

/** The same part in the next form, each form once. The last one is a file. */
function simpler(
  row: OutboxRow,
  refused: AnswerContent,
  { at, why }: { readonly at: Try; readonly why: RefusedForm },
): OutboxChange {
  // The file says it all, so it does not matter if its first words can't be said.
  if (refused.is === 'excerpt') return { state: { phase: 'dropped' } };
  const contents = at.form.simplerThan(refused, why);
  if (contents.length === 0) return giveUp(row, at);
  return replacedBy(
    ...contents.map((content, part) => {
      const form = content.kind === 'file' ? 'file' : (content.form ?? 'text');
      const how = part === 0 ? `form:${form}` : `form:${form}:${part}`;
      return successor(row, at, { how, body: { kind: 'message', content } });
    }),
  );
}

/** A refused image, voice or film is sent as a file. A refused file is named, or its text is shown. */
function afterFile(row: OutboxRow, refused: FileContent, at: Try): OutboxChange {
  const { key: _, isFirstForm, ...file } = refused;
  if (file.as !== 'file') {
    const content = { ...file, as: 'file' } as const;
    return replacedBy(successor(row, at, { how: 'file', body: { kind: 'message', content } }));
  }
  if (isFirstForm !== true) return giveUp(row, at);
  const content = { kind: 'answer', text: file.text, is: 'piece' } as const;
  return replacedBy(successor(row, at, { how: 'text', body: { kind: 'message', content } }));
}

function asText(row: OutboxRow, at: Try): OutboxChange {
  const { body } = row;
  if (body.kind !== 'message') return giveUp(row, at);
  if (body.content.kind === 'answer') return simpler(row, body.content, { at, why: 'form' });
  if (body.content.kind === 'file') return afterFile(row, body.content, at);
  const { content: refused } = body;
  const isCard = refused.kind === 'question' || refused.kind === 'news' || hasButtons(refused);
  if (!isCard) return giveUp(row, at);
  const text = refused.kind === 'question' ? refused.plain : refused.text;
  const content = { kind: 'notice', text } as const;
  return replacedBy(successor(row, at, { how: 'text', body: { ...body, content } }));
}

function giveUp(row: OutboxRow, at: Try): OutboxChange {
  // A change that can't be shown is no letter that somebody misses.
  if (row.priority === 'reaction' || row.body.kind === 'update') {
    return { state: { phase: 'dropped' } };
  }
  const { body } = row;
  const content = body.kind === 'message' ? body.content : undefined;
  if (content?.kind === 'answer' && content.is === 'excerpt')
    return { state: { phase: 'dropped' } };
  const isOwn = content?.kind === 'file' && (content.path ?? content.isBeside) !== undefined;
  const file = isOwn ? content : undefined;
  const said = file === undefined ? notices.undeliverable() : fileNotices.notSent(file.name);
  const text = said.text[at.lang];
  // One for all pieces of an answer, and one for each file.
  const key = outKey(row.turn ?? row.lane, 'undeliverable', wantedSinceMs(row));
  const failure: OutboxDraft = {
    ...successor(row, at, { how: 'undeliverable' }),
    ...(file === undefined && { key }),
    priority: 'notice',
    body: { kind: 'message', content: { kind: 'notice', text }, tellsOfFailure: true },
  };
  return {
    state: { phase: 'dead', atMs: at.nowMs },
    out: row.priority === 'answer' ? [failure] : [],
  };
}

/** What Lark's answers mean: one row for each code, and rules for answers without a code. */
import { asObject } from '../core/json-object.ts';
import { headOf } from '../text/cut.ts';
import { BridgeError } from '../core/errors.ts';
import { withoutSecrets } from '../core/secret.ts';
import { withoutTerminalControls } from '../text/visible.ts';
import type { HttpAnswer, HttpOutcome } from './outbound/http.ts';
import type { RefusalReason } from './facts.ts';
import type { DeliveryResult, LarkAction } from '../bridge/ports/delivery.ts';

/** Lark counts calls per second and per minute, so no wait has to be longer, whatever a header says. */
const LARK_COOL_DOWN_MS_MAX = 60_000;

interface CodeRow {
  readonly action: LarkAction;
  readonly meaning: string;
  /** Set where a person can do something about it: what is wrong, under a name. */
  readonly reason?: RefusalReason;
  /** The token was refused: drop it and try once with a new one. */
  readonly token?: true;
  /** The app id or secret was refused. */
  readonly credentials?: true;
  /** What else has to wait: all calls of this API, or all messages to this chat. */
  readonly coolDown?: 'api' | 'chat';
}

export type Refusal = Extract<DeliveryResult, { ok: false }> & {
  readonly token?: true;
  readonly credentials?: true;
  readonly coolDown?: 'api' | 'chat';
};

const tokenAtFault = (meaning: string): CodeRow => ({ action: 'retry', meaning, token: true });
const operator = (meaning: string, reason?: RefusalReason): CodeRow => ({
  action: 'tell_operator',
  meaning,
  ...(reason === undefined ? {} : { reason }),
});
const giveUp = (meaning: string): CodeRow => ({ action: 'give_up', meaning });
const unknownPerson = (meaning: string): CodeRow => ({
  action: 'give_up',
  meaning,
  reason: 'person_unknown',
});
const refused = (meaning: string, reason?: RefusalReason): CodeRow => ({
  ...operator(meaning, reason),
  credentials: true,
});
const waitForChat = (meaning: string): CodeRow => ({ action: 'wait', meaning, coolDown: 'chat' });

export const CODES: Readonly<Record<number, CodeRow>> = {
  // Rate limits and faults that pass.
  99991400: { action: 'wait', meaning: 'too many calls of this API', coolDown: 'api' },
  230020: waitForChat('too many messages to this chat or person'),
  11232: { action: 'wait', meaning: 'too many messages created by this app', coolDown: 'api' },
  11233: waitForChat('too many messages created in this chat'),
  11247: { action: 'wait', meaning: 'too many messages created', coolDown: 'api' },
  1500: { action: 'retry', meaning: 'an internal fault of Lark' },
  2200: { action: 'retry', meaning: 'an internal fault of Lark' },
  230049: { action: 'retry', meaning: 'the same message is being sent right now' },
  231015: { action: 'retry', meaning: 'the same reaction is being made right now' },
  // The token.
  99991661: tokenAtFault('no token came with the call'),
  99991663: tokenAtFault('the token is not valid any more'),
  99991664: tokenAtFault('the app token is not valid'),
  99991665: tokenAtFault('the tenant code is not valid'),
  99991668: tokenAtFault('the access token is not valid'),
  99991671: tokenAtFault('the token has a wrong form'),
  99991677: tokenAtFault('the token has expired'),
  // The app and its rights.
  10003: refused('app id or app secret has a wrong form'),
  10014: refused('the app id is unknown here, or the app secret is wrong'),
  99991543: refused('app id or app secret is wrong'),
  99991662: refused('the app is disabled in this tenant', 'app_disabled'),
  99991401: operator(
    "this machine's address is not on the app's allow-list",
    'address_not_allowed',
  ),
  99991403: operator("the tenant's monthly API quota is used up", 'quota_used_up'),
  99991672: operator('the app lacks a permission', 'permission_missing'),
  99991679: operator('the app lacks a permission of the user', 'permission_missing'),
  230027: operator('the app lacks a permission', 'permission_missing'),
  230006: operator('the bot ability of the app is switched off', 'bot_switched_off'),
  11205: operator('the app has no bot: its bot ability is switched off', 'bot_switched_off'),
  // The chat and the people in it.
  230002: { action: 'chat_dead', meaning: 'the bot is not in this chat' },
  232009: { action: 'chat_dead', meaning: 'the chat is dissolved' },
  230013: {
    action: 'chat_dead',
    meaning: "the person is outside the app's availability",
    reason: 'person_not_included',
  },
  230053: {
    action: 'chat_dead',
    meaning: 'the person has blocked the bot',
    reason: 'blocked_by_person',
  },
  230029: { action: 'chat_dead', meaning: 'the person has left the company' },
  230018: operator("the group's settings forbid the bot to write"),
  230035: operator('the bot may not write in this group: it is muted'),
  230034: unknownPerson('nobody is known here by this id'),
  99992351: unknownPerson('nobody is known here by this open id'),
  99992361: unknownPerson('the open id is one of another app: each app has its own'),
  // The message that is answered.
  230011: { action: 'message_gone', meaning: 'the message was recalled' },
  230110: { action: 'message_gone', meaning: 'the message was deleted' },
  231003: { action: 'message_gone', meaning: 'the message does not exist' },
  230019: { action: 'fall_back_from_thread', meaning: 'the thread does not exist' },
  230071: { action: 'fall_back_from_thread', meaning: 'this chat has no thread replies' },
  230072: { action: 'fall_back_from_thread', meaning: 'this message takes no thread reply' },
  // The content.
  // It may be the content: a text has nothing that could be wrong.
  230001: { action: 'fall_back_to_text', meaning: 'a parameter is not valid' },
  230022: giveUp('the content was found sensitive'),
  230028: giveUp('the content was stopped by a data protection rule'),
  230025: { action: 'split', meaning: 'the content is too long' },
  230099: { action: 'fall_back_to_text', meaning: 'the card was refused' },
  // Files of messages.
  234001: giveUp('a parameter of the request about a file is not valid'),
  234003: giveUp('the file does not belong to this message'),
  234004: { action: 'chat_dead', meaning: 'the bot is not in the chat of this file' },
  234005: giveUp('the file was deleted'),
  234037: giveUp('the file is larger than Lark gives to apps'),
  234038: giveUp('the chat is restricted, so its files are given to nobody'),
  234043: giveUp('Lark gives apps no files of such a message'),
  // Files of answers.
  230055: { action: 'fall_back_to_text', meaning: 'the file has another type than its message' },
  230017: giveUp('the file was uploaded by another app'),
  234006: giveUp('the file is too large'),
  234007: operator('the bot ability of the app is switched off', 'bot_switched_off'),
  234010: giveUp('the file is empty'),
  234011: giveUp('the image has a form that Lark does not know'),
  234039: giveUp('the image has too many pixels'),
  // Live cards. What follows from it is decided in outbound/live.ts.
  200740: giveUp('the card does not exist'),
  200750: giveUp('the card has expired'),
  200770: giveUp('this change of the card was made before'),
  200810: { action: 'retry', meaning: 'somebody is using the card right now' },
  200850: giveUp('the card has streamed for too long'),
  200860: giveUp('the card is too large'),
  230031: giveUp('the message is too old to be changed'),
  300301: giveUp('two elements of the card have the same id'),
  300303: giveUp('the card has a schema that can not stream'),
  300305: giveUp('the card has too many elements'),
  300309: giveUp('the card does not stream any more'),
  300310: giveUp('the element of the card has no text'),
  300311: giveUp('the card belongs to another app'),
  300313: giveUp('the card has no such element'),
  300317: giveUp('a later change of the card was made before'),
  // Reactions.
  231001: giveUp('there is no such reaction'),
  231002: giveUp('the bot may not react to this message'),
  231007: giveUp('the reaction is not ours'),
  231008: giveUp('the bot does not see this message'),
};

/** The meaning of `ErrCode: N` in the text of 230099. */
export const CARD_CODES: Readonly<Record<number, CodeRow>> = {
  100290: { action: 'fall_back_to_text', meaning: 'the card names an unknown person' },
  11310: { action: 'fall_back_to_text', meaning: 'the card has too many elements or tables' },
  200550: { action: 'fall_back_to_text', meaning: 'a chart of the card is not valid' },
  200570: { action: 'fall_back_to_text', meaning: 'an image of the card is unknown' },
  200621: { action: 'fall_back_to_text', meaning: 'the card is not valid JSON' },
  200861: { action: 'fall_back_to_text', meaning: 'the card has a tag that schema 2.0 lacks' },
};

/** What was tried, as far as it decides what can be tried next. */
export interface Tried {
  readonly kind: 'reply' | 'send' | 'update' | 'react' | 'unreact' | 'read';
  readonly inThread: boolean;
  /** A card or a post, which has simpler forms. */
  readonly card: boolean;
  /** The text that was sent. If Lark's reason quotes it, the quote is removed. */
  readonly said?: string;
}

/** Lark documents no waiting time here. A second is the usual window of its limits. */
const WAIT_DEFAULT_MS = 1_000;

/** Decides what to do about an outcome that is no success. */
export function refusalOf(outcome: HttpOutcome, tried: Tried): Refusal {
  if (outcome.kind === 'not_sent') {
    return refusal('retry', undefined, `nothing was sent: ${outcome.detail}`);
  }
  if (outcome.kind === 'no_answer') {
    return refusal('unknown', undefined, `no answer: ${outcome.detail}`);
  }
  const code = codeOf(outcome);
  if (code === undefined || code === 0) return refusalOfStatus(outcome);
  const row = rowOf(code, textOf(outcome));
  if (row === undefined) return refusalOfUnknownCode({ outcome, code, tried });
  const action = possibleAction(row.action, tried);
  return {
    ...refusal(action, code, `Lark ${code}: ${row.meaning}${reasonOf(outcome, tried)}`),
    ...(action === 'wait' ? { retryAfterMs: waitMs(outcome) } : {}),
    ...(row.token === true ? { token: true as const } : {}),
    ...(row.credentials === true ? { credentials: true as const } : {}),
    ...(row.coolDown === undefined ? {} : { coolDown: row.coolDown }),
  };
}

/** What is wrong, under a name: outside of this folder nobody knows Lark's numbers. */
export function reasonFor(code: number | undefined): RefusalReason | undefined {
  return code === undefined ? undefined : CODES[code]?.reason;
}

/** The refusal as an error, for callers that throw. */
export function refusalError(what: string, failure: Refusal): BridgeError {
  const message = `${what}: ${failure.detail}`;
  if (failure.credentials === true) {
    return new BridgeError('credentials_refused', message, {
      next: 'Check LARK_APP_ID, LARK_APP_SECRET and LARK_BRAND, or run: lark-bridge connect',
    });
  }
  if (failure.action === 'tell_operator' || failure.action === 'chat_dead') {
    return new BridgeError('access_denied', message, {
      next: "Change it in the chat, or in Lark's developer console and publish a version of the app.",
    });
  }
  return new BridgeError(isPassing(failure) ? 'unreachable' : 'failed', message);
}

/** True if the same call may work later although nobody changes anything. */
export function isPassing({ action, code }: Pick<Refusal, 'action' | 'code'>): boolean {
  // A refusal without a code comes from something between us and Lark.
  return PASSING.has(action) || (action === 'unsure' && code === undefined);
}

const PASSING: ReadonlySet<LarkAction> = new Set(['wait', 'retry', 'unknown']);

/** True for codes which say that the message does not exist any more. */
export function isMessageGone(code: number | undefined): boolean {
  return code !== undefined && CODES[code]?.action === 'message_gone';
}

function refusal(action: LarkAction, code: number | undefined, detail: string): Refusal {
  return { ok: false, action, code, detail };
}

/** An answer that does not have Lark's form comes from something between us and Lark. */
function refusalOfStatus(outcome: HttpAnswer): Refusal {
  const { status } = outcome;
  const detail = `HTTP ${status} without a code of Lark${logId(outcome)}`;
  if (status === 429) {
    const wait = refusal('wait', undefined, detail);
    return { ...wait, retryAfterMs: waitMs(outcome), coolDown: 'api' };
  }
  if (status === 413) return refusal('split', undefined, detail);
  // A gateway's error, or a success that does not say what was done: Lark may have done it.
  if (status >= 500 || status < 300) return refusal('unknown', undefined, detail);
  return refusal('unsure', undefined, detail);
}

/** An unknown code: the call is not repeated without end, and a card or a post is sent again in a simpler form. */
function refusalOfUnknownCode(known: { outcome: HttpAnswer; code: number; tried: Tried }): Refusal {
  const { outcome, code, tried } = known;
  const what = `Lark ${code} (HTTP ${outcome.status}), not known to lark-bridge`;
  const detail = `${what}${reasonOf(outcome, tried)}`;
  if (outcome.status === 429) {
    const wait = refusal('wait', code, detail);
    return { ...wait, retryAfterMs: waitMs(outcome), coolDown: 'api' };
  }
  if (outcome.status >= 500) return refusal('unknown', code, detail);
  return refusal(tried.card ? 'fall_back_to_text' : 'unsure', code, detail);
}

/** Replaces an action that is not possible: a reaction has no shorter form, and a text has no simpler one. */
function possibleAction(action: LarkAction, tried: Tried): LarkAction {
  switch (action) {
    case 'split':
      return tried.kind === 'reply' || tried.kind === 'send' ? action : 'give_up';
    case 'fall_back_to_text':
      return tried.kind === 'reply' || tried.kind === 'send' ? action : 'give_up';
    case 'message_gone':
    case 'fall_back_from_thread':
      return tried.kind === 'reply' ? action : 'give_up';
    case 'wait':
    case 'retry':
    case 'unknown':
    case 'unsure':
    case 'give_up':
    case 'tell_operator':
    case 'chat_dead':
      return action;
  }
}

function rowOf(code: number, text: string): CodeRow | undefined {
  if (code === 230099) {
    const inner = /ErrCode:\s*(\d+)/.exec(text)?.[1];
    const row = inner === undefined ? undefined : CARD_CODES[Number(inner)];
    if (row !== undefined) return row;
  }
  return CODES[code];
}

/** Lark's code. Undefined if the answer does not have Lark's form. */
export function codeOf(answer: HttpAnswer): number | undefined {
  const code = asObject(answer.body)?.['code'];
  return typeof code === 'number' ? code : undefined;
}

export function textOf(answer: HttpAnswer): string {
  const text = asObject(answer.body)?.['msg'];
  return typeof text === 'string' ? text : '';
}

/** The time until Lark's window is over, from its header. One second without a header. */
function waitMs(answer: HttpAnswer): number {
  const resetSec = Number(answer.headers['x-ogw-ratelimit-reset'] ?? Number.NaN);
  if (!(resetSec >= 0)) return WAIT_DEFAULT_MS;
  return Math.min(LARK_COOL_DOWN_MS_MAX, Math.max(WAIT_DEFAULT_MS, Math.ceil(resetSec * 1000)));
}

/** Lark's own reason for a refusal, at a length that an operator can read, and the id that Lark's support asks for. */
function reasonOf(answer: HttpAnswer, { said = '' }: Tried): string {
  const words = withoutTerminalControls(textOf(answer)).replaceAll(/\s+/g, ' ').trim();
  const reason = withoutSecrets(withoutQuotes(headOf(words, { chars: REASON_CHARS_MAX }), said));
  return `${reason === '' ? '' : ` (${reason})`}${logId(answer)}`;
}

const REASON_CHARS_MAX = 300;
/** A part of Lark's text that equals ours for this many characters is a quote. Four Chinese characters say as much as ten letters. */
const QUOTED_CHARS = 10;
const QUOTED_IDEOGRAPHS = 4;

/** Removes what Lark quotes of a message: the log must not hold what people say in a chat. */
function withoutQuotes(reason: string, said: string): string {
  if (said === '') return reason;
  // Lark receives the text with JSON's escapes, and may quote it in that form.
  const ours = `${said}\n${JSON.stringify(said)}`.replaceAll(/\s+/g, ' ');
  const isQuoted = new Set<number>();
  for (let at = 0; at < reason.length; at += 1) {
    for (const length of [QUOTED_CHARS, QUOTED_IDEOGRAPHS]) {
      const words = reason.slice(at, at + length);
      if (words.length < length || (length === QUOTED_IDEOGRAPHS && /[\0-\u02FF]/.test(words)))
        continue;
      if (!ours.includes(words)) continue;
      for (let index = at; index < at + length; index += 1) isQuoted.add(index);
    }
  }
  const kept = Array.from({ length: reason.length }, (_, at) =>
    isQuoted.has(at) ? '\0' : reason.charAt(at),
  );
  return kept.join('').replaceAll(/\0+/g, '[…]');
}

/** Lark's support asks for this id. */
function logId(answer: HttpAnswer): string {
  const id = answer.headers['x-tt-logid'];
  return id !== undefined && /^[\w-]{1,64}$/.test(id) ? ` [log id ${id}]` : '';
}

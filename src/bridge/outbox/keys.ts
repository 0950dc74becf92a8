/** Stable keys for work that must not be done twice: the same input always gives the same key. */
import { hash, randomInt } from 'node:crypto';
import type { InboundMessage } from '../../core/message.ts';
import type { Turn } from '../../core/turn.ts';
import { REPLY_TOKEN_ALPHABET, REPLY_TOKEN_CHARS } from '../../wire/reply-token.ts';

/** Operators type keys, so a key must not begin with a hyphen like a flag. */
const KEY_PREFIX = 'out_';
/** Lark's keys have at most 50 characters. 40 characters of base64url are 240 bits. */
const KEY_CHARS = 40;

/** The key of a row of the outbox, made from the values that identify it. */
export function outKey(...about: readonly (string | number)[]): string {
  const digest = hash('sha256', JSON.stringify(about), 'base64url');
  return KEY_PREFIX + digest.slice(0, KEY_CHARS);
}

export function turnKey(
  turn: {
    readonly message: Pick<InboundMessage, 'appId' | 'messageId'>;
    readonly run: number;
  },
  what: string,
  part = 0,
): string {
  return outKey(turn.message.appId, turn.message.messageId, turn.run, what, part);
}

/** The turn's message id at the hub. It has the form of a UUID, because platforms require one. */
export function platformMessageId(turn: Pick<Turn, 'message' | 'run'>): string {
  const { message, run } = turn;
  const hex = hash('sha256', JSON.stringify([message.appId, message.messageId, run]), 'hex');
  // RFC 9562 reserves version 8 for custom ids.
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The token of a turn. It is random, so nobody can compute it. */
export function createReplyToken(): string {
  const chars = Array.from({ length: REPLY_TOKEN_CHARS }, () =>
    REPLY_TOKEN_ALPHABET.charAt(randomInt(REPLY_TOKEN_ALPHABET.length)),
  );
  return chars.join('');
}

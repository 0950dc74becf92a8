import { readFileSync } from 'node:fs';
import { appId, openId } from '../../../src/core/ids.ts';
import type { Self } from '../../../src/lark/inbound/parsed.ts';

export const BOT = 'ou_b0tb0tb0tb0tb0tb0tb0tb0tb0tb0tb0';
export const SELF: Self = { appId: appId('cli_0123456789abcdef'), botOpenId: openId(BOT) };

type Json = Record<string, unknown>;

/** A captured event as it was on the wire. */
export function envelope(type: string): { schema: string; header: Json; event: Json } {
  const url = new URL(`../../fixtures/lark/${type}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as ReturnType<typeof envelope>;
}

/** The same as the SDK's dispatcher hands it over; a test compares it with the real one. */
export function flattened(type: string): Json {
  const { schema, header, event } = envelope(type);
  return { schema, ...header, ...event };
}

export const MESSAGE = 'im.message.receive_v1';

interface Changes {
  readonly message?: Json;
  readonly sender?: Json;
  readonly top?: Json;
}

/** The captured message with some fields of it changed; `undefined` takes a field away. */
export function messageEvent(changes: Changes = {}): Json {
  const raw = flattened(MESSAGE);
  return {
    ...raw,
    message: { ...(raw['message'] as Json), ...changes.message },
    sender: { ...(raw['sender'] as Json), ...changes.sender },
    ...changes.top,
  };
}

export function mention(number: number, name: string, id = `ou_${number}`): Json {
  return { key: `@_user_${number}`, id: { open_id: id }, mentioned_type: 'user', name };
}

export const text = (content: string) => JSON.stringify({ text: content });

/** The same sequence for the same seed; for tests that draw their cases. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What was said before a message, as metadata for agents that are reached over HTTP. */
import { byteLength, shortened } from '../text/cut.ts';
import { asObject, type Json } from '../core/json-object.ts';
import type { Said, TurnDetails } from '../core/turn-details.ts';

/** Hubs take 16 KB of metadata in all; the rest is for where the message comes from. */
const SAID_BYTES_MAX = 15 * 1024;
/** It leaves room for a part of the thread. In JSON a character can take six bytes. */
const QUOTED_CHARS_MAX = 1_500;

interface SaidInMetadata {
  readonly quoted?: Json;
  readonly thread?: readonly Json[];
}

/** `quoted` and `thread`. Of the thread the newest messages that fit. */
export function saidMetadata({ quoted, thread = [] }: TurnDetails = {}): SaidInMetadata {
  const quote = quoted && { quoted: written(quoted) };
  let bytesLeft = SAID_BYTES_MAX - byteLength(JSON.stringify({ ...quote, thread: [] }));
  const shown = thread.map(written);
  const from = shown.findLastIndex(
    // A comma follows each.
    (one) => (bytesLeft -= byteLength(JSON.stringify(one)) + 1) < 0,
  );
  const newest = shown.slice(from + 1);
  return { ...quote, ...(newest.length > 0 && { thread: newest }) };
}

function written({ senderName, text }: Said): Json {
  return { sender_name: senderName, text: shortened(text, QUOTED_CHARS_MAX) };
}

/** Reads what `saidMetadata` wrote. What has another form is left out; undefined if nothing is left. */
export function saidIn(metadata: Json): Pick<TurnDetails, 'quoted' | 'thread'> | undefined {
  const quoted = readSaid(metadata['quoted']);
  const thread = Array.isArray(metadata['thread'])
    ? metadata['thread'].flatMap((one) => readSaid(one) ?? [])
    : [];
  if (quoted === undefined && thread.length === 0) return undefined;
  return { ...(quoted && { quoted }), ...(thread.length > 0 && { thread }) };
}

function readSaid(value: unknown): Said | undefined {
  const said = asObject(value);
  const senderName = said?.['sender_name'];
  const text = said?.['text'];
  return typeof senderName === 'string' && typeof text === 'string'
    ? { senderName, text }
    : undefined;
}

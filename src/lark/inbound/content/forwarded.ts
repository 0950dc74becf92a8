/** Writes a bundle of forwarded messages as a quote. Pure. */
import { shortened } from '../../../text/cut.ts';
import { asObject, type Json } from '../../../core/json-object.ts';
import type { Part } from '../../../core/message.ts';
import { messageText } from '../../../wire/message-text.ts';
import { idOf, listOf, millis, textOf } from '../fields.ts';
import type { Mention } from './mentions.ts';
import { parseParts } from './parts.ts';
import { oneLine, timeText } from './words.ts';

/** A bundle in a bundle in a bundle is shown. What is deeper is only counted. */
const DEPTH_MAX = 3;
/** Messages that are shown, with those of inner bundles. Lark's own app bundles at most as many. */
const MESSAGES_MAX = 100;
/** All of their texts. A hundred messages of 150 KB would be more than any agent reads. */
const CHARS_MAX = 100_000;

/**
 * What a bundle says. `items` is the list that Lark gives for it: the bundle, its messages, and those of bundles in
 * it, each with the id of the bundle that it is in. Undefined if there are no messages.
 */
export function forwardedText(items: readonly Json[], bundleId: string): string | undefined {
  const writer = new BundleWriter(items, bundleId);
  return writer.isEmpty ? undefined : writer.write();
}

class BundleWriter {
  readonly #bundleId: string;
  readonly #inside = new Map<string, Json[]>();
  readonly #names = new Map<string, string>();
  #messagesLeft = MESSAGES_MAX;
  #charsLeft = CHARS_MAX;
  /** Messages that found no room. */
  #more = 0;

  constructor(items: readonly Json[], bundleId: string) {
    this.#bundleId = bundleId;
    for (const item of items) {
      if (item['message_id'] === bundleId) continue;
      const upper = idOf(item['upper_message_id']) ?? bundleId;
      const others = this.#inside.get(upper);
      if (others === undefined) this.#inside.set(upper, [item]);
      else others.push(item);
      for (const { openId, name } of mentionsOf(item)) {
        if (openId !== undefined) this.#names.set(openId, oneLine(name));
      }
    }
  }

  get isEmpty(): boolean {
    return this.#messagesIn(this.#bundleId).length === 0;
  }

  write(): string {
    const lines = this.#bundle(this.#bundleId, 1);
    if (this.#more > 0) lines.push(`[… and ${this.#more} more]`);
    return lines.join('\n');
  }

  #bundle(id: string, depth: number): string[] {
    const messages = this.#messagesIn(id);
    const head = `[forwarded: ${messages.length} ${messages.length === 1 ? 'message' : 'messages'}]`;
    if (depth > DEPTH_MAX) return [head];
    const shown = messages.flatMap((message) => this.#message(message, depth)).slice(0, -1);
    return [head, ...shown.map((line) => (line === '' ? '>' : `> ${line}`))];
  }

  /** Who, when, what, and an empty line. */
  #message(item: Json, depth: number): string[] {
    if (this.#messagesLeft === 0 || this.#charsLeft === 0) {
      this.#more += 1;
      return [];
    }
    this.#messagesLeft -= 1;
    const said =
      item['msg_type'] === 'merge_forward'
        ? this.#bundle(textOf(item['message_id']), depth + 1)
        : this.#fitting(itemText(item, withoutFile)).split('\n');
    const sentAtMs = millis(item['create_time']);
    const when = sentAtMs === undefined ? '' : `, ${timeText(sentAtMs)}`;
    return [`${this.#nameOf(asObject(item['sender']) ?? {})}${when}:`, ...said, ''];
  }

  #fitting(text: string): string {
    const cut = shortened(text, this.#charsLeft);
    this.#charsLeft -= cut.length;
    return cut;
  }

  /** In the order of time. Lark gives them in this order, but no document says so. */
  #messagesIn(id: string): Json[] {
    return (this.#inside.get(id) ?? []).toSorted((one, other) => timeOf(one) - timeOf(other));
  }

  /** A name if the bundle has one: Lark gives the ids of senders without their names. */
  #nameOf({ id, sender_type: type }: Json): string {
    const known = this.#names.get(textOf(id)) ?? '';
    if (known !== '') return known;
    const shown = oneLine(textOf(id));
    if (shown === '') return 'Somebody';
    return type === 'app' ? `Bot ${shown}` : shown;
  }
}

function timeOf(item: Json): number {
  return millis(item['create_time']) ?? 0;
}

/** What a message of the history says. */
export function textOfItem(item: Json): string {
  return itemText(item, (part) => part);
}

function itemText(item: Json, shown: (part: Part) => Part): string {
  if (item['deleted'] === true) return '[recalled message]';
  const messageType = textOf(item['msg_type']);
  const json = textOf(asObject(item['body'])?.['content']);
  // The bot's own mention stays: it belongs to what was said elsewhere.
  const parts = parseParts({ messageType, json, mentions: mentionsOf(item) }, undefined);
  return parts === undefined
    ? `[damaged message of type ${oneLine(messageType)}]`
    : messageText(parts.map(shown));
}

/** The agent does not have it in front of it, and should say so. */
function withoutFile(part: Part): Part {
  if (part.kind !== 'resource') return part;
  return { ...part, missing: 'Lark gives apps no files of forwarded messages' };
}

/** The mentions of a message as the history gives it. */
export function mentionsOf(item: Json): Mention[] {
  return listOf(item['mentions']).map((mention) => ({
    key: textOf(mention['key']),
    openId: mention['id_type'] === 'open_id' ? idOf(mention['id']) : undefined,
    name: textOf(mention['name']),
  }));
}

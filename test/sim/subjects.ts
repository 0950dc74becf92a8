/**
 * Each message of the model has a name, which stands in its text, in what its agent is given, and in all that is
 * shown of it.
 */
import type { InboundMessage } from '../../src/core/message.ts';
import { messageText } from '../../src/wire/message-text.ts';

const NAME = /(?:question|fail|picture) \d+/g;
/** What a message says after it was changed so often. */
const VERSION = /, version (\d+)/;

/** The last one: what was said before stands above. */
export function nameIn(text: string): string | undefined {
  return text.match(NAME)?.at(-1);
}

export function nameOf({ parts }: Pick<InboundMessage, 'parts'>): string {
  return nameIn(messageText(parts)) ?? '';
}

export function versionText(name: string, version: number): string {
  return version === 1 ? name : `${name}, version ${version}`;
}

export function versionIn(text: string): number {
  return Number(VERSION.exec(text)?.[1] ?? 1);
}

/** What people wrote, out of Lark's content JSON. */
import type { OpenId } from '../../core/ids.ts';
import type { Part } from '../../core/message.ts';

export interface Mention {
  /** The placeholder in the text, `@_user_1`. */
  readonly key: string;
  readonly openId: string | undefined;
  readonly name: string;
}

export interface Content {
  readonly messageType: string;
  /** JSON as Lark sent it. */
  readonly json: string;
  readonly mentions: readonly Mention[];
}

/** The parts of a message; undefined if the content is not what its type promises. */
export function parseParts(content: Content, botOpenId: OpenId | undefined): Part[] | undefined {
  if (content.messageType !== 'text') {
    return [{ kind: 'unsupported', messageType: content.messageType }];
  }
  const text = parseText(content.json);
  if (text === undefined) return undefined;
  return [{ kind: 'text', text: storable(resolveMentions(text, content.mentions, botOpenId)) }];
}

/** The text inside `{"text":"…"}`, untouched. */
export function parseText(json: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined; // Not JSON: the caller calls it malformed.
  }
  const text = typeof value === 'object' && value !== null ? Reflect.get(value, 'text') : undefined;
  return typeof text === 'string' ? text : undefined;
}

/**
 * Puts `@Name` where Lark put a placeholder and takes out the bot's own mention with one space after it.
 * All digits belong to a placeholder, so that `@_user_1` is never found inside `@_user_10`; one pass, so
 * that a name can't be taken for a placeholder; what is no mention of this message stays as it is.
 */
export function resolveMentions(
  text: string,
  mentions: readonly Mention[],
  botOpenId: OpenId | undefined,
): string {
  const byKey = new Map(mentions.map((mention) => [mention.key, mention]));
  return text.replaceAll(/(@_(?:user_\d+|all))( ?)/g, (whole, key: string, space: string) => {
    const mention = byKey.get(key);
    if (mention === undefined) return whole;
    if (botOpenId !== undefined && mention.openId === botOpenId) return '';
    return mention.name === '' ? whole : `@${mention.name}${space}`;
  });
}

/** The database ends a text at U+0000. */
function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

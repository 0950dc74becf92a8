/** Reads what people wrote from Lark's content JSON. */
import { storable } from '../../core/storable.ts';
import type { OpenId } from '../../core/ids.ts';
import type { Part } from '../../core/message.ts';

export interface Mention {
  /** The placeholder in the text, such as `@_user_1`. */
  readonly key: string;
  readonly openId: string | undefined;
  readonly name: string;
}

interface Content {
  readonly messageType: string;
  /** JSON as Lark sent it. Only a text needs it. */
  readonly json: string;
  readonly mentions: readonly Mention[];
}

/** The parts of a message. Undefined if the content does not fit its type. */
export function parseParts(content: Content, botOpenId: OpenId | undefined): Part[] | undefined {
  if (content.messageType !== 'text') {
    return [{ kind: 'unsupported', messageType: content.messageType }];
  }
  const text = parseText(content.json);
  if (text === undefined) return undefined;
  return [{ kind: 'text', text: storable(resolveMentions(text, content.mentions, botOpenId)) }];
}

/** Whom a message names. `unclear`: it names somebody, but does not say whom. */
export type Named = 'bot' | 'others' | 'unclear';

/**
 * Whom a message names. Both its list of mentions and its content are read, because Lark may leave out either.
 * The content holds an id (`at` elements of a post) or a placeholder that the list explains.
 */
export function whoIsNamed(
  content: { readonly messageType: unknown; readonly json: unknown },
  mentions: readonly Mention[],
  botOpenId: OpenId | undefined,
): Named {
  const isBot = (id: string | undefined) => botOpenId !== undefined && id === botOpenId;
  if (mentions.some((mention) => isBot(mention.openId))) return 'bot';
  const inContent = namesIn(content);
  if (inContent === undefined) return mentions.length > 0 ? 'others' : 'unclear';
  if (inContent.some(isBot)) return 'bot';
  const names = [...inContent, ...mentions.map(({ key }) => key)].filter((name) => !isAll(name));
  // As long as the bot does not know its own id, any name may be its own.
  if (botOpenId === undefined) return names.length > 0 ? 'unclear' : 'others';
  const explained = new Set(
    mentions.flatMap(({ key, openId }) => (openId === undefined ? [] : key)),
  );
  const isUnexplained = (name: string) => /^@_user_\d+$/.test(name) && !explained.has(name);
  return names.some(isUnexplained) ? 'unclear' : 'others';
}

function isAll(name: string): boolean {
  return name === '@_all' || name === 'all';
}

/** Placeholders and ids in a text or a post. Undefined if it can't be read. Other types name nobody. */
function namesIn({ messageType, json }: { messageType: unknown; json: unknown }) {
  if (messageType !== 'text' && messageType !== 'post') return messageType ? [] : undefined;
  const value = typeof json === 'string' ? parseJson(json) : undefined;
  if (value === undefined) return undefined;
  if (messageType === 'post') return atElements(value).map((element) => textIn(element, 'user_id'));
  return textIn(value, 'text').match(/@_user_\d+/g) ?? [];
}

/** The `at` elements of a post. Its content may lie one level deeper, under a language. */
function atElements(post: object): object[] {
  const bodies: unknown[] = [post, ...Object.values(post)];
  return bodies
    .flatMap((body) => listIn(body, 'content'))
    .flat()
    .filter((element) => isObjectOrList(element) && textIn(element, 'tag') === 'at') as object[];
}

function listIn(value: unknown, name: string): unknown[] {
  const list: unknown = isObjectOrList(value) ? Reflect.get(value, name) : undefined;
  return Array.isArray(list) ? list : [];
}

function textIn(value: object, name: string): string {
  const text: unknown = Reflect.get(value, name);
  return typeof text === 'string' ? text : '';
}

function isObjectOrList(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** The object or list in a JSON text. */
function parseJson(json: string): object | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isObjectOrList(value) ? value : undefined;
  } catch {
    return undefined; // Not JSON: the caller decides what that means.
  }
}

/** The text inside `{"text":"…"}`, unchanged. */
export function parseText(json: string): string | undefined {
  const value = parseJson(json);
  const text: unknown = value === undefined ? undefined : Reflect.get(value, 'text');
  return typeof text === 'string' ? text : undefined;
}

/**
 * Puts `@Name` in the place of each placeholder, and removes the bot's own mention with one space after it.
 * A placeholder takes all digits that follow, so `@_user_1` is never found inside `@_user_10`. One pass is
 * enough, so a name can't be read as a placeholder. A placeholder without a mention stays as it is.
 */
function resolveMentions(
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

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
  /** JSON as Lark sent it; only a text needs it. */
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

/** Whom a message speaks to; `unclear` if it names somebody and does not say whom. */
export type Named = 'bot' | 'others' | 'unclear';

/**
 * Whom a message names: in its list of mentions, or in its content, since Lark may leave out either. In
 * the content stands an id (`at` elements of a post), or a placeholder that the list explains.
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
  // Anybody may be the bot as long as it does not know itself.
  if (botOpenId === undefined) return names.length > 0 ? 'unclear' : 'others';
  const explained = new Set(
    mentions.flatMap(({ key, openId }) => (openId === undefined ? [] : key)),
  );
  const isOpen = (name: string) => /^@_user_\d+$/.test(name) && !explained.has(name);
  return names.some(isOpen) ? 'unclear' : 'others';
}

function isAll(name: string): boolean {
  return name === '@_all' || name === 'all';
}

/** Placeholders and ids that a text or a post names; undefined if it can't be read. Other types name nobody. */
function namesIn({ messageType, json }: { messageType: unknown; json: unknown }) {
  if (messageType !== 'text' && messageType !== 'post') return messageType ? [] : undefined;
  const value = typeof json === 'string' ? parseJson(json) : undefined;
  if (value === undefined) return undefined;
  if (messageType === 'post') return atElements(value).map((element) => textIn(element, 'user_id'));
  return textIn(value, 'text').match(/@_user_\d+/g) ?? [];
}

/** The `at` elements of a post, whose content may stand inside a language. */
function atElements(post: object): object[] {
  const bodies: unknown[] = [post, ...Object.values(post)];
  return bodies
    .flatMap((body) => listIn(body, 'content'))
    .flat()
    .filter((element) => isObject(element) && textIn(element, 'tag') === 'at') as object[];
}

function listIn(value: unknown, name: string): unknown[] {
  const list: unknown = isObject(value) ? Reflect.get(value, name) : undefined;
  return Array.isArray(list) ? list : [];
}

function textIn(value: object, name: string): string {
  const text: unknown = Reflect.get(value, name);
  return typeof text === 'string' ? text : '';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** The object or list that a JSON text says. */
function parseJson(json: string): object | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // Not JSON: the caller says what that means.
  }
}

/** The text inside `{"text":"…"}`, untouched. */
export function parseText(json: string): string | undefined {
  const value = parseJson(json);
  const text: unknown = value === undefined ? undefined : Reflect.get(value, 'text');
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

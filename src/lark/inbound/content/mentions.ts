/** Whom a message names, and what is written in the place of a mention. */
import { isObject } from '../../../core/json-object.ts';
import { openId as asOpenId, type OpenId } from '../../../core/ids.ts';
import { parseJson } from './parse-json.ts';
import { oneLine } from './words.ts';

export interface Mention {
  /** The placeholder in the text, such as `@_user_1`. */
  readonly key: string;
  readonly openId: string | undefined;
  readonly name: string;
}

/** Whom a message names. `unclear`: it names somebody, but does not say whom. */
export type Named = 'bot' | 'others' | 'unclear';

/** The mentions of a message, and who the bot is. */
export interface Naming {
  readonly mentions: readonly Mention[];
  /** Its mention is removed. Undefined: every mention becomes a name. */
  readonly botOpenId: OpenId | undefined;
}

/**
 * Whom a message names. Both its list of mentions and its content are read, because Lark may leave out either.
 * The content holds an id (`at` elements of a post) or a placeholder that the list explains.
 */
export function whoIsNamed(
  content: { readonly messageType: unknown; readonly json: unknown },
  mentions: readonly Mention[],
  botOpenId: OpenId | undefined,
): Named {
  const isOwn = (id: string | undefined) => botOpenId !== undefined && id === botOpenId;
  if (mentions.some((mention) => isOwn(mention.openId))) return 'bot';
  const inContent = namesIn(content);
  if (inContent === undefined) return mentions.length > 0 ? 'others' : 'unclear';
  if (inContent.some(isOwn)) return 'bot';
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

/**
 * Whom a message names beside the bot, as far as their ids are known: from its list of mentions, and from the `at`
 * elements of a post, each person once.
 */
export function mentionedIn(
  { messageType, content, mentions }: Mentioning,
  botOpenId: OpenId | undefined,
): { readonly openId: OpenId; readonly name: string }[] {
  const post = messageType === 'post' ? parseJson(content) : undefined;
  const inPost = isObjectOrList(post) ? atElements(post) : [];
  const all = [
    ...mentions.map(({ openId: id, name }) => ({ id, name })),
    ...inPost.map((element) => ({
      id: textIn(element, 'user_id'),
      name: textIn(element, 'user_name'),
    })),
  ];
  const found = new Map<string, string>();
  for (const { id, name } of all) {
    if (id === undefined || id === botOpenId || !OPEN_ID.test(id) || found.has(id)) continue;
    found.set(id, oneLine(name));
  }
  return [...found].map(([id, name]) => ({ openId: asOpenId(id), name }));
}

interface Mentioning {
  readonly messageType: unknown;
  readonly content: unknown;
  readonly mentions: readonly Mention[];
}

/** In an `at` element a placeholder may stand in the place of the id. */
const OPEN_ID = /^ou_[A-Za-z0-9_-]{1,125}$/;

/** Placeholders and ids in a text or a post. Undefined if it can't be read. Other types name nobody. */
function namesIn({ messageType, json }: { messageType: unknown; json: unknown }) {
  if (messageType !== 'text' && messageType !== 'post') return messageType ? [] : undefined;
  const value = parseJson(json);
  if (!isObjectOrList(value)) return undefined;
  if (messageType === 'post') return atElements(value).map((element) => textIn(element, 'user_id'));
  return textIn(value, 'text').match(/@_user_\d+/g) ?? [];
}

/** The `at` elements of a post. Its content may lie one level deeper, under a language. */
function atElements(post: object): object[] {
  const bodies: unknown[] = [post, ...Object.values(post)];
  return bodies
    .flatMap((body) => listIn(body, 'content'))
    .flat()
    .filter((element) => isObject(element) && element['tag'] === 'at') as object[];
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

/** True if a placeholder or an open id stands for the bot. */
export function isBot(who: string, { mentions, botOpenId }: Naming): boolean {
  if (botOpenId === undefined) return false;
  return (
    who === botOpenId || mentions.some(({ key, openId }) => key === who && openId === botOpenId)
  );
}

/** `@Name` for a placeholder or an open id. `fallback` is a name from another place. */
export function nameOf(who: string, { mentions }: Naming, fallback: string): string {
  if (isAll(who)) return '@all';
  const mention = mentions.find(({ key, openId }) => key === who || openId === who);
  const name =
    oneLine(mention?.name ?? '') || oneLine(fallback) || (mention?.openId ?? oneLine(who));
  return name.startsWith('@') ? name : `@${name}`;
}

/**
 * Puts `@Name` in the place of each placeholder, and removes the bot's own mention with one space after it.
 * A placeholder takes all digits that follow, so `@_user_1` is never found inside `@_user_10`. One pass is
 * enough, so a name can't be read as a placeholder. A placeholder without a mention stays as it is.
 */
export function namesInText(text: string, { mentions, botOpenId }: Naming): string {
  const byKey = new Map(mentions.map((mention) => [mention.key, mention]));
  return text.replaceAll(/(@_(?:user_\d+|all))( ?)/g, (whole, key: string, space: string) => {
    const mention = byKey.get(key);
    if (mention === undefined) return whole;
    if (botOpenId !== undefined && mention.openId === botOpenId) return '';
    // A name may have nothing that can be seen. Then the id says more than the placeholder.
    const name = oneLine(mention.name) || mention.openId;
    return name === undefined ? whole : `@${name}${space}`;
  });
}

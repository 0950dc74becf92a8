/** Whom an agent's text may call. */
import type { Person } from '../../core/content.ts';

const OPEN_ID = /^ou_\w{1,64}$/;
const OPEN_ID_IN_TAG = /^<at\s[^>]*?\b(?:user_id|id)\s*=\s*["']?(ou_\w{1,64})["']?\s*\/?>/i;
/** Names that would call everybody, in the languages of Lark's clients. */
const EVERYBODY = /^(?:all|everyone|所有人|全体成员|全員|すべてのメンバー)$/i;
/** The sign that begins a tag, as itself or as an entity, and the spaces and signs that a lenient reader skips. */
const TAG_START =
  /(<|&(?:lt|LT|#0*60|#[xX]0*3[cC]);?)(?=[\s\u200B-\u200F\u2060\uFEFF]*\/?[\s\u200B-\u200F\u2060\uFEFF]*at(?![\p{L}\p{N}]))/giu;
/** This sign is not shown, and what has it inside is no tag any more. */
const BREAK = '\u200B';

/** Lark reads `<at …>` in a text as a mention. It is broken up in every form, wherever it stands. */
export function withoutMentions(text: string): string {
  return text.replaceAll(TAG_START, `$1${BREAK}`);
}

/** A sign for private use. A text of an agent never has it. */
export const MENTION_MARK = '\uE000';
const MARKED = new RegExp(
  `${MENTION_MARK}(ou_\\w{1,64})${MENTION_MARK}([^${MENTION_MARK}]*)${MENTION_MARK}`,
  'g',
);

/** A mention that is meant, in a text in which tags are still to be broken up. */
export function markedMention({ openId, name }: Person): string {
  // A name can hold anything that a person typed.
  const shown = name.replaceAll(/[<>&"\n\r\uE000]/g, ' ');
  return [MENTION_MARK, openId, MENTION_MARK, shown, MENTION_MARK].join('');
}

/** A tag with the name in it. */
const TAG = /<at\s[^<>]{1,200}>(?:[^<>\n]{0,40}<\/at>)?/gi;

/** True if somebody may be meant by name or by a tag. */
export function mayCall(text: string): boolean {
  return text.includes('@') || /<at\s/i.test(text);
}

/** A text that is shown as it is, as Lark gets it: the people who are meant are called, and nobody else. */
export function calledText(text: string, people: readonly Person[]): string {
  if (people.length === 0) return withoutMentions(text);
  const mentions = new Mentions(people);
  const named = (words: string) =>
    mentions.inText(words).map((one) => (typeof one === 'string' ? one : markedMention(one)));
  const plain = text.replaceAll(MENTION_MARK, '\uFFFD');
  const pieces: string[] = [];
  let from = 0;
  for (const { 0: tag, index } of plain.matchAll(TAG)) {
    const person = mentions.ofTag(tag);
    pieces.push(...named(plain.slice(from, index)), person ? markedMention(person) : tag);
    from = index + tag.length;
  }
  return withCalls([...pieces, ...named(plain.slice(from))].join(''));
}

/** The text as the history gives it back: with a placeholder for each person. */
export function withPlaceholders(text: string): string {
  const seen: string[] = [];
  return text.replaceAll(/<at user_id="(ou_\w{1,64})">[^<]*<\/at>/g, (_, id: string) => {
    if (!seen.includes(id)) seen.push(id);
    return `@_user_${seen.indexOf(id) + 1}`;
  });
}

/** The text as Lark gets it: every tag of the agent is broken up, and the mentions that are meant are tags. */
export function withCalls(text: string): string {
  return withoutMentions(text).replaceAll(MARKED, '<at user_id="$1">$2</at>');
}

/** A piece of a text: words, or a person who is called. */
type Called = string | Person;

/**
 * Finds `<at id=…>…</at>` and `@name`. Somebody is called only if exactly one person of the chat is meant.
 * Nobody can be called by a name that stands for everybody.
 */
export class Mentions {
  readonly #byId: ReadonlyMap<string, Person>;
  readonly #byName: ReadonlyMap<string, Person>;
  readonly #namesLongestFirst: readonly string[];

  constructor(people: readonly Person[]) {
    const usable = people.filter(
      ({ openId, name }) => OPEN_ID.test(openId) && !EVERYBODY.test(name.trim()),
    );
    this.#byId = new Map(usable.map((person) => [person.openId, person]));
    this.#byName = uniqueNames(this.#byId.values());
    this.#namesLongestFirst = [...this.#byName.keys()].toSorted((a, b) => b.length - a.length);
  }

  /** The person of a tag such as `<at user_id="ou_1">`. Undefined for all other tags. */
  ofTag(tag: string): Person | undefined {
    const id = OPEN_ID_IN_TAG.exec(tag)?.[1];
    return id === undefined ? undefined : this.#byId.get(id);
  }

  /** Splits a text at `@name`. */
  inText(text: string): Called[] {
    if (this.#namesLongestFirst.length === 0 || !text.includes('@')) return [text];
    const found: Called[] = [];
    let from = 0;
    for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
      const person = this.#named(text, at);
      if (person === undefined || at < from) continue;
      if (at > from) found.push(text.slice(from, at));
      found.push(person);
      from = at + 1 + person.name.length;
    }
    return from < text.length || found.length === 0 ? [...found, text.slice(from)] : found;
  }

  #named(text: string, at: number): Person | undefined {
    // `name@host` is an address.
    if (at > 0 && /[\w.+-]/.test(text.charAt(at - 1))) return undefined;
    const name = this.#namesLongestFirst.find(
      (one) => text.startsWith(one, at + 1) && endsThere(one, text.charAt(at + 1 + one.length)),
    );
    return name === undefined ? undefined : this.#byName.get(name);
  }
}

function uniqueNames(people: Iterable<Person>): Map<string, Person> {
  const byName = new Map<string, Person | undefined>();
  for (const person of people) {
    const { name } = person;
    if (name.trim() !== name || name === '') continue;
    byName.set(name, byName.has(name) ? undefined : person);
  }
  return new Map([...byName].flatMap(([name, person]) => (person ? [[name, person]] : [])));
}

/** A name of letters ends where no letter follows. Chinese names are followed by other words without a space. */
function endsThere(name: string, next: string): boolean {
  return !(/[\p{Script=Latin}\p{N}_]$/u.test(name) && /[\p{Script=Latin}\p{N}_]/u.test(next));
}

import type { SimApp, SimMention, SimUser } from '../world/model.ts';
import type { World } from '../world/world.ts';

export const MENTION_ALL_KEY = '@_all';

/** `<at user_id="ou_…">Tom</at>` in a text, or `user_id="all"`. */
const AT_TAG = /<at user_id="([^"]*)">([^<]*)<\/at>/g;

/** Collects the mentions of a new message. The placeholders are numbered in the order of appearance. */
export class MentionList {
  readonly #world: World;
  readonly #mentions: SimMention[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** Without @all: the platform does not list it. */
  get all(): readonly SimMention[] {
    return this.#mentions;
  }

  /** The placeholder for the person or bot with this id; undefined if there is none. */
  keyFor(id: string): string | undefined {
    if (id === 'all') return MENTION_ALL_KEY;
    const bot = this.#world.findBot(id);
    if (bot !== undefined) return this.add(bot);
    const user =
      this.#world.findUser('open_id', id) ??
      this.#world.findUser('union_id', id) ??
      this.#world.findUser('user_id', id);
    return user && this.add(user);
  }

  add(who: SimUser | SimApp): string {
    const key = `@_user_${this.#mentions.length + 1}`;
    const { name, tenantKey } = who;
    this.#mentions.push(
      'appId' in who
        ? {
            key,
            openId: who.botOpenId,
            unionId: who.botUnionId,
            userId: '',
            kind: 'bot',
            name,
            tenantKey,
          }
        : {
            key,
            openId: who.openId,
            unionId: who.unionId,
            userId: who.userId,
            kind: 'user',
            name,
            tenantKey,
          },
    );
    return key;
  }

  /** Replaces the tags of a text by placeholders. A tag with an unknown id is replaced by its name. */
  replaceTags(text: string): string {
    return text.replace(AT_TAG, (_tag, id: string, name: string) => this.keyFor(id) ?? `@${name}`);
  }
}

/** A text as people see it: with names instead of placeholders. */
export function withNames(text: string, mentions: readonly SimMention[]): string {
  const names = new Map(mentions.map((mention) => [mention.key, `@${mention.name}`]));
  return text
    .replaceAll(/@_user_\d+/g, (key) => names.get(key) ?? key)
    .replaceAll(MENTION_ALL_KEY, '@all');
}

/** The names of people and chats, from the cheapest source that the app may use. */
import { LRUCache } from 'lru-cache';
import type { ChatId } from '../../core/ids.ts';
import type { CallResult } from './calls.ts';
import { listOf, textOf } from '../inbound/fields.ts';
import { oneLine } from '../inbound/content/words.ts';
import type { Members } from './members.ts';
import type { PermittedCalls } from './permitted-calls.ts';

/** A name takes some hundred bytes. */
const NAMES_MAX = 10_000;
/** People and chats seldom change their names. */
const KNOWN_MS = 24 * 60 * 60_000;
/** Somebody whose name nobody could say is asked about again after this. */
const UNKNOWN_MS = 10 * 60_000;
/** The same for a call that did not get through. */
const FAILED_MS = 60_000;
/** Lark takes no more ids in one call. */
const PEOPLE_A_CALL = 10;

export class Names {
  readonly #calls: PermittedCalls;
  readonly #members: Members;
  /** An empty name: nobody could say it. */
  readonly #names = new LRUCache<string, string>({ max: NAMES_MAX, ttl: KNOWN_MS });
  /** What is being read, so that two turns of a chat make one call. */
  readonly #reading = new Map<string, Promise<void>>();

  constructor(calls: PermittedCalls, members: Members) {
    this.#calls = calls;
    this.#members = members;
  }

  /** A name that Lark said without being asked. */
  note(id: string, name: string): void {
    const shown = harmless(name);
    if (shown !== '') this.#names.set(id, shown);
  }

  nameOf(id: string): string | undefined {
    return this.#names.get(id) || undefined;
  }

  /** Resolves when nothing more can be found out now. Never rejects. */
  async find(
    chat: { readonly id: ChatId; readonly isGroup: boolean },
    people: readonly string[],
  ): Promise<void> {
    const names = chat.isGroup
      ? [this.#once(chat.id, () => this.#readChat(chat.id)), this.#findIn(chat.id, people)]
      : [this.#findPeople(people)];
    await Promise.all(names);
  }

  async #findIn(chat: ChatId, people: readonly string[]): Promise<void> {
    const unknown = new Set(this.#unknown(people));
    if (unknown.size > 0) {
      const members = await this.#members.of(chat);
      for (const { openId, name } of members.people) {
        if (unknown.has(openId)) this.note(openId, name);
      }
    }
    // In a large group they are asked about one by one.
    await this.#findPeople(people);
  }

  async #findPeople(people: readonly string[]): Promise<void> {
    const unknown = this.#unknown(people);
    for (let at = 0; at < unknown.length; at += PEOPLE_A_CALL) {
      const some = unknown.slice(at, at + PEOPLE_A_CALL);
      await this.#share(some.join(' '), () => this.#readPeople(some));
    }
  }

  #unknown(people: readonly string[]): string[] {
    return [...new Set(people)].filter((id) => !this.#names.has(id));
  }

  #once(id: string, read: () => Promise<void>): Promise<void> {
    return this.#names.has(id) ? Promise.resolve() : this.#share(id, read);
  }

  #share(what: string, read: () => Promise<void>): Promise<void> {
    const running = this.#reading.get(what);
    if (running !== undefined) return running;
    const work = read().finally(() => this.#reading.delete(what));
    this.#reading.set(what, work);
    return work;
  }

  async #readChat(chat: ChatId): Promise<void> {
    const result = await this.#calls.read('chat_get', 'notice', (client, authorization) =>
      client.im.v1.chat.get({ path: { chat_id: chat } }, authorization),
    );
    if (result?.ok === true) this.note(chat, textOf(result.body.data?.name));
    this.#giveUp([chat], result);
  }

  async #readPeople(people: string[]): Promise<void> {
    const result = await this.#calls.read('contact_basic', 'notice', (client, authorization) =>
      client.contact.v3.user.basicBatch(
        { data: { user_ids: people }, params: { user_id_type: 'open_id' } },
        authorization,
      ),
    );
    if (result?.ok === true) {
      for (const user of listOf(result.body.data?.users)) {
        this.note(textOf(user['user_id']), textOf(user['name']));
      }
    }
    this.#giveUp(people, result);
  }

  /** Those who are still unknown are not asked about for a while. */
  #giveUp(ids: readonly string[], result: CallResult<unknown> | undefined): void {
    const ttl = result?.ok === false ? FAILED_MS : UNKNOWN_MS;
    for (const id of this.#unknown(ids)) this.#names.set(id, '', { ttl });
  }
}

/** The signs of Lark's mentions and of placeholders in texts, in a form that nothing acts on. */
const HARMLESS: Readonly<Record<string, string>> = { '<': '＜', '>': '＞', '{': '｛', '}': '｝' };

/** A name on one line, without controls, changes of direction and markup. */
function harmless(name: string): string {
  return oneLine(name).replaceAll(/[<>{}]/g, (sign) => HARMLESS[sign] ?? sign);
}

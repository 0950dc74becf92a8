/** The names of people and chats, from the cheapest source that the app may use. */
import { LRUCache } from 'lru-cache';
import type { ChatId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { CallSpec } from './broker.ts';
import type { Caller, CallResult } from './calls.ts';
import { reasonFor, type Refusal, type Tried } from '../codes.ts';
import { listOf, textOf } from '../inbound/fields.ts';
import { oneLine } from '../inbound/content/words.ts';

/** A name takes some hundred bytes. */
const NAMES_MAX = 10_000;
/** People and chats seldom change their names. */
const KNOWN_MS = 24 * 60 * 60_000;
/** Somebody whose name nobody could say is asked about again after this. */
const UNKNOWN_MS = 10 * 60_000;
/** The same for a call that did not get through. */
const FAILED_MS = 60_000;
/** A permission that is missing is seldom granted within minutes. */
const DENIED_MS = 60 * 60_000;
/** Pages of 100 members. In a larger group the contact list is asked about the few people who matter. */
const MEMBER_PAGES_MAX = 3;
/** Lark takes no more ids in one call. */
const PEOPLE_A_CALL = 10;

const READ: Tried = { kind: 'read', inThread: false, card: false };

/** The calls that may lack a permission, and the permission that each needs. */
const SCOPES = {
  chat_get: 'im:chat:readonly',
  chat_members: 'im:chat.members:read',
  contact_basic: 'contact:user.basic_profile:readonly',
} as const;

type Source = keyof typeof SCOPES;

export class Names {
  readonly #caller: Caller;
  readonly #log: Log;
  /** An empty name: nobody could say it. */
  readonly #names = new LRUCache<string, string>({ max: NAMES_MAX, ttl: KNOWN_MS });
  readonly #membersRead = new LRUCache<string, true>({ max: NAMES_MAX, ttl: KNOWN_MS });
  readonly #denied = new LRUCache<Source, true>({ max: NAMES_MAX, ttl: DENIED_MS });
  readonly #told = new Set<Source>();
  /** What is being read, so that two turns of a chat make one call. */
  readonly #reading = new Map<string, Promise<void>>();

  constructor({ caller, log }: { readonly caller: Caller; readonly log: Log }) {
    this.#caller = caller;
    this.#log = log;
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
    if (this.#unknown(people).length > 0 && !this.#membersRead.has(chat)) {
      await this.#share(`members ${chat}`, () => this.#readMembers(chat));
    }
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
    const result = await this.#call('chat_get', (client, authorization) =>
      client.im.v1.chat.get({ path: { chat_id: chat } }, authorization),
    );
    if (result?.ok === true) this.note(chat, textOf(result.body.data?.name));
    this.#giveUp([chat], result);
  }

  async #readMembers(chat: ChatId): Promise<void> {
    let pageToken: string | undefined;
    for (let page = 0; page < MEMBER_PAGES_MAX; page += 1) {
      const params = {
        member_id_type: 'open_id',
        page_size: 100,
        ...(pageToken !== undefined && { page_token: pageToken }),
      } as const;
      const result = await this.#call('chat_members', (client, authorization) =>
        client.im.v1.chatMembers.get({ path: { chat_id: chat }, params }, authorization),
      );
      if (result?.ok !== true) return;
      for (const member of listOf(result.body.data?.items)) {
        this.note(textOf(member['member_id']), textOf(member['name']));
      }
      pageToken = result.body.data?.page_token;
      if (result.body.data?.has_more !== true || !pageToken) break;
    }
    this.#membersRead.set(chat, true);
  }

  async #readPeople(people: string[]): Promise<void> {
    const result = await this.#call('contact_basic', (client, authorization) =>
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

  /** Undefined if the app may not make this call. */
  async #call<T>(source: Source, send: Send<T>): Promise<CallResult<T> | undefined> {
    if (this.#denied.has(source)) return undefined;
    // A person waits for the answer.
    const spec: CallSpec = { api: source, priority: 'notice' };
    const result = await this.#caller.call(spec, READ, send);
    if (!result.ok) this.#refused(source, result);
    return result;
  }

  #refused(source: Source, { action, code, detail }: Refusal): void {
    const isDenied = reasonFor(code) === 'permission_missing';
    if (isDenied) this.#denied.set(source, true);
    if (!isDenied || this.#told.has(source)) {
      this.#log.debug('names_not_read', { source, action, code, detail });
      return;
    }
    this.#told.add(source);
    this.#log.info('names_not_shown', {
      source,
      detail,
      effect: 'agents get ids where they could get names',
      next: `Grant ${SCOPES[source]} in Lark's developer console and publish a version of the app.`,
    });
  }

  /** Those who are still unknown are not asked about for a while. */
  #giveUp(ids: readonly string[], result: CallResult<unknown> | undefined): void {
    const ttl = result?.ok === false ? FAILED_MS : UNKNOWN_MS;
    for (const id of this.#unknown(ids)) this.#names.set(id, '', { ttl });
  }
}

type Send<T> = Parameters<typeof Caller.prototype.call<T>>[2];

/** The signs of Lark's mentions and of placeholders in texts, in a form that nothing acts on. */
const HARMLESS: Readonly<Record<string, string>> = { '<': '＜', '>': '＞', '{': '｛', '}': '｝' };

/** A name on one line, without controls, changes of direction and markup. */
function harmless(name: string): string {
  return oneLine(name).replaceAll(/[<>{}]/g, (sign) => HARMLESS[sign] ?? sign);
}

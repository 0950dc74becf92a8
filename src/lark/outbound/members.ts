/** Who is in a group: their names, and whom an answer can call. */
import { LRUCache } from 'lru-cache';
import { type ChatId, LARK_ID_PATTERN } from '../../core/ids.ts';
import type { Person } from '../../core/content.ts';
import { listOf, idOf } from '../inbound/fields.ts';
import type { PermittedCalls } from './permitted-calls.ts';

/** Somebody who joins is known after this time. */
const KEEP_MS = 10 * 60_000;
/** A large group stays large, and each time costs as many calls as there are pages. */
const KEEP_CUT_MS = 60 * 60_000;
/** A call that did not get through is made again after this. */
const FAILED_MS = 60_000;
/** Of all groups together: some megabytes. */
const PEOPLE_MAX = 20_000;
/** Lark's largest page, and how many are read. */
const PAGE_SIZE = 100;
const PAGES_MAX = 10;

interface GroupMembers {
  readonly people: readonly Person[];
  /** False: there are more, or Lark does not say. */
  readonly isAll: boolean;
}

const NOBODY: GroupMembers = { people: [], isAll: false };

export class Members {
  readonly #calls: PermittedCalls;
  readonly #known = new LRUCache<ChatId, GroupMembers>({
    maxSize: PEOPLE_MAX,
    sizeCalculation: ({ people }) => people.length + 1,
  });
  /** What is being read, so that two turns of a chat make one call. */
  readonly #reading = new Map<ChatId, Promise<GroupMembers>>();

  constructor(calls: PermittedCalls) {
    this.#calls = calls;
  }

  /** Never rejects. */
  of(chat: ChatId): Promise<GroupMembers> {
    // A message can go to a person, too.
    if (!chat.startsWith('oc_') || !LARK_ID_PATTERN.test(chat)) return Promise.resolve(NOBODY);
    const known = this.#known.get(chat);
    if (known !== undefined) return Promise.resolve(known);
    const running = this.#reading.get(chat);
    if (running !== undefined) return running;
    const reading = this.#read(chat).finally(() => this.#reading.delete(chat));
    this.#reading.set(chat, reading);
    return reading;
  }

  /** Undefined if not all are known: a name could be there twice, so nobody can be called by it. */
  async all(chat: ChatId): Promise<readonly Person[] | undefined> {
    const { people, isAll } = await this.of(chat);
    return isAll ? people : undefined;
  }

  async #read(chat: ChatId): Promise<GroupMembers> {
    const people: Person[] = [];
    let pageToken: string | undefined;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const result = await this.#page(chat, pageToken);
      // Whether the permission is there is kept for all chats together.
      if (result === undefined) return NOBODY;
      if (!result.ok) return this.#keep(chat, { people, isAll: false }, FAILED_MS);
      people.push(...listOf(result.body.data?.items).flatMap(personIn));
      pageToken = result.body.data?.page_token;
      if (result.body.data?.has_more !== true || !pageToken) {
        return this.#keep(chat, { people, isAll: true }, KEEP_MS);
      }
    }
    return this.#keep(chat, { people, isAll: false }, KEEP_CUT_MS);
  }

  #page(chat: ChatId, pageToken: string | undefined) {
    const params = {
      member_id_type: 'open_id',
      page_size: PAGE_SIZE,
      ...(pageToken !== undefined && { page_token: pageToken }),
    } as const;
    // A person waits for the answer.
    return this.#calls.read('chat_members', 'answer', (client, authorization) =>
      client.im.v1.chatMembers.get({ path: { chat_id: chat }, params }, authorization),
    );
  }

  #keep(chat: ChatId, members: GroupMembers, ttl: number): GroupMembers {
    this.#known.set(chat, members, { ttl });
    return members;
  }
}

function personIn(item: Readonly<Record<string, unknown>>): Person[] {
  const { name } = item;
  const id = idOf(item['member_id']);
  return id === undefined || typeof name !== 'string' ? [] : [{ openId: id, name }];
}

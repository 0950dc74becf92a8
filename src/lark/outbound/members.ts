/** Who is in a group: only they can be called by an answer. */
import { LRUCache } from 'lru-cache';
import { type ChatId, LARK_ID_PATTERN } from '../../core/ids.ts';
import type { Person } from '../../core/content.ts';
import type { Log } from '../../core/log.ts';
import type { Tried } from '../codes.ts';
import { idOf, listOf } from '../inbound/fields.ts';
import type { Caller } from './calls.ts';

/** Somebody who joins can be called after this time. */
const MEMBERS_KEEP_MS = 10 * 60_000;
/** A refusal is usually a missing permission, which costs a call of the quota each time. */
const REFUSAL_KEEP_MS = 10 * 60_000;
const CHATS_MAX = 200;
/** Lark's largest page, and how many are read: in a larger group nobody is called by a name that may be there twice. */
const PAGE_SIZE = 100;
const PAGES_MAX = 10;
const READ: Tried = { kind: 'read', inThread: false, card: false };

interface Known {
  readonly people: readonly Person[] | undefined;
}

export function createMembers({ caller, log }: { caller: Caller; log: Log }) {
  const known = new LRUCache<string, Known>({ max: CHATS_MAX });
  return async (chat: ChatId): Promise<readonly Person[] | undefined> => {
    const before = known.get(chat);
    if (before !== undefined) return before.people;
    // A message can go to a person, too.
    if (!chat.startsWith('oc_') || !LARK_ID_PATTERN.test(chat)) return undefined;
    const people = await readAll({ caller, log }, chat);
    known.set(chat, { people }, { ttl: people === undefined ? REFUSAL_KEEP_MS : MEMBERS_KEEP_MS });
    return people;
  };
}

async function readAll(
  { caller, log }: { caller: Caller; log: Log },
  chat: ChatId,
): Promise<readonly Person[] | undefined> {
  const people: Person[] = [];
  let pageToken: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const token = pageToken === undefined ? {} : { page_token: pageToken };
    const params = { member_id_type: 'open_id', page_size: PAGE_SIZE, ...token } as const;
    // A person waits for the answer.
    const spec = { api: 'chat_members', priority: 'answer' } as const;
    const result = await caller.call(spec, READ, (client, authorization) =>
      client.im.v1.chatMembers.get({ path: { chat_id: chat }, params }, authorization),
    );
    if (!result.ok) {
      const { code, detail } = result;
      const effect = 'its answers call nobody there by name';
      log.warn('chat_members_not_read', { chat, code, detail, effect });
      return undefined;
    }
    people.push(...listOf(result.body.data?.items).flatMap(personIn));
    pageToken = result.body.data?.page_token;
    if (result.body.data?.has_more !== true || !pageToken) return people;
  }
  log.warn('chat_members_cut', { chat, members: people.length });
  return undefined;
}

function personIn(item: Readonly<Record<string, unknown>>): Person[] {
  const { name } = item;
  const id = idOf(item['member_id']);
  return id === undefined || typeof name !== 'string' ? [] : [{ openId: id, name }];
}

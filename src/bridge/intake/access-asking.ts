/** Asks the owner about people who want to talk to the bot, and Lark about groups that it does not know. */
import type { ChatId, OpenId } from '../../core/ids.ts';
import type { AppId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';
import { findNames } from '../known-names.ts';
import { outKey } from '../outbox/keys.ts';
import type { AccessBook } from '../ports/access-book.ts';
import type { AccessLookup, PersonAccess } from '../ports/access.ts';
import type { LarkGateway } from '../ports/lark.ts';
import { ownerTexts } from '../texts/access.ts';
import type { Languages } from '../texts/languages.ts';
import type { AccessWrites } from './access-writes.ts';

interface AccessAskingParts {
  readonly appId: AppId;
  readonly book: AccessBook;
  readonly lookup?: AccessLookup | undefined;
  readonly lark: Pick<LarkGateway, 'surroundings'>;
  readonly writes: AccessWrites;
  readonly languages: Languages;
  readonly clock: Clock;
  readonly log: Log;
}

export class AccessAsking {
  readonly #parts: AccessAskingParts;
  #isOwnerMissed = false;

  constructor(parts: AccessAskingParts) {
    this.#parts = parts;
  }

  /** What Lark can't say now, is asked in the next round. */
  async round(): Promise<void> {
    for (const chat of await this.#parts.book.unknownGroups()) await this.#askAboutGroup(chat);
    await this.#nameGuests();
    await this.#askOwner();
  }

  async #askAboutGroup(chat: ChatId): Promise<void> {
    const { lookup, writes, log } = this.#parts;
    const found = (await lookup?.group(chat)) ?? { ok: false, isPassing: false };
    if (!found.ok && found.isPassing) return;
    const group = found.ok
      ? { isExternal: found.isExternal, ...(found.name !== '' && { name: found.name }) }
      : { isExternal: 'unknown' as const };
    if (!found.ok) log.warn('group_not_judged', { chat });
    await writes.settle({ subject: { chatId: chat }, decide: () => ({ change: { group } }) });
  }

  /** The owner and the operator see names beside ids, as far as Lark tells them. */
  async #nameGuests(): Promise<void> {
    const { book, lark, writes } = this.#parts;
    const unnamed = (await book.people()).filter(
      ({ state, isBot, name }) => state === 'waiting' && isBot !== true && name === undefined,
    );
    const chatId = unnamed.find((person) => person.chatId !== undefined)?.chatId;
    if (chatId === undefined) return;
    const ids = unnamed.map(({ openId }) => openId);
    // For a direct chat Lark is asked about the people alone, so one chat will do for all.
    await findNames(this.#parts, { chatId, chatType: 'p2p' }, ids);
    for (const openId of ids) {
      const name = lark.surroundings?.nameOf(openId);
      if (name === undefined) continue;
      await writes.settle({
        subject: { openId },
        decide: () => ({ change: { person: { name } } }),
      });
    }
  }

  /** One card for each request. */
  async #askOwner(): Promise<void> {
    const { book, writes } = this.#parts;
    const waiting = (await book.people()).filter(isToBeShown);
    const { app } = await book.known({});
    if (waiting.length === 0 || app.owner === undefined) return;
    const chat = app.ownerChat ?? (await this.#openOwnersChat(app.owner));
    if (chat === undefined) return;
    for (const { openId } of waiting) {
      await writes.settle({
        subject: { openId },
        decide: ({ person }) => {
          if (person === undefined || !isToBeShown(person)) return undefined;
          const request = ownerTexts.request(person, person.code);
          const out = [
            writes.draftTo({ chat, to: app.owner }, request, [openId, person.askedAtMs ?? 0]),
          ];
          return { change: { person: { isShown: true } }, out };
        },
      });
    }
  }

  /** Lark tells the owner's direct chat only when something is written there. */
  async #openOwnersChat(owner: OpenId): Promise<ChatId | undefined> {
    const { lookup, appId, writes, languages, log } = this.#parts;
    const key = outKey(appId, 'owner_hello', owner);
    const ownerChat = await lookup?.writeTo(owner, ownerTexts.hello[languages.of(owner)], key);
    if (ownerChat === undefined) {
      const next = 'Let people in with `lark-bridge pairing approve`.';
      if (!this.#isOwnerMissed) log.warn('owner_not_reached', { owner, next });
      this.#isOwnerMissed = true;
      return undefined;
    }
    await writes.settle({ subject: {}, decide: () => ({ change: { app: { ownerChat } } }) });
    return ownerChat;
  }
}

function isToBeShown({ state, isShown, askedAtMs, isBot }: PersonAccess): boolean {
  return state === 'waiting' && isShown !== true && askedAtMs !== undefined && isBot !== true;
}

/** What the bot says once when it comes into a chat: what it does, and how to call it. */
import type { ChatEvent } from '../ports/intake.ts';
import type { GroupState } from '../ports/access.ts';
import { welcomeTexts } from '../texts/access.ts';
import type { AccessMode } from './access.ts';
import type { AccessWrites } from './access-writes.ts';

export class Welcomes {
  readonly #mode: AccessMode;
  readonly #writes: AccessWrites;

  constructor(mode: AccessMode, writes: AccessWrites) {
    this.#mode = mode;
    this.#writes = writes;
  }

  /** Once for each time that it is added. If the owner adds it, everybody in the group may talk to it. */
  async added(event: Extract<ChatEvent, { kind: 'bot_added' }>): Promise<void> {
    const { chatId, by, name, isExternal, eventId } = event;
    await this.#writes.settle({
      subject: { chatId },
      once: `added:${eventId}`,
      decide: ({ app, group }) => {
        const isOwners = by !== undefined && by === app.owner && isExternal === false;
        const state = group?.state ?? (isOwners ? 'allowed' : undefined);
        const welcome = welcomeTexts.group(this.#whoMay(state, isExternal));
        return {
          change: { group: { name, state, isExternal: isExternal ?? group?.isExternal } },
          out: [this.#writes.draftTo({ chat: chatId, to: by }, welcome, [eventId])],
        };
      },
    });
  }

  #whoMay(state: GroupState | undefined, isExternal: boolean | undefined) {
    if (this.#mode === 'open') return 'everybody';
    if (this.#mode === 'owner') return 'known';
    if (state === 'allowed') return 'everybody';
    return isExternal === true ? 'nobody' : 'known';
  }

  /** Once for each person, and only where nothing was said before. */
  async entered(event: Extract<ChatEvent, { kind: 'chat_entered' }>): Promise<void> {
    const { chatId, by, isEmpty } = event;
    await this.#writes.settle({
      subject: { openId: by },
      decide: ({ app, person }) => {
        if (person?.isGreeted === true) return undefined;
        const isOwner = by === app.owner;
        const isIn = this.#mode === 'open' || isOwner || person?.state === 'allowed';
        const welcome = this.#writes.draftTo({ chat: chatId, to: by }, welcomeTexts.direct(isIn), [
          by,
        ]);
        return {
          change: {
            person: { isGreeted: true, chatId },
            ...(isOwner && { app: { ownerChat: chatId } }),
          },
          out: isEmpty && person?.state !== 'blocked' ? [welcome] : [],
        };
      },
    });
  }
}

/** Brings what agents say outside of their turns to the bridge, and what they want to know of it back. */
import type { SessionAudience } from '../hub/ports/sessions.ts';

/** The hub begins its turns before the bridge is there, so each call looks for it anew. */
export class BridgeAudience implements SessionAudience {
  #parts: Partial<SessionAudience> = {};

  connect(parts: Partial<SessionAudience>): void {
    this.#parts = parts;
  }

  saidBefore(session: string): Promise<string> {
    return this.#parts.saidBefore?.(session) ?? Promise.resolve('');
  }

  lateText(session: string, text: string): void {
    this.#parts.lateText?.(session, text);
  }

  told(...about: Parameters<SessionAudience['told']>): void {
    this.#parts.told?.(...about);
  }

  ownerNotice(...about: Parameters<SessionAudience['ownerNotice']>): void {
    this.#parts.ownerNotice?.(...about);
  }

  chatOf(turn: Parameters<SessionAudience['chatOf']>[0]): ReturnType<SessionAudience['chatOf']> {
    const chat = () => this.#parts.chatOf?.(turn);
    const notYet = { refused: 'the bridge is not connected yet; try again' };
    return {
      sendFile: (file, caption) => chat()?.sendFile(file, caption) ?? Promise.resolve(notYet),
      readHistory: (query) => chat()?.readHistory(query) ?? Promise.resolve([]),
      react: (emoji) => chat()?.react(emoji) ?? Promise.resolve(notYet),
    };
  }
}

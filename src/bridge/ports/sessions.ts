/** The agents' memories as people see them: which one belongs to which chat or thread, and what was said in it. */
import type { ChatId, OpenId, TurnId } from '../../core/ids.ts';
import type { SessionOfTurn } from '../../core/turn-details.ts';
import type { Place } from './journal.ts';
import type { KnownTurn } from './said-before.ts';

/** What was chosen in a chat or thread. A thread has what its chat has, until something is chosen in it. */
export type Chosen = Pick<SessionOfTurn, 'agent' | 'folder'>;

export interface KnownSession extends Chosen, Place {
  readonly id: string;
  /** The first words of its first message. Empty: none are known any more. */
  readonly title: string;
  readonly usedAtMs: number;
  readonly turns: number;
}

/**
 * Which memories a person may see: those of the chat where they ask, and `by` set, also their own ones elsewhere in
 * which nobody else has spoken.
 */
export interface Viewer {
  readonly chatId: ChatId;
  readonly by: OpenId | undefined;
}

/** `busy`: turns of it wait or run in the chat where it is now. */
export type ResumeOutcome = 'done' | 'busy' | 'unknown';

/** Every method that writes does so once for each event `once`, and resolves when the write is on disk. */
export interface SessionBook {
  chosenIn(place: Place): Promise<Chosen>;
  /** For the turns that are admitted from now on. Not given: as before. Undefined: nothing is chosen any more. */
  choose(
    place: Place,
    choice: { readonly [Key in keyof Chosen]: Chosen[Key] | undefined },
    once: string,
  ): Promise<void>;
  /** The agent or folder is gone: wherever the turns of a place get their choice from, it is taken back. */
  dropChoice(place: Place, gone: Chosen): Promise<void>;
  /** The session of the turns in a place. Undefined if there was no turn yet. */
  current(place: Place): Promise<SessionOfTurn | undefined>;
  /** Turns that are admitted from now on have another session. */
  renew(place: Place, by: OpenId, once: string): Promise<void>;
  /** Sessions in which something was said, newest first. */
  list(viewer: Viewer, limit: number): Promise<readonly KnownSession[]>;
  /** Those whose id begins so, at most two. */
  beginningWith(start: string, viewer: Viewer): Promise<readonly KnownSession[]>;
  /** Those whose title has these words, newest first. */
  titled(words: string, viewer: Viewer, limit: number): Promise<readonly KnownSession[]>;
  /** Empty: none is known. */
  titleOf(id: string): Promise<string>;
  /** Turns here that are admitted from now on have this session, its agent and its folder. Its place before loses it. */
  resume(
    id: string,
    here: { readonly place: Place; readonly by: OpenId },
    once: string,
  ): Promise<ResumeOutcome>;
  /** Where a session is now, with its latest turn there. */
  placeOf(id: string): Promise<(Place & { readonly latest: TurnId | undefined }) | undefined>;
}

/** A turn with a session, for somebody who looks back. */
export interface TurnThen extends KnownTurn {
  readonly session: SessionOfTurn;
  readonly receivedAtMs: number;
}

/** What was said. All of it looks at the newest turns of all chats only, and leaves out what was recalled. */
export interface SaidInSessions {
  /** The last turns of a session that are over, oldest first, with the answers that were shown. */
  saidIn(session: string, limit: number): Promise<readonly TurnThen[]>;
  /** Turns whose message or answer has these words, newest first: of the chat, or of what the person wrote elsewhere. */
  search(words: string, viewer: Viewer, limit: number): Promise<readonly TurnThen[]>;
  /** The turns since then, newest first, without their answers: the same ones as `search`. */
  since(sinceMs: number, viewer: Viewer): Promise<readonly TurnThen[]>;
}

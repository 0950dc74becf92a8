/** What the owner was told about agents. */

/** `agent`: any name of it that stays the same. */
export interface ToldOwner {
  readonly agent: string;
  readonly kind: string;
}

/** The notes are read at once. Those about an agent go when it is removed. */
export interface OwnerNoticeStore {
  isNoted(about: ToldOwner): boolean;
  /** Call it inside a commit of the journal. False if it is noted already. */
  note(about: ToldOwner, atMs: number): boolean;
  /** It may be told again. Resolves when it is on disk. */
  forget(about: ToldOwner): Promise<void>;
}

import type { ChatId } from '../../core/ids.ts';
import type { Turn } from '../../core/turn.ts';
import type { OutboxDraft, OutboxRow } from './outbox.ts';
import type {
  AccessChange,
  AccessRecords,
  AccessSubject,
  GroupAccess,
  PersonAccess,
} from './access.ts';
import type { TurnChange } from './changes.ts';

export interface AccessWork {
  readonly subject: AccessSubject;
  /** As for a turn. */
  readonly once?: string | undefined;
  /** Undefined: nothing is written. */
  readonly decide: (
    known: AccessRecords,
  ) => { readonly change: AccessChange; readonly out?: readonly OutboxDraft[] } | undefined;
  /** What becomes of each kept message of the person, or in the group, with what is known then. */
  readonly move?: (turn: Turn, known: AccessRecords) => TurnChange | undefined;
}

/** Who may talk to the bot, as it is stored. */
export interface AccessBook {
  known(subject: AccessSubject): Promise<AccessRecords>;
  /** Decides and stores in one transaction. */
  settle(work: AccessWork): Promise<{
    readonly changed: boolean;
    /** The kept messages that moved. */
    readonly turns: readonly Turn[];
    readonly out: readonly OutboxRow[];
  }>;
  /** Whom this code was given to. */
  personOf(code: string): Promise<PersonAccess | undefined>;
  /** People who asked or about whom somebody decided, the latest first. */
  people(): Promise<readonly PersonAccess[]>;
  groups(): Promise<readonly GroupAccess[]>;
  /** Groups of kept messages of which Lark has not said whether they are external. */
  unknownGroups(): Promise<readonly ChatId[]>;
  /** How many people an earlier version let in. Each is counted once. */
  takeImported(): Promise<number>;
}

/** What kind of life a bridge has, and how it can be broken. */
import type { AttachmentStore } from '../../src/bridge/ports/attachments.ts';
import type { Journal } from '../../src/bridge/ports/journal.ts';
import type { LarkGateway } from '../../src/bridge/ports/lark.ts';
import type { TurnTarget } from '../../src/bridge/ports/target.ts';
import { seeded } from './random.ts';

/** Ways to break a rule on purpose, to see that the checks notice. */
export interface Mutations {
  readonly lark?: (lark: LarkGateway) => LarkGateway;
  readonly journal?: (journal: Journal) => Journal;
  readonly target?: (target: TurnTarget) => TurnTarget;
  readonly attachments?: (store: AttachmentStore) => AttachmentStore;
  /** Acks a message before it is stored. */
  readonly ackFirst?: boolean;
  readonly recallsLost?: boolean;
  /** What a message says after a change comes as another message. */
  readonly changesAreNew?: boolean;
  /** Guests are taken for people who may talk. */
  readonly letsAllIn?: boolean;
  /** The operator's word is lost. */
  readonly decisionsLost?: boolean;
}

/** What kind of life it is; drawn from the seed where nobody says. */
export interface Fate {
  /** The hub takes a repeated message id for the same turn. */
  readonly deduplicates: boolean;
  /** Its answers come without tickets; they name their questions by token. */
  readonly isBlind: boolean;
  /** Lark is away for longer than it remembers keys. */
  readonly outage: boolean;
  /** Somebody sets the machine's clock. */
  readonly jumps: boolean;
  /** How many agents take nearly a minute, 0…1. */
  readonly slow: number;
  /** How many messages are taken back soon after they were said, 0…1. */
  readonly recalls: number;
  /** Agents ask something before they answer. */
  readonly asks: boolean;
  /** The owner decides who may talk. */
  readonly pairing: boolean;
  /** People send files, with words and without. */
  readonly files: boolean;
  /** Agents say what they do while they work, and cards show it. */
  readonly tells: boolean;
  /** People change what they said. */
  readonly edits: boolean;
  /** People stop what is at work or waits. */
  readonly stops: boolean;
}

/** Each choice of a later date has a stream of its own, so that the others stay as they were. */
export function fateOf(seed: number, random: () => number): Fate {
  const isBlind = seeded(seed + 3)() < 0.25;
  // People take back what agents work on for long.
  const hasty = seeded(seed + 4)() < 0.15;
  return {
    deduplicates: random() < 0.75,
    outage: random() < 0.15,
    // A deadline that a jump passes is told, and then the answer comes by its token all the same.
    jumps: random() < 0.3 && !isBlind,
    isBlind,
    slow: hasty ? 1 : 0.1,
    recalls: hasty ? 0.9 : 0.1,
    pairing: seeded(seed + 6)() < 0.3,
    asks: seeded(seed + 5)() < 0.4 && !isBlind,
    files: seeded(seed + 7)() < 0.4,
    tells: seeded(seed + 8)() < 0.4 && !isBlind,
    edits: seeded(seed + 9)() < 0.4,
    stops: seeded(seed + 10)() < 0.4,
  };
}

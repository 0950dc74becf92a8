/** Which turns get the slots of the hub. Pure, but for the memory of who had the latest one. */
import { mayHaveSlot } from '../../time/fair-order.ts';
import type { WorkspaceId } from '../../core/ids.ts';
import type { Seat } from '../ports/queue.ts';
import type { QueueId } from '../ports/turns.ts';

/** Senders whose latest turn is remembered. More than have turns in the queue at a time in any normal use. */
const SOURCES_REMEMBERED_MAX = 1_000;

interface FairSlotsParts {
  readonly slots: number;
  /** The workspace of the bridge in this process, if there is one. People in chats wait for its turns. */
  readonly bridge: WorkspaceId | undefined;
}

/** What one sender has. */
interface Share {
  readonly waiting: QueueId[];
  atWork: number;
}

/**
 * The next turn is that of the sender with the fewest turns at work. Of equal ones the bridge in this process comes
 * first, and then the sender whose latest turn began earliest. One sender never holds all slots: see `mayHaveSlot`.
 * The bridge shares its slots among people by itself, so it may have every free one. All others together get half of
 * the slots beside it, so that chats always find room.
 */
export class FairSlots {
  readonly #slots: number;
  readonly #bridge: WorkspaceId | undefined;
  readonly #othersMax: number;
  /** In the order of their latest turns. */
  readonly #begun = new Map<WorkspaceId, number>();
  #count = 0;

  constructor({ slots, bridge }: FairSlotsParts) {
    this.#slots = slots;
    this.#bridge = bridge;
    this.#othersMax = bridge === undefined ? slots : Math.ceil(slots / 2);
  }

  noteBegun(source: WorkspaceId): void {
    this.#count += 1;
    this.#begun.delete(source);
    this.#begun.set(source, this.#count);
    const [oldest] = this.#begun.keys();
    if (this.#begun.size > SOURCES_REMEMBERED_MAX && oldest !== undefined) {
      this.#begun.delete(oldest);
    }
  }

  /** The turns that begin now, in order. Those that wait are given by age. */
  next(waiting: readonly Seat[], atWork: readonly Seat[]): QueueId[] {
    const shares = sharesOf(waiting, atWork);
    const next: QueueId[] = [];
    for (;;) {
      const [source, share] = this.#first(shares) ?? [];
      const turn = share?.waiting.shift();
      if (source === undefined || share === undefined || turn === undefined) return next;
      share.atWork += 1;
      // It comes after its equals from now on.
      shares.delete(source);
      shares.set(source, share);
      next.push(turn);
    }
  }

  #first(shares: ReadonlyMap<WorkspaceId, Share>): [WorkspaceId, Share] | undefined {
    let taken = 0;
    let takenByOthers = 0;
    for (const [source, { atWork }] of shares) {
      taken += atWork;
      if (source !== this.#bridge) takenByOthers += atWork;
    }
    const free = this.#slots - taken;
    const freeForOthers = Math.min(free, this.#othersMax - takenByOthers);
    let first: [WorkspaceId, Share] | undefined;
    for (const [source, share] of shares) {
      const mayBegin =
        source === this.#bridge ? free > 0 : mayHaveSlot(share.atWork, freeForOthers);
      if (share.waiting.length === 0 || !mayBegin) continue;
      if (first === undefined || this.#isBefore([source, share], first)) first = [source, share];
    }
    return first;
  }

  #isBefore([source, share]: [WorkspaceId, Share], [other, first]: [WorkspaceId, Share]): boolean {
    if (share.atWork !== first.atWork) return share.atWork < first.atWork;
    if (source === this.#bridge || other === this.#bridge) return source === this.#bridge;
    return (this.#begun.get(source) ?? 0) < (this.#begun.get(other) ?? 0);
  }
}

function sharesOf(waiting: readonly Seat[], atWork: readonly Seat[]): Map<WorkspaceId, Share> {
  const shares = new Map<WorkspaceId, Share>();
  const shareOf = ({ source }: Seat) => {
    const share = shares.get(source) ?? { waiting: [], atWork: 0 };
    shares.set(source, share);
    return share;
  };
  for (const seat of waiting) shareOf(seat).waiting.push(seat.queueId);
  for (const seat of atWork) shareOf(seat).atWork += 1;
  return shares;
}

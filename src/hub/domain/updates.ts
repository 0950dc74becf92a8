import type { TurnUpdate } from '../../core/turn-update.ts';
import type { Clock } from '../../time/clock.ts';
import type { QueueItem } from '../ports/turns.ts';

/** After a start the hub runs its turns before the bridge watches them. That takes less than this. */
const UNSEEN_MS_MAX = 60_000;

/** Names the turn that a message made. */
export type TurnMessage = Pick<QueueItem, 'source' | 'target' | 'requestId'>;

type Question = Extract<TurnUpdate, { kind: 'question' }>;

/** Brings what a turn tells before it ends to whoever watches it. Nothing is stored. */
export class Updates {
  readonly #clock: Clock;
  readonly #watchers = new Map<string, (update: TurnUpdate) => void>();
  /** Questions that wait for somebody who watches, and what ends their wait. */
  readonly #unseen = new Map<string, Map<Question, () => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `take` for each update from now on, until the returned function is called. One watcher a turn. */
  watch(message: TurnMessage, take: (update: TurnUpdate) => void): () => void {
    const key = keyOf(message);
    this.#watchers.set(key, take);
    for (const question of this.#takeUnseen(key)) take(question);
    return () => {
      if (this.#watchers.get(key) === take) this.#watchers.delete(key);
    };
  }

  /** False if nobody watches the turn. */
  tell(message: TurnMessage, update: TurnUpdate): boolean {
    const take = this.#watchers.get(keyOf(message));
    take?.(update);
    return take !== undefined;
  }

  /** Keeps a question for somebody who will watch the turn soon. If nobody does, `onUnseen` is called. */
  keep(message: TurnMessage, question: Question, onUnseen: () => void): void {
    const key = keyOf(message);
    const unseen = this.#unseen.get(key) ?? new Map<Question, () => void>();
    this.#unseen.set(key, unseen);
    const cancel = this.#clock.after(UNSEEN_MS_MAX, () => {
      unseen.delete(question);
      onUnseen();
    });
    unseen.set(question, cancel);
  }

  /** The turn is over. */
  forget(message: TurnMessage): void {
    this.#takeUnseen(keyOf(message));
  }

  #takeUnseen(key: string): readonly Question[] {
    const unseen = this.#unseen.get(key) ?? new Map<Question, () => void>();
    this.#unseen.delete(key);
    for (const cancel of unseen.values()) cancel();
    return [...unseen.keys()];
  }
}

function keyOf({ source, target, requestId }: TurnMessage): string {
  return JSON.stringify([source, target, requestId]);
}

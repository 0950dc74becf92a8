import type { TurnUpdate } from '../../core/turn-update.ts';
import type { QueueItem } from '../ports.ts';

/** Names the turn that a message made. */
export type TurnMessage = Pick<QueueItem, 'source' | 'target' | 'requestId'>;

/** Brings what a turn tells before it ends to whoever watches it. Nothing is stored. */
export class Updates {
  readonly #watchers = new Map<string, (update: TurnUpdate) => void>();

  /** Calls `take` for each update from now on, until the returned function is called. One watcher a turn. */
  watch(message: TurnMessage, take: (update: TurnUpdate) => void): () => void {
    const key = keyOf(message);
    this.#watchers.set(key, take);
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
}

function keyOf({ source, target, requestId }: TurnMessage): string {
  return JSON.stringify([source, target, requestId]);
}

/** Turns at the hub: to send them, wait for them and cancel them. Surfaces only translate. */
import { randomUUID } from 'node:crypto';
import type { Sending, Sent, Settlement } from '../ports/queue.ts';
import type { HubStore } from '../ports/store.ts';
import {
  queueId,
  type QueueId,
  type QueueItem,
  type RequestId,
  type TurnContent,
} from '../ports/turns.ts';
import type { Workspace } from '../ports/workspaces.ts';
import { hubTurn, type Log } from '../../core/log.ts';
import type { QuestionAnswer, TurnUpdate } from '../../core/turn-update.ts';
import type { Clock } from '../../time/clock.ts';
import { limitAt } from '../../time/wait.ts';
import { larkContextOf } from '../../wire/lark-context.ts';
import { attachmentsOf } from './attachments.ts';
import type { Dispatcher } from './dispatcher.ts';
import { laneOf, summaryOf } from './messages.ts';
import { answerOf } from './outcomes.ts';
import type { ExpectedEnd, Settlements } from './settlements.ts';
import type { TurnMessage } from './updates.ts';

/** How long one caller may wait for a turn. */
export const TURN_WAIT_MS_MAX = 30_000;

/** The last moment that JavaScript can write as a date. */
const DATE_MS_MAX = 8_640_000_000_000_000;

/** A message for a workspace. */
export interface NewMessage {
  readonly source: Workspace['id'];
  /** False: the sender did not name itself, so that the target is shown no source (MOL-HDR-05). */
  readonly named: boolean;
  readonly target: Pick<Workspace, 'id' | 'hubRun'>;
  readonly requestId: RequestId;
  readonly content: TurnContent;
  /** The turn does not start after this. Without it the turn does not expire. */
  readonly expiresInMs?: number;
}

interface TurnsParts {
  readonly store: HubStore;
  readonly settlements: Settlements;
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  readonly log: Log;
}

/** A turn whose item is stored in the sender's own commit. */
export interface JoinedTurn {
  /** To be called inside the sender's commit. */
  store(): void;
  /** The result, after that commit. Undefined if the commit failed: then the turn is sent as usual. */
  sent(): Sent | undefined;
}

export class Turns {
  readonly #parts: TurnsParts;

  constructor(parts: TurnsParts) {
    this.#parts = parts;
  }

  /** Calls `run` whenever something durable has arrived in a workspace's inbox. */
  onArrival(workspace: Workspace['id'], run: () => void): void {
    this.#parts.settlements.listen(workspace, run);
  }

  /** Stores a message once. A repeat gives the item of the first. The turns that it answers are settled. */
  async send(message: NewMessage): Promise<Sent> {
    const sending = this.#sendingOf(message);
    const sent = await this.#parts.store.send(sending);
    this.#afterStored(sending, sent);
    return sent;
  }

  /**
   * Like `send`, but inside a commit of the sender, who uses the same database. The sender then expects the end
   * of the new turn (`expectEnd`).
   */
  join(message: NewMessage): JoinedTurn {
    const { store, settlements, dispatcher } = this.#parts;
    const sending = this.#sendingOf(message);
    let sent: Sent | undefined;
    return {
      store: () => {
        sent = undefined;
        const stored = store.joined.send(sending, dispatcher.choiceAtOnce);
        store.joined.whenDurable(() => {
          sent = stored;
          // Before the agent starts, because it may answer at once.
          if (stored.kind === 'item' && stored.fresh) settlements.expect(stored.item.queueId);
          this.#afterStored(sending, stored);
        });
      },
      sent: () => sent,
    };
  }

  item(id: QueueId): Promise<QueueItem | undefined> {
    return this.#parts.store.item(id);
  }

  /**
   * Waits until the item that `read` gives is settled, or until the time is over. Returns the item as it is
   * then. When `signal` aborts, it returns the item of before at once. `known`: the item as it is now, if the
   * caller is sure of it.
   */
  async settled(
    id: QueueId,
    {
      read,
      known,
      waitMs,
      signal,
    }: {
      readonly read: () => Promise<QueueItem>;
      readonly known?: QueueItem;
      readonly waitMs: number;
      readonly signal: AbortSignal;
    },
  ): Promise<QueueItem> {
    const { settlements, clock } = this.#parts;
    const over = new AbortController();
    const stop = AbortSignal.any([signal, over.signal]);
    const limit = limitAt(clock, stop, clock.nowMs() + Math.min(waitMs, TURN_WAIT_MS_MAX));
    // Before the first look, so that no settlement falls between the look and the wait.
    const settled = settlements.wait(id, limit.signal);
    try {
      const item = known ?? (await read());
      if (item.outcome !== undefined) return item;
      await settled;
      // The caller has gone and needs no second read.
      return isOver(signal) ? item : await read();
    } finally {
      over.abort('over');
      limit.cancel();
    }
  }

  /** Ends the turn that a message made. A turn that has its answer keeps it. */
  async cancel(message: Parameters<HubStore['itemOfMessage']>[0]): Promise<QueueItem | undefined> {
    const { store, dispatcher } = this.#parts;
    const item = await store.itemOfMessage(message);
    if (item === undefined) return undefined;
    await dispatcher.cancel(item.queueId);
    return (await store.item(item.queueId)) ?? item;
  }

  /** Calls `take` for each update of a message's turn, until the returned function is called. */
  watch(message: TurnMessage, take: (update: TurnUpdate) => void): () => void {
    return this.#parts.dispatcher.updates.watch(message, take);
  }

  /** Gives the agent the answer to a question of a message's turn. False if it does not wait for it. */
  async answer(
    message: Parameters<HubStore['itemOfMessage']>[0],
    questionId: string,
    answer: QuestionAnswer,
  ): Promise<boolean> {
    const { store, dispatcher } = this.#parts;
    const item = await store.itemOfMessage(message);
    return item !== undefined && dispatcher.answer(item.queueId, questionId, answer);
  }

  /** The end of a turn that the hub runs, not stored yet: `settleJoined` does that. */
  expectEnd(id: QueueId): ExpectedEnd {
    return this.#parts.settlements.expect(id);
  }

  /** From now on the hub itself stores the end of this turn. */
  unexpectEnd(id: QueueId): void {
    this.#parts.settlements.unexpect(id);
  }

  /** Stores the end of a turn. To be called inside a commit of the caller that expected it. */
  settleJoined(id: QueueId, settlement: Settlement): void {
    const { store, settlements, dispatcher } = this.#parts;
    store.joined.settle(id, settlement);
    store.joined.whenDurable(() => {
      settlements.notify(id);
      dispatcher.slotFreed();
    });
  }

  #sendingOf({ source, named, target, requestId, content, expiresInMs }: NewMessage): Sending {
    const atMs = this.#parts.clock.nowMs();
    const id = queueId(randomUUID());
    return {
      queueId: id,
      target: target.id,
      source,
      named,
      lane: laneOf(content, id),
      hubRun: target.hubRun,
      summary: summaryOf(content.message),
      attachments: JSON.stringify(attachmentsOf(content.message.parts)),
      requestId,
      content,
      answer: answerOf(content, atMs),
      expiresAtMs:
        expiresInMs === undefined
          ? undefined
          : Math.min(DATE_MS_MAX, Math.ceil(atMs + expiresInMs)),
      atMs,
    };
  }

  /** To be called when what was stored is durable. */
  #afterStored({ source, target, hubRun, content }: Sending, sent: Sent): void {
    const { settlements, dispatcher, log } = this.#parts;
    if (sent.kind === 'full') {
      log.warn('hub_queue_filled', { target });
    } else if (sent.kind === 'over_quota') {
      log.warn('hub_quota_used_up', { workspace: source, quota: sent.quota });
    } else if (sent.kind === 'answer') {
      for (const turn of sent.completed) {
        log.debug('hub_turn_answered', { ...hubTurn(turn, undefined), by: source });
        settlements.notify(turn);
      }
    } else if (sent.fresh) {
      const { item } = sent;
      const message = larkContextOf(content.metadata)?.messageId;
      log.debug('hub_turn_queued', { ...hubTurn(item.queueId, message), source, target });
      if (item.status === 'dispatched') dispatcher.begin({ ...item, content });
      else if (hubRun) dispatcher.wake();
    }
    if (!hubRun) settlements.arrived(target);
  }
}

/** A function, because the compiler believes that a signal that was not aborted before stays so. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}

import type { Brand } from '../../core/brand.ts';
import type { WorkspaceId } from '../../core/ids.ts';
import type { Turn } from '../../core/turn.ts';
import { messageText, saysNothing } from '../../wire/message-text.ts';
import { platformMessageId } from '../outbox/keys.ts';
import type { TurnRequest, TurnTarget } from '../ports/target.ts';
import { contextOf } from './context.ts';

/** What is asked. A mention without words asks about the message that it replies to. */
function textOf({ message: { parts }, details }: Turn): string {
  return (saysNothing(parts) && details?.quoted?.text) || messageText(parts);
}

/** Makes the request that gives a turn to its target. It is the same for every try. */
export class TurnRequests {
  readonly #target: TurnTarget;
  readonly #brand: Brand;
  /** Targets that have accepted a turn without a ticket for its answer. */
  readonly #uncorrelated = new Set<WorkspaceId>();

  constructor(target: TurnTarget, brand: Brand) {
    this.#target = target;
    this.#brand = brand;
  }

  noteUncorrelated(workspace: WorkspaceId): void {
    this.#uncorrelated.add(workspace);
  }

  requestOf(turn: Turn, target: WorkspaceId): TurnRequest {
    return {
      messageId: platformMessageId(turn),
      text: textOf(turn),
      context: contextOf(turn, this.#brand),
      target,
      reply: this.#replyOf(turn, target),
      ...(turn.details !== undefined && { details: turn.details }),
    };
  }

  #replyOf({ id, replyToken: token }: Turn, to: WorkspaceId): NonNullable<TurnRequest['reply']> {
    // A header line without a token could be written by anybody.
    if (token === undefined) throw new Error(`turn ${id} has no token`);
    return { token, isAskedFor: !this.#target.correlates && this.#uncorrelated.has(to) };
  }
}

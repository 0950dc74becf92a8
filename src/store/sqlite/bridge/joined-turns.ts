import { turnId, type AppId, type TurnId } from '../../../core/ids.ts';
import type { InboundMessage } from '../../../core/message.ts';
import type { Turn, TurnState } from '../../../core/turn.ts';
import type { Db } from '../db.ts';
import type { TurnsTable } from './turns.ts';

/** Messages without words that become one turn. Whoever sends more does not wait for an answer to them together. */
const JOINED_MAX = 50;

interface JoinedTurnsParts {
  readonly db: Db;
  readonly app: AppId;
  readonly turns: TurnsTable;
}

/**
 * Turns that are a part of another one. The other one has a copy of their parts, with the message that each comes
 * from; they keep their own, so that they can leave it. Call the writers inside `db.write`.
 */
export class JoinedTurns {
  readonly #db: Db;
  readonly #app: AppId;
  readonly #turns: TurnsTable;

  constructor({ db, app, turns }: JoinedTurnsParts) {
    this.#db = db;
    this.#app = app;
    this.#turns = turns;
  }

  /**
   * Makes the turn of the same person, chat and thread that gathers a part of this one. A turn that gathers itself
   * takes in no more than `JOINED_MAX` messages, so that its row stays small.
   */
  takeIn(turn: Turn, nowMs: number): { turn: Turn; takenIn: TurnId } | undefined {
    const taken = this.#gathering(turn);
    if (taken === undefined) return undefined;
    const gathers = turn.state.phase === 'waiting' && turn.state.gathers === true;
    if (gathers && countOf(taken.message) >= JOINED_MAX) return undefined;
    const { messageId, sentAtMs } = taken.message;
    const parts = taken.message.parts.map((part) =>
      part.kind === 'resource' ? { ...part, from: part.from ?? { messageId, sentAtMs } } : part,
    );
    this.#turns.setState(taken, { phase: 'answered', joined: turn.id }, nowMs);
    const next = this.#turns.setContent(turn, { parts: [...parts, ...turn.message.parts] });
    return { turn: next, takenIn: taken.id };
  }

  /** The latest of the messages that the turn took in waits again, with those that it had taken in itself. */
  free({ message }: Turn, state: TurnState, nowMs: number): Turn | undefined {
    const latest = othersIn(message).at(-1);
    const freed = latest && this.#turns.reads.get(latest);
    if (freed === undefined) return undefined;
    this.#turns.setState(freed, state, nowMs);
    return { ...freed, state };
  }

  /** Removes what a recalled message brought into the turns that took it in, one after another. */
  takeOut({ id, state }: Turn): void {
    let into = joinedBy(state);
    while (into !== undefined) {
      const turn = this.#turns.reads.get(into);
      if (turn === undefined) return;
      const parts = turn.message.parts.filter(
        (part) => part.kind !== 'resource' || part.from?.messageId !== (id as string),
      );
      // The files of a message are in a folder with its id.
      const attachments = turn.details?.attachments?.filter(
        ({ path }) => !path.split(/[\\/]/).includes(id),
      );
      this.#turns.setContent(turn, { parts, ...(attachments && { details: { attachments } }) });
      into = joinedBy(turn.state);
    }
  }

  #gathering({ seq, message }: Turn): Turn | undefined {
    const row = this.#db.get(
      `SELECT message_id FROM turns WHERE app_id = ?1 AND chat_id = ?2 AND seq < ?3
         AND json_extract(state, '$.gathers') AND phase = 'waiting'
         AND json_extract(message, '$.senderOpenId') = ?4
         AND json_extract(message, '$.threadId') IS ?5
       ORDER BY seq DESC LIMIT 1`,
      this.#app,
      message.chatId,
      seq,
      message.senderOpenId,
      message.threadId ?? null,
    );
    return row && this.#turns.reads.get(turnId(String(row['message_id'])));
  }
}

function joinedBy(state: TurnState): TurnId | undefined {
  return state.phase === 'answered' ? state.joined : undefined;
}

/** The messages that the turn took in, oldest first. */
function othersIn({ parts }: InboundMessage): TurnId[] {
  const ids = parts.flatMap((part) =>
    part.kind === 'resource' && part.from !== undefined ? turnId(part.from.messageId) : [],
  );
  return [...new Set(ids)];
}

function countOf(message: InboundMessage): number {
  return othersIn(message).length + 1;
}

/** Facts about rows of the outbox. */
import type { OutboxDraft, OutboxRow } from '../ports/outbox.ts';
import { cardEnd } from '../live/card-ends.ts';
import type { DraftedAt } from './drafts.ts';

export function isCardEnd({ body }: OutboxRow): boolean {
  return body.kind === 'message' && body.onlyOnCard === true;
}

/** For a row that its live card does not show: the card must not stay as it is. */
export function endOfCard(
  { liveCard, turn, chatId, replyTo, placement }: OutboxRow,
  at: DraftedAt,
  how: 'over' | 'below' = 'over',
): OutboxDraft[] {
  if (liveCard === undefined || turn === undefined || replyTo === undefined) return [];
  const place = { chatId, replyTo, inThread: placement === 'thread' };
  return [cardEnd({ key: liveCard, turn, place }, how, at)];
}

/** Since when it waits to be shown. An order to send it again begins anew. */
export function wantedSinceMs({ replayedAtMs, createdAtMs }: OutboxRow): number {
  return replayedAtMs ?? createdAtMs;
}

export function oldestOf(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

export function dueBy(row: OutboxRow, atMs: number): OutboxRow {
  const { state } = row;
  if (state.phase !== 'pending' || state.dueAtMs <= atMs) return row;
  return { ...row, state: { phase: 'pending', dueAtMs: atMs } };
}

/** What an edit of a message does to its turn. */
import { turnId } from '../../core/ids.ts';
import type { InboundMessage, Part } from '../../core/message.ts';
import type { Turn } from '../../core/turn.ts';
import type { Show } from '../outbox/show.ts';
import type { Clock } from '../../time/clock.ts';
import type { Delivery } from '../outbox/delivery.ts';
import { toDrafts } from '../outbox/drafts.ts';
import type { ContentForm } from '../ports/lark.ts';
import type { Journal } from '../ports/journal.ts';
import type { TurnChange } from '../ports/changes.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import { editNotices } from '../texts/edits.ts';

type TextChange = Pick<TurnChange, 'parts' | 'edited' | 'details'>;

interface EditsParts {
  readonly journal: Pick<Journal, 'changeTurn'>;
  readonly delivery: Delivery;
  readonly form: ContentForm;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
  readonly clock: Clock;
}

export class Edits {
  readonly #parts: EditsParts;

  constructor(parts: EditsParts) {
    this.#parts = parts;
  }

  /** Takes what a known message says now. An edit that is older than what is stored changes nothing. */
  async take({ messageId, parts }: InboundMessage, editedAtMs: number): Promise<void> {
    const { journal, delivery, form, storeRetry, languages, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const { out } = await storeRetry.untilStored(() =>
      journal.changeTurn(turnId(messageId), (turn) => {
        const next = afterEdit(turn, { parts, atMs: editedAtMs });
        if (next === undefined) return undefined;
        const { show, ...change } = next;
        const at = { nowMs, form, lang: languages.ofTurn(turn) };
        return { state: turn.state, ...change, out: toDrafts(turn, show, at) };
      }),
    );
    delivery.offer(out);
  }
}

/** Undefined if it changes nothing: a later edit is known, or nobody needs the text any more. */
function afterEdit(
  { state, message }: Turn,
  { parts, atMs }: { readonly parts: InboundMessage['parts']; readonly atMs: number },
): (TextChange & { readonly show: readonly Show[] }) | undefined {
  // A message without parts was recalled or pruned.
  if (message.parts.length === 0 || atMs <= (message.edited?.atMs ?? 0)) return undefined;
  switch (state.phase) {
    case 'held':
    case 'kept':
    case 'failed':
      return { ...asChanged(message.parts, parts), edited: { atMs }, show: [] };
    case 'waiting':
      // After a try that broke off, the hub may know the turn with its text.
      if (state.attempt === 0) {
        return { ...asChanged(message.parts, parts), edited: { atMs }, show: [] };
      }
      return atWork({ atMs, parts });
    case 'sending':
    case 'accepted':
    case 'overdue':
      return atWork({ atMs, parts });
    case 'command':
    case 'answered':
    case 'dropped':
      return undefined;
  }
}

/** Files that it took in from other messages stay. Which of its own are still there is found out anew. */
function asChanged(before: readonly Part[], parts: readonly Part[]): TextChange {
  const takenIn = before.filter((part) => part.kind === 'resource' && part.from !== undefined);
  return { parts: [...takenIn, ...parts], details: { attachments: [] } };
}

/** The key of the notice is the same for each edit during a run, so the person gets one. */
function atWork(edited: NonNullable<InboundMessage['edited']>) {
  return { edited, show: [editNotices.atWork()] };
}

/** A new run begins with what the message says now. */
export function withNewestText({ message: { parts, edited } }: Turn): TextChange {
  if (edited?.parts === undefined) return {};
  return { ...asChanged(parts, edited.parts), edited: { atMs: edited.atMs } };
}

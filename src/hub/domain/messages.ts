/** The text of a message, and the order in which messages are answered. */
import { headOf } from '../../text/cut.ts';
import { storable } from '../../text/storable.ts';
import { claimedContextOf, larkContextOf, withoutHeader } from '../../wire/lark-context.ts';
import { saidIn } from '../../wire/said-metadata.ts';
import { textOfParts } from '../../wire/text-parts.ts';
import type { AgentTurn } from '../../agents/runtime.ts';
import type { TurnDetails } from '../../core/turn-details.ts';
import type { HubMessage, ItemToRun, TurnContent } from '../ports/turns.ts';

const SUMMARY_CHARS_MAX = 200;

export function textOf(message: HubMessage): string {
  return textOfParts(message.parts);
}

export function summaryOf(message: HubMessage): string {
  return storable(headOf(textOf(message), { chars: SUMMARY_CHARS_MAX }));
}

/** Messages with the same lane are answered in the order in which they came. */
export function laneOf({ message, metadata }: TurnContent, otherwise: string): string {
  const chat = metadata?.['chat_id'] ?? metadata?.['claimed_chat_id'];
  return storable(message.contextId ?? (typeof chat === 'string' ? chat : otherwise));
}

export function agentTurnOf({ queueId, content }: ItemToRun): AgentTurn {
  const text = textOf(content.message);
  const lark = larkContextOf(content.metadata);
  const claimedLark = claimedContextOf(content.metadata);
  // What a bridge elsewhere says of the thread counts as long as the hub believes that the turn comes from Lark.
  const details = content.details ?? (lark && content.metadata && saidIn(content.metadata));
  // The header of a bridge is taken off. Other senders can't write one: it was escaped when their message was stored.
  return {
    turnId: queueId,
    text: withoutHeader(text),
    lark,
    ...(claimedLark !== undefined && { claimedLark }),
    ...(details !== undefined && { details }),
    ...sessionOf(content.details),
  };
}

/** Only the bridge in this process may choose a memory and a folder. */
function sessionOf(details: TurnDetails | undefined): Pick<AgentTurn, 'session'> {
  if (details?.session === undefined) return {};
  const { id, folder } = details.session;
  return { session: { id, ...(folder !== undefined && { folder }) } };
}

/** Which row of the outbox ends which live card. It is pure. */
import type { InboundMessage } from '../../core/message.ts';
import type { OutboxDraft } from '../ports/outbox.ts';
import type { LiveCardRecord, LivePlace } from '../ports/live.ts';
import type { DraftedAt } from '../outbox/drafts.ts';
import { outKey } from '../outbox/keys.ts';
import { liveNotices } from '../texts/live.ts';

/** Live cards stand below the message of their turn. */
export function livePlaceOf(message: InboundMessage): LivePlace {
  const { chatId, messageId, threadId } = message;
  return { chatId, replyTo: messageId, inThread: threadId !== undefined };
}

/** A row that ends a card of which nothing is left to show. `below`: the turn goes on further down in the chat. */
export function cardEnd(
  { key, turn, place }: Pick<LiveCardRecord, 'key' | 'turn' | 'place'>,
  how: 'below' | 'over',
  { nowMs, lang }: DraftedAt,
): OutboxDraft {
  const text = liveNotices[how]().text[lang];
  return {
    key: outKey(key, 'card_end'),
    // A lane of its own, so that nothing waits for it.
    lane: `live:${key}`,
    turn,
    chatId: place.chatId,
    replyTo: place.replyTo,
    placement: place.inThread ? 'thread' : 'reply',
    priority: 'notice',
    body: { kind: 'message', content: { kind: 'notice', text }, onlyOnCard: true },
    liveCard: key,
    createdAtMs: nowMs,
    dueAtMs: nowMs,
  };
}

/**
 * The rows of a turn that ends, with the cards on which they are shown. The last card shows the last row, so that
 * what people read last stands at the end of the chat; with more rows than cards the first ones go on cards.
 */
export function onCards(
  drafts: readonly OutboxDraft[],
  cards: readonly string[],
  subject: Pick<LiveCardRecord, 'turn' | 'place'> & DraftedAt,
): OutboxDraft[] {
  if (cards.length === 0) return [...drafts];
  const messages = drafts.filter(({ body }) => body.kind === 'message');
  const unused = Math.max(0, cards.length - messages.length);
  const cardOf = new Map(messages.map((draft, at) => [draft.key, cards[unused + at]]));
  const how = messages.length === 0 ? 'over' : 'below';
  return [
    ...drafts.map((draft) => {
      const liveCard = cardOf.get(draft.key);
      return liveCard === undefined ? draft : { ...draft, liveCard };
    }),
    ...cards.slice(0, unused).map((key) => cardEnd({ ...subject, key }, how, subject)),
  ];
}

/** Shows a row of the outbox on the live card that it ends. */
import type { Log } from '../../core/log.ts';
import type { Language } from '../../core/language.ts';
import type { MessageId } from '../../core/ids.ts';
import type { OutboxRow } from '../ports/outbox.ts';
import type { ButtonValue } from '../../wire/choice-value.ts';
import type { DeliveryResult } from '../ports/delivery.ts';
import type { LiveCardRecord, LiveGateway, LiveJournal, LiveResult } from '../ports/live.ts';
import { liveTexts } from '../texts/live.ts';

/** More than any call under way can have. */
const SEQUENCES_SKIPPED = 1_000;
/**
 * A card without numbers is changed by the call that arrives last. So the end waits for an update that has left, but
 * not for long: then the answer is a message of its own.
 */
const UPDATE_UNDER_WAY_MS_MAX = 3_000;

interface CardDeliveryParts {
  readonly liveJournal?: LiveJournal | undefined;
  readonly lark: { readonly live?: LiveGateway };
  /** Resolves when no update of the card is under way. False after this time. */
  readonly settled: (card: string, waitMsMax: number) => Promise<boolean>;
  readonly log: Log;
}

interface Shown {
  readonly buttonValues: readonly ButtonValue[] | undefined;
  readonly lang: Language;
}

export class CardDelivery {
  readonly #parts: CardDeliveryParts;

  constructor(parts: CardDeliveryParts) {
    this.#parts = parts;
  }

  async deliver(row: OutboxRow, { buttonValues, lang }: Shown): Promise<DeliveryResult> {
    const { liveJournal, lark, log } = this.#parts;
    const { body, liveCard, key, priority } = row;
    const found = await liveJournal?.card(liveCard ?? '');
    if (body.kind !== 'message' || found === undefined) return left('there is no card');
    if (liveJournal === undefined || lark.live === undefined) return left('there are no cards');
    const { messageId, result: unsent } = await this.#sent(found, lark.live, lang);
    if (messageId === undefined) return asDelivery(unsent, messageId);
    const end = async (card: LiveCardRecord): Promise<LiveResult> => {
      const mustSettle = card.cardId === undefined;
      if (mustSettle && !(await this.#parts.settled(card.key, UPDATE_UNDER_WAY_MS_MAX))) {
        // What stands on the card or nowhere can wait.
        const why = body.onlyOnCard === true ? 'passing' : 'refused';
        return trouble(why, 'an update of the card is under way');
      }
      const sequence = await liveJournal.reserve(card.key, 1);
      const ref = { chatId: card.place.chatId, messageId, cardId: card.cardId };
      const ending = { key, sequence, priority, buttonValues };
      return lark.live?.end(ref, body.content, ending) ?? trouble('refused', 'there are no cards');
    };
    let result = await end(found);
    if (!result.ok && result.why === 'sequence') {
      await liveJournal.reserve(found.key, SEQUENCES_SKIPPED);
      result = await end(found);
    }
    if (!result.ok && result.why === 'no_right' && found.cardId !== undefined) {
      log.debug('live_card_changed_through_message', { card: found.key, code: result.code });
      result = await end({ ...found, cardId: undefined });
    }
    return asDelivery(result, messageId);
  }

  /** If it is not known whether the card was sent, it is sent again under its key, which sends it at most once. */
  async #sent(
    { messageId, cardId, place, key }: LiveCardRecord,
    live: LiveGateway,
    lang: Language,
  ) {
    if (messageId !== undefined) return { messageId, result: undefined };
    const heading = liveTexts.working[lang];
    const card = cardId ?? { heading, steps: [], text: '' };
    const result = await live.send(place, card, key);
    if (!result.ok) return { messageId: undefined, result };
    const sent = result.id as MessageId;
    await this.#parts.liveJournal?.change(key, { messageId: sent });
    return { messageId: sent, result };
  }
}

function asDelivery(result: LiveResult | undefined, messageId: MessageId | undefined) {
  if (result?.ok === true && messageId !== undefined) return { ok: true, id: messageId } as const;
  if (result === undefined || result.ok) return left('the card was not sent');
  const { why, ...refused } = result;
  switch (why) {
    case 'passing':
    case 'unknown':
      return refused;
    case 'gone':
      return { ...refused, action: 'message_gone' } as const;
    case 'closed':
    case 'sequence':
    case 'no_right':
    case 'refused':
      return { ...refused, action: 'give_up' } as const;
  }
}

function left(detail: string) {
  return { ok: false, action: 'message_gone', code: undefined, detail } as const;
}

function trouble(why: 'passing' | 'refused', detail: string): LiveResult {
  const action = why === 'passing' ? 'retry' : 'give_up';
  return { ok: false, action, code: undefined, detail, why };
}

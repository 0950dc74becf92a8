/** One card in a chat: what it shows, and the numbers of the calls about it. */
import { messageId } from '../../core/ids.ts';
import type { Clock } from '../../time/clock.ts';
import type {
  LiveCardRecord,
  LiveGateway,
  LiveJournal,
  LiveResult,
  LiveView,
} from '../ports/live.ts';

/** Numbers of calls that are set aside with one write. */
const NUMBERS_AT_ONCE = 50;
/** After a refusal for the number: more than any call that may be under way can have. */
const NUMBERS_SKIPPED = 1_000;

interface LiveCardParts {
  readonly lark: LiveGateway;
  readonly journal: LiveJournal;
  readonly clock: Clock;
  /** Makes a call about the card, and counts it. */
  readonly call: (make: () => Promise<LiveResult>) => Promise<LiveResult>;
}

export class LiveCard {
  /** The answer from here on stands on it. */
  readonly textFrom: number;
  readonly #parts: LiveCardParts;
  /** What it was made with. Undefined: an earlier process has made it. */
  readonly #made: LiveView | undefined;
  #record: LiveCardRecord;
  #shown: LiveView | undefined;
  #shownAtMs = 0;
  #nextNumber = 1;
  #lastNumber = 0;

  constructor(
    parts: LiveCardParts,
    record: LiveCardRecord,
    { textFrom, made }: { readonly textFrom: number; readonly made: LiveView | undefined },
  ) {
    this.#parts = parts;
    this.#record = record;
    this.textFrom = textFrom;
    this.#made = made;
  }

  get record(): LiveCardRecord {
    return this.#record;
  }

  get isSent(): boolean {
    return this.#record.messageId !== undefined;
  }

  /** When all of it was written last. Undefined if it is not known what it shows. */
  get shownAtMs(): number | undefined {
    return this.#shown && this.#shownAtMs;
  }

  /** Under its own key, so a second time sends nothing. `view`: what it shows if nobody has made it yet. */
  async send(view: LiveView): Promise<LiveResult> {
    const { lark, journal, call } = this.#parts;
    const { place, cardId, key } = this.#record;
    const sent = await call(() => lark.send(place, cardId ?? this.#made ?? view, key));
    if (!sent.ok) return sent;
    const message = messageId(sent.id);
    this.#record = { ...this.#record, messageId: message };
    this.#shown = this.#made;
    this.#shownAtMs = this.#record.openedAtMs;
    await journal.change(key, { messageId: message });
    return sent;
  }

  /** True if nothing but the time would change. */
  shows(view: LiveView): boolean {
    const shown = this.#shown;
    return shown !== undefined && isSameFrame(view, shown) && view.text === shown.text;
  }

  /** Undefined: it shows this already, and for less than so long. */
  async update(view: LiveView, staleMs: number): Promise<LiveResult | undefined> {
    const shown = this.#shown;
    if (shown === undefined || !isSameFrame(view, shown)) return this.replace(view);
    if (this.#parts.clock.nowMs() - this.#shownAtMs >= staleMs) return this.replace(view);
    if (view.text === shown.text) return undefined;
    const { cardId } = this.#record;
    if (cardId === undefined || shown.text === '' || view.text === '') return this.replace(view);
    const number = await this.#number();
    const { lark, call } = this.#parts;
    const result = await call(() => lark.updateText({ ...this.#ref(), cardId }, view, number));
    if (result.ok) this.#shown = { ...shown, text: view.text };
    return result;
  }

  /** Writes all that it shows anew. */
  async replace(view: LiveView): Promise<LiveResult> {
    const { lark, call, clock } = this.#parts;
    const number = this.#record.cardId === undefined ? 0 : await this.#number();
    const result = await call(() => lark.update(this.#ref(), view, number));
    if (result.ok) {
      this.#shown = view;
      this.#shownAtMs = clock.nowMs();
    }
    return result;
  }

  async skipNumbers(): Promise<void> {
    await this.#parts.journal.reserve(this.#record.key, NUMBERS_SKIPPED);
    this.#nextNumber = this.#lastNumber + 1;
  }

  /** It is changed through its message from now on. */
  async leaveStreams(): Promise<void> {
    this.#record = { ...this.#record, cardId: undefined };
    await this.#parts.journal.change(this.#record.key, { cardId: undefined });
  }

  async #number(): Promise<number> {
    if (this.#nextNumber > this.#lastNumber) {
      this.#nextNumber = await this.#parts.journal.reserve(this.#record.key, NUMBERS_AT_ONCE);
      this.#lastNumber = this.#nextNumber + NUMBERS_AT_ONCE - 1;
    }
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    return number;
  }

  #ref() {
    const { place, cardId, messageId: message } = this.#record;
    if (message === undefined) throw new Error('a card that was not sent can not be changed');
    return { chatId: place.chatId, messageId: message, cardId };
  }
}

/** True if nothing but the text differs. The time in the heading does not count. */
function isSameFrame(one: LiveView, other: LiveView): boolean {
  return frameOf(one) === frameOf(other);
}

function frameOf(view: LiveView): string {
  const doing = view.heading.replace(/ · [\d:]+$/, '');
  return JSON.stringify({ ...view, heading: doing, text: '', stop: view.stop === undefined });
}

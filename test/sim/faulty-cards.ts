import { messageId, type MessageId } from '../../src/core/ids.ts';
import { endedCard, liveCard } from '../../src/lark/content/live-card.ts';
import type {
  LiveCardRef,
  LiveGateway,
  LiveResult,
  LiveTrouble,
  LiveView,
} from '../../src/bridge/ports/live.ts';
import { isMarkdown } from '../../src/core/content.ts';
import type { VirtualClock } from '../kit/clock.ts';
import { looksOfCard, type Shown } from './shown.ts';

/** The chats of a Lark, and its weather. */
export interface CardsParts {
  readonly clock: VirtualClock;
  readonly random: () => number;
  readonly shown: Shown[];
  /** The chance of each fault now, 0…1. */
  readonly trouble: () => number;
  readonly isAway: () => boolean;
  readonly isRecalled: (message: MessageId) => boolean;
}

interface Made {
  readonly view: LiveView;
  message: MessageId | undefined;
  sequence: number;
  /** Its texts can't be changed alone any more. */
  isClosed: boolean;
}

const MARKDOWN_REFUSED_RATE = 0.3;
/** How often Lark ends the streaming of a card, for each change of its text. */
const CLOSED_RATE = 0.05;

/** Cards that change while a turn runs, at a Lark whose answers get lost. */
export class FaultyCards implements LiveGateway {
  /** The app has no right to cards that stream. */
  noRight = false;
  readonly #parts: CardsParts;
  readonly #made = new Map<string, Made>();
  readonly #keys = new Map<string, string>();

  constructor(parts: CardsParts) {
    this.#parts = parts;
  }

  create: LiveGateway['create'] = (view) =>
    this.#call(() => {
      if (this.noRight) return failed('no_right');
      const id = `card_${this.#made.size + 1}`;
      this.#made.set(id, { view, message: undefined, sequence: 0, isClosed: false });
      return { ok: true, id };
    });

  send: LiveGateway['send'] = (place, card, key) =>
    this.#call(() => {
      const before = this.#keys.get(key);
      if (before !== undefined) return { ok: true, id: before };
      if (this.#parts.isRecalled(place.replyTo)) return failed('gone');
      const made = typeof card === 'string' ? this.#made.get(card) : undefined;
      const view = typeof card === 'string' ? made?.view : card;
      if (view === undefined || made?.message !== undefined) return failed('refused');
      const id = messageId(`om_live_${this.#keys.size + 1}`);
      if (made !== undefined) made.message = id;
      this.#keys.set(key, id);
      const { chatId, replyTo, inThread } = place;
      this.#show({ id, chatId, replyTo, inThread }, view);
      return { ok: true, id };
    });

  update: LiveGateway['update'] = (card, view, sequence) =>
    this.#call(() => this.#numbered(card, sequence) ?? this.#change(card, view));

  updateText: LiveGateway['updateText'] = (card, view, sequence) =>
    this.#call(() => {
      const made = this.#made.get(card.cardId);
      if (made !== undefined && this.#parts.trouble() > 0 && this.#parts.random() < CLOSED_RATE) {
        made.isClosed = true;
      }
      if (made?.isClosed === true) return failed('closed');
      return this.#numbered(card, sequence) ?? this.#change(card, view);
    });

  end: LiveGateway['end'] = (card, content, { key, sequence, buttonValues }) =>
    this.#call(() => {
      const { random } = this.#parts;
      const isRefused = isMarkdown(content) && random() < MARKDOWN_REFUSED_RATE;
      if (!this.#keys.has(key)) {
        const numbered = this.#numbered(card, sequence);
        if (numbered !== undefined) return numbered;
        const json = isRefused ? undefined : endedCard(content, buttonValues);
        if (json === undefined) return failed('refused');
        this.#keys.set(key, card.messageId);
        this.#end(card, json);
      }
      return this.#find(card) === undefined ? failed('gone') : { ok: true, id: card.messageId };
    });

  /** Somebody deletes a card in the chat. */
  deleteOne(): void {
    const { shown, random } = this.#parts;
    const cards = shown.filter(({ live }) => live?.isEnded === false);
    const card = cards[Math.floor(random() * cards.length)];
    if (card !== undefined) shown.splice(shown.indexOf(card), 1);
  }

  /** Numbers grow. A card without a number is changed by the call that arrives last. */
  #numbered({ cardId }: LiveCardRef, sequence: number): LiveResult | undefined {
    if (cardId === undefined) return undefined;
    if (this.noRight) return failed('no_right');
    const made = this.#made.get(cardId);
    if (made === undefined) return failed('gone');
    if (sequence <= made.sequence) return failed('sequence');
    made.sequence = sequence;
    return undefined;
  }

  /** A card lives on when its message is gone. */
  #change(card: LiveCardRef, view: LiveView): LiveResult {
    const before = this.#find(card);
    if (before !== undefined) this.#show(before, view);
    else if (card.cardId === undefined) return failed('gone');
    return { ok: true, id: card.messageId };
  }

  #show(at: Pick<Shown, 'id' | 'chatId' | 'replyTo' | 'inThread'>, view: LiveView): void {
    const { shown, clock } = this.#parts;
    const { id, chatId, replyTo, inThread } = at;
    const atMs = clock.nowMs();
    const looks = looksOfCard(liveCard(view, { streams: true }));
    const live = { isEnded: false, said: view.text, saidAtMs: atMs };
    this.#replace({ id, chatId, replyTo, inThread, ...looks, atMs, live }, shown.length);
  }

  /** What stands there now came with the end. */
  #end(card: LiveCardRef, json: string): void {
    const before = this.#find(card);
    if (before?.live === undefined) return;
    const live = { ...before.live, isEnded: true };
    const { shown, clock } = this.#parts;
    const ended = { ...before, ...looksOfCard(json), atMs: clock.nowMs(), live };
    this.#replace(ended, shown.length);
  }

  #find({ messageId: id }: LiveCardRef): Shown | undefined {
    return this.#parts.shown.find((one) => one.id === id);
  }

  #replace(card: Shown, at: number): void {
    const { shown } = this.#parts;
    shown.splice(at, 0, card);
    const before = shown.findIndex(({ id }) => id === card.id);
    if (shown[before] !== card) shown.splice(before, 1);
  }

  async #call(carryOut: () => LiveResult): Promise<LiveResult> {
    const { clock, random, trouble, isAway } = this.#parts;
    await clock.sleep(20 + random() * 200);
    if (isAway() ? random() < 0.7 : random() < trouble()) {
      return failed(isAway() || random() < 0.4 ? 'unknown' : 'passing');
    }
    const result = carryOut();
    await clock.sleep(10 + random() * 50);
    return isAway() || random() < trouble() ? failed('unknown') : result;
  }
}

function failed(why: LiveTrouble): LiveResult {
  const detail = `a live card: ${why}`;
  if (why === 'unknown') return { ok: false, action: 'unknown', code: undefined, detail, why };
  if (why === 'passing') return { ok: false, action: 'wait', code: 230020, detail, why };
  return { ok: false, action: 'give_up', code: 230099, detail, why };
}

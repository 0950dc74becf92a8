/** One run of a turn, shown on cards while it goes on. Whatever fails here costs nobody an answer. */
import { errorText } from '../../core/errors.ts';
import type { Language } from '../../core/language.ts';
import type { Log } from '../../core/log.ts';
import type { Turn } from '../../core/turn.ts';
import type { TurnUpdate } from '../../core/turn-update.ts';
import type { Clock } from '../../time/clock.ts';
import type { ButtonValue } from '../../wire/choice-value.ts';
import type {
  DoneSoFar,
  LiveCardRecord,
  LiveGateway,
  LiveJournal,
  LiveResult,
  LiveView,
} from '../ports/live.ts';
import type { Languages } from '../texts/languages.ts';
import { turnKey } from '../outbox/keys.ts';
import type { CallPlaces } from './call-places.ts';
import { LiveCard } from './live-card.ts';
import { gapMs, LIVE_AFTER_MS, LIVE_CALLS_MAX, refreshMs, type LiveMode } from './live-pace.ts';
import { livePlaceOf } from './card-ends.ts';
import { afterUpdate, NOTHING_TOLD, type LiveState } from './live-state.ts';
import { doneIn, endOfText, viewOf } from './live-view.ts';

/** Lark ends the streaming of a card after ten minutes. */
const STREAM_MS_MAX = 9 * 60_000;
/** More cards of one turn would only fill the chat. The answer comes whole at the end. */
const CARDS_MAX = 6;
/** After this many failures in a row the card stays as it is until the end. */
const FAILURES_MAX = 10;
/** What was done is not stored more often: it is for a process that dies. */
const NOTE_DONE_MS = 2_000;
/** When it is tried again if the database refused. */
const BUSY_AGAIN_MS = 500;
/** A permission that is granted later is found out after this. */
const NO_STREAMS_MS = 10 * 60_000;

export interface LiveRunParts {
  readonly lark: LiveGateway;
  readonly journal: LiveJournal;
  readonly clock: Clock;
  readonly log: Log;
  readonly mode: LiveMode;
  readonly languages: Languages;
  readonly stopValue: (card: LiveCardRecord, turn: Turn) => ButtonValue;
  readonly shared: LiveShared;
}

/** What all runs share. */
interface LiveShared {
  /** How many runs have a card. */
  cards: number;
  readonly places: CallPlaces;
  /** Until then the app is taken to have no right to cards that stream. */
  noStreamsUntilMs: number;
}

export class LiveRun {
  readonly #parts: LiveRunParts;
  readonly #turn: Turn;
  readonly #startedAtMs: number;
  /** All that are in the chat, or may be. The last one is the one that changes. */
  readonly #cards: LiveCard[] = [];
  #state: LiveState = NOTHING_TOLD;
  #cardNumber: number;
  /** There is something to show. */
  #isDirty = false;
  /** It shows nothing more. */
  #isSilent = false;
  #isOver = false;
  /** The card that is shown now is closed, and the next one goes on. */
  #isClosed = false;
  /** Others have all places for calls. */
  #isWaiting = false;
  #work: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  #timerAtMs = Infinity;
  #notBeforeMs: number;
  #calls = 0;
  #failures = 0;
  /** What was done so far as it is stored. */
  #noted = '';
  #notedAtMs = -Infinity;

  /** `known`: cards of an earlier process. */
  constructor(
    parts: LiveRunParts,
    turn: Turn,
    { startedAtMs, known = [] }: { startedAtMs: number; known?: readonly LiveCardRecord[] },
  ) {
    this.#parts = parts;
    this.#turn = turn;
    this.#startedAtMs = startedAtMs;
    this.#notBeforeMs = startedAtMs + LIVE_AFTER_MS;
    this.#cardNumber = known.length;
    for (const record of known) this.#add(record, 0);
  }

  get #lang(): Language {
    return this.#parts.languages.ofTurn(this.#turn);
  }

  get run(): number {
    return this.#turn.run;
  }

  /** What was told of the answer. */
  get said(): string {
    return this.#state.text;
  }

  /** The steps of it. */
  get steps(): DoneSoFar['steps'] {
    return doneIn(this.#state).steps;
  }

  take(update: TurnUpdate): void {
    const before = this.#state;
    this.#state = afterUpdate(before, update);
    if (this.#state === before) return;
    this.#isDirty = true;
    this.#plan();
  }

  /** Ends it. The cards are those that somebody has to end. */
  end(): readonly LiveCardRecord[] {
    if (!this.#isOver && this.#cards.length > 0) this.#parts.shared.cards -= 1;
    this.#isOver = true;
    this.#clearTimer();
    return this.#cards.map(({ record }) => record);
  }

  has(card: string): boolean {
    return this.#cards.some(({ record }) => record.key === card);
  }

  /** Resolves when no call about it is under way. */
  async settled(): Promise<void> {
    await this.#work;
  }

  #plan(): void {
    const { clock } = this.#parts;
    const atMs = this.#dueAtMs();
    if (atMs === undefined || atMs >= this.#timerAtMs) return;
    this.#clearTimer();
    this.#timerAtMs = atMs;
    this.#cancelTimer = clock.after(atMs - clock.nowMs(), () => {
      this.#clearTimer();
      this.#work = this.#tick().finally(() => {
        this.#work = undefined;
        this.#plan();
      });
    });
  }

  #dueAtMs(): number | undefined {
    if (this.#isOver || this.#isSilent || this.#isWaiting) return undefined;
    if (this.#work !== undefined) return undefined;
    if (this.#isDirty) return Math.max(this.#notBeforeMs, this.#parts.clock.nowMs());
    const card = this.#cards.at(-1);
    const shownAtMs = card?.shownAtMs;
    const again = refreshMs(this.#parts.mode, this.#elapsedMs());
    if (card === undefined || shownAtMs === undefined || again === undefined) return undefined;
    // The time alone is not worth another card.
    if (this.#isOld(card)) return undefined;
    return Math.max(this.#notBeforeMs, shownAtMs + again);
  }

  #clearTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#timerAtMs = Infinity;
  }

  async #tick(): Promise<void> {
    const { clock, log, mode, shared } = this.#parts;
    if (this.#calls >= LIVE_CALLS_MAX[mode]) {
      this.#isSilent = true;
      return;
    }
    if (shared.places.areTaken) {
      this.#waitForPlace();
      return;
    }
    this.#isDirty = false;
    try {
      const result = await this.#show();
      const gap = gapMs(mode, { elapsedMs: this.#elapsedMs(), cards: shared.cards });
      this.#notBeforeMs = clock.nowMs() + gap;
      if (result !== undefined && !result.ok) await this.#afterTrouble(result);
      else {
        this.#succeeded();
        await this.#noteDone();
      }
    } catch (error) {
      // The database refused. What is shown can wait.
      log.warn('live_card_not_updated', { turn: this.#turn.id, error: errorText(error) });
      this.#failed(BUSY_AGAIN_MS);
    }
  }

  #waitForPlace(): void {
    this.#isWaiting = true;
    this.#parts.shared.places.wait(() => {
      this.#isWaiting = false;
      this.#plan();
    });
  }

  async #noteDone(): Promise<void> {
    const { journal, clock } = this.#parts;
    const card = this.#cards.at(-1);
    if (card === undefined || clock.nowMs() - this.#notedAtMs < NOTE_DONE_MS) return;
    const done = doneIn(this.#state);
    const json = JSON.stringify(done);
    if (json === this.#noted) return;
    await journal.noteDone(card.record.key, done);
    this.#noted = json;
    this.#notedAtMs = clock.nowMs();
  }

  async #show(): Promise<LiveResult | undefined> {
    const card = this.#cards.at(-1);
    if (card === undefined) return this.#open(0);
    const view = this.#viewOn(card.record, card.textFrom);
    if (!card.isSent) return card.send(view);
    const end = endOfText(this.#state.text, card.textFrom);
    const isOld = this.#isOld(card);
    if (isOld && card.shows(view)) return undefined;
    if (end !== undefined || isOld || this.#isClosed) return this.#goOn(card, end);
    return card.update(view, refreshMs(this.#parts.mode, this.#elapsedMs()) ?? Infinity);
  }

  /** Lark is about to end its streaming. */
  #isOld({ record: { cardId, openedAtMs } }: LiveCard): boolean {
    return cardId !== undefined && this.#parts.clock.nowMs() - openedAtMs > STREAM_MS_MAX;
  }

  async #open(textFrom: number): Promise<LiveResult | undefined> {
    const { journal, lark, clock, mode, shared } = this.#parts;
    const record = this.#newRecord();
    const view = this.#viewOn(record, textFrom);
    let made: LiveResult | undefined;
    // Without streaming each update is one call, and no card has to be made before.
    if (mode === 'on' && clock.nowMs() >= shared.noStreamsUntilMs) {
      made = await this.#call(() => lark.create(view));
      if (!made.ok && made.why !== 'no_right') return made;
      if (!made.ok) shared.noStreamsUntilMs = clock.nowMs() + NO_STREAMS_MS;
    }
    const opened = { ...record, cardId: made?.ok === true ? made.id : undefined };
    await journal.open(opened);
    if (this.#isOver) {
      await journal.remove(record.key);
      return undefined;
    }
    this.#cardNumber += 1;
    this.#isClosed = false;
    return this.#add(opened, textFrom, view).send(view);
  }

  #newRecord(): LiveCardRecord {
    const { message, run, id } = this.#turn;
    return {
      key: turnKey({ message, run }, 'live', this.#cardNumber),
      turn: id,
      run,
      place: livePlaceOf(message),
      cardId: undefined,
      messageId: undefined,
      openedAtMs: this.#parts.clock.nowMs(),
    };
  }

  #add(record: LiveCardRecord, textFrom: number, made?: LiveView): LiveCard {
    const call = (make: () => Promise<LiveResult>) => this.#call(make);
    const card = new LiveCard({ ...this.#parts, call }, record, { textFrom, made });
    if (this.#cards.length === 0) this.#parts.shared.cards += 1;
    this.#cards.push(card);
    return card;
  }

  /** Closes a card, and opens the next one. */
  async #goOn(card: LiveCard, end: number | undefined): Promise<LiveResult | undefined> {
    if (this.#cards.length >= CARDS_MAX) {
      this.#isSilent = true;
      return undefined;
    }
    // What a card with a full text shows stays. The text of a card that is only old moves on.
    const range = { from: card.textFrom, to: end ?? card.textFrom };
    const closed = await card.replace(
      viewOf(this.#state, { ...range, elapsedMs: 0, lang: this.#lang, stop: undefined }),
    );
    if (!closed.ok && closed.why !== 'closed') return closed;
    return this.#isOver ? undefined : this.#open(end ?? card.textFrom);
  }

  async #call(make: () => Promise<LiveResult>): Promise<LiveResult> {
    this.#calls += 1;
    return this.#parts.shared.places.during(make);
  }

  async #afterTrouble(result: Extract<LiveResult, { ok: false }>): Promise<void> {
    const card = this.#cards.at(-1);
    const { why, code, detail, retryAfterMs = 0 } = result;
    this.#parts.log.debug('live_card_refused', { turn: this.#turn.id, why, code, detail });
    this.#failed(retryAfterMs);
    switch (why) {
      case 'passing':
      case 'unknown':
        return;
      case 'sequence':
        return card?.skipNumbers();
      case 'closed':
        this.#isClosed = true;
        return;
      case 'no_right':
        return this.#withoutStreams(card);
      case 'gone':
      case 'refused':
        this.#isSilent = true;
        if (why === 'gone' || card?.isSent === false) await this.#forget(card);
    }
  }

  /** The right to stream was taken away: the card is changed through its message from now on. */
  async #withoutStreams(card: LiveCard | undefined): Promise<void> {
    const { shared, clock } = this.#parts;
    shared.noStreamsUntilMs = clock.nowMs() + NO_STREAMS_MS;
    if (card?.record.cardId !== undefined && card.isSent) return card.leaveStreams();
    this.#isSilent = true;
    return this.#forget(card);
  }

  /** It is not in the chat, so nobody has to end it. */
  async #forget(card: LiveCard | undefined): Promise<void> {
    if (card === undefined || this.#isOver) return;
    this.#cards.splice(this.#cards.indexOf(card), 1);
    if (this.#cards.length === 0) this.#parts.shared.cards -= 1;
    await this.#parts.journal.remove(card.record.key);
  }

  #succeeded(): void {
    this.#failures = 0;
    const card = this.#cards.at(-1);
    if (card === undefined) return;
    // The rest of the text needs another card; or an earlier process has made this one.
    const isFull = endOfText(this.#state.text, card.textFrom) !== undefined;
    if (isFull || card.shownAtMs === undefined) this.#isDirty = true;
  }

  #failed(waitMs: number): void {
    this.#isDirty = true;
    this.#failures += 1;
    if (this.#failures >= FAILURES_MAX) this.#isSilent = true;
    this.#notBeforeMs = Math.max(this.#notBeforeMs, this.#parts.clock.nowMs() + waitMs);
  }

  #viewOn(record: LiveCardRecord, textFrom: number): LiveView {
    const { text } = this.#state;
    // After a replacement the text may be shorter than what stands on earlier cards.
    const from = textFrom <= text.length ? textFrom : 0;
    const to = endOfText(text, from);
    return viewOf(this.#state, {
      from,
      ...(to !== undefined && { to }),
      elapsedMs: this.#elapsedMs(),
      lang: this.#lang,
      stop: this.#parts.stopValue(record, this.#turn),
    });
  }

  #elapsedMs(): number {
    return Math.max(0, this.#parts.clock.nowMs() - this.#startedAtMs);
  }
}

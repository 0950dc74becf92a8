/** Cards that show turns at work. They are views that may be lost: no answer waits for them. */
import { LRUCache } from 'lru-cache';
import type { TurnId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { Service } from '../../time/service.ts';
import { personOf, type Turn } from '../../core/turn.ts';
import type { TurnUpdate } from '../../core/turn-update.ts';
import type { Clock } from '../../time/clock.ts';
import { waitAtMost } from '../../time/wait.ts';
import type { ChoiceValues } from '../../wire/choice-value.ts';
import type { Delivery } from '../outbox/delivery.ts';
import type { Journal } from '../ports/journal.ts';
import type { DoneSoFar, LiveCardRecord, LiveGateway, LiveJournal } from '../ports/live.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import { waitsOrRuns } from '../turns/phases.ts';
import { begunAtMs } from '../turns/turn.ts';
import { CallPlaces } from './call-places.ts';
import { cardEnd } from './card-ends.ts';
import type { LiveMode } from './live-pace.ts';
import { LiveRun, type LiveRunParts } from './live-run.ts';

/** Older cards stay as they are: nobody remembers what they were about. */
const UNENDED_MS_MAX = 2 * 24 * 60 * 60 * 1000;
/** An agent that goes on after its time is ended within minutes, or tells nothing more. */
const ENDED_REMEMBERED_MAX = 1_000;
/** How long a stop waits for calls under way. */
const STOP_MS_MAX = 1_000;

interface LiveCardsParts {
  readonly journal: Pick<Journal, 'turn' | 'enqueue'>;
  /** Absent: nothing is shown. */
  readonly liveJournal?: LiveJournal | undefined;
  readonly lark: { readonly live?: LiveGateway };
  readonly mode: LiveMode;
  /** Whether people see what agents think. */
  readonly thoughts?: boolean | undefined;
  readonly choices: ChoiceValues;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
  readonly clock: Clock;
  readonly log: Log;
  readonly turnTimeoutMs: number;
}

export class LiveCards implements Service {
  readonly name = 'live_cards';
  readonly #parts: LiveCardsParts;
  readonly #runParts: LiveRunParts | undefined;
  readonly #runs = new Map<TurnId, LiveRun>();
  /** Cards of an earlier process whose turns go on. */
  readonly #known = new Map<TurnId, LiveCardRecord[]>();
  /** The latest runs that are over. */
  readonly #ended = new LRUCache<TurnId, number>({ max: ENDED_REMEMBERED_MAX });
  /** Runs that are over, with calls that may be under way. */
  readonly #ending = new Set<LiveRun>();

  constructor(parts: LiveCardsParts) {
    this.#parts = parts;
    const { liveJournal, lark, mode, choices } = parts;
    if (lark.live === undefined || liveJournal === undefined) return;
    this.#runParts = {
      ...parts,
      lark: lark.live,
      journal: liveJournal,
      mode,
      shared: { cards: 0, places: new CallPlaces(), noStreamsUntilMs: 0 },
      stopValue: ({ key, place, openedAtMs }, turn) =>
        choices.valueOf(
          {
            action: 'stop',
            row: key,
            under: place.replyTo,
            turn: turn.id,
            person: personOf(turn),
          },
          { chat: place.chatId, sinceMs: openedAtMs },
        ),
    };
  }

  /** Cards of turns that go on are taken up again. All others are ended. */
  async start(): Promise<void> {
    const { liveJournal, journal, clock } = this.#parts;
    if (liveJournal === undefined) return;
    for (const card of await liveJournal.unended(clock.nowMs() - UNENDED_MS_MAX)) {
      const turn = await journal.turn(card.turn);
      const goesOn = turn !== undefined && waitsOrRuns(turn.state.phase) && turn.run === card.run;
      if (goesOn) this.#known.set(turn.id, [...(this.#known.get(turn.id) ?? []), card]);
      else await this.#endCard(card);
    }
  }

  async stop(): Promise<void> {
    const runs = [...this.#runs.values(), ...this.#ending];
    for (const run of runs) run.end();
    const settled = Promise.all(runs.map((run) => run.settled()));
    await waitAtMost(this.#parts.clock, settled, STOP_MS_MAX);
  }

  take(turn: Turn, update: TurnUpdate): void {
    const isUnseen = update.kind === 'thought_added' && this.#parts.thoughts !== true;
    if (isUnseen || update.kind === 'usage') return;
    if (this.#runParts === undefined || !waitsOrRuns(turn.state.phase)) return;
    // Its agent goes on, but its time is over, or somebody has ended it.
    if (this.#ended.get(turn.id) === turn.run) return;
    const known = this.#runs.get(turn.id);
    const run = known?.run === turn.run ? known : this.#begin(turn, this.#runParts);
    run.take(update);
  }

  /** What was told of the answer of the turn's run. */
  said({ id, run }: Turn): string {
    const known = this.#runs.get(id);
    return known?.run === run ? known.said : '';
  }

  /** What is known of the work of a turn: of this process, or of the one before. What it said may be shown already. */
  doneSoFar({ id, run }: Turn): DoneSoFar | undefined {
    const known = this.#runs.get(id);
    if (known?.run === run && known.steps.length > 0) return { steps: known.steps, lastWords: '' };
    return this.#known.get(id)?.findLast((card) => card.done !== undefined)?.done;
  }

  /** The turn is about to end: no card is opened any more. Returns those that have to be ended with it. */
  ending({ id, run }: Turn): readonly string[] {
    const live = this.#runs.get(id);
    const cards = live?.run === run ? live.end() : (this.#known.get(id) ?? []);
    return cards.map(({ key }) => key);
  }

  /** The end of the turn is stored. */
  over(id: TurnId): void {
    const run = this.#runs.get(id);
    this.#runs.delete(id);
    this.#known.delete(id);
    if (run === undefined) return;
    this.#ended.set(id, run.run);
    this.#ending.add(run);
    void run.settled().finally(() => this.#ending.delete(run));
  }

  /** Resolves when no call about a card is under way, whose turn is over. False after this time. */
  async settled(card: string, waitMsMax: number): Promise<boolean> {
    const run = [...this.#ending].find((one) => one.has(card));
    if (run === undefined) return true;
    let isSettled = false;
    const end = run.settled().then(() => {
      isSettled = true;
    });
    await waitAtMost(this.#parts.clock, end, waitMsMax);
    return isSettled;
  }

  /** Ends the cards of a turn that no row ends any more: what it showed was withdrawn. */
  async endRest(id: TurnId): Promise<void> {
    const { liveJournal, clock } = this.#parts;
    if (liveJournal === undefined) return;
    for (const card of await liveJournal.unended(clock.nowMs() - UNENDED_MS_MAX)) {
      if (card.turn === id) await this.#endCard(card);
    }
  }

  #begin(turn: Turn, parts: LiveRunParts): LiveRun {
    const { clock, turnTimeoutMs } = this.#parts;
    const startedAtMs = begunAtMs(turn.state, turnTimeoutMs) ?? clock.nowMs();
    const known = this.#known.get(turn.id);
    const run = new LiveRun(parts, turn, {
      startedAtMs,
      ...(known !== undefined && { known }),
    });
    this.#runs.set(turn.id, run);
    return run;
  }

  async #endCard(card: LiveCardRecord): Promise<void> {
    const { journal, delivery, storeRetry, languages, clock } = this.#parts;
    const lang = languages.ofTurn(await journal.turn(card.turn));
    const rows = [cardEnd(card, 'over', { nowMs: clock.nowMs(), lang })];
    delivery.offer(await storeRetry.untilStored(() => journal.enqueue(rows)));
  }
}

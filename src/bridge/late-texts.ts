/** What agents say after the end of a turn: a further message where their memory of it is. */
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';
import type { LaneRunner } from '../time/lane-runner.ts';
import type { Delivery } from './outbox/delivery.ts';
import { toDrafts } from './outbox/drafts.ts';
import { outKey } from './outbox/keys.ts';
import type { Journal } from './ports/journal.ts';
import type { ContentForm } from './ports/lark.ts';
import type { SessionBook } from './ports/sessions.ts';
import type { StoreRetry } from './store-retry.ts';
import type { Languages } from './texts/languages.ts';
import { withoutTerminalControls } from '../text/visible.ts';

/** Pieces that come so soon one after another are one message. */
const GATHER_MS = 1_500;
/** Longer ones are stored in between. An answer has the same bound. */
const GATHER_CHARS_MAX = 1024 * 1024;

interface LateTextsParts {
  readonly journal: Pick<Journal, 'turn' | 'enqueue'>;
  readonly sessions: Pick<SessionBook, 'placeOf'>;
  readonly form: ContentForm;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
  readonly runner: Pick<LaneRunner, 'track'>;
  readonly clock: Clock;
  readonly log: Log;
}

interface Gathered {
  texts: readonly string[];
  readonly cancelTimer: () => void;
}

export class LateTexts {
  readonly #parts: LateTextsParts;
  readonly #gathered = new Map<string, Gathered>();

  constructor(parts: LateTextsParts) {
    this.#parts = parts;
  }

  take(session: string, text: string): void {
    const { clock } = this.#parts;
    const { texts, cancelTimer } = this.#gathered.get(session) ?? {
      texts: [],
      cancelTimer: clock.after(GATHER_MS, () => this.#show(session)),
    };
    // A repeat is no second message.
    const all = texts.at(-1) === text ? texts : [...texts, text];
    this.#gathered.set(session, { texts: all, cancelTimer });
    if (all.reduce((sum, one) => sum + one.length, 0) >= GATHER_CHARS_MAX) this.#show(session);
  }

  /** What was said up to now is stored. */
  stop(): void {
    for (const session of this.#gathered.keys()) this.#show(session);
  }

  #show(session: string): void {
    const gathered = this.#gathered.get(session);
    if (gathered === undefined) return;
    gathered.cancelTimer();
    this.#gathered.delete(session);
    void this.#parts.runner.track(this.#store(session, gathered.texts.join('')));
  }

  async #store(session: string, said: string): Promise<void> {
    const { journal, sessions, form, delivery, storeRetry, languages, clock, log } = this.#parts;
    const place = await sessions.placeOf(session);
    const turn = place?.latest && (await journal.turn(place.latest));
    if (turn === undefined) {
      log.warn('late_text_without_place', { session, chars: said.length });
      return;
    }
    // Whatever belongs to a recalled message is not shown.
    if (turn.message.parts.length === 0) return;
    const nowMs = clock.nowMs();
    const text = withoutTerminalControls(said);
    const name = `late:${outKey(session, nowMs, text)}`;
    const at = { nowMs, form, lang: languages.ofTurn(turn) };
    const rows = toDrafts(turn, [{ what: 'answer', name, text }], at);
    delivery.offer(await storeRetry.untilStored(() => journal.enqueue(rows)));
    log.info('late_text_taken', { turn: turn.id });
  }
}

import type { Log } from '../../core/log.ts';
import type { TurnId } from '../../core/ids.ts';
import type { Show, Turn, TurnState } from '../../core/turn.ts';
import type { Clock } from '../../time/clock.ts';
import type { LaneRunner } from '../../time/lane-runner.ts';
import { Wake } from '../../time/wake.ts';
import type { Delivery } from '../outbox/delivery.ts';
import { createReplyToken } from '../outbox/keys.ts';
import { toDrafts } from '../outbox/drafts.ts';
import type { ContentForm, Journal, Observer, TurnChange, TurnTarget } from '../ports.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import type { Questions } from '../questions/questions.ts';
import type { CallOffs } from './call-offs.ts';
import { Receipts } from './receipts.ts';
import type { TurnRequests } from './requests.ts';
import type { SingleSlot } from './single-slot.ts';
import { withNewestText } from './edits.ts';
import { begunAtMs, isEngaged, isFinal, step, type TurnEvent } from './turn.ts';

interface TurnChangesParts {
  readonly journal: Journal;
  readonly target: TurnTarget;
  readonly form: ContentForm;
  readonly requests: TurnRequests;
  readonly slot: SingleSlot;
  readonly callOffs: CallOffs;
  readonly questions: Questions;
  readonly runner: LaneRunner;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: Observer;
  readonly turnTimeoutMs: number;
}

/** What happens to every message, or again and again while the agent is away. `trace` and the health tell it. */
const USUAL_PHASES: ReadonlySet<TurnState['phase']> = new Set([
  'waiting',
  'sending',
  'accepted',
  'answered',
]);

/** Stores the changes of turns in the journal, and then tells the other parts about them. */
export class TurnChanges {
  readonly receipts: Receipts;
  readonly #parts: TurnChangesParts;
  /** Wakes all waiters when a turn has changed. */
  readonly #changed = new Wake();

  constructor(parts: TurnChangesParts) {
    this.#parts = parts;
    const { clock, delivery, runner } = parts;
    this.receipts = new Receipts({
      clock,
      waiting: () => delivery.length,
      show: (id, dueAtMs) => runner.track(this.show(id, { what: 'receipt', dueAtMs })),
    });
  }

  /** `once` is an event's id. If this event has changed something already, nothing is changed. */
  async apply(id: TurnId, event: TurnEvent, once?: string) {
    const { journal, storeRetry, target, form, turnTimeoutMs, clock, languages } = this.#parts;
    const nowMs = clock.nowMs();
    const rules = { turnTimeoutMs, deduplicates: target.deduplicates, nowMs };
    let was: TurnState | undefined;
    const done = await storeRetry.untilStored(() =>
      journal.changeTurn(
        id,
        (turn) => {
          const next = step(turn, event, rules);
          if (next === undefined) return undefined;
          was = turn.state;
          const run = next.run ?? turn.run;
          const whose = { ...turn, ...('askedBy' in next && { askedBy: next.askedBy }) };
          const lang = languages.ofTurn(whose);
          const out = toDrafts({ ...turn, run }, next.show, { nowMs, form, lang });
          const token = event.kind === 'started' && { replyToken: createReplyToken() };
          const { state, withdrawn } = next;
          return {
            state,
            run,
            ...(run !== turn.run && withNewestText(turn)),
            ...('askedBy' in next && { askedBy: next.askedBy }),
            ...token,
            atMs: nowMs,
            out,
            ...(withdrawn && { withdrawn }),
          };
        },
        { once, join: this.#joinedWriteFor(event) },
      ),
    );
    if (done.changed && was !== undefined) {
      this.#report(done.turn, was, { event, nowMs });
      this.#parts.delivery.offer(done.out);
    }
    return done;
  }

  /** Shows something about a turn that waits or runs. The turn does not change. */
  async show(id: TurnId, show: Show): Promise<void> {
    const { journal, storeRetry, delivery, form, clock, languages } = this.#parts;
    const nowMs = clock.nowMs();
    const { out } = await storeRetry.untilStored(() =>
      journal.changeTurn(id, (turn) => {
        const { phase } = turn.state;
        if (phase !== 'waiting' && !isEngaged(phase)) return undefined;
        const lang = languages.ofTurn(turn);
        return { state: turn.state, out: toDrafts(turn, [show], { nowMs, form, lang }) };
      }),
    );
    delivery.offer(out);
  }

  /** Stores what the message of a waiting turn says and what comes with it, now that all of it is read. */
  async complete(
    id: TurnId,
    { show = [], ...more }: Pick<TurnChange, 'parts' | 'details'> & { show?: readonly Show[] },
  ): Promise<void> {
    const { journal, storeRetry, delivery, form, languages, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const { out } = await storeRetry.untilStored(() =>
      journal.changeTurn(id, (turn) => {
        const { state, message } = turn;
        // A message without parts was recalled.
        if (state.phase !== 'waiting' || message.parts.length === 0) return undefined;
        const lang = languages.ofTurn(turn);
        return { state, ...more, out: toDrafts(turn, show, { nowMs, form, lang }) };
      }),
    );
    delivery.offer(out);
  }

  /** Resolves with the turn when its phase has changed, or when the signal aborts. */
  async untilMoved(turn: Turn, signal: AbortSignal): Promise<Turn> {
    let now = turn;
    for (;;) {
      const change = this.#changed.wait(signal);
      now = (await this.#parts.journal.turn(turn.id)) ?? now;
      if (now.state.phase !== turn.state.phase || signal.aborted) return now;
      await change;
    }
  }

  #report(
    turn: Turn,
    was: TurnState,
    { event, nowMs }: { readonly event: TurnEvent; readonly nowMs: number },
  ): void {
    const { slot, callOffs, questions, observer, log, turnTimeoutMs } = this.#parts;
    const { phase } = turn.state;
    // A recall of a turn that is over does not change its state.
    const isMoved = turn.state !== was;
    if (isMoved) slot.note(turn, nowMs);
    questions.turnMoved(turn);
    this.#changed.ring();
    const by = 'by' in event ? event.by : undefined;
    // The answer has a line of its own when it is sent. What somebody ordered is always told.
    const level = by === undefined && USUAL_PHASES.has(phase) ? 'debug' : 'info';
    const about = { turn: turn.id, chat: turn.message.chatId };
    log[level]('turn_changed', {
      ...about,
      on: event.kind,
      ...(by !== undefined && { by }),
      phase,
    });
    if (isFinal(phase) || phase === 'held') {
      this.receipts.cancel(turn.id);
      const begunMs = begunAtMs(was, turnTimeoutMs);
      if (begunMs !== undefined) observer.turnEnded(turn.id, phase, nowMs - begunMs);
    }
    if (phase === 'dropped' && isMoved) callOffs.begin(turn, was);
  }

  /** What a target in the journal's own database writes in the same commit as the change of the turn. */
  #joinedWriteFor(event: TurnEvent): ((turn: Turn, changed: boolean) => void) | undefined {
    const { target, requests } = this.#parts;
    if (event.kind === 'started') {
      return (turn, changed) => {
        if (changed) target.join?.(requests.requestOf(turn, event.target));
      };
    }
    if (event.kind !== 'sent' && event.kind !== 'waited') return undefined;
    const { result } = event;
    return 'store' in result ? result.store : undefined;
  }
}

import type { Log } from '../../core/log.ts';
import type { OpenId, TurnId } from '../../core/ids.ts';
import { personOf, type Turn, type TurnState } from '../../core/turn.ts';
import type { Show } from '../outbox/show.ts';
import type { OutboxDraft } from '../ports/outbox.ts';
import { isBlank } from '../../text/visible.ts';
import type { Clock } from '../../time/clock.ts';
import type { LaneRunner } from '../../time/lane-runner.ts';
import { Wake } from '../../time/wake.ts';
import type { Delivery } from '../outbox/delivery.ts';
import { createReplyToken } from '../outbox/keys.ts';
import { type OwnShow, toDrafts } from '../outbox/drafts.ts';
import type { Gate } from '../intake/access.ts';
import type { AccessRecords } from '../ports/access.ts';
import type { DoneSoFar } from '../ports/live.ts';
import type { ContentForm } from '../ports/lark.ts';
import type { Journal } from '../ports/journal.ts';
import type { Observer } from '../ports/observer.ts';
import type { TurnChange } from '../ports/changes.ts';
import type { SendResult, TurnTarget, WaitResult } from '../ports/target.ts';
import type { OwnerNotices } from '../owner-notices.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import { doneSoFar as doneText, usageLine as usageText } from '../texts/live.ts';
import { inEach } from '../texts/text.ts';
import { ownerNotices } from '../texts/owner-notices.ts';
import type { LiveCards } from '../live/live-cards.ts';
import { livePlaceOf, onCards } from '../live/card-ends.ts';
import type { News } from '../news/news.ts';
import type { Questions } from '../questions/questions.ts';
import type { CallOffs } from './call-offs.ts';
import { Receipts } from './receipts.ts';
import type { TurnRequests } from './requests.ts';
import type { SingleSlot } from './single-slot.ts';
import { withNewestText } from './edits.ts';
import type { UsageNotes } from './usage-notes.ts';
import { isFinal, waitsOrRuns } from './phases.ts';
import { begunAtMs, step } from './turn.ts';
import { logChange } from './change-log.ts';
import type { TurnEvent, TurnStep } from './turn-events.ts';

interface TurnChangesParts {
  readonly journal: Journal;
  readonly target: TurnTarget;
  readonly form: ContentForm;
  readonly gate: Gate;
  readonly requests: TurnRequests;
  readonly slot: SingleSlot;
  readonly callOffs: CallOffs;
  readonly live: LiveCards;
  readonly news: News;
  readonly usage: UsageNotes;
  readonly usageLine?: boolean | undefined;
  readonly questions: Questions;
  readonly ownerNotices: OwnerNotices;
  readonly owner: () => OpenId | undefined;
  readonly runner: LaneRunner;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: Observer;
  readonly turnTimeoutMs: number;
  readonly burstWaitMs?: number | undefined;
}

type Completion = Pick<TurnChange, 'parts' | 'details'> & { readonly show?: readonly Show[] };

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
    const { journal, storeRetry, target, news, usage, clock } = this.#parts;
    const { turnTimeoutMs, burstWaitMs = 0 } = this.#parts;
    const nowMs = clock.nowMs();
    const rules = { turnTimeoutMs, burstWaitMs, deduplicates: target.deduplicates, nowMs };
    let was: TurnState | undefined;
    const done = await storeRetry.untilStored(() =>
      journal.changeTurn(
        id,
        (turn, known) => {
          const seen = this.#asSeenIn(turn, event);
          const shut = event.kind === 'started' && this.#shutOut(turn, known, nowMs);
          if (shut) {
            was = turn.state;
            return shut;
          }
          const next = step(turn, seen, rules);
          if (next === undefined) return undefined;
          was = turn.state;
          const run = next.run ?? turn.run;
          const out = this.#draftsOf(turn, next, nowMs);
          const begun = event.kind === 'started' && begunWith(event);
          const { state, withdrawn } = next;
          return {
            state,
            run,
            ...(run !== turn.run && withNewestText(turn)),
            ...('askedBy' in next && { askedBy: next.askedBy }),
            ...(next.isChosenAnew === true && { isChosenAnew: true }),
            ...begun,
            ...(state.phase === 'failed' && lastWordsIn(event)),
            atMs: nowMs,
            out,
            ...(withdrawn && { withdrawn }),
          };
        },
        {
          once,
          join: (turn, changed) => {
            this.#joinedWriteFor(event)?.(turn, changed);
            usage.turnMoved(turn, nowMs);
            // A command is no work of an agent.
            const isWork = event.kind !== 'carried_out';
            if (changed && isWork && was !== undefined) news.turnMoved(turn, was, nowMs);
          },
        },
      ),
    );
    if (done.changed && was !== undefined) {
      this.#report(done.turn, was, { event, nowMs });
      if (!waitsOrRuns(done.turn.state.phase)) {
        this.#parts.live.over(id);
        news.turnOver(id);
        usage.turnOver(id);
      }
      this.#parts.delivery.offer(done.out);
      if (event.kind === 'recalled') await this.#parts.live.endRest(id);
      await this.#noteLogin(done.turn, was, event);
    }
    return done;
  }

  /** What the step shows, on the live cards of the run if it has any. What was said before a failure stays. */
  #draftsOf(turn: Turn, next: TurnStep, nowMs: number): OutboxDraft[] {
    const { form, live, languages, usage, usageLine } = this.#parts;
    const { run = turn.run, state } = next;
    const subject = { ...turn, run };
    const whose = { ...turn, ...('askedBy' in next && { askedBy: next.askedBy }) };
    const at = { nowMs, form, lang: languages.ofTurn(whose) };
    const show = isInterrupted(state) ? withDone(next.show, live.doneSoFar(turn)) : next.show;
    if (waitsOrRuns(state.phase) || !waitsOrRuns(turn.state.phase))
      return toDrafts(subject, show, at);
    const cards = live.ending(turn);
    const said = keepsWhatWasSaid(state) ? live.said(turn) : '';
    const isAnswered = show.some(({ what }) => what === 'answer');
    const before: Show[] =
      isAnswered || isBlank(said) ? [] : [{ what: 'answer', name: 'said', text: said }];
    const used = usageLine === true && isAnswered ? usage.of(turn) : undefined;
    const below = used && usageText(used)?.[at.lang];
    const drafts = withBelow(toDrafts(subject, [...before, ...show], at), below);
    return onCards(drafts, cards, { turn: turn.id, place: livePlaceOf(turn.message), ...at });
  }

  /**
   * Only the owner sees the command with which an agent is logged in, and only alone with the bot what its program
   * said last.
   */
  #asSeenIn(turn: Turn, event: TurnEvent): TurnEvent {
    const isOwner = personOf(turn) === this.#parts.owner();
    const isAlone = isOwner && turn.message.chatType === 'p2p';
    if (isAlone || (event.kind !== 'sent' && event.kind !== 'waited')) return event;
    const { result } = event;
    if (result.kind !== 'failed') return event;
    const { lastWords: _, login, ...shown } = result;
    const asked = login && { login: isOwner ? login : {} };
    return { ...event, result: { ...shown, ...asked } };
  }

  /** The owner is told once that an agent needs a login, until it has answered again. */
  async #noteLogin(turn: Turn, was: TurnState, event: TurnEvent): Promise<void> {
    if (!('target' in was) || (event.kind !== 'sent' && event.kind !== 'waited')) return;
    const { ownerNotices: owners, owner } = this.#parts;
    const about = { agent: was.target, kind: 'login' };
    const { result } = event;
    const login = loginIn(result);
    if (result.kind === 'answered') await owners.over(about);
    if (login === undefined || personOf(turn) === owner()) return;
    await owners.tell(about, ownerNotices.login(login.agent, login.command));
  }

  /** Says something of an agent's runtime about a run of a turn, once. The turn does not change. */
  async tell({ id, run }: Turn, show: OwnShow): Promise<void> {
    const { journal, storeRetry, delivery, form, clock, languages } = this.#parts;
    const nowMs = clock.nowMs();
    const { out } = await storeRetry.untilStored(() =>
      journal.changeTurn(id, (turn) => {
        // A message without parts was recalled.
        if (turn.run !== run || turn.message.parts.length === 0) return undefined;
        const lang = languages.ofTurn(turn);
        return { state: turn.state, out: toDrafts(turn, [show], { nowMs, form, lang }) };
      }),
    );
    delivery.offer(out);
  }

  /** The person may have been blocked while the turn waited. Then it does not start. */
  #shutOut(turn: Turn, known: () => AccessRecords, nowMs: number): TurnChange | undefined {
    const { gate, form, languages } = this.#parts;
    const change = gate.atStart(turn, known(), nowMs);
    if (change === undefined) return undefined;
    const sign = toDrafts(turn, [{ what: 'receipt_off' }], {
      nowMs,
      form,
      lang: languages.ofTurn(turn),
    });
    return { ...change, atMs: nowMs, out: [...sign, ...change.out] };
  }

  /** Shows something about a turn that waits or runs. The turn does not change. */
  async show(id: TurnId, show: Show): Promise<void> {
    const { journal, storeRetry, delivery, form, clock, languages } = this.#parts;
    const nowMs = clock.nowMs();
    const { out } = await storeRetry.untilStored(() =>
      journal.changeTurn(id, (turn) => {
        const { phase } = turn.state;
        if (!waitsOrRuns(phase)) return undefined;
        const lang = languages.ofTurn(turn);
        return { state: turn.state, out: toDrafts(turn, [show], { nowMs, form, lang }) };
      }),
    );
    delivery.offer(out);
  }

  /**
   * Stores what the message of a waiting turn says and what comes with it, now that all of it is read. The message
   * may have changed meanwhile, so `more` can be made from the turn as it is.
   */
  async complete(id: TurnId, more: Completion | ((turn: Turn) => Completion)): Promise<void> {
    const { journal, storeRetry, delivery, form, languages, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const { out } = await storeRetry.untilStored(() =>
      journal.changeTurn(id, (turn) => {
        const { state, message } = turn;
        // A message without parts was recalled.
        if (state.phase !== 'waiting' || message.parts.length === 0) return undefined;
        const { show = [], ...known } = typeof more === 'function' ? more(turn) : more;
        const lang = languages.ofTurn(turn);
        return { state, ...known, out: toDrafts(turn, show, { nowMs, form, lang }) };
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
    const { target, slot, callOffs, questions, observer, log, turnTimeoutMs } = this.#parts;
    const { phase } = turn.state;
    // A recall of a turn that is over does not change its state.
    const isMoved = turn.state !== was;
    if (isMoved) slot.note(turn, nowMs);
    questions.turnMoved(turn);
    this.#changed.ring();
    const agent = 'target' in was ? (target.nameOf?.(was.target) ?? was.target) : undefined;
    logChange(log, { turn, was, event, nowMs, agent, turnTimeoutMs });
    if (isFinal(phase) || phase === 'held') {
      this.receipts.cancel(turn.id);
      const begunMs = begunAtMs(was, turnTimeoutMs);
      if (begunMs !== undefined) observer.turnEnded(turn.id, phase, nowMs - begunMs);
    }
    if (phase === 'dropped' && isMoved) callOffs.begin(turn, was);
  }

  /** What is written in the same commit as the change of the turn, also by a target in the journal's own database. */
  #joinedWriteFor(event: TurnEvent): ((turn: Turn, changed: boolean) => void) | undefined {
    const { target, requests, questions } = this.#parts;
    if (event.kind === 'recalled') {
      return (turn, changed) => {
        if (changed) questions.withdraw(turn.id);
      };
    }
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

function isInterrupted(state: TurnState): boolean {
  return state.phase === 'held' && state.why === 'interrupted';
}

/** Whoever decides whether it runs again has to know what it did. */
function withDone(show: readonly Show[], done: DoneSoFar | undefined): readonly Show[] {
  const told = done && doneText(done);
  if (told === undefined) return show;
  return show.map((one) =>
    one.what === 'choice'
      ? { ...one, text: inEach((lang) => `${one.text[lang]}\n\n${told[lang]}`) }
      : one,
  );
}

/** The last part of an answer has the line. */
function withBelow(drafts: readonly OutboxDraft[], below: string | undefined): OutboxDraft[] {
  const last = drafts.findLastIndex(
    ({ body }) => body.kind === 'message' && body.content.kind === 'answer',
  );
  return drafts.map((draft, at) => {
    const { body } = draft;
    if (below === undefined || at !== last || body.kind !== 'message') return draft;
    if (body.content.kind !== 'answer') return draft;
    return { ...draft, body: { ...body, content: { ...body.content, below } } };
  });
}

/** What the agent gets with the turn is stored in the same write as the note that it gets it. */
function begunWith({ details }: Extract<TurnEvent, { kind: 'started' }>) {
  return { replyToken: createReplyToken(), ...(details !== undefined && { details }) };
}

/** Whoever looks after the bridge may read them, whoever may in the chat. */
function lastWordsIn(event: TurnEvent): Pick<TurnChange, 'lastWords'> {
  if (event.kind !== 'sent' && event.kind !== 'waited') return {};
  const { result } = event;
  if (result.kind !== 'failed' || result.lastWords === undefined) return {};
  return { lastWords: result.lastWords };
}

/** The login that an agent needs, if that is how a turn ended. */
function loginIn(result: SendResult | WaitResult) {
  if (result.kind !== 'failed' || result.login === undefined) return undefined;
  return { agent: result.agent ?? '', command: result.login.command };
}

function keepsWhatWasSaid(state: TurnState): boolean {
  return state.phase !== 'dropped' || state.why === 'stopped';
}

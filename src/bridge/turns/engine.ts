import type { Brand } from '../../core/brand.ts';
import type { ChatId, MessageId, OpenId, TurnId, WorkspaceId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { Service } from '../../time/service.ts';
import type { Turn } from '../../core/turn.ts';
import type { Show } from '../outbox/show.ts';
import type { Clock } from '../../time/clock.ts';
import { LaneRunner } from '../../time/lane-runner.ts';
import type { LaneItem } from '../../time/lanes.ts';
import type { LiveCards } from '../live/live-cards.ts';
import type { News } from '../news/news.ts';
import type { Gate } from '../intake/access.ts';
import type { Delivery } from '../outbox/delivery.ts';
import type { OwnShow } from '../outbox/drafts.ts';
import type { AttachmentStore } from '../ports/attachments.ts';
import type { ContentForm, LarkGateway } from '../ports/lark.ts';
import type { Journal, TurnHead } from '../ports/journal.ts';
import type { Observer } from '../ports/observer.ts';
import type { SessionBook } from '../ports/sessions.ts';
import type { Approval, ApprovalStore } from '../ports/approvals.ts';
import type { Question, QuestionStore } from '../ports/questions.ts';
import type { TurnTarget } from '../ports/target.ts';
import { INBOX_KEEP_MS } from '../pruning.ts';
import type { OwnerNotices } from '../owner-notices.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import { permissionTexts } from '../texts/permissions.ts';
import { Questions } from '../questions/questions.ts';
import { LateTexts } from '../late-texts.ts';
import { TypedAnswers } from '../questions/typed-answers.ts';
import { Attempts, laneItemOf, type TurnAtWork } from './attempt.ts';
import { Attachments } from './attachments.ts';
import { Bursts } from './bursts.ts';
import { CallOffs } from './call-offs.ts';
import { Edits } from './edits.ts';
import { Forwards } from './forwards.ts';
import { SaidBefore } from './said-before.ts';
import type { UsageNotes } from './usage-notes.ts';
import { TurnRequests } from './requests.ts';
import { type Owner, SingleSlot } from './single-slot.ts';
import { isEngaged, isFinal, waitsOrRuns } from './phases.ts';
import type { TurnEvent } from './turn-events.ts';
import { TurnChanges } from './turn-changes.ts';

interface EngineParts {
  readonly journal: Journal;
  readonly target: TurnTarget;
  readonly form: ContentForm;
  readonly lark: Pick<LarkGateway, 'forwarded' | 'resource' | 'surroundings'>;
  readonly attachments?: AttachmentStore | undefined;
  /** Judges who may talk to the bot. */
  readonly gate: Gate;
  readonly delivery: Delivery;
  readonly live: LiveCards;
  readonly news: News;
  readonly usage: UsageNotes;
  readonly usageLine?: boolean | undefined;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly observer: Observer;
  readonly brand: Brand;
  readonly turnsRunningMax: number;
  readonly turnTimeoutMs: number;
  /** How long files without words wait for words. */
  readonly burstWaitMs?: number | undefined;
  readonly questions: QuestionStore;
  readonly approvals: ApprovalStore;
  readonly agentNamed: (agent: WorkspaceId) => Promise<string | undefined>;
  readonly questionTimeoutMs: number;
  readonly sessions: SessionBook;
  readonly owner: () => OpenId | undefined;
  readonly ownerNotices: OwnerNotices;
}

/**
 * Sends waiting turns to the agent, one at a time per chat, and ends them. People share the slots fairly. Every step
 * is stored in the journal before the next one begins, so that another process can continue after any step. A target
 * that can't say which turn an answer belongs to gets only one turn at a time. The kind of the target may become known
 * only later.
 */
export class Engine implements Service {
  readonly name = 'engine';
  readonly edits: Edits;
  readonly questions: Questions;
  readonly typedAnswers: TypedAnswers;
  readonly lateTexts: LateTexts;
  readonly #parts: EngineParts;
  readonly #runner: LaneRunner;
  readonly #slot: SingleSlot;
  readonly #callOffs: CallOffs;
  readonly #changes: TurnChanges;
  readonly #attempts: Attempts;
  readonly #bursts: Bursts;
  readonly #saidBefore: SaidBefore;
  #started = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    const { clock, log, target, turnsRunningMax, turnTimeoutMs } = parts;
    const runner = new LaneRunner({
      name: this.name,
      clock,
      log,
      slots: () => (target.correlates ? turnsRunningMax : Number(this.#slot.mayStart)),
      work: (item, hold) => this.#attempts.begin(item.id as TurnId, hold),
    });
    const slot = new SingleSlot({ clock, lateMs: turnTimeoutMs, onFree: () => runner.pump() });
    const callOffs = new CallOffs({ ...parts, runner });
    const requests = new TurnRequests(target, parts.brand);
    const hold = (id: TurnId) => this.#attempts.hold(id);
    const onApproved = (turn: Turn, question: Question, approval: Approval) =>
      this.#showApproved(turn, question, approval);
    const questions = new Questions({ ...parts, runner, hold, onApproved });
    const changes = new TurnChanges({ ...parts, runner, slot, callOffs, requests, questions });
    const forwards = new Forwards({ ...parts, changes });
    this.edits = new Edits(parts);
    this.questions = questions;
    this.typedAnswers = new TypedAnswers({ ...parts, questions });
    this.lateTexts = new LateTexts({ ...parts, runner });
    this.#saidBefore = new SaidBefore({ ...parts, changes });
    const attachments = new Attachments({ ...parts, changes });
    const preparations = { forwards, attachments, saidBefore: this.#saidBefore };
    const ofTurns = { runner, requests, changes, questions };
    this.#attempts = new Attempts({ ...parts, ...preparations, ...ofTurns });
    this.#bursts = new Bursts(clock);
    this.#runner = runner;
    this.#slot = slot;
    this.#callOffs = callOffs;
    this.#changes = changes;
  }

  async start(): Promise<void> {
    const { journal, clock } = this.#parts;
    this.#started = true;
    await this.questions.start();
    const sinceMs = clock.nowMs() - INBOX_KEEP_MS;
    this.#slot.restore(await journal.unanswered(sinceMs), clock.nowMs());
    for (const head of await journal.openTurns()) await this.#takeUp(head);
    await this.#callOffs.resume();
    this.#runner.pump();
  }

  /** Running turns stay as the journal has them. The next start continues from there. */
  async stop(): Promise<void> {
    this.lateTexts.stop();
    const stopped = this.#runner.stop();
    this.#attempts.endAll();
    this.#slot.stop();
    this.#bursts.stop();
    this.questions.stop();
    this.#changes.receipts.cancelAll();
    await stopped;
  }

  /** Begins no more turns, and resolves when all running turns are over. Each turn has a time limit. */
  finish(): Promise<void> {
    return this.#runner.finish();
  }

  /** Adds a turn that waits in the journal. Before the start nothing is added, because the start reads the journal. */
  offer(turn: Turn): void {
    const item = laneItemOf(turn);
    if (item === undefined || !this.#started) return;
    if (turn.state.phase === 'waiting' && turn.state.gathers === true) {
      return this.#gather(item, turn.state.notBeforeMs);
    }
    this.#runner.add(item);
    this.#changes.receipts.plan(turn.id);
    this.#runner.pump();
  }

  /** A turn that gathered has become a part of another one. */
  takenIn(id: TurnId, lane: string): void {
    this.#bursts.takeOut(id);
    this.#runner.remove(lane, id);
    this.#attempts.end(id);
  }

  /** Its place in the chat is that of its arrival. Nobody waits for it before its time. */
  #gather(item: LaneItem, untilMs: number): void {
    const { clock, burstWaitMs = 0 } = this.#parts;
    // A clock that was set back must not make it wait longer.
    const waitMs = Math.min(untilMs - clock.nowMs(), burstWaitMs);
    this.#bursts.hold(item.id as TurnId, waitMs, () => {
      this.#runner.add({ ...item, notBeforeMs: 0, sinceMs: clock.nowMs() });
      this.#runner.pump();
    });
  }

  /** Applies an event from outside to a turn, such as a recall or a command. False if it changes nothing. */
  async apply(id: TurnId, event: TurnEvent, once?: string): Promise<boolean> {
    const { turn, changed, freed } = await this.#changes.apply(id, event, once);
    if (!changed) return false;
    this.#bursts.takeOut(id);
    if (freed !== undefined) this.offer(freed);
    if (turn.state.phase === 'waiting') this.offer(turn);
    else this.#runner.remove(turn.message.chatId, id);
    if (isFinal(turn.state.phase)) this.#attempts.end(id);
    // Other turns may have waited for this one.
    if (this.#started) this.#runner.pump();
    return true;
  }

  /** A message was recalled: no later turn shows it as what was said before. */
  forget(message: MessageId, chat: ChatId): Promise<void> {
    return this.#saidBefore.forget(message, chat);
  }

  /** Ends a turn that waits or runs, with its agent's work. What was said so far stays. False if it is over. */
  stopTurn(id: TurnId, by: OpenId, once?: string): Promise<boolean> {
    return this.apply(id, { kind: 'stopped', by }, once);
  }

  /** Shows something about a turn that waits or runs. The turn does not change. */
  show(id: TurnId, show: Show): Promise<void> {
    return this.#changes.show(id, show);
  }

  /** Says something of an agent's runtime about the latest turn of a session. */
  async told(session: string, show: OwnShow): Promise<void> {
    const { journal, sessions } = this.#parts;
    const latest = (await sessions.placeOf(session))?.latest;
    const turn = latest && (await journal.turn(latest));
    if (turn !== undefined) await this.#runner.track(this.#changes.tell(turn, show));
  }

  /** Which turn an answer belongs to, if the answer names no turn. */
  ownerOfAnswer(from: WorkspaceId): Owner {
    return this.#slot.owner(from, this.#parts.clock.nowMs());
  }

  /** Notes that an answer which may belong to this turn was shown in its chat or stored for the operator. */
  async noteAnswer(turn: TurnId): Promise<void> {
    this.#slot.close(turn);
    if (!this.#slot.expects(turn)) await this.apply(turn, { kind: 'late_answer' });
  }

  waiting(): Iterable<LaneItem> {
    return this.#runner.waiting();
  }

  atWork(): Iterable<TurnAtWork> {
    return this.#attempts.atWork();
  }

  /** How many turns run before a waiting one, in its chat or, if one turn runs at a time, in all. */
  places(): (item: LaneItem) => number {
    if (this.#parts.target.correlates) return (item) => this.#runner.ahead(item);
    const { running } = this.#runner;
    let places: Map<string, number> | undefined;
    return ({ id }) => {
      places ??= new Map([...this.#runner.inTurn()].map((item, at) => [item.id, at + running]));
      return places.get(id) ?? running;
    };
  }

  /** True while nothing is sent because it is not known whether the target got the previous request. */
  get isInDoubt(): boolean {
    return !this.#parts.target.correlates && this.#slot.isInDoubt;
  }

  load() {
    const { size, running } = this.#runner;
    return { waiting: size, waitingSinceMs: this.#runner.oldestMs(), running };
  }

  /** Nobody was asked, so people see among the steps what was allowed, and by which approval. */
  #showApproved(turn: Turn, { key }: Question, approval: Approval): void {
    const { live, languages } = this.#parts;
    const lang = languages.ofTurn(turn);
    const title = permissionTexts.approved(approval.number, approval)[lang];
    live.take(turn, { kind: 'step', step: { id: `approved:${key}`, title, status: 'done' } });
  }

  async #takeUp(head: TurnHead): Promise<void> {
    const { journal, clock } = this.#parts;
    const { id, chatId: lane, person: share, seq: order, receivedAtMs: sinceMs } = head;
    // The previous process may have died before it showed the sign.
    if (waitsOrRuns(head.phase)) this.#changes.receipts.plan(id);
    const item = { id, lane, share, order, notBeforeMs: 0, sinceMs };
    if (head.gathersUntilMs !== undefined) this.#gather(item, head.gathersUntilMs);
    else if (head.phase === 'waiting') {
      this.#runner.add(item);
    } else if (head.phase === 'sending') {
      const sent = await journal.turn(id);
      // It is not known whether the request arrived, so an answer may still come.
      if (sent !== undefined) this.#slot.note(sent, clock.nowMs());
      const { turn } = await this.#changes.apply(id, { kind: 'restarted' });
      const again = laneItemOf(turn);
      if (again !== undefined) this.#runner.add(again);
    } else if (head.phase === 'accepted' || head.phase === 'overdue') {
      const turn = await journal.turn(id);
      if (turn === undefined) return;
      this.#slot.note(turn, clock.nowMs());
      const hold = isEngaged(head.phase) ? this.#runner.occupy(lane, share) : undefined;
      void this.#runner.track(this.#attempts.resume(turn, hold));
    }
  }
}

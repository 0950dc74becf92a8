import type { Brand } from '../core/brand.ts';
import type { Language } from '../core/language.ts';
import { BridgeError } from '../core/errors.ts';
import type { AppId, ChatId, OpenId, TurnId, WorkspaceId } from '../core/ids.ts';
import type { OutboxDraft } from './ports/outbox.ts';
import type { Service } from '../time/service.ts';
import { startAll, stopAll } from '../time/service.ts';
import type { OwnShow } from './outbox/drafts.ts';
import { Delivery } from './outbox/delivery.ts';
import { Engine } from './turns/engine.ts';
import { type AccessMode, Gate } from './intake/access.ts';
import { AccessControl } from './intake/access-control.ts';
import { createTelling, type Telling, type Webhooks } from './news/telling.ts';
import { UsageNotes } from './turns/usage-notes.ts';
import { LiveCards } from './live/live-cards.ts';
import type { LiveMode } from './live/live-pace.ts';
import { AfterRestore } from './intake/after-restore.ts';
import { EventIntake } from './intake/intake.ts';
import { UnmatchedAnswers } from './turns/unmatched-answers.ts';
import { Orders } from './turns/orders.ts';
import { nameOf } from './known-names.ts';
import { AgentChatTools } from './agent-tools/chat-tools.ts';
import { OwnerNotices } from './owner-notices.ts';
import { StoreRetry } from './store-retry.ts';
import { Pruning } from './pruning.ts';
import { Languages } from './texts/languages.ts';
import { QueueNotices } from './turns/queue-notices.ts';
import { UnservedNotices } from './turns/unserved-notices.ts';
import type { AccessBook } from './ports/access-book.ts';
import type { AccessLookup } from './ports/access.ts';
import { NO_OBSERVER, type Observer } from './ports/observer.ts';
import type { AttachmentStore } from './ports/attachments.ts';
import type { AnswerFileStore } from './ports/answer-files.ts';
import type { CommandSurroundings } from './ports/commands.ts';
import type { Journal } from './ports/journal.ts';
import type { LanguageChoices } from './ports/languages.ts';
import type { LarkGateway } from './ports/lark.ts';
import type { LiveJournal } from './ports/live.ts';
import type { NewsStore } from './ports/news.ts';
import type { ReportStore } from './ports/reports.ts';
import type { UsageStore } from './ports/usage.ts';
import type { UnmatchedAnswer, TurnTarget } from './ports/target.ts';
import type { OrderQueue } from './ports/orders.ts';
import type { ApprovalStore } from './ports/approvals.ts';
import type { OwnerNoticeStore } from './ports/owner-notices.ts';
import type { QuestionStore } from './ports/questions.ts';
import type { SaidInSessions, SessionBook } from './ports/sessions.ts';
import type { ChoiceValues } from '../wire/choice-value.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

export interface BridgeParts {
  readonly journal: Journal;
  readonly orders: OrderQueue;
  readonly languageChoices: LanguageChoices;
  readonly appId: AppId;
  /** Who may talk to the bot. */
  readonly access: AccessBook;
  readonly accessMode: AccessMode;
  readonly lookup?: AccessLookup | undefined;
  readonly target: TurnTarget;
  readonly lark: LarkGateway;
  /** Signs and checks the values of buttons. */
  readonly choices: ChoiceValues;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly brand: Brand;
  /** For people who chose no language. */
  readonly language: Language;
  readonly turnsRunningMax: number;
  readonly turnTimeoutMs: number;
  readonly questions: QuestionStore;
  /** Which memory of an agent belongs to which chat. */
  readonly sessions: SessionBook;
  readonly said: SaidInSessions;
  readonly approvals: ApprovalStore;
  /** What the owner was told about agents. */
  readonly ownerNotices: OwnerNoticeStore;
  /** The names of agents that the hub of this process runs. Absent: nobody knows them. */
  readonly agentNamed?: (agent: WorkspaceId) => Promise<string | undefined>;
  /** How long a question of an agent waits for an answer. */
  readonly questionTimeoutMs: number;
  /** The person who created the bot. Undefined: not known. It may become known later. */
  readonly owner: () => OpenId | undefined;
  /** The chat for messages that the agent sends unasked before anybody has written to the bot. */
  readonly defaultChatId?: ChatId | undefined;
  /** Where the files of people's messages lie. Absent: agents get only their names. */
  readonly attachments?: AttachmentStore | undefined;
  /** How long files without words wait for words. Absent: they don't. */
  readonly burstWaitMs?: number | undefined;
  /** When the state was restored from a backup, if it ever was. */
  readonly restoredAtMs?: number | undefined;
  readonly observer?: Observer;
  /** Where the files of answers lie. */
  readonly answerFiles?: AnswerFileStore;
  /** Absent: no live cards are shown. */
  readonly liveCards?: { readonly journal: LiveJournal; readonly mode: LiveMode };
  /** Absent: nothing is told to other chats. */
  readonly news?: NewsStore | undefined;
  /** Absent: no webhook is called. */
  readonly webhooks?: Webhooks | undefined;
  /** Absent: there are no reports. */
  readonly reports?: ReportStore | undefined;
  /** When the owner gets a report of the day without ordering one, and the time zone of all reports. */
  readonly reportTime: { readonly minuteOfDay: number | undefined; readonly zone: string };
  /** Absent: what turns have used is not kept. */
  readonly usage?: UsageStore | undefined;
  /** Whether people see what agents think on their way. */
  readonly thoughts?: boolean;
  /** Whether an answer ends with a line that says what it used. */
  readonly usageLine?: boolean;
  /** What commands of people need. Without it there are only those that need nothing. */
  readonly surroundings?:
    | Omit<CommandSurroundings, 'isOwner' | 'nameOf' | keyof OrdersOfPeople>
    | undefined;
}

/** Handles a message from the event that comes in to the answer in the chat. */
export class Bridge implements Service {
  readonly name = 'bridge';
  readonly intake: EventIntake;
  readonly access: AccessControl;
  /** For agents at work, while the bridge runs. */
  readonly chatTools: AgentChatTools;
  readonly #ownerNotices: OwnerNotices;
  readonly #journal: Journal;
  readonly #log: Log;
  readonly #engine: Engine;
  readonly #delivery: Delivery;
  readonly #orders: Orders;
  readonly #unmatchedAnswers: UnmatchedAnswers;
  readonly #storeRetry: StoreRetry;
  readonly #services: readonly Service[];
  #ready = false;

  constructor(given: BridgeParts) {
    const parts = { observer: NO_OBSERVER, agentNamed: nameless, ...given };
    const { journal, clock, log } = parts;
    const { form } = parts.lark;
    const languages = new Languages(parts.languageChoices, parts.language);
    this.#journal = journal;
    this.#log = log;
    this.#storeRetry = new StoreRetry(clock, log);
    const storeRetry = this.#storeRetry;
    this.#delivery = new Delivery({
      ...parts,
      languages,
      storeRetry,
      liveJournal: parts.liveCards?.journal,
      cardSettled: (card, waitMsMax) => live.settled(card, waitMsMax),
      prefix: parts.surroundings?.prefix,
      onWithdrawn: (id) => this.#withdraw(id),
      onQuestionNotShown: (key) => this.#engine.questions.notShown(key),
      onDead: (row) => telling.onDead(row),
    });
    const delivery = this.#delivery;
    const { journal: liveJournal, mode = 'off' } = parts.liveCards ?? {};
    const live = new LiveCards({ ...parts, languages, liveJournal, mode, storeRetry, delivery });
    const gate = new Gate(parts.accessMode, languages);
    const owner = () => this.access.owner ?? parts.owner();
    const telling: Telling = createTelling({ ...parts, owner, delivery, storeRetry, languages });
    const { news } = telling;
    const toOwner = { ...parts, told: parts.ownerNotices, languages, owner, storeRetry, delivery };
    this.#ownerNotices = new OwnerNotices(toOwner);
    const told = { storeRetry, delivery, live, news, usage: new UsageNotes(parts.usage) };
    const withOwner = { gate, owner, ownerNotices: this.#ownerNotices };
    this.#engine = new Engine({ ...parts, ...withOwner, languages, form, ...told });
    const engine = this.#engine;
    const ofTurns = { engine, delivery, liveJournal, storeRetry, languages };
    this.access = new AccessControl({ ...parts, ...ofTurns, book: parts.access, gate });
    const access = this.access;
    const orders = { languages, access, ...telling.orders };
    const surroundings = aroundCommands(parts, orders);
    this.intake = new EventIntake({ ...parts, ...ofTurns, access, surroundings });
    this.chatTools = new AgentChatTools({ ...parts, ...ofTurns });
    this.#unmatchedAnswers = new UnmatchedAnswers({
      ...parts,
      ...ofTurns,
      form,
      defaultChatId: parts.defaultChatId,
    });
    this.#orders = new Orders({ ...parts, access, storeRetry, engine, delivery });
    this.#services = [
      delivery,
      ...telling.services,
      // Before the turns go on, so that they find their cards.
      live,
      engine,
      new AfterRestore({ ...parts, languages, storeRetry, delivery }),
      access,
      this.#orders,
      ...waitNotices({ ...parts, engine }),
      new Pruning({ ...parts, journal, clock, log }),
    ];
  }

  async #withdraw(id: TurnId): Promise<void> {
    await this.#engine.apply(id, { kind: 'recalled' });
  }

  /** Takes an answer that names no turn. Rejects until the open turns of earlier processes are known. */
  async receive(answer: UnmatchedAnswer): Promise<void> {
    if (!this.#ready) throw new BridgeError('interrupted', 'the bridge has not started yet');
    return this.#unmatchedAnswers.receive(answer);
  }

  /** Takes a message that answers nothing. Stored if `may`, which is called in the commit, says so. */
  async send(drafts: readonly OutboxDraft[], may: () => boolean): Promise<void> {
    if (!this.#ready) throw new BridgeError('interrupted', 'the bridge does not run');
    this.#delivery.offer(await this.#journal.enqueueIf(drafts, may));
  }

  /** An agent has said more after the end of a turn. */
  lateText(session: string, text: string): void {
    this.#engine.lateTexts.take(session, text);
  }

  /** A runtime says something about the latest turn of a session, which is over. */
  told(session: string, show: OwnShow): Promise<void> {
    return this.#engine.told(session, show);
  }

  /** The owner is told something about an agent, once. */
  tellOwner(agent: string, show: OwnShow): Promise<void> {
    return this.#ownerNotices.tell({ agent, kind: show.name }, show);
  }

  get isReady(): boolean {
    return this.#ready;
  }

  async start(): Promise<void> {
    await this.access.prepare();
    // Orders from the time without a daemon are carried out before any turn begins.
    await this.#orders.carryOut();
    await startAll(this.#services, this.#log);
    this.#ready = true;
    for (const head of await this.#journal.openTurns()) {
      if (head.phase !== 'command') continue;
      const command = await this.#journal.turn(head.id);
      if (command !== undefined) await this.intake.resume(command);
    }
  }

  async stop(): Promise<void> {
    this.#ready = false;
    this.#storeRetry.stop();
    await this.intake.stop();
    await stopAll(this.#services, this.#log);
  }

  /** For a stop that can't be avoided: begins no turns, and resolves when all running turns are over. */
  finishTurns(): Promise<void> {
    return this.#engine.finish();
  }

  status() {
    return {
      ...this.#engine.load(),
      outbox: this.#delivery.length,
      outboxSinceMs: this.#delivery.oldestMs(),
      duplicates: this.intake.duplicates,
      journalHealthy: this.#storeRetry.healthy,
    };
  }
}

/** What people can order of the parts of the bridge. */
type OrdersOfPeople = Pick<CommandSurroundings, 'languages' | 'access' | 'follows' | 'reports'>;
const nameless = () => Promise.resolve(undefined);

/** What people are told whose messages wait. */
function waitNotices(parts: ConstructorParameters<typeof UnservedNotices>[0] & { engine: Engine }) {
  return [new QueueNotices(parts), new UnservedNotices(parts)];
}

function aroundCommands(
  parts: BridgeParts,
  orders: OrdersOfPeople & { readonly access: AccessControl },
): CommandSurroundings | undefined {
  return (
    parts.surroundings && {
      ...parts.surroundings,
      ...orders,
      isOwner: (person) => orders.access.isOwner(person),
      nameOf: (chat, person) => nameOf(parts, chat, person),
    }
  );
}

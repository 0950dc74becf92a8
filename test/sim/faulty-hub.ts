import { workspaceId, type WorkspaceId } from '../../src/core/ids.ts';
import type { QuestionAnswer, TurnUpdate } from '../../src/core/turn-update.ts';
import type { VirtualClock } from '../kit/clock.ts';
import { AskingAgents } from './asking-agents.ts';
import { nameIn } from './subjects.ts';
import { TellingAgents } from './telling-agents.ts';
import type {
  CancelResult,
  UnmatchedAnswer,
  SendResult,
  TurnRequest,
  TurnTarget,
  WaitResult,
} from '../../src/bridge/ports/target.ts';
import type { AskedTurn } from '../../src/bridge/ports/questions.ts';

/** What an agent got. */
export interface Given {
  readonly name: string;
  readonly text: string;
  readonly atMs: number;
  /** Paths of the files that came with it. */
  readonly files: readonly string[];
  /** Those of them that were not there, or not all of them. */
  readonly broken: readonly string[];
  /** The memory that it goes on with. */
  readonly session: string | undefined;
}

interface Item {
  readonly name: string;
  readonly messageId: string;
  readonly begunAtMs: number;
  doneAtMs: number;
  readonly fails: boolean;
  /** By which its answer says which question it is for. */
  readonly replyToken: string | undefined;
  cancelledAtMs?: number;
  /** It ends with the process of the bridge. */
  readonly asks: boolean;
  died?: boolean;
}

export interface HubOptions {
  readonly clock: VirtualClock;
  readonly random: () => number;
  /** False: it takes a repeated message id for another turn. */
  readonly deduplicates: boolean;
  /** It gives no tickets: answers come into an inbox, and name their question by its token. */
  readonly isBlind: boolean;
  /** How many of its agents take nearly a minute, 0…1. */
  readonly slow: number;
  /** Half of its agents run in the process of the bridge, and ask something before they answer. */
  readonly asks: boolean;
  /** Most of its agents say what they do while they work. */
  readonly tells: boolean;
  readonly telling: () => number;
  /** True if a file lies there, and all of it. */
  readonly isWhole: (path: string) => boolean;
}

/** A hub that outlives the bridge and keeps the answers. */
export class FaultyHub implements TurnTarget {
  readonly correlates: boolean;
  readonly deduplicates: boolean;
  /** How often each message was run. */
  readonly runs = new Map<string, number>();
  /** When each message was first run. */
  readonly firstRunAtMs = new Map<string, number>();
  readonly given: Given[] = [];
  /** In whose name each message was run. */
  readonly senders = new Map<string, Set<string>>();
  readonly #items = new Map<string, Item>();
  readonly #clock: VirtualClock;
  readonly #random: () => number;
  readonly #options: HubOptions;
  readonly agents: AskingAgents;
  readonly #telling: TellingAgents;
  trouble = 0;
  #tickets = 0;

  constructor(options: HubOptions) {
    const { clock, random, deduplicates, isBlind, telling } = options;
    this.#options = options;
    this.agents = new AskingAgents(clock, random);
    this.#telling = new TellingAgents({ clock, random: telling });
    this.#clock = clock;
    this.#random = random;
    this.correlates = !isBlind;
    this.deduplicates = deduplicates && !isBlind;
  }

  /** What lies in the inbox and was not taken out of it. */
  inbox(): UnmatchedAnswer[] {
    if (this.correlates) return [];
    const nowMs = this.#clock.nowMs();
    const done = [...this.#items].filter(([, { doneAtMs }]) => doneAtMs <= nowMs);
    return done.map(([id, { name, fails, replyToken }]) => ({
      id,
      from: workspaceId('agent'),
      text: answerTo(name),
      ...(replyToken !== undefined && { replyToken }),
      ...(fails && { failure: 'it broke' }),
    }));
  }

  takeOut(id: string): void {
    this.#items.delete(id);
  }

  currentTarget(): Promise<WorkspaceId> {
    return Promise.resolve(workspaceId('agent'));
  }

  async send(request: TurnRequest): Promise<SendResult> {
    await this.#clock.sleep(5 + this.#random() * 50);
    if (this.#random() < this.trouble) return this.#refusal();
    this.#tickets += 1;
    const ticket = this.deduplicates ? request.messageId : `ticket ${this.#tickets}`;
    if (!this.#items.has(ticket)) {
      this.#note(request);
      this.#items.set(ticket, this.#begin(request));
    }
    await this.#clock.sleep(5);
    if (this.#random() < this.trouble) return { kind: 'unknown', detail: 'no answer' };
    return this.correlates ? { kind: 'accepted', ticket } : { kind: 'accepted_uncorrelated' };
  }

  async wait(_target: WorkspaceId, ticket: string, signal: AbortSignal): Promise<WaitResult> {
    if (this.#random() < this.trouble) {
      await this.#clock.sleep(20);
      return { kind: 'unreachable', detail: 'trouble' };
    }
    const item = this.#items.get(ticket);
    if (item === undefined) return { kind: 'lost', detail: 'never heard of it' };
    if (item.died === true) return { kind: 'failed', detail: 'it died', interrupted: true };
    // Its task is at work, and the ticket says no more than that.
    const isAtWork = item.doneAtMs > this.#clock.nowMs();
    if (isAtWork && item.doneAtMs % 5 === 0) return { kind: 'unfinished' };
    const waitMs = item.doneAtMs - this.#clock.nowMs();
    if (waitMs > 0) await this.#clock.sleep(Math.min(waitMs, 3_000));
    if (signal.aborted || this.#clock.nowMs() < item.doneAtMs) return { kind: 'pending' };
    return item.fails
      ? { kind: 'failed', detail: 'it broke' }
      : { kind: 'answered', text: answerTo(item.name) };
  }

  async cancel(_target: WorkspaceId, messageId: string): Promise<CancelResult> {
    await this.#clock.sleep(5 + this.#random() * 50);
    if (this.#random() < this.trouble) return 'not_reached';
    const items = [...this.#items.values()].filter((item) => item.messageId === messageId);
    for (const item of items) item.cancelledAtMs ??= this.#clock.nowMs();
    return items.length === 0 ? 'not_known' : 'over';
  }

  watch(_target: WorkspaceId, messageId: string, take: (update: TurnUpdate) => void): () => void {
    return this.agents.watch(messageId, take);
  }

  answerQuestion(asked: AskedTurn, answer: QuestionAnswer): Promise<'taken' | 'over'> {
    return this.agents.answer(asked, answer, this.trouble);
  }

  /** The process of the bridge died, and the agents in it. */
  processDied(): void {
    this.agents.die();
    const nowMs = this.#clock.nowMs();
    for (const item of this.#items.values()) {
      if (!item.asks || item.doneAtMs <= nowMs) continue;
      item.died = true;
      item.doneAtMs = nowMs;
    }
  }

  /** True if the agent had begun with a message by then, and still worked on it so long after. */
  workedOn(name: string, fromMs: number, forMs: number): boolean {
    return [...this.#items.values()].some((item) => {
      const endedAtMs = Math.min(item.doneAtMs, item.cancelledAtMs ?? Infinity);
      return item.name === name && item.begunAtMs < fromMs && endedAtMs > fromMs + forMs;
    });
  }

  #note({ text, context, details }: TurnRequest): void {
    const { isWhole } = this.#options;
    const name = nameIn(text) ?? '';
    const atMs = this.#clock.nowMs();
    const files = (details?.attachments ?? []).map(({ path }) => path);
    const broken = files.filter((path) => !isWhole(path));
    this.given.push({ name, text, atMs, files, broken, session: details?.session?.id });
    this.runs.set(name, (this.runs.get(name) ?? 0) + 1);
    if (!this.firstRunAtMs.has(name)) this.firstRunAtMs.set(name, atMs);
    const senders = this.senders.get(name) ?? new Set();
    this.senders.set(name, senders.add(context.senderOpenId));
  }

  #begin({ text, messageId, reply }: TurnRequest): Item {
    const name = nameIn(text) ?? '';
    const asks = this.#options.asks && this.#random() < 0.5;
    const begunAtMs = this.#clock.nowMs();
    const item: Item = {
      name,
      messageId,
      begunAtMs,
      doneAtMs: asks ? Infinity : begunAtMs + this.#workMs(),
      fails: name.startsWith('fail'),
      replyToken: reply?.token,
      asks,
    };
    this.#tell(item);
    if (!asks) return item;
    const goOn = () => {
      item.doneAtMs = this.#clock.nowMs() + this.#workMs();
    };
    this.#clock.after(this.#workMs(), () => {
      if (item.died === true || item.cancelledAtMs !== undefined) return;
      this.agents.ask(messageId, name, goOn);
    });
    return item;
  }

  #tell(item: Item): void {
    const { tells, telling } = this.#options;
    if (!tells || telling() < 0.3) return;
    const isGoingOn = () =>
      item.doneAtMs > this.#clock.nowMs() && item.cancelledAtMs === undefined && !item.died;
    const tell = (update: TurnUpdate) => this.agents.tell(item.messageId, update);
    this.#telling.begin({ name: item.name, isGoingOn, tell });
  }

  /** Now and then an agent takes its time. */
  #workMs(): number {
    return Math.round(this.#random() * (this.#random() < this.#options.slow ? 50_000 : 8_000));
  }

  #refusal(): SendResult {
    const roll = this.#random();
    if (roll < 0.4) return { kind: 'unreachable', detail: 'trouble' };
    if (roll < 0.7) return { kind: 'busy', retryAfterMs: 1_000, detail: 'busy' };
    return { kind: 'unknown', detail: 'no answer' };
  }
}

/** Every second one is Markdown. */
function answerTo(name: string): string {
  return /[02468]$/.test(name) ? `- answer to ${name}` : `answer to ${name}`;
}

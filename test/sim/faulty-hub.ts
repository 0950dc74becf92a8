import { workspaceId, type WorkspaceId } from '../../src/core/ids.ts';
import type { VirtualClock } from '../kit/clock.ts';
import type {
  CancelResult,
  UnmatchedAnswer,
  SendResult,
  TurnRequest,
  TurnTarget,
  WaitResult,
} from '../../src/bridge/ports/target.ts';

interface Item {
  readonly text: string;
  readonly messageId: string;
  readonly begunAtMs: number;
  readonly doneAtMs: number;
  readonly fails: boolean;
  /** By which its answer says which question it is for. */
  readonly replyToken: string | undefined;
  cancelledAtMs?: number;
}

export interface HubOptions {
  readonly clock: VirtualClock;
  readonly random: () => number;
  /** False: it takes a repeated message id for another turn. */
  readonly deduplicates: boolean;
  /** It gives no tickets: answers come into an inbox, and name their question by its token. */
  readonly isBlind: boolean;
}

/** A hub that outlives the bridge and keeps the answers. */
export class FaultyHub implements TurnTarget {
  readonly correlates: boolean;
  readonly deduplicates: boolean;
  /** How often each text was run. */
  readonly runs = new Map<string, number>();
  /** In whose name each text was run. */
  readonly senders = new Map<string, Set<string>>();
  readonly #items = new Map<string, Item>();
  readonly #clock: VirtualClock;
  readonly #random: () => number;
  trouble = 0;
  #tickets = 0;

  constructor({ clock, random, deduplicates, isBlind }: HubOptions) {
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
    return done.map(([id, { text, fails, replyToken }]) => ({
      id,
      from: workspaceId('agent'),
      text: answerTo(text),
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
      this.runs.set(request.text, (this.runs.get(request.text) ?? 0) + 1);
      const senders = this.senders.get(request.text) ?? new Set();
      this.senders.set(request.text, senders.add(request.context.senderOpenId));
      this.#items.set(ticket, {
        text: request.text,
        messageId: request.messageId,
        begunAtMs: this.#clock.nowMs(),
        doneAtMs: this.#clock.nowMs() + this.#workMs(),
        fails: request.text.startsWith('fail'),
        replyToken: request.reply?.token,
      });
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
    // Its task is at work, and the ticket says no more than that.
    const isAtWork = item.doneAtMs > this.#clock.nowMs();
    if (isAtWork && item.doneAtMs % 5 === 0) return { kind: 'unfinished' };
    const waitMs = item.doneAtMs - this.#clock.nowMs();
    if (waitMs > 0) await this.#clock.sleep(Math.min(waitMs, 3_000));
    if (signal.aborted || this.#clock.nowMs() < item.doneAtMs) return { kind: 'pending' };
    return item.fails
      ? { kind: 'failed', detail: 'it broke' }
      : { kind: 'answered', text: answerTo(item.text) };
  }

  async cancel(_target: WorkspaceId, messageId: string): Promise<CancelResult> {
    await this.#clock.sleep(5 + this.#random() * 50);
    if (this.#random() < this.trouble) return 'not_reached';
    const items = [...this.#items.values()].filter((item) => item.messageId === messageId);
    for (const item of items) item.cancelledAtMs ??= this.#clock.nowMs();
    return items.length === 0 ? 'not_known' : 'over';
  }

  /** True if the agent had begun with a text by then, and still worked on it so long after. */
  workedOn(text: string, fromMs: number, forMs: number): boolean {
    return [...this.#items.values()].some((item) => {
      const endedAtMs = Math.min(item.doneAtMs, item.cancelledAtMs ?? Infinity);
      return item.text === text && item.begunAtMs < fromMs && endedAtMs > fromMs + forMs;
    });
  }

  /** Now and then an agent takes its time. */
  #workMs(): number {
    return Math.round(this.#random() * (this.#random() < 0.1 ? 50_000 : 8_000));
  }

  #refusal(): SendResult {
    const roll = this.#random();
    if (roll < 0.4) return { kind: 'unreachable', detail: 'trouble' };
    if (roll < 0.7) return { kind: 'busy', retryAfterMs: 1_000, detail: 'busy' };
    return { kind: 'unknown', detail: 'no answer' };
  }
}

/** Every second one is Markdown. */
function answerTo(text: string): string {
  return /[02468]$/.test(text) ? `- answer to ${text}` : `answer to ${text}`;
}

import { workspaceId, type WorkspaceId } from '../../src/core/ids.ts';
import type { VirtualClock } from '../kit/clock.ts';
import type { SendResult, TurnRequest, TurnTarget, WaitResult } from '../../src/bridge/ports.ts';

interface Item {
  readonly text: string;
  readonly doneAtMs: number;
  readonly fails: boolean;
}

export interface HubOptions {
  readonly clock: VirtualClock;
  readonly random: () => number;
  /** False: it takes a repeated message id for another turn. */
  readonly deduplicates: boolean;
}

/** A hub that outlives the bridge and keeps the answers. */
export class FaultyHub implements TurnTarget {
  readonly correlates = true;
  readonly deduplicates: boolean;
  /** How often each text was run. */
  readonly runs = new Map<string, number>();
  readonly #items = new Map<string, Item>();
  readonly #clock: VirtualClock;
  readonly #random: () => number;
  trouble = 0;
  #tickets = 0;

  constructor({ clock, random, deduplicates }: HubOptions) {
    this.#clock = clock;
    this.#random = random;
    this.deduplicates = deduplicates;
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
      this.#items.set(ticket, {
        text: request.text,
        doneAtMs: this.#clock.nowMs() + Math.round(this.#random() * 8_000),
        fails: request.text.startsWith('fail'),
      });
    }
    await this.#clock.sleep(5);
    if (this.#random() < this.trouble) return { kind: 'unknown', detail: 'no answer' };
    return { kind: 'accepted', ticket };
  }

  async wait(_target: WorkspaceId, ticket: string, signal: AbortSignal): Promise<WaitResult> {
    if (this.#random() < this.trouble) {
      await this.#clock.sleep(20);
      return { kind: 'unreachable', detail: 'trouble' };
    }
    const item = this.#items.get(ticket);
    if (item === undefined) return { kind: 'lost', detail: 'never heard of it' };
    const waitMs = item.doneAtMs - this.#clock.nowMs();
    if (waitMs > 0) await this.#clock.sleep(Math.min(waitMs, 3_000));
    if (signal.aborted || this.#clock.nowMs() < item.doneAtMs) return { kind: 'pending' };
    return item.fails
      ? { kind: 'failed', detail: 'it broke' }
      : { kind: 'answered', text: `answer to ${item.text}` };
  }

  #refusal(): SendResult {
    const roll = this.#random();
    if (roll < 0.4) return { kind: 'unreachable', detail: 'trouble' };
    if (roll < 0.7) return { kind: 'busy', retryAfterMs: 1_000, detail: 'busy' };
    return { kind: 'unknown', detail: 'no answer' };
  }
}

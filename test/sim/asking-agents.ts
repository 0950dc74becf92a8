import type { QuestionAnswer, QuestionOption, TurnUpdate } from '../../src/core/turn-update.ts';
import type { VirtualClock } from '../kit/clock.ts';
import { AGENT_ASKS } from './faulty-lark.ts';
import type { AskedTurn } from '../../src/bridge/ports/questions.ts';

/** As long as the hub keeps a question that nobody takes. */
const UNSEEN_MS_MAX = 60_000;

export const OPTIONS: readonly QuestionOption[] = [
  { id: 'yes', label: 'Yes', style: 'primary' },
  { id: 'no', label: 'No', style: 'default' },
];

/** What an agent asked in its turn, and what it heard. */
export interface Asked {
  readonly messageId: string;
  readonly id: string;
  readonly update: TurnUpdate;
  /** What the agent does once it waits no more. */
  readonly goOn: () => void;
  /** All that it was told, also when it did not wait any more. */
  readonly told: QuestionAnswer[];
  readonly heard: QuestionAnswer[];
  waits: boolean;
}

/** Agents that end with the process of the bridge, and ask something before they answer. */
export class AskingAgents {
  readonly asked: Asked[] = [];
  readonly #clock: VirtualClock;
  readonly #random: () => number;
  readonly #watchers = new Map<string, (update: TurnUpdate) => void>();
  readonly #unseen = new Set<Asked>();

  constructor(clock: VirtualClock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  watch(messageId: string, take: (update: TurnUpdate) => void): () => void {
    this.#watchers.set(messageId, take);
    for (const asked of this.#unseen) if (asked.messageId === messageId) this.#show(asked, take);
    return () => {
      if (this.#watchers.get(messageId) === take) this.#watchers.delete(messageId);
    };
  }

  ask(messageId: string, text: string, goOn: () => void): void {
    const id = `asked_${this.asked.length + 1}`;
    const update = {
      kind: 'question',
      id,
      text: `${AGENT_ASKS} ${text}?`,
      options: OPTIONS,
    } as const;
    const asked: Asked = { messageId, id, update, goOn, told: [], heard: [], waits: true };
    this.asked.push(asked);
    const take = this.#watchers.get(messageId);
    if (take !== undefined) return this.#show(asked, take);
    this.#unseen.add(asked);
    this.#clock.after(UNSEEN_MS_MAX, () => {
      if (this.#unseen.delete(asked)) this.#goOn(asked);
    });
  }

  /** What nobody listens to is lost. */
  tell(messageId: string, update: TurnUpdate): void {
    this.#watchers.get(messageId)?.(update);
  }

  /** `trouble`: the chance that the agent has gone on without the answer. */
  async answer({ messageId, id }: AskedTurn, answer: QuestionAnswer, trouble: number) {
    await this.#clock.sleep(5 + this.#random() * 50);
    const asked = this.asked.find((one) => one.id === id && one.messageId === messageId);
    if (asked === undefined) return 'over';
    asked.told.push(answer);
    if (!asked.waits) return 'over';
    const isHeard = this.#random() >= trouble;
    if (isHeard) asked.heard.push(answer);
    this.#goOn(asked);
    return isHeard ? 'taken' : 'over';
  }

  /** The process died, and its agents with it. */
  die(): void {
    this.#watchers.clear();
    this.#unseen.clear();
    for (const asked of this.asked) asked.waits = false;
  }

  #show(asked: Asked, take: (update: TurnUpdate) => void): void {
    this.#unseen.delete(asked);
    take(asked.update);
  }

  #goOn(asked: Asked): void {
    if (!asked.waits) return;
    asked.waits = false;
    asked.goOn();
  }
}

import type { Brand } from '../core/brand.ts';
import { BridgeError } from '../core/errors.ts';
import type { ChatId } from '../core/ids.ts';
import type { Service } from '../core/service.ts';
import { startAll, stopAll } from '../core/service.ts';
import { Delivery } from './outbox/delivery.ts';
import { Engine } from './turns/engine.ts';
import { EventIntake } from './intake/intake.ts';
import { UnmatchedAnswers } from './turns/unmatched-answers.ts';
import { Orders } from './turns/orders.ts';
import { StoreRetry } from './store-retry.ts';
import { Pruning } from './pruning.ts';
import { QueueNotices } from './turns/queue-notices.ts';
import {
  NO_OBSERVER,
  type CommandSurroundings,
  type Journal,
  type LarkGateway,
  type UnmatchedAnswer,
  type Observer,
  type OrderQueue,
  type TurnTarget,
} from './ports.ts';
import type { ChoiceValues } from '../wire/choice-value.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

export interface BridgeParts {
  readonly journal: Journal;
  readonly orders: OrderQueue;
  readonly target: TurnTarget;
  readonly lark: LarkGateway;
  /** Signs and checks the values of buttons. */
  readonly choices: ChoiceValues;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly brand: Brand;
  readonly turnsRunningMax: number;
  readonly turnTimeoutMs: number;
  /** The chat for messages that the agent sends unasked before anybody has written to the bot. */
  readonly defaultChatId?: ChatId | undefined;
  readonly observer?: Observer;
  /** What commands of people need. Without it there are only those that need nothing. */
  readonly surroundings?: CommandSurroundings | undefined;
}

/** Handles a message from the event that comes in to the answer in the chat. */
export class Bridge implements Service {
  readonly name = 'bridge';
  readonly intake: EventIntake;
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
    const parts = { observer: NO_OBSERVER, ...given };
    const { journal, clock, log } = parts;
    const { form } = parts.lark;
    this.#journal = journal;
    this.#log = log;
    this.#storeRetry = new StoreRetry(clock, log);
    const storeRetry = this.#storeRetry;
    this.#delivery = new Delivery({
      ...parts,
      storeRetry,
      prefix: parts.surroundings?.prefix,
      onWithdrawn: async (id) => {
        await this.#engine.apply(id, { kind: 'recalled' });
      },
    });
    const delivery = this.#delivery;
    this.#engine = new Engine({ ...parts, form, storeRetry, delivery });
    const engine = this.#engine;
    this.intake = new EventIntake({ ...parts, engine, delivery, storeRetry });
    const { defaultChatId } = parts;
    this.#unmatchedAnswers = new UnmatchedAnswers({
      ...parts,
      form,
      storeRetry,
      engine,
      delivery,
      defaultChatId,
    });
    this.#orders = new Orders({ ...parts, storeRetry, engine, delivery });
    this.#services = [
      delivery,
      engine,
      this.#orders,
      new QueueNotices({ engine, clock, log }),
      new Pruning({ journal, clock, log }),
    ];
  }

  /** Takes an answer that names no turn. Rejects until the open turns of earlier processes are known. */
  async receive(answer: UnmatchedAnswer): Promise<void> {
    if (!this.#ready) throw new BridgeError('interrupted', 'the bridge has not started yet');
    return this.#unmatchedAnswers.receive(answer);
  }

  async start(): Promise<void> {
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

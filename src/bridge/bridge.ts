import type { Brand } from '../core/brand.ts';
import { BridgeError } from '../core/errors.ts';
import type { AppId, ChatId, OpenId } from '../core/ids.ts';
import type { Service } from '../core/service.ts';
import { startAll, stopAll } from '../core/service.ts';
import { Delivery } from './outbox/delivery.ts';
import { Engine } from './turns/engine.ts';
import { type AccessMode, Gate } from './intake/access.ts';
import { AccessControl } from './intake/access-control.ts';
import { EventIntake } from './intake/intake.ts';
import { UnmatchedAnswers } from './turns/unmatched-answers.ts';
import { Orders } from './turns/orders.ts';
import { StoreRetry } from './store-retry.ts';
import { Pruning } from './pruning.ts';
import { QueueNotices } from './turns/queue-notices.ts';
import {
  type AccessBook,
  type AccessLookup,
  NO_OBSERVER,
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
  readonly appId: AppId;
  /** Who may talk to the bot. */
  readonly access: AccessBook;
  readonly accessMode: AccessMode;
  readonly owner?: OpenId | undefined;
  readonly lookup?: AccessLookup | undefined;
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
}

/** Handles a message from the event that comes in to the answer in the chat. */
export class Bridge implements Service {
  readonly name = 'bridge';
  readonly intake: EventIntake;
  readonly access: AccessControl;
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
      onWithdrawn: async (id) => {
        await this.#engine.apply(id, { kind: 'recalled' });
      },
    });
    const delivery = this.#delivery;
    const gate = new Gate(parts.accessMode);
    this.#engine = new Engine({ ...parts, form, gate, storeRetry, delivery });
    const engine = this.#engine;
    this.access = new AccessControl({
      ...parts,
      book: parts.access,
      gate,
      engine,
      delivery,
      storeRetry,
    });
    const access = this.access;
    this.intake = new EventIntake({ ...parts, access, engine, delivery, storeRetry });
    const { defaultChatId } = parts;
    this.#unmatchedAnswers = new UnmatchedAnswers({
      ...parts,
      form,
      storeRetry,
      engine,
      delivery,
      defaultChatId,
    });
    this.#orders = new Orders({ ...parts, access, storeRetry, engine, delivery });
    this.#services = [
      delivery,
      engine,
      access,
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

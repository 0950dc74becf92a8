import type { Brand } from '../core/brand.ts';
import { BridgeError } from '../core/errors.ts';
import type { ChatId } from '../core/ids.ts';
import type { Service } from '../core/service.ts';
import { startAll, stopAll } from '../core/service.ts';
import { Delivery } from './outbox/delivery.ts';
import { Engine } from './turns/engine.ts';
import { Inbox } from './intake/intake.ts';
import { LooseAnswers } from './turns/unmatched-answers.ts';
import { Orders } from './turns/orders.ts';
import { Persistence } from './until-stored.ts';
import { Pruning } from './pruning.ts';
import { QueueNotices } from './turns/queue-notices.ts';
import {
  NO_OBSERVER,
  type Intake,
  type Journal,
  type LarkGateway,
  type LooseAnswer,
  type Observer,
  type OrderQueue,
  type TurnTarget,
} from './ports.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

export interface BridgeParts {
  readonly journal: Journal;
  readonly orders: OrderQueue;
  readonly target: TurnTarget;
  readonly lark: LarkGateway;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly brand: Brand;
  readonly turnsRunningMax: number;
  readonly turnTimeoutMs: number;
  /** Where the agent speaks unasked before anybody has written to the bot. */
  readonly defaultChatId?: ChatId | undefined;
  readonly observer?: Observer;
}

/** The heart: from an event at the door to an answer in the chat. */
export class Bridge implements Service {
  readonly name = 'bridge';
  readonly inbox: Inbox;
  readonly #journal: Journal;
  readonly #log: Log;
  readonly #engine: Engine;
  readonly #delivery: Delivery;
  readonly #orders: Orders;
  readonly #looseAnswers: LooseAnswers;
  readonly #persistence: Persistence;
  readonly #services: readonly Service[];
  #ready = false;

  constructor(given: BridgeParts) {
    const parts = { observer: NO_OBSERVER, ...given };
    const { journal, clock, log } = parts;
    this.#journal = journal;
    this.#log = log;
    this.#persistence = new Persistence(clock, log);
    const persistence = this.#persistence;
    this.#delivery = new Delivery({
      ...parts,
      persistence,
      onWithdrawn: async (id) => {
        await this.#engine.apply(id, { kind: 'recalled' });
      },
    });
    const delivery = this.#delivery;
    this.#engine = new Engine({ ...parts, persistence, delivery });
    const engine = this.#engine;
    this.inbox = new Inbox({ journal, engine, delivery, persistence, clock, log });
    const { defaultChatId } = parts;
    this.#looseAnswers = new LooseAnswers({
      ...parts,
      persistence,
      engine,
      delivery,
      defaultChatId,
    });
    this.#orders = new Orders({ ...parts, persistence, engine, delivery });
    this.#services = [
      delivery,
      engine,
      this.#orders,
      new QueueNotices({ engine, clock, log }),
      new Pruning({ journal, clock, log }),
    ];
  }

  /** What came at the hub without naming a turn. Rejects while the open turns are not taken up. */
  async receive(answer: LooseAnswer): Promise<void> {
    if (!this.#ready) throw new BridgeError('interrupted', 'the bridge is not at work yet');
    return this.#looseAnswers.receive(answer);
  }

  get intake(): Intake {
    return this.inbox;
  }

  async start(): Promise<void> {
    // What was ordered while no daemon ran counts before any turn is taken up.
    await this.#orders.carryOut();
    await startAll(this.#services, this.#log);
    this.#ready = true;
    for (const head of await this.#journal.openTurns()) {
      if (head.phase !== 'command') continue;
      const command = await this.#journal.turn(head.id);
      if (command !== undefined) await this.inbox.resume(command);
    }
  }

  async stop(): Promise<void> {
    this.#ready = false;
    this.#persistence.stop();
    await stopAll(this.#services, this.#log);
  }

  /** Before an end that can't be avoided: what agents are at is brought home, and nothing new begins. */
  finishTurns(): Promise<void> {
    return this.#engine.finish();
  }

  status() {
    return {
      ...this.#engine.load(),
      outbox: this.#delivery.length,
      outboxSinceMs: this.#delivery.oldestMs(),
      duplicates: this.inbox.duplicates,
      journalHealthy: this.#persistence.healthy,
    };
  }
}

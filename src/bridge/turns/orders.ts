import { BridgeError } from '../../core/errors.ts';
import { chatId, openId, turnId, type TurnId } from '../../core/ids.ts';
import type { Service } from '../../time/service.ts';
import { repeating, type RepeatedWork } from '../../time/repeat.ts';
import type { OutboxRow } from '../ports/outbox.ts';
import type { AccessControl, Decider } from '../intake/access-control.ts';
import type { Delivery } from '../outbox/delivery.ts';
import type { Engine } from './engine.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { TurnEvent } from './turn-events.ts';
import { sendDrafts } from '../outbox/drafts.ts';
import type { AccessOrderKind, Order, OrderQueue, OrderResult } from '../ports/orders.ts';
import type { Journal } from '../ports/journal.ts';
import type { LarkGateway } from '../ports/lark.ts';
import type { OutboxChange } from '../ports/changes.ts';
import type { SendOrder } from '../ports/send.ts';
import type { TurnTarget } from '../ports/target.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

/** How often the daemon checks for an order of an operator. A person waits for the result. */
const ORDERS_CHECK_MS = 500;

export interface OrdersParts {
  readonly orders: OrderQueue;
  readonly journal: Journal;
  readonly access: AccessControl;
  readonly engine: Engine;
  readonly delivery: Delivery;
  readonly target: TurnTarget;
  readonly lark: Pick<LarkGateway, 'form'>;
  readonly storeRetry: StoreRetry;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Carries out the orders that an operator places from another process, each once. The write that carries out an
 * order also stores the order's number. So an order is not repeated if the process dies before it stores the result.
 */
export class Orders implements Service {
  readonly name = 'orders';
  readonly #parts: OrdersParts;
  readonly #rounds: RepeatedWork;
  /** The latest check did not carry out all open orders. */
  #isUnfinished = false;

  constructor(parts: OrdersParts) {
    this.#parts = parts;
    const { clock, log } = parts;
    this.#rounds = repeating({
      name: this.name,
      everyMs: ORDERS_CHECK_MS,
      work: () => this.#check(),
      clock,
      log,
    });
  }

  start(): Promise<void> {
    return this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  /** Carries out all open orders, in order. */
  async carryOut(): Promise<void> {
    const { orders, log } = this.#parts;
    for (const order of await orders.open()) {
      if (this.#rounds.stopSignal.aborted) return;
      try {
        await this.#carryOutOne(order);
      } catch (error) {
        if (error instanceof BridgeError) throw error;
        // A bug in one order must not stop the others.
        log.error('order_bug', { order: order.id, error: String((error as Error).stack) });
      }
    }
  }

  async #check(): Promise<void> {
    const written = await this.#parts.orders.writtenOutside();
    if (!written && !this.#isUnfinished) return;
    this.#isUnfinished = true;
    await this.carryOut();
    this.#isUnfinished = false;
  }

  async #carryOutOne(order: Order): Promise<void> {
    const { orders, storeRetry, log } = this.#parts;
    const result = await this.#execute(order);
    await storeRetry.untilStored(() => orders.end(order.id, result));
    const { id, kind, subject } = order;
    // What is sent does not belong into the log.
    const about = kind === 'send' ? {} : { subject };
    log.info('order_carried_out', { order: id, kind, ...about, ...result });
  }

  #execute(order: Order): Promise<OrderResult> {
    const { clock, target } = this.#parts;
    const nowMs = clock.nowMs();
    switch (order.kind) {
      case 'turn_retry':
        return this.#changeTurn(order, { kind: 'chosen', action: 'retry', by: 'operator' });
      case 'turn_drop':
        return this.#changeTurn(order, {
          kind: 'dropped_by_operator',
          correlates: target.correlates,
        });
      case 'letter_replay':
        return this.#changeLetter(order, {
          state: { phase: 'pending', dueAtMs: nowMs },
          replayedAtMs: nowMs,
        });
      case 'letter_drop':
        return this.#changeLetter(order, { state: { phase: 'dropped' } });
      case 'send':
        return this.#send(order);
      case 'person_pair':
      case 'person_allow':
      case 'person_revoke':
      case 'chat_allow':
      case 'chat_deny':
        return this.#decideAccess({ ...order, kind: order.kind });
    }
  }

  async #decideAccess(order: Order & { readonly kind: AccessOrderKind }): Promise<OrderResult> {
    const { access } = this.#parts;
    const decider: Decider = { by: 'operator', once: onceFor(order) };
    switch (order.kind) {
      case 'person_pair':
      case 'person_allow':
        await access.allow(openId(order.subject), { ...decider, mayOwn: true });
        return { outcome: 'done', phase: 'allowed' };
      case 'person_revoke': {
        const outcome = await access.revoke(openId(order.subject), decider);
        const isOwner = outcome === 'is_owner';
        return { outcome: isOwner ? 'refused' : 'done', phase: isOwner ? 'allowed' : undefined };
      }
      case 'chat_allow':
        await access.allowChat(chatId(order.subject), decider);
        return { outcome: 'done', phase: 'allowed' };
      case 'chat_deny':
        await access.denyChat(chatId(order.subject), decider);
        return { outcome: 'done', phase: 'denied' };
    }
  }

  /** Our own command wrote the subject. The write that adds the rows notes the order, so they are added once. */
  async #send(order: Order): Promise<OrderResult> {
    const { journal, delivery, storeRetry, clock, lark } = this.#parts;
    const wanted = JSON.parse(order.subject) as SendOrder;
    const drafts = sendDrafts(wanted, clock.nowMs(), lark.form);
    const rows = await storeRetry.untilStored(() => journal.enqueue(drafts, onceFor(order)));
    delivery.offer(rows);
    return { outcome: 'done', phase: undefined };
  }

  async #changeTurn(order: Order, event: TurnEvent): Promise<OrderResult> {
    const { journal, engine } = this.#parts;
    const id: TurnId = turnId(order.subject);
    if ((await journal.turn(id)) === undefined) return { outcome: 'refused', phase: undefined };
    const changed = await engine.apply(id, event, onceFor(order));
    return this.#resultOf(order, changed, (await journal.turn(id))?.state.phase);
  }

  /** The content and the key stay the same. If Lark has the message already, it does not show it twice. */
  async #changeLetter(order: Order, change: OutboxChange): Promise<OrderResult> {
    const { journal, delivery, storeRetry } = this.#parts;
    const key = order.subject;
    if ((await journal.out(key)) === undefined) return { outcome: 'refused', phase: undefined };
    const ifDead = (row: OutboxRow) => (row.state.phase === 'dead' ? change : undefined);
    const { row, changed } = await storeRetry.untilStored(() =>
      journal.changeOut(key, ifDead, onceFor(order)),
    );
    if (changed) delivery.offer([row]);
    return this.#resultOf(order, changed, row.state.phase);
  }

  async #resultOf(
    order: Order,
    changed: boolean,
    phase: OrderResult['phase'],
  ): Promise<OrderResult> {
    // An earlier process may have made the change and died before it stored the result.
    const done = changed || (await this.#parts.journal.isDone(onceFor(order)));
    return { outcome: done ? 'done' : 'refused', phase };
  }
}

const onceFor = ({ id }: Order) => `order:${id}`;

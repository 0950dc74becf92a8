/** Tells webhooks what happens: each one in order, until it has taken it or a day is over. */
import type { Log } from '../../core/log.ts';
import { backoffMs } from '../../time/backoff.ts';
import type { Clock } from '../../time/clock.ts';
import { type RepeatedWork, repeating } from '../../time/repeat.ts';
import type { Service } from '../../time/service.ts';
import { waitAtMost } from '../../time/wait.ts';
import type { CallWebhook, Webhook, WebhookDelivery, WebhookQueue } from '../ports/webhooks.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { WordsParts } from './news-words.ts';
import { webhookBody } from './webhook-body.ts';

const BACKOFF_BASE_MS = 5_000;
const BACKOFF_MAX_MS = 10 * 60_000;
/** What nobody took for a day is given up: it would tell of what is long over. */
const KEEP_TRYING_MS = 24 * 60 * 60 * 1000;
/** Only news and the end of a pause make work, and both hurry it. */
const IDLE_MS = 24 * 60 * 60 * 1000;
/** A stop ends the calls that run; the next start makes them again under the same id. */
const STOP_MS_MAX = 1_000;

interface WebhookCallsParts extends WordsParts {
  readonly queue: WebhookQueue;
  readonly call: CallWebhook;
  readonly storeRetry: StoreRetry;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

export class WebhookCalls implements Service {
  readonly name = 'webhooks';
  readonly #parts: WebhookCallsParts;
  readonly #work: RepeatedWork;
  /** One call at a time for each webhook, so that a slow one keeps no other waiting. */
  readonly #underWay = new Map<string, Promise<void>>();
  #nextMs = IDLE_MS;

  constructor(parts: WebhookCallsParts) {
    this.#parts = parts;
    const { clock, log } = parts;
    const work = () => this.#look();
    const everyMs = () => this.#nextMs;
    this.#work = repeating({ name: this.name, firstMs: 0, everyMs, work, clock, log });
  }

  start(): Promise<void> {
    return this.#work.start();
  }

  async stop(): Promise<void> {
    await this.#work.stop();
    await waitAtMost(this.#parts.clock, Promise.all(this.#underWay.values()), STOP_MS_MAX);
  }

  /** Something waits to be told. */
  hurry(): void {
    this.#work.hurry();
  }

  #look(): void {
    const { queue, clock } = this.#parts;
    this.#nextMs = IDLE_MS;
    for (const webhook of queue.webhooks()) {
      if (this.#underWay.has(webhook.id)) continue;
      const first = queue.first(webhook.id);
      if (first === undefined) continue;
      // After a clock that was set back nothing waits longer than the longest pause.
      const waitMs = Math.min(BACKOFF_MAX_MS, first.dueAtMs - clock.nowMs());
      if (waitMs > 0) this.#nextMs = Math.min(this.#nextMs, waitMs);
      else this.#begin(webhook, first);
    }
  }

  #begin(webhook: Webhook, delivery: WebhookDelivery): void {
    const work = this.#deliver(webhook, delivery)
      .catch((error: unknown) => {
        const { log } = this.#parts;
        if (!this.#work.stopSignal.aborted) log.error('webhook_bug', { error: String(error) });
      })
      .finally(() => {
        this.#underWay.delete(webhook.id);
        if (!this.#work.stopSignal.aborted) this.#work.hurry();
      });
    this.#underWay.set(webhook.id, work);
  }

  async #deliver(webhook: Webhook, delivery: WebhookDelivery): Promise<void> {
    const { queue, call, storeRetry, clock, random, log } = this.#parts;
    const { seq, item, createdAtMs, attempts } = delivery;
    const { id, event } = item;
    const body = await webhookBody(item, webhook, this.#parts);
    const { stopSignal: signal } = this.#work;
    const { ok, detail } = await call({ webhook, id, event, body, signal });
    if (signal.aborted) return;
    const about = { webhook: webhook.id, to: originOf(webhook), news: event, detail };
    if (ok) {
      log.debug('webhook_told', about);
      return storeRetry.untilStored(() => queue.remove(seq)).then(() => this.#tellOfRest(webhook));
    }
    const nowMs = clock.nowMs();
    if (nowMs - createdAtMs > KEEP_TRYING_MS) {
      log.warn('webhook_given_up', about);
      return storeRetry.untilStored(() => queue.remove(seq));
    }
    log[attempts === 0 ? 'warn' : 'debug']('webhook_failed', about);
    const pace = { baseMs: BACKOFF_BASE_MS, maxMs: BACKOFF_MAX_MS, random: random() };
    const dueAtMs = nowMs + backoffMs(attempts + 1, pace);
    return storeRetry.untilStored(() => queue.postpone(seq, dueAtMs));
  }

  /** Too many waited for it at some time. */
  async #tellOfRest(webhook: Webhook): Promise<void> {
    const { queue, storeRetry, log } = this.#parts;
    const { id } = webhook;
    const count = await storeRetry.untilStored(() => queue.takeLeftOut(id));
    if (count > 0) log.warn('webhook_left_out', { webhook: id, to: originOf(webhook), count });
  }
}

/** The rest of an address may be a secret. */
function originOf({ url }: Webhook): string {
  return new URL(url).origin;
}

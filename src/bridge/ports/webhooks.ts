/** Addresses elsewhere that are told what happens. */
import type { FollowKind, NewsItem } from './news.ts';

export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly kinds: readonly FollowKind[];
  /** Its address may be one of this machine or of the network around it, because a person said so. */
  readonly isPrivate: boolean;
  /** It also gets what people and agents wrote. */
  readonly withText: boolean;
  readonly addedAtMs: number;
}

/** The webhooks of a state directory, also while a daemon runs on it. */
export interface WebhookBook {
  webhooks(): readonly Webhook[];
  add(webhook: Webhook): Promise<void>;
  /** False if there is none with this id. */
  remove(id: string): Promise<boolean>;
}

/** What a webhook has still to be told. */
export interface WebhookDelivery {
  readonly seq: number;
  readonly item: NewsItem;
  readonly createdAtMs: number;
  readonly dueAtMs: number;
  readonly attempts: number;
}

/** What waits for webhooks is put there by `NewsStore.note`. */
export interface WebhookQueue extends Pick<WebhookBook, 'webhooks'> {
  /** The oldest one, before which no other is sent. */
  first(webhook: string): WebhookDelivery | undefined;
  /** How many were left out since the last call, because too many waited. */
  takeLeftOut(webhook: string): Promise<number>;
  postpone(seq: number, dueAtMs: number): Promise<void>;
  /** It was sent, or is given up. */
  remove(seq: number): Promise<void>;
}

export interface WebhookCall {
  readonly webhook: Pick<Webhook, 'id' | 'url' | 'isPrivate'>;
  /** The id of what is told: a receiver may get it twice. */
  readonly id: string;
  readonly event: string;
  /** JSON. */
  readonly body: string;
  readonly signal: AbortSignal;
}

/** Does not reject if the network or the other side fails. `detail` holds nothing of the address but its host. */
export type CallWebhook = (
  call: WebhookCall,
) => Promise<{ readonly ok: boolean; readonly detail: string }>;

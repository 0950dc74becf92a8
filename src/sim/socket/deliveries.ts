import type { Changes } from '../world/changes.ts';
import type { Clock } from '../world/clock.ts';
import type { Connection } from './connection.ts';
import type { Connections } from './connections.ts';
import type { Faults } from '../world/faults.ts';
import { eventFrames } from './frames.ts';
import type { Ids } from '../world/ids.ts';
import { RecentRecords } from '../world/recent.ts';
import { parseJsonObject } from '../world/json.ts';
import type { SimApp } from '../world/model.ts';
import type { Frame } from './pbbp2.ts';

/** An event that was not acked is sent again after these waits, and never after the last one. */
const REDELIVERY_AFTER_MS = [15_000, 300_000, 3_600_000, 21_600_000] as const;

export interface OutgoingEvent {
  readonly eventId: string;
  readonly eventType: string;
  /** JSON of the whole envelope. */
  readonly json: string;
  /** The message that the event is about. */
  readonly messageId: string | undefined;
}

type DeliveryState =
  /** Sent, or lost on the way. Its ack is awaited. */
  | 'sent'
  /** Not acked in time, or no connection was there. It will be sent again. */
  | 'waiting'
  | 'acked'
  /** Another connection of the app got it. */
  | 'stolen'
  /** Every try of the platform failed. */
  | 'given_up';

/** What became of one event for one app. */
export interface DeliveryRecord {
  readonly eventId: string;
  readonly eventType: string;
  readonly appId: string;
  readonly messageId: string | undefined;
  readonly publishedAtMs: number;
  readonly state: DeliveryState;
  readonly tries: number;
  readonly acked: boolean;
  /** From the last try to its ack. */
  readonly ackLatencyMs: number | undefined;
  /** `code` of the last ack. */
  readonly ackCode: number | undefined;
  /** Acks that came after the deadline. They have no effect. */
  readonly lateAcks: number;
}

/** The answer to a callback. */
export type CallbackAck =
  | { readonly kind: 'no_answer' }
  | { readonly kind: 'answered'; readonly code: number | undefined; readonly data: unknown };

interface Delivery {
  readonly event: Omit<OutgoingEvent, 'json'>;
  /** Emptied at the end, because many deliveries are kept. */
  json: string;
  readonly app: SimApp;
  readonly publishedAtMs: number;
  /** Frame ids of all tries. Emptied at the end. */
  frameIds: string[];
  state: DeliveryState;
  tries: number;
  triedAtMs: number;
  ackLatencyMs: number | undefined;
  ackCode: number | undefined;
  lateAcks: number;
  cancelTimer: () => void;
  /** Set for callbacks. They are sent once, and the caller waits for the answer. */
  readonly answer: ((ack: CallbackAck) => void) | undefined;
}

interface DeliveryOptions {
  /** A try without an ack until then has failed. */
  readonly ackDeadlineMs: number;
  /** Larger payloads travel in several frames. */
  readonly fragmentBytesMax: number;
  readonly keptMax: number;
}

interface Parts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly faults: Faults;
  readonly connections: Connections;
  readonly changes: Changes;
}

/** Sends events to apps: at least once, in no certain order, each try to one random connection. */
export class Deliveries {
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #faults: Faults;
  readonly #connections: Connections;
  readonly #changes: Changes;
  readonly #options: DeliveryOptions;
  readonly #journal: RecentRecords<Delivery>;
  readonly #open = new Set<Delivery>();
  readonly #byFrameId = new Map<string, Delivery>();
  /** Events that the fault `event_reorder` holds back until the app's next one. */
  readonly #heldBack = new Map<string, () => void>();

  constructor(parts: Parts, options: DeliveryOptions) {
    this.#clock = parts.clock;
    this.#ids = parts.ids;
    this.#faults = parts.faults;
    this.#connections = parts.connections;
    this.#changes = parts.changes;
    this.#options = options;
    this.#journal = new RecentRecords(options.keptMax);
  }

  /** Oldest first. */
  records(): DeliveryRecord[] {
    return this.#journal.all().map((delivery) => ({
      eventId: delivery.event.eventId,
      eventType: delivery.event.eventType,
      appId: delivery.app.appId,
      messageId: delivery.event.messageId,
      publishedAtMs: delivery.publishedAtMs,
      state: delivery.state,
      tries: delivery.tries,
      acked: delivery.state === 'acked',
      ackLatencyMs: delivery.ackLatencyMs,
      ackCode: delivery.ackCode,
      lateAcks: delivery.lateAcks,
    }));
  }

  /** How many events are neither acked nor given up. */
  pending(): number {
    return this.#open.size;
  }

  publish(app: SimApp, event: OutgoingEvent): void {
    this.#begin(app, event, undefined);
  }

  /** Sends a callback once. Resolves with the client's answer, or at the deadline. */
  call(app: SimApp, event: OutgoingEvent): Promise<CallbackAck> {
    return new Promise((resolve) => {
      this.#begin(app, event, resolve);
    });
  }

  /** Sends every event that is not acked again at once. Returns how many. */
  redeliverNow(appId?: string): number {
    const due = [...this.#open].filter(
      (delivery) =>
        delivery.answer === undefined && (appId === undefined || delivery.app.appId === appId),
    );
    for (const delivery of due) {
      delivery.cancelTimer();
      if (delivery.tries > REDELIVERY_AFTER_MS.length) this.#end(delivery, 'given_up');
      else this.#try(delivery);
    }
    return due.length;
  }

  /** An ack. It may come from any connection of the app. */
  onAck(from: Connection, frame: Frame): void {
    const frameId = frame.headers.get('message_id') ?? '';
    const delivery = this.#byFrameId.get(frameId);
    if (delivery === undefined || delivery.app.appId !== from.app.appId) return;
    if (!this.#take('ack_lost', delivery)) this.#recordAck(delivery, frameId, frame);
    this.#changes.notify();
  }

  #recordAck(delivery: Delivery, frameId: string, frame: Frame): void {
    if (delivery.state !== 'sent' || delivery.frameIds.at(-1) !== frameId) {
      delivery.lateAcks += 1;
      return;
    }
    const { code, data } = readAck(frame);
    delivery.ackCode = code;
    delivery.ackLatencyMs = this.#clock.nowMs() - delivery.triedAtMs;
    this.#settle(delivery, code, data);
  }

  #settle(delivery: Delivery, code: number | undefined, data: unknown): void {
    delivery.cancelTimer();
    if (delivery.answer !== undefined) {
      this.#end(delivery, code === 200 ? 'acked' : 'given_up');
      delivery.answer({ kind: 'answered', code, data });
    } else if (code === 200) {
      this.#end(delivery, 'acked');
    } else {
      this.#wait(delivery);
    }
  }

  #begin(app: SimApp, { json, ...event }: OutgoingEvent, answer: Delivery['answer']): void {
    const delivery: Delivery = {
      event,
      json,
      app,
      publishedAtMs: this.#clock.nowMs(),
      frameIds: [],
      state: 'waiting',
      tries: 0,
      triedAtMs: 0,
      ackLatencyMs: undefined,
      ackCode: undefined,
      lateAcks: 0,
      cancelTimer: () => undefined,
      answer,
    };
    this.#journal.add(delivery);
    this.#open.add(delivery);
    this.#try(delivery);
  }

  #try(delivery: Delivery): void {
    delivery.tries += 1;
    delivery.triedAtMs = this.#clock.nowMs();
    const target = this.#connections.pick(delivery.app.appId);
    if (target === undefined) {
      this.#tryFailed(delivery);
    } else if (target === 'other' || this.#take('event_stolen', delivery)) {
      this.#end(delivery, 'stolen');
      delivery.answer?.({ kind: 'answered', code: 200, data: undefined });
    } else {
      delivery.state = 'sent';
      delivery.cancelTimer = this.#clock.after(this.#options.ackDeadlineMs, () =>
        this.#tryFailed(delivery),
      );
      this.#send(delivery, target);
    }
    this.#changes.notify();
  }

  #send(delivery: Delivery, target: Connection): void {
    const appId = delivery.app.appId;
    const frames = this.#framesOf(delivery, target);
    const send = () => {
      for (const frame of frames) target.send(frame);
    };
    if (this.#take('event_drop', delivery)) return;
    const delay = this.#take('event_delay', delivery);
    if (delay) {
      this.#clock.afterReal(delay.delayMs, send);
      return;
    }
    const reorder = this.#heldBack.has(appId) ? undefined : this.#take('event_reorder', delivery);
    if (reorder) {
      this.#holdBack(appId, send, reorder.delayMs);
      return;
    }
    send();
    if (this.#take('event_repeat', delivery)) send();
    this.#heldBack.get(appId)?.();
  }

  #holdBack(appId: string, send: () => void, delayMs: number): void {
    const release = () => {
      if (this.#heldBack.get(appId) !== release) return;
      this.#heldBack.delete(appId);
      send();
    };
    this.#heldBack.set(appId, release);
    this.#clock.afterReal(delayMs, release);
  }

  #framesOf(delivery: Delivery, target: Connection): Uint8Array[] {
    const frameId = this.#ids.frame();
    delivery.frameIds.push(frameId);
    this.#byFrameId.set(frameId, delivery);
    const shuffled = this.#take('fragments_reorder', delivery) !== undefined;
    const cut = this.#take('fragment_lost', delivery) !== undefined;
    const frames = eventFrames({
      frameId,
      type: this.#take('event_as_card', delivery) ? 'card' : 'event',
      traceId: this.#ids.frame(),
      atMs: this.#clock.nowMs(),
      service: target.serviceId,
      nextSeqId: () => target.nextSeqId(),
      payload: Buffer.from(delivery.json),
      fragmentBytesMax: this.#options.fragmentBytesMax,
      fragmentsMin: shuffled || cut ? 3 : 1,
    });
    if (cut) frames.pop();
    return shuffled ? frames.toReversed() : frames;
  }

  /** The try has failed. */
  #tryFailed(delivery: Delivery): void {
    if (delivery.answer === undefined) {
      this.#wait(delivery);
    } else {
      this.#end(delivery, 'given_up');
      delivery.answer({ kind: 'no_answer' });
    }
    this.#changes.notify();
  }

  #wait(delivery: Delivery): void {
    const afterMs = REDELIVERY_AFTER_MS[delivery.tries - 1];
    if (afterMs === undefined) {
      this.#end(delivery, 'given_up');
      return;
    }
    delivery.state = 'waiting';
    const passedMs = (this.#clock.nowMs() - delivery.triedAtMs) * this.#clock.timeScale;
    delivery.cancelTimer = this.#clock.after(Math.max(0, afterMs - passedMs), () =>
      this.#try(delivery),
    );
  }

  #end(delivery: Delivery, state: DeliveryState): void {
    delivery.state = state;
    this.#open.delete(delivery);
    for (const frameId of delivery.frameIds) this.#byFrameId.delete(frameId);
    delivery.frameIds = [];
    delivery.json = '';
  }

  #take(kind: Parameters<Faults['take']>[0], delivery: Delivery) {
    return this.#faults.take(kind, {
      appId: delivery.app.appId,
      eventType: delivery.event.eventType,
    });
  }
}

function readAck(frame: Frame): { readonly code: number | undefined; readonly data: unknown } {
  const ack = parseJsonObject(Buffer.from(frame.payload ?? []).toString());
  const code = ack?.['code'];
  return { code: typeof code === 'number' ? code : undefined, data: ack?.['data'] };
}

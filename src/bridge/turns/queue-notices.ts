import type { TurnId } from '../../core/ids.ts';
import type { Service } from '../../time/service.ts';
import type { Show } from '../outbox/show.ts';
import { repeating } from '../../time/repeat.ts';
import type { Engine } from './engine.ts';
import type { LaneItem } from '../../time/lanes.ts';
import { notices } from '../texts/texts.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

/** When a person is told that their message waits. */
const QUEUE_NOTICE_AFTER_MS = 5_000;
/** The largest number of such notices to one chat in a minute. */
const QUEUE_NOTICES_PER_MINUTE = 5;
/** When a person is told that the agent can't be reached. */
const OFFLINE_NOTICE_AFTER_MS = 10_000;
/** How often waiting turns are checked for such notices. */
const NOTICE_CHECK_MS = 1_000;

const MINUTE_MS = 60_000;

/** Tells people once why their message waits, if it waits for some seconds. */
export class QueueNotices implements Service {
  readonly name = 'queue_notices';
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #notified = new Set<string>();
  /** The times of the latest notices to each lane. */
  #recent = new Map<string, number[]>();
  readonly #rounds: Service;

  constructor({ engine, clock, log }: { engine: Engine; clock: Clock; log: Log }) {
    this.#engine = engine;
    this.#clock = clock;
    this.#rounds = repeating({
      name: this.name,
      everyMs: NOTICE_CHECK_MS,
      work: (stopping) => this.#check(stopping),
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

  async #check(stopping: AbortSignal): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const waiting = new Map<string, LaneItem>();
    for (const item of this.#engine.waiting()) waiting.set(item.id, item);
    for (const id of this.#notified) if (!waiting.has(id)) this.#notified.delete(id);
    this.#forgetOld(nowMs);
    const placeOf = this.#engine.places();
    for (const item of waiting.values()) {
      // Thousands may wait, and each notice is a write.
      if (stopping.aborted) return;
      const waitedMs = nowMs - item.sinceMs;
      if (this.#notified.has(item.id) || waitedMs < QUEUE_NOTICE_AFTER_MS) continue;
      const retrying = item.notBeforeMs > 0;
      if (retrying && waitedMs < OFFLINE_NOTICE_AFTER_MS) continue;
      if (!this.#mayNotify(item.lane, nowMs)) continue;
      this.#notified.add(item.id);
      await this.#engine.show(item.id as TurnId, this.#noticeFor(item, placeOf(item)));
    }
  }

  #noticeFor(item: LaneItem, place: number): Show {
    if (item.notBeforeMs > 0) return notices.offline();
    return this.#engine.isInDoubt ? notices.inDoubt() : notices.queued(place);
  }

  #mayNotify(lane: string, nowMs: number): boolean {
    const recent = this.#recent.get(lane) ?? [];
    if (recent.length >= QUEUE_NOTICES_PER_MINUTE) return false;
    this.#recent.set(lane, [...recent, nowMs]);
    return true;
  }

  #forgetOld(nowMs: number): void {
    const kept = new Map<string, number[]>();
    for (const [lane, times] of this.#recent) {
      const fresh = times.filter((atMs) => nowMs - atMs < MINUTE_MS);
      if (fresh.length > 0) kept.set(lane, fresh);
    }
    this.#recent = kept;
  }
}

import type { TurnId } from '../../core/ids.ts';
import type { Service } from '../../core/service.ts';
import type { Show } from '../../core/turn.ts';
import { repeating } from '../../time/repeat.ts';
import type { Engine } from './engine.ts';
import type { LaneItem } from '../../time/lanes.ts';
import { notices } from '../texts/texts.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

/** When a person is told that their message waits. */
const QUEUE_NOTICE_AFTER_MS = 5_000;
/** At most so many such notices to one chat a minute. */
const QUEUE_NOTICES_PER_MINUTE = 5;
/** When a person is told that the agent can't be reached. */
const OFFLINE_NOTICE_AFTER_MS = 10_000;
/** How often waiting turns are looked at for such notices. */
const NOTICE_LOOK_MS = 1_000;

const MINUTE_MS = 60_000;

/** Tells people whose turn waits for more than a moment where it stands, once. */
export class QueueNotices implements Service {
  readonly name = 'queue_notices';
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #told = new Set<string>();
  /** When each lane got its latest notices. */
  #recent = new Map<string, number[]>();
  readonly #rounds: Service;

  constructor({ engine, clock, log }: { engine: Engine; clock: Clock; log: Log }) {
    this.#engine = engine;
    this.#clock = clock;
    this.#rounds = repeating({
      name: this.name,
      everyMs: NOTICE_LOOK_MS,
      work: () => this.#look(),
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

  async #look(): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const waiting = new Map<string, LaneItem>();
    for (const item of this.#engine.waiting()) waiting.set(item.id, item);
    for (const id of this.#told) if (!waiting.has(id)) this.#told.delete(id);
    this.#forget(nowMs);
    for (const item of waiting.values()) {
      const waitedMs = nowMs - item.sinceMs;
      if (this.#told.has(item.id) || waitedMs < QUEUE_NOTICE_AFTER_MS) continue;
      const retrying = item.notBeforeMs > 0;
      if (retrying && waitedMs < OFFLINE_NOTICE_AFTER_MS) continue;
      if (!this.#mayTell(item.lane, nowMs)) continue;
      this.#told.add(item.id);
      await this.#engine.show(item.id as TurnId, this.#noticeFor(item));
    }
  }

  #noticeFor(item: LaneItem): Show {
    if (item.notBeforeMs > 0) return notices.offline();
    return this.#engine.isInDoubt ? notices.inDoubt() : notices.queued(this.#engine.ahead(item));
  }

  #mayTell(lane: string, nowMs: number): boolean {
    const recent = this.#recent.get(lane) ?? [];
    if (recent.length >= QUEUE_NOTICES_PER_MINUTE) return false;
    this.#recent.set(lane, [...recent, nowMs]);
    return true;
  }

  #forget(nowMs: number): void {
    const kept = new Map<string, number[]>();
    for (const [lane, times] of this.#recent) {
      const fresh = times.filter((atMs) => nowMs - atMs < MINUTE_MS);
      if (fresh.length > 0) kept.set(lane, fresh);
    }
    this.#recent = kept;
  }
}
